"""Base classes of generators and discriminators."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FIRST_PX = 4


class Generator(nn.Module):
    """z, float N x z_dim, to pictures, float N x 3 x H x W in [-1, 1].

    A subclass gives `maps`, feature maps by their side, and `draw`, the picture from them
    before its tanh, of one or more samples a pixel. With multi-scale gradients
    (A. Karnewar and O. Wang, "MSG-GAN", 2020) the coarse maps are drawn too, each through a 1x1 convolution.

    Args:
        small: channels of the coarse maps to draw, by their side; none without `msg`.
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
        """The picture before tanh, float N x 3k x H x W: k samples a pixel."""
        raise NotImplementedError

    def pyramid(self, z: Tensor) -> list[Tensor]:
        """The picture and, with multi-scale gradients, its smaller ones: fine to coarse."""
        maps = self.maps(z)
        return [tanh_fp32(self.draw(maps)), *(tanh_fp32(layer(maps[int(side)])) for side, layer in self.small.items())]

    def forward(self, z: Tensor) -> Tensor:
        """The picture alone, float N x 3 x H x W in [-1, 1]."""
        return tanh_fp32(self.draw(self.maps(z)))


def tanh_fp32(x: Tensor) -> Tensor:
    """Pictures, N x 3 x H x W in [-1, 1], of what was drawn, N x 3k x H x W: the mean of the tanh of k samples a pixel.

    In float32: bfloat16 has nothing between 0.996 and 1, where a white pixel would no longer learn.
    """
    return torch.tanh(x.float()).unflatten(1, (-1, 3)).mean(1)


class Discriminator(nn.Module):
    """Pictures, each float N x 3 x H x W in [-1, 1], fine to coarse, to logits, float N x anything.

    A list of one without multi-scale gradients. A positive logit says real. `features` is
    where a frozen network may stand: its maps of the fakes are computed once and serve the
    steps of both networks.
    """

    def features(self, pictures: list[Tensor]) -> list[Tensor]:
        """What `discriminate` reads: here the pictures themselves."""
        return pictures

    def discriminate(self, features: list[Tensor], condition: Tensor | None = None) -> Tensor:
        """Logits, float N x anything.

        Args:
            features: those that `features` gives.
            condition: for conditional discriminators: of each picture its class, int N, -1 for none, or its
                embedding, float N x E.
        """
        raise NotImplementedError

    def forward(self, pictures: list[Tensor], condition: Tensor | None = None) -> Tensor:
        """Logits of pictures; the arguments are those of the two above."""
        return self.discriminate(self.features(pictures), condition)


def downsample_pyramid(blocks: nn.ModuleList, pictures: list[Tensor]) -> list[Tensor]:
    """The largest picture through blocks that halve it; a smaller one joins each map of its side.

    Returns:
        The last map, and the smallest picture if there is one, which has yet to join.
    """
    x, *small = pictures
    for level, block in enumerate(blocks):
        x = block(torch.cat([x, small[level - 1]], dim=1) if small and level else x)
    return [x, *small[-1:]]


def shrink(pictures: Tensor, levels: int) -> list[Tensor]:
    """A pyramid of real pictures: each the mean of 2 x 2 pixels of the one before."""
    found = [pictures]
    while len(found) < levels:
        found.append(F.avg_pool2d(found[-1], 2))
    return found
