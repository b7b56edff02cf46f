"""Residual generator and discriminator. T. Miyato et al., 2018, tables 4 and 5."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from creatures.nets.common.base import FIRST_PX, Discriminator, Generator, downsample_pyramid
from creatures.nets.common.parts import ACTIVATIONS, NORMS, Projection, SelfAttention, apply_spectral_norm


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
        return self.long(x) + self.short(x)


class ResNetGenerator(Generator):
    """Residual blocks that enlarge.

    Args:
        z_dim: length of the latent.
        image_px: side of the pictures, a power of two from 16 on.
        width: channels at full resolution; doubles with each block before.
        activation: relu or leaky.
        dropout: after the first map.
        msg: draw small pictures too.
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
        x = self.first(z).contiguous(memory_format=torch.channels_last)
        maps = {FIRST_PX: x}
        for side, block in self.blocks.items():
            maps[int(side)] = x = block(x)
        return maps

    def draw(self, maps: dict[int, Tensor]) -> Tensor:
        return self.last(maps[self.image_px])


class DownBlock(nn.Module):
    """A residual block that halves the side."""

    def __init__(self, into: int, out: int, norm: str, first: bool) -> None:
        super().__init__()
        before = [] if first else [NORMS[norm](into), nn.ReLU()]
        self.long = nn.Sequential(
            *before,
            nn.Conv2d(into, out, 3, padding=1),
            NORMS[norm](out),
            nn.ReLU(),
            nn.Conv2d(out, out, 3, padding=1),
            nn.AvgPool2d(2),
        )
        self.short = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(into, out, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.long(x) + self.short(x)


class ResNetDiscriminator(Discriminator):
    """Residual blocks that shrink; the arguments are those of DCGANDiscriminator."""

    def __init__(
        self,
        image_px: int,
        width: int = 64,
        norm: str = "none",
        attention_px: int = 0,
        msg: bool = False,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.blocks, side, into, out = nn.ModuleList(), image_px, 3, width
        while side > FIRST_PX:
            block: list[nn.Module] = [DownBlock(into, out, norm, first=not self.blocks)]
            side //= 2
            if side == attention_px:
                block.append(SelfAttention(out))
            self.blocks.append(nn.Sequential(*block))
            into, out = out + (3 if msg else 0), 2 * out
        self.last = nn.Linear(into, 1)
        self.projection = Projection(classes, into) if classes else None
        if norm == "spectral":
            apply_spectral_norm(self)

    def discriminate(self, features: list[Tensor], condition: Tensor | None = None) -> Tensor:
        x, *smallest = downsample_pyramid(self.blocks, features)
        x = torch.cat([F.relu(x), *smallest], dim=1)
        logits = self.last(x.sum((2, 3)))
        return logits if self.projection is None or condition is None else logits + self.projection(x, condition)
