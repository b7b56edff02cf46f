"""Temporary store of decoded frames: pixels on disk in order of arrival, the rest in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from creatures.data.records import Records

CHUNK = 512  # frames read back at once
PACKED: dict[str, Any] = {
    "file": np.int32,
    "frame": np.int32,
    "sha256": "S32",
    "phash": np.uint64,
    "ink": np.float32,
    "odd": np.uint8,
    "area": np.int64,
}


@dataclass(frozen=True)
class Frames:
    """Columns of N decoded frames, in the stable order: by file, then frame.

    Attributes:
        file: int32, N, index in the list of files.
        frame: int32, N.
        sha256: S32 bytes, N, of the pixels.
        phash: uint64, N.
        ink: float32, N.
        odd: uint8, N, the test of stages/clean/upright.py that it fails, counted from 1; 0 for none.
        area: int64, N, of the foreground in the original's pixels.
        place: int64, N, its index in the spool.
    """

    file: np.ndarray
    frame: np.ndarray
    sha256: np.ndarray
    phash: np.ndarray
    ink: np.ndarray
    odd: np.ndarray
    area: np.ndarray
    place: np.ndarray

    def __len__(self) -> int:
        return len(self.file)


class Spool:
    """Takes frames in any order and returns them in the stable one."""

    def __init__(self, folder: Path, px: int) -> None:
        self.px = px
        self.pixel_path, self.thumb_path = folder / "pixels", folder / "thumbs"
        self._pixels = self.pixel_path.open("wb")
        self._thumbs = self.thumb_path.open("wb")
        self._columns = {name: bytearray() for name in PACKED}
        self.dropped: list[dict[str, Any]] = []

    def add(self, decoded: dict[str, Any]) -> int:
        """Take one file's row of `decode_all`; return how many frames it has."""
        self._pixels.write(decoded["pixels"])
        self._thumbs.write(decoded["thumb"])
        frame = np.array(decoded["frame"], np.int32)
        packed = decoded | {"frame": frame.tobytes(), "file": np.full_like(frame, decoded["file"]).tobytes()}
        for name, column in self._columns.items():
            column.extend(packed[name])
        self.dropped += [{"file": decoded["file"], **row} for row in decoded["dropped"]]
        return len(decoded["frame"])

    def frames(self) -> Frames:
        """All frames, in the stable order; none can be added afterwards."""
        self._pixels.close()
        self._thumbs.close()
        columns = {name: np.frombuffer(self._columns[name], kind) for name, kind in PACKED.items()}
        order = np.lexsort((columns["frame"], columns["file"]))
        return Frames(**{name: column[order] for name, column in columns.items()}, place=order)

    def thumbs(self) -> Records:
        """Thumbnails, uint8, 768 each, indexed by `Frames.place`."""
        return Records(self.thumb_path, (768,))

    def pictures(self, places: np.ndarray) -> Iterator[np.ndarray]:
        """Pictures at `places`, one after the other, in chunks: uint8, n x 3 x px x px."""
        pixels = Records(self.pixel_path, (3, self.px, self.px))
        for start in range(0, len(places), CHUNK):
            yield pixels[places[start : start + CHUNK]]
