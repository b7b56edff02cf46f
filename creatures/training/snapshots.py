"""Sample grids of a network during training, and its best weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from torch import Tensor, nn

from creatures.training.distributed import is_main_process
from creatures.training.ema import EMA
from creatures.training.loop import Hook, Training

N = TypeVar("N", bound=nn.Module)


class Best:
    """The weights with the best score so far; the latest of equal ones."""

    def __init__(self) -> None:
        self.score, self.step = -math.inf, -1
        self.weights: dict[str, Tensor] = {}

    def forget(self, before: int) -> None:
        """Drop weights from before step `before`: those of a shorter run that this one continues."""
        if self.step < before:
            self.score, self.step, self.weights = -math.inf, -1, {}

    def update(self, score: float, module: nn.Module, step: int) -> None:
        if score >= self.score:
            self.score, self.step, self.weights = score, step, copy.deepcopy(module.state_dict())

    def state_dict(self) -> dict[str, Any]:
        return {"score": self.score, "step": self.step, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.score, self.step, self.weights = state["score"], state["step"], state["weights"]


class Snapshots(Hook, Generic[N]):
    """Call `watch` with the averaged network at intervals, and keep the weights with the best `score`.

    Args:
        steps: of the training.
        watch: called `frames` times, evenly spaced from the start to the end, with a folder (kept as long as the
            checkpoint), the step and the averaged network.
        score: returns metrics of a network; None: keep its final weights.
        count: number of calls of `score`, evenly spaced over the second half.
        cost: of the metrics; the weights with the lowest are the best.
    """

    def __init__(
        self,
        ema: EMA[N],
        steps: int,
        watch: Callable[[Path, int, N], None],
        frames: int,
        score: Callable[[N], dict[str, Any]] | None,
        count: int,
        cost: Callable[[dict[str, Any]], float],
    ) -> None:
        self.ema, self.steps, self.watch, self.score, self.cost = ema, steps, watch, score, cost
        self.best = Best()
        self.watched = set(np.linspace(0, steps, frames).round().astype(int).tolist())
        self.scored = set(np.linspace(steps - 1, steps // 2, count).round().astype(int).tolist())

    def begin(self, run: Training) -> None:
        self.best.forget(before=self.steps // 2 if self.score else self.steps)

    def before_step(self, run: Training, step: int) -> None:
        if step in self.watched and is_main_process():
            self.watch(run.folder, step, self.ema.module)

    def after_step(self, run: Training, step: int) -> None:
        if self.score and step in self.scored and is_main_process():
            metrics = self.score(self.ema.module)
            self.best.update(-self.cost(metrics), self.ema.module, step)
            run.log_metrics(**metrics)

    def end(self, run: Training) -> None:
        self.before_step(run, self.steps)

    def chosen(self) -> N:
        """The averaged network with its best weights, or its last ones."""
        if self.best.weights:
            self.ema.module.load_state_dict(self.best.weights)
        return self.ema.module
