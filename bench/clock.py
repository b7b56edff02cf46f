"""Times of a training's steps."""

from __future__ import annotations

import time

import torch

SLOW_STEPS = 3  # the first ones load and compile


class Enough(Exception):
    """Ends a training that only measures speed."""


class Clock:
    """Records the time of each step.

    Args:
        seconds: measured seconds after which it raises Enough; 0: never.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.began, self.seconds, self.times = time.perf_counter(), seconds, []  # type: float, float, list[float]

    def tick(self) -> None:
        """Call this after each step, and before the first one too if the time before it is to be measured."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.times.append(time.perf_counter())
        if self.seconds and len(self.times) > 2 * SLOW_STEPS and self._measured > self.seconds:
            raise Enough

    @property
    def set_up(self) -> float:
        """Seconds before the first tick."""
        return self.times[0] - self.began

    @property
    def per_step(self) -> float:
        """Seconds per step."""
        return self._measured / (len(self.times) - 1 - SLOW_STEPS)

    @property
    def _measured(self) -> float:
        return self.times[-1] - self.times[SLOW_STEPS]
