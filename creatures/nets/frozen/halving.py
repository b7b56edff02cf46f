"""A faster form of depthwise convolutions that halve a map, for frozen networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Halving(nn.Module):
    """A frozen depthwise convolution of stride 2 with TensorFlow's "same" padding.

    On maps with even sides that padding has one more row and column at the end than at the
    start. With a row and column of zeros prepended to the kernel it is symmetric, and no padded
    copy of the map is needed. In bfloat16 the backward pass is a convolution of stride 1 of the
    dilated gradient: oneDNN's own for stride 2 is ten times slower than in float32.

    Args:
        conv: has an odd kernel size; used unchanged for maps with odd sides.
    """

    kernel: Tensor

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv
        self.register_buffer("kernel", F.pad(conv.weight.detach(), (1, 0, 1, 0)), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[-2] % 2 or x.shape[-1] % 2:
            return self.conv(x)
        if x.dtype == torch.bfloat16:
            return _Halved.apply(x, self.kernel, self.conv.weight, self.conv.bias)
        return _halved(x, self.kernel, self.conv.bias)


def _halved(x: Tensor, kernel: Tensor, bias: Tensor | None) -> Tensor:
    return F.conv2d(x, kernel, bias, stride=2, padding=kernel.shape[-1] // 2 - 1, groups=len(kernel))


class _Halved(torch.autograd.Function):
    """`_halved`, with a gradient only for the map."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(weight)
        return _halved(x, kernel, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        (weight,) = ctx.saved_tensors
        count, channels, height, width = gradient.shape
        dilated = gradient.new_zeros(count, 2 * height, 2 * width, channels).permute(0, 3, 1, 2)  # channels last
        dilated[:, :, 1::2, 1::2] = gradient
        flipped = weight.to(gradient.dtype).flip(2, 3)
        return F.conv2d(dilated, flipped, padding=weight.shape[-1] // 2, groups=channels), None, None, None
