"""Generators: z, float N x z_dim, to pictures, float N x 3 x H x W in [-1, 1]."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

FIRST_PX = 4


class SkipExcitation(nn.Module):
    """Skip-layer excitation: a coarse map gates the channels of a fine one.

    B. Liu et al., "Towards Faster and Stabilized GAN Training" (FastGAN), 2021, eq. 2.
    """

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(4),
            nn.Conv2d(coarse, fine, 4),
            nn.LeakyReLU(0.1),
            nn.Conv2d(fine, fine, 1),
            nn.Sigmoid(),
        )

    def forward(self, coarse: Tensor, fine: Tensor) -> Tensor:
        return fine * self.gate(coarse)


class Dilated(nn.Module):
    """A residual dilated convolution: sees far at one resolution, for large flat areas."""

    def __init__(self, channels: int, rate: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=rate, dilation=rate, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + nn.functional.leaky_relu(self.norm(self.conv(x)), 0.2)


class UpConv(nn.Conv2d):
    """Nearest upsampling by 2, then a 3x3 convolution, in 2.25 times fewer multiplications.

    Of the nine taps on the upsampled map several fall on the same input pixel. With these
    added up first, the same function is a transposed 4x4 convolution of stride 2.
    """

    def __init__(self, into: int, out: int) -> None:
        super().__init__(into, out, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        k = nn.functional.pad(self.weight, (1, 1, 1, 1))
        k = k[..., :-1, :-1] + k[..., 1:, :-1] + k[..., :-1, 1:] + k[..., 1:, 1:]
        return nn.functional.conv_transpose2d(x, k.flip(2, 3).transpose(0, 1), stride=2, padding=1)


class LiteGenerator(nn.Module):
    """Nearest upsampling and 3x3 convolutions, light enough for a CPU.

    Args:
        z_dim: length of the latent or embedding.
        image_px: side of the pictures, a power of two from 16 on.
        width: channels at full resolution; 2, 4, 6 and 8 times as many further down.
        dilation: rate of the dilated convolutions.
        dilated_px: resolutions that get one.
    """

    def __init__(
        self, z_dim: int, image_px: int, width: int = 32, dilation: int = 2, dilated_px: Sequence[int] = (32,)
    ) -> None:
        super().__init__()
        self.z_dim, self.image_px = z_dim, image_px
        sides = [FIRST_PX * 2**i for i in range(int(math.log2(image_px // FIRST_PX)) + 1)]
        multiples = {0: 1, 1: 2, 2: 4, 3: 6}
        channels = {side: width * multiples.get(int(math.log2(image_px // side)), 8) for side in sides}
        self.channels, first = channels, channels[FIRST_PX]
        self.first = nn.Sequential(
            nn.Linear(z_dim, first * FIRST_PX**2, bias=False),
            nn.Unflatten(1, (first, FIRST_PX, FIRST_PX)),
            nn.BatchNorm2d(first),
            nn.LeakyReLU(0.2),
        )
        self.blocks, self.skips = nn.ModuleDict(), nn.ModuleDict()
        for side in sides[1:]:
            before, after = channels[side // 2], channels[side]
            layers: list[nn.Module] = [
                UpConv(before, after),
                nn.BatchNorm2d(after),
                nn.LeakyReLU(0.2),
            ]
            if side in dilated_px:
                layers.append(Dilated(after, dilation))
            self.blocks[str(side)] = nn.Sequential(*layers)
            if side // 8 in channels and side >= 32:
                self.skips[str(side)] = SkipExcitation(channels[side // 8], after)
        self.to_rgb = nn.Conv2d(channels[image_px], 3, 3, padding=1)

    def maps(self, z: Tensor, last_px: int | None = None) -> dict[int, Tensor]:
        """Feature maps by their side, up to `last_px` (by default all)."""
        # the whole stack then runs channels last, which its convolutions are fastest in
        x = self.first(z).contiguous(memory_format=torch.channels_last)
        maps = {FIRST_PX: x}
        for name, block in self.blocks.items():
            side = int(name)
            if last_px is not None and side > last_px:
                break
            x = block(x)
            if name in self.skips:
                x = self.skips[name](maps[side // 8], x)
            maps[side] = x
        return maps

    def forward(self, z: Tensor) -> Tensor:
        return torch.tanh(self.to_rgb(self.maps(z)[self.image_px]))


class DCGANGenerator(nn.Module):
    """Transposed convolutions. A. Radford et al., "Unsupervised Representation Learning with DCGANs", 2016.

    Args:
        z_dim: length of the latent.
        image_px: side of the pictures, a power of two from 16 on.
        width: channels of the last hidden layer; doubles with each layer before it.
    """

    def __init__(self, z_dim: int, image_px: int, width: int = 64) -> None:
        super().__init__()
        self.z_dim = z_dim
        doublings = int(math.log2(image_px // FIRST_PX)) - 1
        channels = width * 2**doublings
        layers: list[nn.Module] = [
            nn.Unflatten(1, (z_dim, 1, 1)),
            nn.ConvTranspose2d(z_dim, channels, FIRST_PX, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        ]
        for _ in range(doublings):
            layers += [
                nn.ConvTranspose2d(channels, channels // 2, 4, 2, 1, bias=False),
                nn.BatchNorm2d(channels // 2),
                nn.ReLU(),
            ]
            channels //= 2
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(channels, 3, 4, 2, 1), nn.Tanh())
        for module in self.modules():  # the paper's initial weights
            if isinstance(module, nn.ConvTranspose2d):
                nn.init.normal_(module.weight, 0, 0.02)

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


GENERATORS: dict[str, Callable[..., nn.Module]] = {"lite": LiteGenerator, "dcgan": DCGANGenerator}


def build_generator(architecture: dict[str, Any]) -> nn.Module:
    """A generator from its description: `name` and the arguments of its class."""
    rest = {key: value for key, value in architecture.items() if key != "name"}
    return GENERATORS[architecture["name"]](**rest)
