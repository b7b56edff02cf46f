"""A penalty on the mesh that strided layers leave in pictures."""

from __future__ import annotations

import torch
from torch import Tensor

from creatures.metrics.defects import power_fractions
from creatures.training.distributed import all_reduce_mean

LEAST = 1e-7  # of a picture's power: less counts as so much


class Mesh:
    """How far the power of fake pictures at FREQUENCIES lies above that of real ones: mean of relu(log ratio)^2, 0-d.

    What layers of stride 2 and 4 leave is a pattern of that period whose phase is the same all over a picture, so
    its power is at single frequencies (A. Odena et al., "Deconvolution and Checkerboard Artifacts", 2016), which no
    feature of a discriminator singles out. Spectra as such were first held by R. Durall et al., "Watch your
    Up-Convolution", 2020. A single batch tells little, so both powers are moving averages; the gradient is that of
    the batch's own part, as strong as if it were all of it.
    """

    DECAY = 0.95

    def __init__(self) -> None:
        self.averages: list[Tensor] = []

    def __call__(self, real: Tensor, fake: Tensor) -> Tensor:
        """Pictures float N x 3 x H x W in [-1, 1], their sides multiples of 4."""
        with torch.autocast(real.device.type, enabled=False):  # which has no Fourier transform
            found = [all_reduce_mean(power_fractions(x.float())) for x in (real.detach(), fake)]
        held = [was.to(real.device) for was in self.averages] or [x.detach() for x in found]
        on_real, on_fake = (was.lerp(now, 1 - self.DECAY) for was, now in zip(held, found, strict=True))
        self.averages = [on_real.detach(), on_fake.detach()]
        above = (on_fake.clamp(min=LEAST) / on_real.clamp(min=LEAST)).log().relu().square().mean()
        return above.detach() + (above - above.detach()) / (1 - self.DECAY)

    def state_dict(self) -> dict[str, list[Tensor]]:
        return {"averages": self.averages}

    def load_state_dict(self, state: dict[str, list[Tensor]]) -> None:
        self.averages = state["averages"]
