"""Perceptual loss: distances between feature maps of a frozen network.

J. Johnson et al., "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", 2016.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from stages.lib.nets.efficientnet_lite import EfficientNetLite
from stages.lib.nets.encoder import Encoder

# given the pipeline's own encoder; both networks have `feature_maps`
NETWORKS: dict[str, Callable[[Encoder], Encoder | EfficientNetLite]] = {
    "lite0": lambda encoder: EfficientNetLite(0),
    "encoder": lambda encoder: encoder,
}


class PerceptualLoss:
    """Feature distances, added up over a network's maps of several strides.

    Each map's mean absolute difference is divided by the mean absolute activation of
    the real pictures' maps in the batch, so that all strides count alike.
    """

    def __init__(self, net: Encoder | EfficientNetLite, strides: Sequence[int]) -> None:
        self.net, self.strides = net, tuple(strides)

    def each(self, fake: Tensor, real: Tensor) -> Tensor:
        """The distance of each pair of pictures, float (N,); both N x 3 x H x W in [-1, 1]."""
        with torch.no_grad():
            wanted = self.net.feature_maps(real, self.strides)
        total = torch.zeros(len(fake), device=fake.device)
        for found, goal in zip(self.net.feature_maps(fake, self.strides), wanted, strict=True):
            apart = (found - goal).abs().flatten(1).mean(1, dtype=torch.float32)
            total = total + apart / goal.abs().mean(dtype=torch.float32).clamp(min=1e-6)
        return total

    def __call__(self, fake: Tensor, real: Tensor) -> Tensor:
        return self.each(fake, real).mean()
