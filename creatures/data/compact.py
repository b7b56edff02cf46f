"""Weights compressed to about a fifth, for networks stored in a repository."""

from __future__ import annotations

import zlib

import numpy as np
import torch
from torch import Tensor

LARGE = 4096  # numbers: smaller tensors are not compressed
SCALE = " scale"  # suffix of a tensor's name, for the step of each of its rows


def compacted(tensors: dict[str, Tensor], levels: int = 127) -> tuple[dict[str, Tensor], dict[str, list[int]]]:
    """Quantise large float tensors to integers from -levels to levels, with a step per row (output channel); deflate.

    R. Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference", 2018, section 2.1.2.

    Args:
        levels: at most 127. Fewer take less space once deflated: 63 a sixth less than 127.

    Returns:
        The tensors to store, and the shapes, by name, of the quantised ones.
    """
    if not 1 <= levels <= 127:
        raise ValueError(f"levels must be from 1 to 127, not {levels}")
    stored, shapes = {}, {}
    for name, tensor in tensors.items():
        if not tensor.is_floating_point() or tensor.ndim < 2 or tensor.numel() < LARGE:
            stored[name] = tensor
            continue
        rows = tensor.detach().float().cpu().flatten(1)
        steps = rows.abs().amax(1) / levels
        quantised = (rows / steps.clamp(min=1e-30)[:, None]).round().to(torch.int8)
        deflated = zlib.compress(quantised.numpy().tobytes(), 9)
        stored[name] = torch.from_numpy(np.frombuffer(deflated, np.uint8).copy())
        stored[name + SCALE], shapes[name] = steps, list(tensor.shape)
    return stored, shapes


def restored(stored: dict[str, Tensor], shapes: dict[str, list[int]]) -> dict[str, Tensor]:
    """Undo `compacted`: tensors, float32, each number within half a step."""
    tensors = {name: tensor for name, tensor in stored.items() if name.removesuffix(SCALE) not in shapes}
    for name, shape in shapes.items():
        quantised = np.frombuffer(zlib.decompress(stored[name].numpy().tobytes()), np.int8).copy()
        rows = torch.from_numpy(quantised).view(shape[0], -1).float()
        tensors[name] = (rows * stored[name + SCALE][:, None]).view(shape)
    return tensors
