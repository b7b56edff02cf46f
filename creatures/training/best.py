"""The best weights of a run."""

from __future__ import annotations

import copy
import math
from typing import Any

from torch import Tensor, nn


class Best:
    """The weights with the best score so far; of equal ones the last."""

    def __init__(self) -> None:
        self.score, self.step = -math.inf, -1
        self.weights: dict[str, Tensor] = {}

    def forget(self, before: int) -> None:
        """Drop weights of a step before `before`: those of a shorter run that this one goes on from."""
        if self.step < before:
            self.score, self.step, self.weights = -math.inf, -1, {}

    def offer(self, score: float, module: nn.Module, step: int) -> None:
        if score >= self.score:
            self.score, self.step, self.weights = score, step, copy.deepcopy(module.state_dict())

    def state_dict(self) -> dict[str, Any]:
        return {"score": self.score, "step": self.step, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.score, self.step, self.weights = state["score"], state["step"], state["weights"]
