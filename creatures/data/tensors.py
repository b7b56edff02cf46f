"""Conversion between packed pictures and tensors."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def default_device() -> torch.device:
    """The GPU if there is one, for networks that are not trained."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def repeatable_kernels() -> None:
    """Make torch use deterministic kernels, where it has them, and TF32 on GPUs."""
    torch.use_deterministic_algorithms(True, warn_only=True)  # a few CUDA kernels have no deterministic form
    # the fill costs a tenth of a step, and nothing reads it
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True


def to_float(images: np.ndarray) -> Tensor:
    """uint8 pictures N x 3 x H x W as float in [-1, 1], channels last in memory."""
    return torch.from_numpy(np.array(images)).to(memory_format=torch.channels_last).float() / 127.5 - 1


def to_uint8(images: Tensor) -> np.ndarray:
    """The inverse of `to_float`, clamped."""
    return ((images.detach().float().cpu().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).contiguous().numpy()
