"""The scraped files, in the order that everything after them keeps."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from stages.clean.pack import style_of
from stages.lib.params import UserError


def list_files(manifest: Path) -> list[dict[str, str]]:
    """path and label of all scraped files in the stable order: drawings first, then by path."""
    try:
        table = pq.read_table(manifest)
    except FileNotFoundError:
        raise UserError(f"{manifest} is missing; run the stages before this one (dvc repro)") from None
    files = [row for row in table.to_pylist() if row["status"] == "ok"]
    return sorted(files, key=lambda row: (style_of(row["path"]) != "drawing", row["path"]))
