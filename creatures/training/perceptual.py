"""Perceptual loss: distances between feature maps of a frozen network.

J. Johnson et al., "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", 2016.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from creatures.data.tensors import to_float
from creatures.training.distributed import all_reduce_mean

BATCH = 64


class Frozen(Protocol):
    """A network with feature maps of several strides."""

    def feature_maps(self, pictures: Tensor, strides: Sequence[int]) -> list[Tensor]: ...

    def parameters(self) -> Iterator[nn.Parameter]: ...

    def to(self, device: torch.device) -> object: ...


class PerceptualLoss:
    """Sum of feature distances over a network's maps of several strides.

    Each map's mean absolute difference is divided by the mean absolute activation of
    the real pictures' maps in the batch, so that all strides count alike.
    """

    def __init__(self, net: Frozen, strides: Sequence[int]) -> None:
        self.net, self.strides = net, tuple(strides)

    def each(self, fake: Tensor, real: Tensor, shared: bool = False) -> Tensor:
        """The distance of each pair of pictures, float (N,); both N x 3 x H x W in [-1, 1].

        Args:
            shared: they are this process's shard of a batch.
        """
        with torch.no_grad():
            targets = self.net.feature_maps(real, self.strides)
        total = torch.zeros(len(fake), device=fake.device)
        for features, target in zip(self.net.feature_maps(fake, self.strides), targets, strict=True):
            distance = (features - target).abs().flatten(1).mean(1, dtype=torch.float32)
            level = target.abs().mean(dtype=torch.float32)
            total = total + distance / (all_reduce_mean(level) if shared else level).clamp(min=1e-6)
        return total

    def __call__(self, fake: Tensor, real: Tensor) -> Tensor:
        """Mean distance of a training batch, or of this process's shard of it."""
        return self.each(fake, real, shared=True).mean()


@torch.no_grad()
def errors(perceptual: PerceptualLoss, guesses: np.ndarray, real: np.ndarray) -> tuple[float, float]:
    """Mean pixel error (L1, in the range 0 to 1) and feature error of guesses; both sets uint8 N x 3 x H x W."""
    device = next(perceptual.net.parameters()).device
    pixel, feature = [], []
    for i in range(0, len(real), BATCH):
        a, b = to_float(guesses[i : i + BATCH]).to(device), to_float(real[i : i + BATCH]).to(device)
        pixel.append((a - b).abs().flatten(1).mean(1).cpu() / 2)
        feature.append(perceptual.each(a, b).cpu())
    return float(torch.cat(pixel).mean()), float(torch.cat(feature).mean())
