"""One training loop for every stage that trains.

    with Training(stage, steps=..., seed=..., state={...}) as run:
        for step in run:                 # resumes where an interrupted run stopped
            run.log(loss=loss)

All randomness of a step comes from (seed, step): before each step torch is seeded
from them, and batches are chosen by index (creatures/training/batches.py). So a run that is killed
at any moment and resumes from its checkpoint ends with the same bytes.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import numpy as np
import torch
from filelock import FileLock, Timeout
from torch import Tensor

from creatures.runtime.errors import UserError
from creatures.runtime.signals import SIGNALS, say_interrupted
from creatures.training.checkpoint import Checkpoint, Progress, Stateful
from creatures.training.distributed import all_reduce_mean, any_rank, barrier, is_main_process
from creatures.training.log import Log, Quiet, RunContext
from creatures.training.origin import Origin, state_file

SAVE_EVERY_SECONDS = float(os.environ.get("CHECKPOINT_SECONDS", "60"))


class Hook:
    """Callbacks around the steps of a training."""

    def begin(self, run: Training) -> None:
        """Called after the checkpoint, if there is one, is loaded."""

    def before_step(self, run: Training, step: int) -> None: ...

    def after_step(self, run: Training, step: int) -> None: ...

    def end(self, run: Training) -> None:
        """Called after the last step."""


class Training:
    """Steps `0 … steps - 1` with checkpoints, logging and guards.

    Args:
        stage: the stage it trains for; its fingerprint names the checkpoint's folder.
        steps: total number of steps of the run.
        images_per_step: for images/s and the logs' `kimg`.
        seed: of everything drawn at random.
        state: contents of a checkpoint: modules, optimisers, schedules, averages.
        log_every: steps averaged in a row of `history`.
        origin: starting point; from scratch if it is not given.
        hooks: called around every step, in this order.

    Attributes:
        history: a row for each `log_every` steps and each call of `log_metrics`; part of the
            checkpoint, so that it has neither gaps nor repeats after an interruption.
        folder: for files that belong to the checkpoint, such as sample grids.
    """

    def __init__(
        self,
        stage: RunContext,
        steps: int,
        images_per_step: int,
        seed: int,
        state: Mapping[str, Stateful],
        log_every: int = 20,
        origin: Origin | None = None,
        hooks: Sequence[Hook] = (),
    ) -> None:
        self.hooks = hooks
        self.steps, self.images_per_step, self.seed = steps, images_per_step, seed
        self.stage, self.folder, self.log_every = stage, stage.checkpoint_dir, log_every
        self.checkpoint = Checkpoint(stage.name, self.folder / "checkpoint.pt", state)
        self.origin = origin or Origin(stage.name)
        self.origin.check(steps)
        self.progress = Progress()
        self._stopping = self._ended = False

    def __enter__(self) -> Training:
        self._lock = FileLock(self.folder / "lock")
        if is_main_process():
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                raise UserError(f"another process is training this very run ({self.folder})") from None
        self._load()
        if any_rank(all_reduce_mean(torch.tensor(self.step, dtype=torch.float64)) != self.step):
            raise UserError(f"some processes find no checkpoint in {self.folder}: all must work in the same folder")
        self._log = Log(self.stage, self.steps, self.images_per_step, self.step) if is_main_process() else Quiet()
        self._saved = time.monotonic()
        # a signal lets the current step finish, so that a consistent state can be saved
        heard = [n for n in SIGNALS if signal.getsignal(n) is not signal.SIG_IGN]
        self._handlers = {n: signal.signal(n, self._stop) for n in heard}
        for hook in self.hooks:
            hook.begin(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._log.close()
        if not self._stopping:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
        if kind is not None:
            self._lock.release()
        elif self._stopping:  # the signal came after the last step
            self._lock.release()
            raise KeyboardInterrupt
        elif not is_main_process():  # the main process has yet to write the outputs
            barrier()
            sys.exit()

    def __iter__(self) -> Iterator[int]:
        while self.step < self.steps:
            torch.manual_seed(mix(self.seed, self.step))
            for hook in self.hooks:
                hook.before_step(self, self.step)
            yield self.step
            for hook in self.hooks:
                hook.after_step(self, self.step)
            self.progress.step += 1
            if self.step % self.log_every == 0:
                self._close_row()
                if time.monotonic() - self._saved > SAVE_EVERY_SECONDS:
                    self.save()
            if any_rank(self._stopping):
                self._save_all()
                barrier()
                raise KeyboardInterrupt
            self._log.advance(self.step)
        if not self.checkpoint.finite():
            raise self._not_finite("weights are")
        self._means()  # raises before a state with non-finite losses is saved
        try:  # with its unfinished row, which a longer run would continue
            self._save_all()
            self._ended = True
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else error
            print(f"{self.stage.name}: no last checkpoint in {self.folder}: {reason}", file=sys.stderr)
        if self.progress.counts:
            self._close_row()
        for hook in self.hooks:
            hook.end(self)

    def _stop(self, number: int, frame: object) -> None:
        self._stopping = True
        signal.signal(number, signal.SIG_DFL)  # a second such signal ends the process at once
        say_interrupted(self.stage.name)

    def log(self, **losses: Tensor) -> None:
        """Add this step's losses (0-d tensors) to the current row, without waiting for the device."""
        sums, counts = self.progress.sums, self.progress.counts
        for name, value in losses.items():
            value = value.detach().to(torch.float32 if value.device.type == "mps" else torch.float64)
            sums[name] = sums[name] + value if name in sums else value
            counts[name] = counts.get(name, 0) + 1

    def log_metrics(self, **metrics: float) -> None:
        """Add occasional metrics, such as a score on val, as a row of their own."""
        self.history.append({"step": self.step + 1, "kimg": self._kimg(self.step + 1), **metrics})
        self._log.row(self.step + 1, metrics)

    def _means(self) -> dict[str, float]:
        totals, counts = self.progress.sums, self.progress.counts
        means = {name: float(all_reduce_mean(total)) / counts[name] for name, total in totals.items()}
        for name, value in means.items():
            if not math.isfinite(value):
                raise self._not_finite(f"{name} is")
        return means

    def _close_row(self) -> None:
        means = self._means()
        self.progress.sums, self.progress.counts = {}, {}
        self.history.append({"step": self.step, "kimg": self._kimg(self.step), **means})
        self._log.row(self.step, means)

    def _kimg(self, step: int) -> float:
        return round(step * self.images_per_step / 1000, 3)

    def _not_finite(self, what: str) -> UserError:
        hint = f"; the last good checkpoint stays in {self.folder}" if self.checkpoint.path.exists() else ""
        return UserError(f"{what} no longer finite at step {self.step}: lower the learning rate{hint}")

    @property
    def step(self) -> int:
        """Steps done."""
        return self.progress.step

    @property
    def history(self) -> list[dict[str, float]]:
        return self.progress.history

    def _save_all(self) -> None:
        """Save, with the current row averaged over all processes."""
        self.progress.sums = {name: all_reduce_mean(total) for name, total in self.progress.sums.items()}
        self.save()

    def save(self) -> None:
        """Write the checkpoint; a kill at any moment leaves the old or the new one intact."""
        if not is_main_process():
            return
        if not self.checkpoint.finite():
            raise self._not_finite("weights are")
        self.checkpoint.save(self.progress, self.origin.about)
        self._saved = time.monotonic()

    def _load(self) -> None:
        if progress := self.checkpoint.resume():
            self.progress = progress
            if is_main_process():
                print(f"{self.stage.name}: going on at step {self.step} of {self.steps}", flush=True)
        else:
            self.progress = self.checkpoint.go_on(self.origin) or self.progress
        self.origin.state = None  # frees its memory

    def finish(self, weights: Path) -> None:
        """Keep the final state, as that of the weights just written, in place of the last finished run's; then
        `discard` the rest.
        """
        if is_main_process() and self._ended:
            with suppress(OSError):  # the state is not an output
                path = state_file(self.folder.parent, self.stage.name, weights)
                os.replace(self.checkpoint.path, path)
                for other in path.parent.glob(f"{self.stage.name}-*.pt"):
                    if other != path and other.stat().st_mtime <= path.stat().st_mtime:
                        other.unlink()
        self.discard()

    def discard(self) -> None:
        """Release the other processes and remove the checkpoint, once the outputs are written; the run is
        locked until then.
        """
        barrier()
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.release()


def mix(*numbers: int) -> int:
    """Derive one seed from several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)
