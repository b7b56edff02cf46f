"""Stacks of strided convolutions.

A. Radford et al., "Unsupervised Representation Learning with DCGANs", 2016.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from creatures.nets.common.base import FIRST_PX, Discriminator, Generator, downsample_pyramid
from creatures.nets.common.parts import ACTIVATIONS, NORMS, Projection, SelfAttention, apply_spectral_norm


class DCGANGenerator(Generator):
    """Transposed convolutions.

    Args:
        z_dim: length of the latent.
        image_px: side of the pictures, a power of two from 16 on.
        width: channels of the last hidden layer; doubles with each layer before it.
        activation: relu or leaky.
        dropout: after the first layer.
        first_px: side of the first map.
        kernel: side of the convolutions that enlarge, 4 or 5.
        msg: draw small pictures too.
    """

    def __init__(
        self,
        z_dim: int,
        image_px: int,
        width: int = 64,
        activation: str = "relu",
        dropout: float = 0.0,
        first_px: int = FIRST_PX,
        kernel: int = 4,
        msg: bool = False,
    ) -> None:
        channels = {image_px // 2**i: width * 2 ** (i - 1) for i in range(1, 12) if image_px // 2**i >= first_px}
        super().__init__(z_dim, image_px, channels if msg else {})
        self.first = nn.Sequential(
            nn.Unflatten(1, (z_dim, 1, 1)),
            nn.ConvTranspose2d(z_dim, channels[first_px], first_px, bias=False),
            nn.BatchNorm2d(channels[first_px]),
            ACTIVATIONS[activation](),
            nn.Dropout(dropout),
        )

        def enlarge(into: int, out: int, bias: bool) -> nn.Module:
            return nn.ConvTranspose2d(into, out, kernel, 2, (kernel - 1) // 2, output_padding=kernel % 2, bias=bias)

        self.blocks = nn.ModuleDict()
        for side in sorted(channels)[1:]:
            layers = [enlarge(channels[side // 2], channels[side], bias=False), nn.BatchNorm2d(channels[side])]
            self.blocks[str(side)] = nn.Sequential(*layers, ACTIVATIONS[activation]())
        self.last = enlarge(width, 3, bias=True)

    def maps(self, z: Tensor) -> dict[int, Tensor]:
        x = self.first(z)
        maps = {x.shape[-1]: x}
        for side, block in self.blocks.items():
            maps[int(side)] = x = block(x)
        return maps

    def draw(self, maps: dict[int, Tensor]) -> Tensor:
        return self.last(maps[self.image_px // 2])


class DCGANDiscriminator(Discriminator):
    """Strided convolutions.

    Args:
        image_px: side of the pictures, a power of two from 16 on.
        width: channels of the first layer; doubles with each.
        norm: batch (on all layers but the first and the last), none or spectral (on all).
        attention_px: side of the map that gets self-attention; 0 for none.
        msg: small pictures join at their resolutions.
        classes: for labels; 0 for none.
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
        x = torch.cat(downsample_pyramid(self.blocks, features), dim=1)
        logits = self.last(x).flatten(1)
        return logits if self.projection is None or condition is None else logits + self.projection(x, condition)


class SNGANDiscriminator(DCGANDiscriminator):
    """The same with spectral normalisation of every layer. T. Miyato et al., 2018."""

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
