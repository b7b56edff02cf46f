"""A training's state in a file: written whole or not at all, and read back to the same bytes."""

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


class Stateful(Protocol):
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: Any) -> Any: ...


@dataclass
class Progress:
    """How far a training has come.

    Attributes:
        step: steps done.
        history: rows of means and metrics.
        sums, counts: of what was logged since the last row, by name.
    """

    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    sums: dict[str, Tensor] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    @staticmethod
    def of(saved: Mapping[str, Any]) -> Progress:
        return Progress(saved["step"], saved["history"], saved["row"]["sums"], saved["row"]["counts"])


class Checkpoint:
    """The file that an interrupted training goes on from.

    Args:
        name: of the stage, for messages.
        state: what it holds: modules, optimisers, schedules, averages.
    """

    def __init__(self, name: str, path: Path, state: Mapping[str, Stateful]) -> None:
        self.name, self.path, self.state = name, path, dict(state)

    def finite(self) -> bool:
        """Whether every number of the state is."""
        return all_finite({name: item.state_dict() for name, item in self.state.items()})

    def save(self, progress: Progress, about: Mapping[str, Any]) -> None:
        """Write it; a kill at any moment leaves the old or the new file whole. `about`: see Origin."""
        state = {name: item.state_dict() for name, item in self.state.items()}
        row = {"sums": progress.sums, "counts": progress.counts}
        with atomic_file(self.path) as part, open(part, "wb") as file:
            saved = {"step": progress.step, "history": progress.history, "row": row, "state": state}
            torch.save(saved | {"about": about}, file)
            file.flush()
            os.fsync(file.fileno())

    def resume(self) -> Progress | None:
        """Load the state from the file; None, and no state is touched, where there is none that can be read."""
        if not self.path.exists():
            return None
        try:
            saved = torch.load(self.path, map_location="cpu", weights_only=True)
            parts, progress = self._parts(saved["state"]), Progress.of(saved)
        except Exception as error:  # torch raises of all kinds where a file is damaged
            if self.path.is_file() and (isinstance(error, OSError) or out_of_memory(error)):
                raise  # the file may be whole
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            print(f"{self.name}: {self.path} cannot be read, starting over ({reason})", flush=True)
            if self.path.is_dir():  # no checkpoint could take its place
                shutil.rmtree(self.path)
            return None
        for item, state in parts:
            item.load_state_dict(state)
        return progress

    def go_on(self, origin: Origin) -> Progress | None:
        """Load the state that an earlier run ended with, but at the rates of this one; None if there is none."""
        if (saved := origin.state) is None:
            return None
        with reading(origin.state_file, REMEDY):  # another version of the code may have written it
            parts, progress = self._parts(saved["state"]), Progress.of(saved)
        for item, state in parts:
            now = item.state_dict()
            if isinstance(item, torch.optim.lr_scheduler.LRScheduler):
                item.load_state_dict(now | {"last_epoch": progress.step - 1, "_step_count": progress.step})
                item.step()
            else:
                item.load_state_dict(state | {"param_groups": now["param_groups"]} if "param_groups" in now else state)
        return progress

    def _parts(self, saved: Mapping[str, Any]) -> list[tuple[Stateful, Any]]:
        """Each item of the state with what was saved of it. Where training was not in float16 there was no scaler."""
        return [(item, saved[name]) for name, item in self.state.items() if name != SCALER or name in saved]


def all_finite(state: Any) -> bool:
    """Whether every number in nested dictionaries and lists of tensors is finite."""
    if isinstance(state, Tensor):
        return not state.is_floating_point() or bool(torch.isfinite(state).all())
    if isinstance(state, dict):
        return all(map(all_finite, state.values()))
    return all(map(all_finite, state)) if isinstance(state, list | tuple) else True
