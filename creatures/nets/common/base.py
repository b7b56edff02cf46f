"""Base classes of generators and discriminators."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FIRST_PX = 4


class Generator(nn.Module):
    """z, float N x z_dim, to pictures, float N x 3 x H x W in [-1, 1].

    Subclasses implement `maps`, feature maps by their side, and `draw`, the picture from them
    before its tanh, with one or more samples per pixel. With multi-scale gradients
    (A. Karnewar and O. Wang, "MSG-GAN", 2020) coarse maps become pictures too, each through a 1x1 convolution.

    Args:
        small: channels, by side, of the coarse maps that become pictures; empty without `msg`.
    """

    def __init__(self, z_dim: int, image_px: int, small: dict[int, int]) -> None:
        super().__init__()
        self.z_dim, self.image_px = z_dim, image_px
        sides = sorted(small, reverse=True)
        self.small = nn.ModuleDict({str(side): nn.Conv2d(small[side], 3, 1) for side in sides})

    def maps(self, z: Tensor) -> dict[int, Tensor]:
        """Feature maps by their side, each float N x channels x side x side, coarse to fine."""
        raise NotImplementedError

    def draw(self, maps: dict[int, Tensor]) -> Tensor:
        """The picture before tanh, float N x 3k x H x W: k samples per pixel."""
        raise NotImplementedError

    def pyramid(self, z: Tensor) -> list[Tensor]:
        """The picture and, with multi-scale gradients, its smaller ones: fine to coarse."""
        maps = self.maps(z)
        return [tanh_fp32(self.draw(maps)), *(tanh_fp32(layer(maps[int(side)])) for side, layer in self.small.items())]

    def forward(self, z: Tensor) -> Tensor:
        """The picture alone, float N x 3 x H x W in [-1, 1]."""
        return tanh_fp32(self.draw(self.maps(z)))


def tanh_fp32(x: Tensor) -> Tensor:
    """Turn samples, N x 3k x H x W, into pictures, N x 3 x H x W in [-1, 1]: mean of the tanh of k samples per pixel.

    In float32: bfloat16 has no values between 0.996 and 1, so white pixels would stop learning.
    """
    return torch.tanh(x.float()).unflatten(1, (-1, 3)).mean(1)


class Discriminator(nn.Module):
    """Pictures, each float N x 3 x H x W in [-1, 1], fine to coarse, to logits, float N x anything.

    The list has one entry without multi-scale gradients. A positive logit means real. `features`
    may be a frozen network: its maps of the fakes are computed once and used in the steps of
    both networks.

    Attributes:
        pools: whether the last entry of `features` is a frozen network's pooled features, float N x D.
    """

    pools = False

    def features(self, pictures: list[Tensor]) -> list[Tensor]:
        """Input of `discriminate`: here the pictures themselves."""
        return pictures

    def discriminate(self, features: list[Tensor], condition: Tensor | None = None) -> Tensor:
        """Logits, float N x anything.

        Args:
            features: output of `features`.
            condition: for conditional discriminators: each picture's class, int N, -1 for none, or its
                embedding, float N x E.
        """
        raise NotImplementedError

    def forward(self, pictures: list[Tensor], condition: Tensor | None = None) -> Tensor:
        """Logits of pictures; for the arguments see `features` and `discriminate`."""
        return self.discriminate(self.features(pictures), condition)


def downsample_pyramid(blocks: nn.ModuleList, pictures: list[Tensor]) -> list[Tensor]:
    """Pass the largest picture through blocks that halve it; concatenate smaller ones with the maps of their sides.

    Returns:
        The last map, and the smallest picture if there is one, not yet concatenated.
    """
    x, *small = pictures
    for level, block in enumerate(blocks):
        x = block(torch.cat([x, small[level - 1]], dim=1) if small and level else x)
    return [x, *small[-1:]]


def shrink(pictures: Tensor, levels: int) -> list[Tensor]:
    """A pyramid of real pictures: each level averages 2 x 2 pixels of the one before."""
    pyramid = [pictures]
    while len(pyramid) < levels:
        pyramid.append(F.avg_pool2d(pyramid[-1], 2))
    return pyramid
