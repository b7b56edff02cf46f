"""Residual blocks. T. Miyato et al., "Spectral Normalization for GANs", 2018, table 5."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from creatures.nets.common.base import FIRST_PX, Discriminator, downsample_pyramid
from creatures.nets.common.parts import NORMS, Projection, SelfAttention, apply_spectral_norm


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
        """N x into x H x W to N x out x H/2 x W/2."""
        return self.long(x) + self.short(x)


class ResNetDiscriminator(Discriminator):
    """Residual blocks that halve the side; the arguments are those of DCGANDiscriminator."""

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
        x, *smallest = downsample_pyramid(self.blocks, features)  # N x channels x 4 x 4
        x = torch.cat([F.relu(x), *smallest], dim=1)
        logits = self.last(x.sum((2, 3)))  # N x 1
        return logits if self.projection is None or condition is None else logits + self.projection(x, condition)
