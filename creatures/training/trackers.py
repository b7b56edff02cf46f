"""Curves in MLflow or Weights & Biases, for those who compare runs there."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creatures.runtime.config import flat, read_yaml
from creatures.runtime.errors import UserError

if TYPE_CHECKING:
    from accelerate.tracking import GeneralTracker

ENVIRONMENT = "CREATURES_TRACKERS"  # "mlflow", "wandb" or both, separated by commas; their own variables say where
KNOWN = ("mlflow", "wandb")
PROJECT = "creatures"  # of Weights & Biases, and experiment of MLflow


class Trackers:
    """The trackers that the environment names, as Accelerate calls them; a run in each is called `stage`.

    What goes wrong with one of them ends its curves, not the training.

    Raises:
        UserError: one is not known, or its package is not installed.
    """

    def __init__(self, stage: str, folder: Path) -> None:
        self.stage, self.open = stage, {}  # type: str, dict[str, GeneralTracker]
        for name in filter(None, (name.strip() for name in os.environ.get(ENVIRONMENT, "").split(","))):
            if name not in KNOWN:
                raise UserError(f"{ENVIRONMENT}: {name!r} is none of {', '.join(KNOWN)}")
            if not find_spec(name):
                raise UserError(f"{ENVIRONMENT}: {name} is not installed: .venv/bin/python -m pip install {name}")
            self._try(name, self._begin, name, folder)

    def _begin(self, name: str, folder: Path) -> None:
        from accelerate.tracking import MLflowTracker, WandBTracker

        if name == "wandb":
            tracker: GeneralTracker = WandBTracker(PROJECT, name=self.stage, dir=str(folder))
        else:
            tracker = MLflowTracker(PROJECT, run_name=self.stage)
        tracker.start()
        self.open[name] = tracker
        tracker.store_init_configuration(parameters(self.stage))

    def log(self, step: int, metrics: dict[str, float]) -> None:
        for name, tracker in list(self.open.items()):
            self._try(name, tracker.log, metrics, step=step)

    def close(self) -> None:
        for name, tracker in list(self.open.items()):
            self._try(name, tracker.finish)

    def _try(self, name: str, call: Any, *args: Any, **kwargs: Any) -> None:
        try:
            call(*args, **kwargs)
        except Exception as error:  # of any kind: servers, settings, versions
            self.open.pop(name, None)
            line = (str(error) or type(error).__name__).splitlines()[0]
            print(f"{self.stage}: no more curves in {name}: {line}", file=sys.stderr)


def parameters(stage: str) -> dict[str, Any]:
    """A stage's parameters of params.yaml by dotted key, those of `common` too; empty where there is no such file."""
    file = Path("params.yaml")
    if not file.is_file():
        return {}
    values = read_yaml(file)
    return flat({name: values.get(name, {}) for name in ("common", stage)})
