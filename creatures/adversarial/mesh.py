"""Penalties on the mesh, or checkerboard, that strided layers leave in pictures, and on stripes of any period."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from creatures.metrics.defects import power_fractions, power_in_bands
from creatures.training.distributed import all_reduce_mean

LEAST = 1e-7  # lower bound on a fraction of a picture's power


class ExcessPower:
    """Excess of parts of the spectral power of fake pictures over those of real ones: mean of relu(log ratio)^2, 0-d.

    A single batch is noisy, so both powers are moving averages; the gradient is that of the current batch, scaled as
    if the batch were the whole average.

    Args:
        fractions: float (K,), fractions of the power of pictures N x 3 x H x W.
    """

    DECAY = 0.95

    def __init__(self, fractions: Callable[[Tensor], Tensor]) -> None:
        self.fractions = fractions
        self.averages: list[Tensor] = []

    def __call__(self, real: Tensor, fake: Tensor) -> Tensor:
        """The penalty for pictures, float N x 3 x H x W in [-1, 1]."""
        with torch.autocast(real.device.type, enabled=False):  # it has no Fourier transform
            powers = [all_reduce_mean(self.fractions(x.float())) for x in (real.detach(), fake)]
        averages = [x.to(real.device) for x in self.averages] or [x.detach() for x in powers]
        on_real, on_fake = (x.lerp(power, 1 - self.DECAY) for x, power in zip(averages, powers, strict=True))
        self.averages = [on_real.detach(), on_fake.detach()]
        excess = (on_fake.clamp(min=LEAST) / on_real.clamp(min=LEAST)).log().relu().square().mean()
        return excess.detach() + (excess - excess.detach()) / (1 - self.DECAY)

    def state_dict(self) -> dict[str, list[Tensor]]:
        return {"averages": self.averages}

    def load_state_dict(self, state: dict[str, list[Tensor]]) -> None:
        self.averages = state["averages"]


def mesh_penalty() -> ExcessPower:
    """On the power at FREQUENCIES; sides are multiples of 4.

    Layers of stride 2 and 4 leave a pattern of that period whose phase is the same all over a picture, so its power
    is at single frequencies (A. Odena et al., "Deconvolution and Checkerboard Artifacts", 2016), which no feature of
    a discriminator singles out.
    """
    return ExcessPower(power_fractions)


def spectrum_penalty() -> ExcessPower:
    """On the power in all bands of frequencies, so that stripes have no other period to go to.

    Matching of whole spectra goes back to R. Durall et al., "Watch your Up-Convolution", 2020.
    """
    return ExcessPower(power_in_bands)
