"""Schedules: learning rates, blur, the strength of augmentation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from creatures.training.distributed import all_reduce_mean

LOWEST = 0.05
SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1 - (1 - LOWEST) * done,
    "cosine": lambda done: LOWEST + (1 - LOWEST) * 0.5 * (1 + math.cos(math.pi * done)),
}


def lr_factor(step: int, d_warmup: int, g_warmup: int, steps: int, schedule: str) -> float:
    """Factor on a learning rate: 0 for `d_warmup` steps, a linear rise over `g_warmup`, times the schedule."""
    if step < d_warmup:
        return 0.0
    rise = min(1.0, (step - d_warmup + 1) / g_warmup) if g_warmup else 1.0
    return rise * SCHEDULES[schedule](min(1.0, step / steps))


def set_lr(optimiser: torch.optim.Optimizer, lr: float) -> None:
    """Set the learning rate of all of an optimiser's parameters."""
    for group in optimiser.param_groups:
        group["lr"] = lr


def linear_decay(value: float, done: float, span: float) -> float:
    """Decay a value linearly to 0 as `done` goes from 0 to `span`; constant if `span` is 0."""
    return value * max(0.0, 1 - done / span) if span else value


def blur(pictures: list[Tensor], sigma: float) -> list[Tensor]:
    """Gaussian blur of `sigma` pixels for the largest picture, scaled down for smaller ones; none below 0.2 px."""
    blurred = []
    for x in pictures:
        scaled = sigma * x.shape[-1] / pictures[0].shape[-1]
        side = min(2 * math.ceil(3 * scaled) + 1, 2 * x.shape[-1] - 1)
        blurred.append(gaussian_blur(x, [side, side], [scaled, scaled]) if scaled >= 0.2 else x)
    return blurred


class AdaptiveP:
    """The probability of augmentation that keeps the discriminator from overfitting.

    T. Karras et al., "Training GANs with Limited Data", 2020, section 3: r = E[sign(D(real))]
    is held at a target. Clamped at 0.8, past which augmentations leak.

    Args:
        p: initial value; constant if there is no target.
        target: of r; 0 for none.
        kimg: thousands of pictures in which p can rise from 0 to 1.
    """

    EVERY, MOST = 4, 0.8

    def __init__(self, p: float, target: float, kimg: float) -> None:
        self.p, self.target, self.kimg = p, target, kimg
        self._signs: list[float] = []

    def update(self, sign: Tensor, batch: int) -> None:
        """Adapt p to E[sign(D(real))] of this process's shard of a batch."""
        if not self.target:
            return
        self._signs.append(float(all_reduce_mean(sign)))
        if len(self._signs) == self.EVERY:
            step = batch * self.EVERY / (1000 * self.kimg)
            r = sum(self._signs) / self.EVERY
            self.p = min(max(self.p + math.copysign(step, r - self.target), 0.0), self.MOST)
            self._signs = []

    def state_dict(self) -> dict[str, Any]:
        return {"p": self.p, "signs": list(self._signs)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self.target:  # a fixed p is the one in params.yaml
            self.p, self._signs = state["p"], list(state["signs"])
