"""Penalty on colours that occur in other amounts than in real pictures."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from creatures.adversarial.statistic import StatisticPenalty

# in RGB, before normalisation: the channels, their sum and their differences
DIRECTIONS = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1), (1, -1, 0), (1, 0, -1), (0, 1, -1))
QUANTILES = 128
DECAY = 0.9


def colour_penalty() -> StatisticPenalty:
    """On the sliced Wasserstein distance between the colours of all pixels of fake and of real pictures.

    Frozen features hardly see the colour of a plain background; this does. E. Heitz et al., "A Sliced Wasserstein Loss
    for Neural Texture Synthesis", 2021, with colours in place of features, fixed DIRECTIONS and absolute differences.
    """
    return StatisticPenalty(quantiles, lambda fake, real: (fake - real).abs().mean(), DECAY, is_mean=False)


def quantiles(pictures: Tensor) -> Tensor:
    """Means of QUANTILES equal parts of the pixels' colours along each direction, lowest first: float
    len(DIRECTIONS) x QUANTILES.

    Args:
        pictures: float N x 3 x H x W in any range.
    """
    directions = F.normalize(torch.tensor(DIRECTIONS).to(pictures), dim=1)
    along = directions @ pictures.movedim(1, 0).flatten(1)
    return F.adaptive_avg_pool1d(along.sort(1).values[None], QUANTILES)[0]
