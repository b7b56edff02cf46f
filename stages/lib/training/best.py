"""The best weights of a run."""

from __future__ import annotations

import copy
import math
from typing import Any

from torch import Tensor, nn


class Best:
    """The weights with the best score so far; of equal ones the last."""

    def __init__(self) -> None:
        self.score = -math.inf
        self.weights: dict[str, Tensor] = {}

    def offer(self, score: float, module: nn.Module) -> None:
        if score >= self.score:
            self.score, self.weights = score, copy.deepcopy(module.state_dict())

    def state_dict(self) -> dict[str, Any]:
        return {"score": self.score, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.score, self.weights = state["score"], state["weights"]
