"""The discriminator on frozen ImageNet features."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from stages.lib.nets.base import Discriminator
from stages.lib.nets.efficientnet_lite import EfficientNetLite
from stages.lib.nets.parts import Projection


class ProjectedDiscriminator(Discriminator):
    """Light heads on frozen, randomly mixed EfficientNet-Lite0 features.

    A. Sauer et al., "Projected GANs Converge Faster", 2021: cross-channel mixing (random
    1x1 convolutions), cross-scale mixing (random 3x3 convolutions from coarse to fine),
    and one spectral-normalised head a scale. The random weights are never trained; they
    are buffers, stored with the checkpoint.

    Args:
        image_px: side of the pictures, a power of two.
        width: channels after mixing.
        classes: for labels, which the coarsest head is told; 0 for none.
        strides: of the feature maps used, fine to coarse.
    """

    def __init__(
        self, image_px: int, width: int = 64, classes: int = 0, strides: Sequence[int] = (2, 4, 8, 16, 32)
    ) -> None:
        super().__init__()
        self.strides = tuple(strides)
        self.backbone = EfficientNetLite(0)
        with torch.no_grad():
            maps = self.backbone.feature_maps(torch.zeros(1, 3, image_px, image_px), self.strides)
        for i, found in enumerate(maps):
            self.register_buffer(f"channels{i}", _random_kernel(width, found.shape[1], 1))
            self.register_buffer(f"scales{i}", _random_kernel(width, width, 3))
        self.heads = nn.ModuleList(Head(width, found.shape[-1]) for found in maps)
        self.projection = Projection(classes, width) if classes else None

    def features(self, pictures: list[Tensor]) -> list[Tensor]:
        """Mixed maps, fine to coarse; differentiable in the pictures."""
        mixed: list[Tensor] = []
        maps = self.backbone.feature_maps(pictures[0], self.strides)
        for i in reversed(range(len(maps))):
            here = F.conv2d(maps[i], getattr(self, f"channels{i}"))
            if mixed:
                here = here + F.interpolate(mixed[0], size=here.shape[-2:], mode="bilinear")
                here = F.conv2d(here, getattr(self, f"scales{i}"), padding=1)
            mixed.insert(0, here)
        return mixed

    def discriminate(self, features: list[Tensor], labels: Tensor | None = None) -> Tensor:
        """Logits of all heads, N x (number of them)."""
        logits = [head(found) for head, found in zip(self.heads, features, strict=True)]
        if self.projection is not None and labels is not None:
            logits[-1] = logits[-1] + self.projection(features[-1], labels)
        return torch.cat(logits, dim=1)


def _random_kernel(out: int, into: int, side: int) -> Tensor:
    kernel = torch.empty(out, into, side, side)
    nn.init.kaiming_normal_(kernel)
    return kernel


class Head(nn.Module):
    """Spectral-normalised convolutions from a map to logits.

    Args:
        width: channels of the map.
        side: of the map.
    """

    def __init__(self, width: int, side: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        while side > 4:
            layers += [spectral_norm(nn.Conv2d(width, width, 4, 2, 1)), nn.LeakyReLU(0.2)]
            side //= 2
        layers += [spectral_norm(nn.Conv2d(width, width, 1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, spectral_norm(nn.Conv2d(width, 1, min(side, 4))), nn.Flatten())

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)
