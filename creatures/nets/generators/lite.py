"""Generator light enough for a CPU."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from creatures.nets.common.base import FIRST_PX, Generator
from creatures.nets.common.parts import ACTIVATIONS

EXCITED = 8  # a coarse map gates one that is so many times finer


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
        """`fine`, N x channels x H x W, each channel times a gate in [0, 1]."""
        return fine * self.gate(coarse)


class Dilated(nn.Module):
    """A residual dilated convolution: a large receptive field at one resolution, for large flat areas."""

    def __init__(self, channels: int, rate: int, activation: str) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=rate, dilation=rate, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.activation = ACTIVATIONS[activation]()

    def forward(self, x: Tensor) -> Tensor:
        """N x channels x H x W to the same shape."""
        return x + self.activation(self.norm(self.conv(x)))


class UpConv(nn.Conv2d):
    """Nearest upsampling by 2, then a 3x3 convolution, with 2.25 times fewer multiplications.

    Several of the nine taps on the upsampled map fall on the same input pixel. With those
    summed first, the same function is a transposed 4x4 convolution of stride 2.
    """

    def __init__(self, into: int, out: int) -> None:
        super().__init__(into, out, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """N x into x H x W to N x out x 2H x 2W."""
        k = nn.functional.pad(self.weight, (1, 1, 1, 1))
        k = k[..., :-1, :-1] + k[..., 1:, :-1] + k[..., :-1, 1:] + k[..., 1:, 1:]
        return nn.functional.conv_transpose2d(x, k.flip(2, 3).transpose(0, 1), stride=2, padding=1)


class SmoothUpConv(nn.Conv2d):
    """A transposed 4x4 convolution of stride 2: a learned 2x2 kernel convolved with a low-pass, (1, 2, 1) per axis.

    So the four pixels that come from one pixel of a flat map are equal. T. Karras et al., "Analyzing and
    Improving the Image Quality of StyleGAN" (StyleGAN2), 2020, filter after the convolution; here both are
    merged into one kernel, at the cost of `UpConv`.
    """

    low_pass: Tensor

    def __init__(self, into: int, out: int) -> None:
        super().__init__(into, out, 2, bias=False)
        taps = torch.tensor([1.0, 2.0, 1.0])
        self.register_buffer("low_pass", torch.outer(taps, taps)[None, None] / 4, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """N x into x H x W to N x out x 2H x 2W."""
        k = nn.functional.conv2d(self.weight.flatten(0, 1).unsqueeze(1), self.low_pass, padding=2)
        k = k.view(self.out_channels, self.in_channels, 4, 4)
        return nn.functional.conv_transpose2d(x, k.transpose(0, 1), stride=2, padding=1)


class SmoothUp(nn.Module):
    """Upsampling by 2: a residual block with a convolutional branch and a bilinear one."""

    def __init__(self, into: int, out: int, activation: str) -> None:
        super().__init__()
        self.drawn = nn.Sequential(
            SmoothUpConv(into, out),
            nn.BatchNorm2d(out),
            ACTIVATIONS[activation](),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
        )
        self.kept = nn.Conv2d(into, out, 1, bias=False)
        self.activation = ACTIVATIONS[activation]()

    def forward(self, x: Tensor) -> Tensor:
        """N x into x H x W to N x out x 2H x 2W."""
        skip = nn.functional.interpolate(self.kept(x), scale_factor=2, mode="bilinear")
        return self.activation(self.drawn(x) + skip)


def nearest_up(into: int, out: int, activation: str) -> nn.Module:
    """Upsampling by 2: nearest neighbours, a 3x3 convolution, BatchNorm. Light, but prone to a mesh of period 2."""
    return nn.Sequential(UpConv(into, out), nn.BatchNorm2d(out), ACTIVATIONS[activation]())


class LiteGenerator(Generator):
    """Blocks that upsample a map by 2, starting at 4 x 4.

    Args:
        z_dim: length of the latent or embedding.
        image_px: side of the pictures, a power of two, at least 16.
        width: channels at full resolution; 2, 4, 6 and then 8 times as many at lower ones.
        activation: relu or leaky.
        dropout: after the first map.
        smooth_blocks: number of blocks, counted from the last, that are `SmoothUp`; the others are `nearest_up`.
        samples: number of samples per pixel, averaged after tanh: so that edges can be soft where tanh saturates.
        dilation: rate of the dilated convolutions.
        dilated_px: resolutions that get one.
        excitation: whether coarse maps gate the channels of maps eight times finer.
        msg: output smaller pictures too (multi-scale gradients).
    """

    def __init__(
        self,
        z_dim: int,
        image_px: int,
        width: int = 32,
        activation: str = "leaky",
        dropout: float = 0.0,
        smooth_blocks: int = 4,
        samples: int = 4,
        dilation: int = 2,
        dilated_px: Sequence[int] = (32,),
        excitation: bool = True,
        msg: bool = False,
    ) -> None:
        sides = [FIRST_PX * 2**i for i in range(int(math.log2(image_px // FIRST_PX)) + 1)]
        multiples = {0: 1, 1: 2, 2: 4, 3: 6}
        channels = {side: width * multiples.get(int(math.log2(image_px // side)), 8) for side in sides}
        super().__init__(z_dim, image_px, {s: channels[s] for s in sides[:-1]} if msg else {})
        self.channels, first = channels, channels[FIRST_PX]
        self.first = nn.Sequential(
            nn.Linear(z_dim, first * FIRST_PX**2, bias=False),
            nn.Unflatten(1, (first, FIRST_PX, FIRST_PX)),
            nn.BatchNorm2d(first),
            ACTIVATIONS[activation](),
            nn.Dropout(dropout),
        )
        self.blocks, self.skips = nn.ModuleDict(), nn.ModuleDict()
        for side in sides[1:]:
            into, out = channels[side // 2], channels[side]
            up = SmoothUp if image_px < side << smooth_blocks else nearest_up
            layers: list[nn.Module] = [up(into, out, activation)]
            if side in dilated_px:
                layers.append(Dilated(out, dilation, activation))
            self.blocks[str(side)] = nn.Sequential(*layers)
            if excitation and side // EXCITED in channels:
                self.skips[str(side)] = SkipExcitation(channels[side // EXCITED], out)
        self.to_rgb = nn.Conv2d(channels[image_px], 3 * samples, 3, padding=1)

    def maps(self, z: Tensor, last_px: int | None = None, gates: dict[int, Tensor] | None = None) -> dict[int, Tensor]:
        """Feature maps by their side, up to `last_px` (by default all).

        Args:
            gates: maps of another latent, which gate these in the place of their own.
        """
        # keeps the whole stack channels last, where its convolutions are fastest
        x = self.first(z).contiguous(memory_format=torch.channels_last)  # N x channels x 4 x 4
        maps = {FIRST_PX: x}
        for name, block in self.blocks.items():
            side = int(name)
            if last_px is not None and side > last_px:
                break
            x = block(x)  # of twice the side
            if name in self.skips:
                x = self.skips[name]((gates or maps)[side // EXCITED], x)
            maps[side] = x
        return maps

    def draw(self, maps: dict[int, Tensor]) -> Tensor:
        return self.to_rgb(maps[self.image_px])


class DilatedGenerator(LiteGenerator):
    """LiteGenerator without excitation and with dilated convolutions in the last layers, for large flat areas."""

    def __init__(
        self,
        z_dim: int,
        image_px: int,
        width: int = 32,
        activation: str = "leaky",
        dropout: float = 0.0,
        dilation: int = 2,
        msg: bool = False,
    ) -> None:
        later = (image_px // 2, image_px)
        super().__init__(z_dim, image_px, width, activation, dropout, 0, 1, dilation, later, excitation=False, msg=msg)
