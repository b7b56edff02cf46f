"""Arrays of one shape in a file, read on demand.

Read rather than memory-mapped: mapped pages count as the process's memory.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from math import prod
from pathlib import Path

import numpy as np

PIECE = 1 << 17  # bytes read ahead per call: of a larger range, systems read only the beginning


class Records:
    """uint8 arrays of one shape, at equal distances in a file.

    Args:
        path: of the file.
        shape: of each array.
        start: bytes before the header of the first.
        step: bytes from the start of one to that of the next; None: they are contiguous.
        header: bytes that each starts with.
    """

    def __init__(
        self, path: Path, shape: Sequence[int], start: int = 0, step: int | None = None, header: bytes = b""
    ) -> None:
        self.path, self.shape, self.header = path, tuple(shape), header
        self.start, self.step = start, step or prod(shape)

    def __getitem__(self, places: np.ndarray) -> np.ndarray:
        """Arrays at `places`, int (n,): uint8, n x shape.

        Raises:
            OSError: the file cannot be read, or has no array at such a place.
        """
        arrays = np.empty((len(places), *self.shape), np.uint8)
        with open(self.path, "rb", buffering=0) as file:
            for place, record in zip(places.tolist(), arrays.reshape(len(places), -1), strict=True):
                file.seek(self.start + place * self.step)
                if file.read(len(self.header)) != self.header or file.readinto(record.data) != record.nbytes:
                    raise OSError(f"{self.path} is damaged at its picture {place}")
        return arrays

    def read_ahead(self) -> None:
        """Advise the system, if it supports that, that the whole file will be needed soon."""
        with suppress(OSError), open(self.path, "rb") as file:
            for start in range(0, self.path.stat().st_size, PIECE):
                if hasattr(os, "posix_fadvise"):
                    os.posix_fadvise(file.fileno(), start, PIECE, os.POSIX_FADV_WILLNEED)
