"""Checkpoints of a training: written atomically, restored exactly."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from creatures.data.loading import reading
from creatures.runtime.atomic import atomic_file
from creatures.runtime.errors import out_of_memory
from creatures.training.device import SCALER
from creatures.training.origin import REMEDY, Origin

TEACHER = "teacher"  # key of the generator that anchors samples
MAY_LACK = (SCALER, TEACHER)


class Stateful(Protocol):
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: Any) -> Any: ...


@dataclass
class Progress:
    """Progress of a training.

    Attributes:
        step: steps done.
        history: rows of means and metrics.
        sums, counts: of the values logged since the last row, by name.
    """

    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    sums: dict[str, Tensor] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    @staticmethod
    def of(saved: Mapping[str, Any]) -> Progress:
        return Progress(saved["step"], saved["history"], saved["row"]["sums"], saved["row"]["counts"])


class Checkpoint:
    """The file from which an interrupted training resumes.

    Args:
        name: of the stage, for messages.
        state: contents of the file: modules, optimisers, schedules, averages.
    """

    def __init__(self, name: str, path: Path, state: Mapping[str, Stateful]) -> None:
        self.name, self.path, self.state = name, path, dict(state)

    def finite(self) -> bool:
        """Whether every number of the state is finite."""
        return all_finite({name: item.state_dict() for name, item in self.state.items()})

    def save(self, progress: Progress, about: Mapping[str, Any]) -> None:
        """Write the file; a kill at any moment leaves the old or the new one intact. `about`: see Origin."""
        state = {name: item.state_dict() for name, item in self.state.items()}
        row = {"sums": progress.sums, "counts": progress.counts}
        with atomic_file(self.path) as part, open(part, "wb") as file:
            saved = {"step": progress.step, "history": progress.history, "row": row, "state": state}
            torch.save(saved | {"about": about}, file)
            file.flush()
            os.fsync(file.fileno())

    def resume(self) -> Progress | None:
        """Load the state from the file; if it is missing or unreadable, return None and leave the state as it is."""
        if not self.path.exists():
            return None
        try:
            saved = torch.load(self.path, map_location="cpu", weights_only=True)
            parts, progress = self._parts(saved["state"]), Progress.of(saved)
        except Exception as error:  # a damaged file can make torch raise anything
            if self.path.is_file() and (isinstance(error, OSError) or out_of_memory(error)):
                raise  # the file may be intact
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            print(f"{self.name}: {self.path} cannot be read, starting over ({reason})", flush=True)
            if self.path.is_dir():  # no checkpoint could replace it
                shutil.rmtree(self.path)
            return None
        for item, state in parts:
            item.load_state_dict(state)
        return progress

    def go_on(self, origin: Origin) -> Progress | None:
        """Load the final state of an earlier run, but keep this run's learning rates; None if there is no state."""
        if (saved := origin.state) is None:
            return None
        with reading(origin.state_file, REMEDY):  # another version of the code may have written it
            parts, progress = self._parts(saved["state"]), Progress.of(saved)
        for item, state in parts:
            new = item.state_dict()
            if isinstance(item, torch.optim.lr_scheduler.LRScheduler):
                item.load_state_dict(new | {"last_epoch": progress.step - 1, "_step_count": progress.step})
                item.step()
            else:
                item.load_state_dict(state | {"param_groups": new["param_groups"]} if "param_groups" in new else state)
        return progress

    def _parts(self, saved: Mapping[str, Any]) -> list[tuple[Stateful, Any]]:
        """Each item of the state with its saved state. Not every run has the items in MAY_LACK."""
        return [(item, saved[name]) for name, item in self.state.items() if name not in MAY_LACK or name in saved]


def all_finite(state: Any) -> bool:
    """Whether every number in nested dictionaries and lists of tensors is finite."""
    if isinstance(state, Tensor):
        return not state.is_floating_point() or bool(torch.isfinite(state).all())
    if isinstance(state, dict):
        return all(map(all_finite, state.values()))
    return all(map(all_finite, state)) if isinstance(state, list | tuple) else True
