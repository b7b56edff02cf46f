"""Strided convolutions. A. Radford et al., "Unsupervised Representation Learning with DCGANs", 2016."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from creatures.nets.common.base import FIRST_PX, Discriminator, downsample_pyramid
from creatures.nets.common.parts import NORMS, Projection, SelfAttention, apply_spectral_norm


class DCGANDiscriminator(Discriminator):
    """Strided convolutions.

    Args:
        image_px: side of the pictures, a power of two, at least 16.
        width: channels of the first layer; doubles with each layer.
        norm: batch (on all layers but the first and the last), none or spectral (on all).
        attention_px: side of the map that gets self-attention; 0 for none.
        msg: concatenate smaller pictures at their resolutions (multi-scale gradients).
        classes: number of classes that condition it; 0 for none.
    """

    def __init__(
        self,
        image_px: int,
        width: int = 64,
        norm: str = "batch",
        attention_px: int = 0,
        msg: bool = False,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.blocks, side, into, out = nn.ModuleList(), image_px, 3, width
        while side > FIRST_PX:
            normed = norm if len(self.blocks) else "none"
            layers = [nn.Conv2d(into, out, 4, 2, 1, bias=normed != "batch"), NORMS[normed](out), nn.LeakyReLU(0.2)]
            side //= 2
            if side == attention_px:
                layers.append(SelfAttention(out))
            self.blocks.append(nn.Sequential(*layers))
            into, out = out + (3 if msg else 0), 2 * out
        self.last = nn.Conv2d(into, 1, FIRST_PX)
        self.projection = Projection(classes, into) if classes else None
        if norm == "spectral":
            apply_spectral_norm(self)

    def discriminate(self, features: list[Tensor], condition: Tensor | None = None) -> Tensor:
        x = torch.cat(downsample_pyramid(self.blocks, features), dim=1)  # N x channels x 4 x 4
        logits = self.last(x).flatten(1)  # N x 1
        return logits if self.projection is None or condition is None else logits + self.projection(x, condition)


class SNGANDiscriminator(DCGANDiscriminator):
    """DCGANDiscriminator with spectral normalisation of every layer. T. Miyato et al., 2018."""

    def __init__(
        self, image_px: int, width: int = 64, attention_px: int = 0, msg: bool = False, classes: int = 0
    ) -> None:
        super().__init__(image_px, width, "spectral", attention_px, msg, classes)


class ShallowDiscriminator(Discriminator):
    """Two 5x5 convolutions and a linear layer, for small sets and short runs.

    Args:
        image_px: side of the pictures.
        width: channels of the first layer; twice as many in the second.
        dropout: after the first layer.
    """

    def __init__(self, image_px: int, width: int = 64, dropout: float = 0.3) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, width, 5, 1, 2),
            nn.LeakyReLU(0.2),
            nn.Dropout(dropout),
            nn.Conv2d(width, 2 * width, 5, 2, 2),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
            nn.Linear(2 * width * (image_px // 2) ** 2, 1),
        )

    def discriminate(self, features: list[Tensor], condition: Tensor | None = None) -> Tensor:
        return self.layers(features[0])
