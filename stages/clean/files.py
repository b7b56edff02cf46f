"""The scraped files, in the order that all later steps keep."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from creatures.data.loading import reading
from stages.clean.pack import DRAWING, style_of

AT_ONCE = 1_000_000  # strings that fit in 2 GB


@dataclass(frozen=True)
class Files:
    """Columns of N scraped files.

    Attributes:
        path: N paths below data/raw/files; an Arrow array takes a fourth of Python's memory.
        label: N names, "" for none.
        style: N names, as `style_of` returns them.
        split: N names that sources gave, "" for none.
        rank: int64, N, index of a file's source in the order that scrape writes to the table's metadata
            (else by name).
    """

    path: pa.LargeStringArray
    label: np.ndarray
    style: np.ndarray
    split: np.ndarray
    rank: np.ndarray

    def __len__(self) -> int:
        return len(self.path)

    def paths(self, files: np.ndarray) -> pa.ChunkedArray:
        """Paths of some files, as `pa.string()`."""
        starts = range(0, max(1, len(files)), AT_ONCE)
        parts = [self.path.take(pa.array(files[start : start + AT_ONCE])) for start in starts]
        return pa.chunked_array([part.cast(pa.string()) for part in parts])


def list_files(manifest: Path) -> Files:
    """All scraped files in the stable order: drawings first, then by path."""
    with reading(manifest):
        names = pq.read_schema(manifest).names
        table = pq.read_table(manifest, columns=["path", "label", "source", "status", *{"split"}.intersection(names)])
        recorded = (table.schema.metadata or {}).get(b"sources")
        sources = json.loads(recorded) if recorded else sorted(table["source"].unique().to_pylist())
    table = table.set_column(0, "path", table["path"].cast(pa.large_string()))  # pa.string() is limited to 2 GB
    table = table.filter(pc.equal(table["status"], "ok")).sort_by("path")
    style = np.array([style_of(path.as_py()) for path in table["path"]], object)
    order = np.argsort(style != DRAWING, kind="stable")
    label = table["label"].dictionary_encode().unify_dictionaries().combine_chunks()  # few distinct ones
    labels = np.array(label.dictionary.to_pylist(), object)
    rank = pc.index_in(table["source"], pa.array(sources)).to_numpy()
    path = table["path"].combine_chunks().take(order)
    split = table["split"].to_numpy() if "split" in table.column_names else np.full(len(table), "", object)
    return Files(
        path, labels[label.indices.to_numpy()][order], style[order], split[order], rank[order].astype(np.int64)
    )
