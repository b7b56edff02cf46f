"""The packed picture set that `clean` writes and every later stage reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.lib.params import UserError
from stages.lib.shards import INDEX, Shards

FOLDER = Path("data/clean")
IMAGES = "images.npy"
SPLITS = ("train", "val", "test")
ENOUGH = 100_000  # pictures to take statistics from, of more
MEASURED = 10_000  # pictures of a split to measure on, of more


@dataclass(frozen=True)
class Pictures:
    """Pictures and what is known of them, row by row.

    Attributes:
        images: uint8, N x 3 x H x W, RGB; memory-mapped when read from disk, or in shards.
        index: one row a picture, in the order of `images`: id, label (int, the class;
            -1 for none), species (its name), style (drawing, sprite or picture), source
            (the file it came from), frame, split, sha256, phash, ink (share of the
            picture that is not background).
    """

    images: np.ndarray | Shards
    index: pa.Table

    def __len__(self) -> int:
        return len(self.images)

    def column(self, name: str) -> np.ndarray:
        """One column of the index."""
        return self.index.column(name).to_numpy(zero_copy_only=False)

    def rows(self, split: str) -> np.ndarray:
        """Indices into `images` of one split, ascending."""
        return np.flatnonzero(self.column("split") == split)

    @property
    def image_px(self) -> int:
        return self.images.shape[-1]


def open_images(folder: Path = FOLDER) -> np.ndarray | Shards:
    """`Pictures.images`, without reading them into memory.

    Raises:
        FileNotFoundError: there are none.
        UserError: they are damaged.
    """
    if (folder / INDEX).exists():
        return Shards(folder)
    found: np.ndarray = np.load(folder / IMAGES, mmap_mode="r")
    return found


def open_pictures(folder: Path = FOLDER) -> Pictures:
    """Open the packed set without reading its pictures into memory."""
    try:
        pictures = Pictures(open_images(folder), pq.read_table(folder / "index.parquet"))
    except FileNotFoundError as error:
        raise UserError(f"{error.filename} is missing; run the stages before this one (dvc repro)") from None
    if not len(pictures.rows("train")):
        raise UserError(f"{folder} holds no pictures to train on")
    if len(pictures) != len(pictures.index):
        raise UserError(
            f"{folder} has {len(pictures)} pictures and {len(pictures.index)} rows; run dvc checkout or dvc repro"
        )
    return pictures
