"""Temporary folders for trainings that are not stages of the pipeline."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Scratch:
    """Name and folders of a training that is not a stage, as RunContext requires."""

    name: str
    checkpoint_dir: Path
    run_dir: Path


@contextmanager
def scratch(name: str) -> Iterator[Scratch]:
    """Folders that are deleted when the training is over."""
    with tempfile.TemporaryDirectory() as folder:
        yield Scratch(name, Path(folder) / "ckpt", Path(folder) / "runs")
