"""Exponential moving average of a network's weights."""

from __future__ import annotations

import copy
from typing import Any, Generic, TypeVar

import torch
from torch import nn

N = TypeVar("N", bound=nn.Module)


class EMA(Generic[N]):
    """Averaged weights, which are used for sampling and saved as the result.

    BatchNorm's statistics are averaged alike; other buffers are copied.

    Args:
        warmup: raise the decay from 0, so that random weights are soon forgotten in short runs:
            decay_t = min(decay, (1 + t) / (10 + t)). Weights that are trained already need none.
    """

    def __init__(self, module: N, decay: float, warmup: bool = True) -> None:
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        self.decay, self.warmup, self.updates = decay, warmup, 0

    @torch.no_grad()
    def update(self, module: N) -> None:
        """Move a step towards a network's weights and statistics."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates)) if self.warmup else self.decay
        for average, value in zip(self.module.parameters(), module.parameters(), strict=True):
            average.lerp_(value, 1 - decay)
        for buffer, new in zip(self.module.buffers(), module.buffers(), strict=True):
            if buffer.is_floating_point():
                buffer.lerp_(new, 1 - decay)
            else:
                buffer.copy_(new)

    def state_dict(self) -> dict[str, Any]:
        return {"module": self.module.state_dict(), "updates": self.updates, "warmup": self.warmup}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.module.load_state_dict(state["module"])
        self.updates, self.warmup = state["updates"], state.get("warmup", True)  # files of before have none
