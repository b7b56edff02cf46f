"""Penalties on the mesh, or checkerboard, that strided layers leave in pictures, and on stripes of any period."""

from __future__ import annotations

from torch import Tensor

from creatures.adversarial.statistic import StatisticPenalty
from creatures.metrics.defects import power_fractions, power_in_bands

LEAST = 1e-7  # lower bound on a fraction of a picture's power
DECAY = 0.95


def mesh_penalty() -> StatisticPenalty:
    """On the power at FREQUENCIES; sides are multiples of 4.

    Layers of stride 2 and 4 leave a pattern of that period whose phase is the same all over a picture, so its power
    is at single frequencies (A. Odena et al., "Deconvolution and Checkerboard Artifacts", 2016), which no feature of
    a discriminator singles out.
    """
    return StatisticPenalty(power_fractions, excess, DECAY)


def spectrum_penalty() -> StatisticPenalty:
    """On the power in all bands of frequencies, so that stripes have no other period to go to.

    Matching of whole spectra goes back to R. Durall et al., "Watch your Up-Convolution", 2020.
    """
    return StatisticPenalty(power_in_bands, excess, DECAY)


def excess(fake: Tensor, real: Tensor) -> Tensor:
    """Of fractions of spectral power, float (K,), over those of real pictures: mean of relu(log ratio)^2, 0-d."""
    return (fake.clamp(min=LEAST) / real.clamp(min=LEAST)).log().relu().square().mean()
