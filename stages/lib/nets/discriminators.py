"""Discriminators: pictures, float N x 3 x H x W in [-1, 1], to logits, float N x anything.

A positive logit says real. `features` is where a frozen network may stand: its maps of
the fakes are computed once and serve the steps of both networks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from stages.lib.nets.efficientnet_lite import EfficientNetLite


class Discriminator(nn.Module):
    """Trained `discriminate` on top of `features`, which need no training (by default the picture)."""

    def features(self, x: Tensor) -> list[Tensor]:
        return [x]

    def discriminate(self, features: list[Tensor]) -> Tensor:
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        return self.discriminate(self.features(x))


class DCGANDiscriminator(Discriminator):
    """Strided convolutions. A. Radford et al., 2016.

    Args:
        image_px: side of the pictures, a power of two from 16 on.
        width: channels of the first layer; doubles with each.
    """

    def __init__(self, image_px: int, width: int = 64) -> None:
        super().__init__()
        channels = width
        layers: list[nn.Module] = [nn.Conv2d(3, channels, 4, 2, 1), nn.LeakyReLU(0.2)]
        for _ in range(int(math.log2(image_px)) - 3):
            layers += [
                nn.Conv2d(channels, 2 * channels, 4, 2, 1, bias=False),
                nn.BatchNorm2d(2 * channels),
                nn.LeakyReLU(0.2),
            ]
            channels *= 2
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 1, 4), nn.Flatten())
        for module in self.modules():  # the paper's initial weights
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, 0, 0.02)

    def discriminate(self, features: list[Tensor]) -> Tensor:
        return self.layers(features[0])


class ProjectedDiscriminator(Discriminator):
    """Light heads on frozen, randomly mixed EfficientNet-Lite0 features.

    A. Sauer et al., "Projected GANs Converge Faster", 2021: cross-channel mixing (random
    1x1 convolutions), cross-scale mixing (random 3x3 convolutions from coarse to fine),
    and one spectral-normalised head a scale. The random weights are never trained; they
    are buffers, stored with the checkpoint.

    Args:
        image_px: side of the pictures, a power of two.
        width: channels after mixing.
        strides: of the feature maps used, fine to coarse.
    """

    def __init__(self, image_px: int, width: int = 64, strides: Sequence[int] = (2, 4, 8, 16, 32)) -> None:
        super().__init__()
        self.strides = tuple(strides)
        self.backbone = EfficientNetLite(0)
        with torch.no_grad():
            maps = self.backbone.feature_maps(torch.zeros(1, 3, image_px, image_px), self.strides)
        for i, found in enumerate(maps):
            self.register_buffer(f"channels{i}", _random_kernel(width, found.shape[1], 1))
            self.register_buffer(f"scales{i}", _random_kernel(width, width, 3))
        self.heads = nn.ModuleList(_head(width, found.shape[-1]) for found in maps)

    def features(self, x: Tensor) -> list[Tensor]:
        """Mixed maps, fine to coarse; differentiable in x."""
        mixed: list[Tensor] = []
        maps = self.backbone.feature_maps(x, self.strides)
        for i in reversed(range(len(maps))):
            here = F.conv2d(maps[i], getattr(self, f"channels{i}"))
            if mixed:
                here = here + F.interpolate(mixed[0], size=here.shape[-2:], mode="bilinear")
                here = F.conv2d(here, getattr(self, f"scales{i}"), padding=1)
            mixed.insert(0, here)
        return mixed

    def discriminate(self, features: list[Tensor]) -> Tensor:
        """Logits of all heads, N x (number of them)."""
        return torch.cat([head(f).flatten(1) for head, f in zip(self.heads, features, strict=True)], dim=1)


def _random_kernel(out: int, into: int, side: int) -> Tensor:
    kernel = torch.empty(out, into, side, side)
    nn.init.kaiming_normal_(kernel)
    return kernel


def _head(width: int, side: int) -> nn.Module:
    layers: list[nn.Module] = []
    while side > 4:
        layers += [spectral_norm(nn.Conv2d(width, width, 4, 2, 1)), nn.LeakyReLU(0.2)]
        side //= 2
    layers += [
        spectral_norm(nn.Conv2d(width, width, 1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(width, 1, min(side, 4))),
    ]
    return nn.Sequential(*layers)


DISCRIMINATORS: dict[str, Callable[..., Discriminator]] = {
    "dcgan": DCGANDiscriminator,
    "projected": ProjectedDiscriminator,
}
