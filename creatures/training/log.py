"""Live logs of a run: a progress bar, TensorBoard, DVCLive and, if asked for, MLflow or Weights & Biases."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from creatures.training.trackers import Trackers

LINE_EVERY_SECONDS = 30.0
FIRST_LINE_SECONDS = 3.0  # by then the remaining time can be estimated


class RunContext(Protocol):
    """Context of a training: its name, and folders for its checkpoint and its logs."""

    @property
    def name(self) -> str: ...
    @property
    def checkpoint_dir(self) -> Path: ...
    @property
    def run_dir(self) -> Path: ...


class Quiet:
    """A log that does nothing, for processes other than the main one."""

    def advance(self, step: int) -> None: ...

    def row(self, step: int, metrics: dict[str, float]) -> None: ...

    def close(self) -> None: ...


class Log(Quiet):
    """A bar on a terminal, an occasional line elsewhere; rows go to runs/<stage>/… ."""

    def __init__(self, stage: RunContext, steps: int, images_per_step: int, start: int) -> None:
        from dvclive import Live
        from scmrepo.exceptions import SCMError
        from torch.utils.tensorboard import SummaryWriter

        self.stage, self.steps, self.images_per_step = stage, steps, images_per_step
        self.start, self.began, self.latest = start, time.monotonic(), ""
        self.lined = self.began - LINE_EVERY_SECONDS + FIRST_LINE_SECONDS
        self.board = SummaryWriter(str(stage.run_dir / "tensorboard"), purge_step=start)
        self.live: Live | None = None
        with suppress(SCMError):  # a git repository without a commit
            # without these two DVCLive would edit the project's own dvc.yaml
            self.live = Live(str(stage.run_dir / "dvclive"), dvcyaml=None, save_dvc_exp=False, resume=start > 0)
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[latest]}"),
            disable=not sys.stderr.isatty(),
        )
        self.writes, self.trackers = True, Trackers(stage.name, stage.run_dir)
        self.task = self.bar.add_task(stage.name, total=steps, completed=start, speed="", latest="")
        self.bar.start()

    def advance(self, step: int) -> None:
        """Show that `step` steps are done."""
        now = time.monotonic()
        rate = (step - self.start) / max(now - self.began, 1e-9)
        speed = f"{rate * self.images_per_step:.0f} images/s"
        self.bar.update(self.task, completed=step, speed=speed, latest=self.latest)
        if self.bar.disable and (now - self.lined > LINE_EVERY_SECONDS or step == self.steps):
            self.lined = now
            left = (self.steps - step) / max(rate, 1e-9)
            print(f"{self.stage.name}: {step}/{self.steps}, {speed}, {left:.0f} s left  {self.latest}", flush=True)

    def row(self, step: int, metrics: dict[str, float]) -> None:
        """Write metrics at `step`; if they cannot be written, the run continues without curves."""
        self.latest = "  ".join(f"{name} {value:.3g}" for name, value in metrics.items())
        self.trackers.log(step, metrics)
        if not self.writes:
            return
        try:
            for name, value in metrics.items():
                self.board.add_scalar(f"{self.stage.name}/{name}", value, step)
            if self.live:
                self.live.step = step
                for name, value in metrics.items():
                    self.live.log_metric(name, value, plot=True)
                self.live.sync()
        except OSError as error:
            self.writes = False
            reason = os.strerror(error.errno) if error.errno else error
            print(f"{self.stage.name}: no more curves in {self.stage.run_dir}: {reason}", file=sys.stderr)

    def close(self) -> None:
        self.bar.stop()
        self.trackers.close()
        with suppress(OSError):
            self.board.close()
        with suppress(OSError):
            if self.live:
                self.live.end()
