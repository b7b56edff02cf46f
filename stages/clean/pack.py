"""The packed set on disk: images.npy or shards, index.parquet, dropped.parquet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from creatures.data.pictures import SPLITS, with_cleaning

DROPPED = pa.schema(
    [
        ("source", pa.string()),
        ("frame", pa.int32()),
        ("reason", pa.string()),
        ("detail", pa.string()),
        ("copy_of", pa.string()),
        ("copy_frame", pa.int32()),
    ]
)
DRAWING = "drawing"
STYLES = {".svg": DRAWING, ".svgz": DRAWING, ".gif": "sprite"}


def style_of(path: str) -> str:
    """`drawing` for SVG, packed or not, `sprite` for GIF, `picture` for all others, by the file's name."""
    return STYLES.get(Path(path).suffix.lower(), "picture")


def shard_order(splits: np.ndarray, digests: np.ndarray) -> np.ndarray:
    """The order of rows in shards: by split, then by the pictures' digests, which is a random order, so that a few
    shards are a fair sample of their split.

    Args:
        splits: N names.
        digests: N fixed-width byte strings.
    """
    return np.lexsort((digests, np.array([SPLITS.index(split) for split in splits])))


def labels_of(species: np.ndarray) -> np.ndarray:
    """Index of each species in the sorted names of all that are kept: int32, N, -1 for none."""
    names = np.unique(species[species != ""])
    return np.where(species == "", -1, np.searchsorted(names, species)).astype(np.int32)


def write_images(path: Path, count: int, px: int, chunks: Iterable[np.ndarray]) -> None:
    """Write uint8, count x 3 x px x px, as .npy, chunk by chunk."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, 3, px, px)}
    with open(path, "wb") as out:
        np.lib.format.write_array_header_1_0(out, header)
        for chunk in chunks:
            out.write(chunk.data)


def write_index(path: Path, table: pa.Table, image_px: int, clean: Mapping[str, Any]) -> None:
    """Write index.parquet from the columns that creatures/data/pictures.py names, except `id`, and the parameters
    that the pictures were cleaned with.
    """
    table = table.add_column(0, "id", pa.array(np.arange(len(table)), pa.int32()))
    pq.write_table(with_cleaning(table, image_px, clean), path)
