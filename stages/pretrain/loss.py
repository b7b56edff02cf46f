"""Perceptual loss: distances between feature maps of a frozen encoder.

J. Johnson et al., "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", 2016.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from stages.lib.nets.encoder import LAYERS, Encoder


class PerceptualLoss:
    """Weighted feature distances over named layers.

    Each layer's mean absolute difference is divided by the mean absolute activation of
    the real pictures' maps in the batch, so that weights mean the same on every layer.
    """

    def __init__(self, encoder: Encoder, layers: Mapping[str, float]) -> None:
        self.encoder, self.layers = encoder, dict(layers)
        self.last = max(layers, key=LAYERS.index)

    def each(self, fake: Tensor, real: Tensor) -> Tensor:
        """The distance of each pair of pictures, float (N,); both N x 3 x H x W in [-1, 1]."""
        with torch.no_grad():
            wanted = self.encoder.feature_maps(real, self.last)
        found = self.encoder.feature_maps(fake, self.last)
        total = torch.zeros(len(fake), device=fake.device)
        for name, weight in self.layers.items():
            gap = (found[name] - wanted[name]).abs().flatten(1).mean(1)
            total = total + weight * gap / wanted[name].abs().mean().clamp(min=1e-6)
        return total

    def __call__(self, fake: Tensor, real: Tensor) -> Tensor:
        return self.each(fake, real).mean()
