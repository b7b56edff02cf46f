"""Feature vectors on which pictures are scored."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from creatures.data.tensors import to_float

BATCH = 64
INPUT_PX = 160  # pictures are resized to this side before EfficientNet-Lite


@torch.no_grad()
def features(net: nn.Module, images: np.ndarray, input_px: int | None = INPUT_PX) -> np.ndarray:
    """Feature vectors, float32 N x D, of pictures uint8 N x 3 x H x W; input_px None: without resizing.

    Without pictures the result is 0 x 0.
    """
    device = next(net.parameters()).device
    parts = [] if len(images) else [np.zeros((0, 0), np.float32)]
    for start in range(0, len(images), BATCH):
        x = to_float(images[start : start + BATCH]).to(device)
        if input_px is not None and x.shape[-1] != input_px:
            x = F.interpolate(x, size=(input_px, input_px), mode="bilinear", antialias=True)
        parts.append(net(x.contiguous(memory_format=torch.channels_last)).float().cpu().numpy())
    return np.concatenate(parts)
