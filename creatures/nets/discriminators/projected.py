"""Discriminator on frozen ImageNet features."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from creatures.nets.common.base import Discriminator
from creatures.nets.common.parts import EmbeddingProjection, Projection
from creatures.nets.frozen.efficientnet_lite import STAGES, EfficientNetLite

GROWTH = 4  # heads have at most GROWTH * width channels


class ProjectedDiscriminator(Discriminator):
    """Light heads on frozen, randomly mixed EfficientNet-Lite0 features, and one on the pixels.

    A. Sauer et al., "Projected GANs Converge Faster", 2021: cross-channel mixing (random
    1x1 convolutions), cross-scale mixing (random 3x3 convolutions from coarse to fine),
    and one spectral-normalised head per scale. The random weights are never trained; they
    are buffers, stored with the checkpoint. Unlike in the paper, maps of 32 x 32 pixels and more
    have fewer channels, and maps are mixed before they are upsampled, both for speed; and a
    plain head sees the pixels, to catch texture that frozen features miss.

    Args:
        image_px: side of the pictures, a power of two.
        width: channels after mixing, of maps up to 16 x 16.
        enlarge: factor by which pictures are enlarged first, since the backbone was trained on
            larger ones. Maps of at most half the picture's side are used.
        classes: number of classes that condition the coarsest head; 0 for none.
        embedding_dim: length of embeddings that condition all heads instead of classes; 0 for none.
    """

    pools = True

    def __init__(
        self, image_px: int, width: int = 64, enlarge: int = 1, classes: int = 0, embedding_dim: int = 0
    ) -> None:
        super().__init__()
        self.enlarge = enlarge
        self.strides = tuple(stride for stride in STAGES if stride >= 2 * enlarge)
        self.backbone = EfficientNetLite(0)
        with torch.no_grad():
            maps = self.backbone.feature_maps(self._enlarged(torch.zeros(1, 3, image_px, image_px)), self.strides)
        widths = [max(4, min(width, width * 16 // x.shape[-1])) for x in maps]
        for i, (x, out) in enumerate(zip(maps, widths, strict=True)):
            self.register_buffer(f"channels{i}", _random_kernel(out, x.shape[1], 1))
            if i + 1 < len(maps):
                self.register_buffer(f"scales{i}", _random_kernel(out, widths[i + 1], 3))
        most, first = width * GROWTH, width // 2
        self.pixels = nn.Sequential(spectral_norm(nn.Conv2d(3, first, 4, 2, 1)), nn.LeakyReLU(0.2))
        sides = [(first, image_px // 2), *((out, x.shape[-1]) for x, out in zip(maps, widths, strict=True))]
        self.heads = nn.ModuleList(Head(channels, side, most, embedding_dim) for channels, side in sides)
        self.projection = Projection(classes, width) if classes else None

    def _enlarged(self, pictures: Tensor) -> Tensor:
        if self.enlarge == 1:
            return pictures
        larger = F.interpolate(pictures, scale_factor=self.enlarge, mode="bilinear")
        return larger.contiguous(memory_format=torch.channels_last)

    def features(self, pictures: list[Tensor]) -> list[Tensor]:
        """The pictures, the mixed maps, fine to coarse, and the backbone's pooled features, float N x 1280;
        differentiable in the pictures.
        """
        mixed: list[Tensor] = []
        maps = self.backbone.feature_maps(self._enlarged(pictures[0]), self.strides)
        for i in reversed(range(len(maps))):
            x = F.conv2d(maps[i], getattr(self, f"channels{i}"))
            if mixed:
                coarse = F.conv2d(mixed[0], getattr(self, f"scales{i}"), padding=1)
                x = x + F.interpolate(coarse, size=x.shape[-2:], mode="bilinear")
            mixed.insert(0, x)
        return [pictures[0], *mixed, self.backbone.pooled(maps[-1])]

    def discriminate(self, features: list[Tensor], condition: Tensor | None = None) -> Tensor:
        """Logits of all heads, N x (number of them)."""
        maps = [self.pixels(features[0]), *features[1:-1]]
        logits = [head(x, condition) for head, x in zip(self.heads, maps, strict=True)]
        if self.projection is not None and condition is not None:
            logits[-1] = logits[-1] + self.projection(maps[-1], condition)
        return torch.cat(logits, dim=1)


def _random_kernel(out: int, into: int, side: int) -> Tensor:
    kernel = torch.empty(out, into, side, side)
    nn.init.kaiming_normal_(kernel)
    return kernel


class Head(nn.Module):
    """Spectral-normalised convolutions from a map to logits; channels double where sides halve.

    Args:
        width: channels of the map.
        side: of the map.
        most: upper bound on the channels.
        embedding_dim: length of the embeddings that condition it; 0 for none.
    """

    def __init__(self, width: int, side: int, most: int, embedding_dim: int = 0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        while side > 4:
            wider = min(2 * width, most)
            layers += [spectral_norm(nn.Conv2d(width, wider, 4, 2, 1)), nn.LeakyReLU(0.2)]
            side, width = side // 2, wider
        layers += [spectral_norm(nn.Conv2d(width, width, 1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers)
        self.last = nn.Sequential(spectral_norm(nn.Conv2d(width, 1, min(side, 4))), nn.Flatten())
        self.agreement = EmbeddingProjection(embedding_dim, width) if embedding_dim else None

    def forward(self, x: Tensor, embeddings: Tensor | None = None) -> Tensor:
        """Logits, N x 1, of a map, N x width x side x side."""
        hidden = self.layers(x)  # N x channels x 4 x 4, or smaller if the map is
        logits = self.last(hidden)
        if self.agreement is None or embeddings is None:
            return logits
        return logits + self.agreement(hidden, embeddings)
