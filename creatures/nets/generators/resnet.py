"""Residual blocks. T. Miyato et al., "Spectral Normalization for GANs", 2018, table 4."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from creatures.nets.common.base import FIRST_PX, Generator
from creatures.nets.common.parts import ACTIVATIONS


class UpBlock(nn.Module):
    """A residual block that doubles the side."""

    def __init__(self, into: int, out: int, activation: str) -> None:
        super().__init__()
        self.long = nn.Sequential(
            nn.BatchNorm2d(into),
            ACTIVATIONS[activation](),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(into, out, 3, padding=1),
            nn.BatchNorm2d(out),
            ACTIVATIONS[activation](),
            nn.Conv2d(out, out, 3, padding=1),
        )
        self.short = nn.Sequential(nn.Conv2d(into, out, 1), nn.Upsample(scale_factor=2))

    def forward(self, x: Tensor) -> Tensor:
        """N x into x H x W to N x out x 2H x 2W."""
        return self.long(x) + self.short(x)


class ResNetGenerator(Generator):
    """Residual blocks that double the side.

    Args:
        z_dim: length of the latent.
        image_px: side of the pictures, a power of two, at least 16.
        width: channels at full resolution; doubles with each earlier block.
        activation: relu or leaky.
        dropout: after the first map.
        msg: output smaller pictures too (multi-scale gradients).
    """

    def __init__(
        self,
        z_dim: int,
        image_px: int,
        width: int = 64,
        activation: str = "relu",
        dropout: float = 0.0,
        msg: bool = False,
    ) -> None:
        channels = {image_px // 2**i: width * 2**i for i in range(12) if image_px // 2**i >= FIRST_PX}
        super().__init__(z_dim, image_px, {s: c for s, c in channels.items() if s < image_px} if msg else {})
        first = channels[FIRST_PX]
        self.first = nn.Sequential(
            nn.Linear(z_dim, first * FIRST_PX**2), nn.Unflatten(1, (first, FIRST_PX, FIRST_PX)), nn.Dropout(dropout)
        )
        self.blocks = nn.ModuleDict(
            {str(s): UpBlock(channels[s // 2], channels[s], activation) for s in sorted(channels)[1:]}
        )
        self.last = nn.Sequential(nn.BatchNorm2d(width), ACTIVATIONS[activation](), nn.Conv2d(width, 3, 3, padding=1))

    def maps(self, z: Tensor) -> dict[int, Tensor]:
        x = self.first(z).contiguous(memory_format=torch.channels_last)  # N x channels x 4 x 4
        maps = {FIRST_PX: x}
        for side, block in self.blocks.items():
            maps[int(side)] = x = block(x)  # of twice the side
        return maps

    def draw(self, maps: dict[int, Tensor]) -> Tensor:
        return self.last(maps[self.image_px])
