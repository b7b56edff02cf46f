"""The packed picture set that `clean` writes and every later stage reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from creatures.artifacts import CLEAN, PICTURES
from creatures.data.loading import open_array, reading
from creatures.data.shards import INDEX, Shards
from creatures.runtime.errors import UserError

IMAGES = "images.npy"
# those of `clean`'s parameters that apply to every picture
CLEANING = ("background", "solid", "enlarge", "margin", "min_px")
ADDED = {"clean.solid": "keep"}  # not noted where they have these values, as in files from before there were they
SPLITS = ("train", "val", "test")
ENOUGH = 100_000  # pictures to take statistics from, at most
MEASURED = 10_000  # pictures of a split to measure on, at most


@dataclass(frozen=True)
class Pictures:
    """Pictures and their metadata, row by row.

    Attributes:
        images: uint8, N x 3 x H x W, RGB; memory-mapped when read from disk, or in shards.
        index: one row per picture, in the order of `images`: id, label (int, the class;
            -1 for none), species (its name), style (drawing, sprite or picture), source
            (the file it came from), frame, split, sha256, phash, ink (fraction of the
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

    @property
    def cleaning(self) -> dict[str, Any]:
        """Parameters, by dotted name, that `clean` made them with: common.image_px, and those of CLEANING."""
        return dict(json.loads((self.index.schema.metadata or {}).get(b"cleaning", b"{}")))


def evenly_spaced(rows: np.ndarray, count: int) -> np.ndarray:
    """At most `count` of `rows`, evenly spaced."""
    if len(rows) <= count:
        return rows
    return rows[np.linspace(0, len(rows) - 1, count).round().astype(int)]


def with_cleaning(index: pa.Table, image_px: int, clean: Mapping[str, Any]) -> pa.Table:
    """Add to an index the parameters its pictures were cleaned with, for `Pictures.cleaning`."""
    values = {"common.image_px": image_px} | {f"clean.{name}": clean[name] for name in CLEANING}
    values = {key: value for key, value in values.items() if ADDED.get(key) != value}
    return index.replace_schema_metadata({"cleaning": json.dumps(values, sort_keys=True)})


def open_images(folder: Path = CLEAN) -> np.ndarray | Shards:
    """Open `Pictures.images`, without reading them into memory.

    Raises:
        UserError: there are none, or they are damaged.
    """
    if (folder / INDEX).exists():
        return Shards(folder)
    return open_array(folder / IMAGES, 4, np.uint8)


def open_pictures(folder: Path = CLEAN) -> Pictures:
    """Open the packed set without reading its pictures into memory.

    Raises:
        UserError: it is missing, damaged or holds no pictures to train on.
    """
    with reading(folder / PICTURES.name):
        pictures = Pictures(open_images(folder), pq.read_table(folder / PICTURES.name))
        train_rows, _ = pictures.rows("train"), pictures.cleaning
    if not len(train_rows):
        raise UserError(f"{folder} holds no pictures to train on")
    if len(pictures) != len(pictures.index):
        raise UserError(
            f"{folder} has {len(pictures)} pictures and {len(pictures.index)} rows; run dvc checkout or dvc repro"
        )
    return pictures


def species_labels(pictures: Pictures) -> tuple[np.ndarray, np.ndarray]:
    """The class of every picture, int (N,), -1 for species that are not in train; and each class's fraction of train.

    Raises:
        UserError: nothing in train has a label.
    """
    labels = pictures.column("label")
    in_train = labels[pictures.rows("train")]
    known, counts = np.unique(in_train[in_train >= 0], return_counts=True)
    if not len(known):
        raise UserError("gan.condition is species, but no picture has a label")
    place = np.searchsorted(known, labels).clip(0, len(known) - 1)
    return np.where(known[place] == labels, place, -1), counts / counts.sum()
