"""Penalty on the difference between a statistic of fake pictures and that of real ones."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from creatures.training.distributed import all_reduce_mean, whole_batch


class StatisticPenalty:
    """Difference between a statistic of fake and of real pictures: 0-d.

    A single batch is noisy, so both statistics are moving averages; the gradient is that of the current batch, scaled
    as if the batch were the whole average.

    Args:
        statistic: of pictures, float N x 3 x H x W in [-1, 1]: float of any one shape, computed in float32.
        difference: of the statistic of fakes and that of real pictures, 0-d.
        decay: of the averages, per batch or micro-batch.
        is_mean: whether the statistic is a mean over pictures; if not, each process computes it on the whole batch.
    """

    def __init__(
        self,
        statistic: Callable[[Tensor], Tensor],
        difference: Callable[[Tensor, Tensor], Tensor],
        decay: float,
        is_mean: bool = True,
    ) -> None:
        self.statistic, self.difference, self.decay, self.is_mean = statistic, difference, decay, is_mean
        self.averages: list[Tensor] = []  # of real and of fake pictures

    def __call__(self, real: Tensor, fake: Tensor) -> Tensor:
        """The penalty for pictures, float N x 3 x H x W in [-1, 1]."""
        with torch.autocast(real.device.type, enabled=False):  # it has no Fourier transform
            found = [self._found(x.float()) for x in (real.detach(), fake)]
        averages = [x.to(real.device) for x in self.averages] or [x.detach() for x in found]
        on_real, on_fake = (x.lerp(new, 1 - self.decay) for x, new in zip(averages, found, strict=True))
        self.averages = [on_real.detach(), on_fake.detach()]
        difference = self.difference(on_fake, on_real)
        return difference.detach() + (difference - difference.detach()) / (1 - self.decay)

    def _found(self, pictures: Tensor) -> Tensor:
        return all_reduce_mean(self.statistic(pictures)) if self.is_mean else self.statistic(whole_batch(pictures))

    def state_dict(self) -> dict[str, list[Tensor]]:
        return {"averages": self.averages}

    def load_state_dict(self, state: dict[str, list[Tensor]]) -> None:
        self.averages = state["averages"]
