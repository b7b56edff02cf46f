"""The scraped files, in the order that everything after them keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from stages.clean.pack import style_of
from stages.lib.params import UserError


def list_files(manifest: Path) -> list[dict[str, Any]]:
    """path and label of all scraped files in the stable order: drawings first, then by path.

    `rank` is the place of a file's source among all, as scrape names them in the table's metadata (else by name).
    """
    try:
        table = pq.read_table(manifest)
    except FileNotFoundError:
        raise UserError(f"{manifest} is missing; run the stages before this one (dvc repro)") from None
    told = (table.schema.metadata or {}).get(b"sources")
    sources = json.loads(told) if told else sorted(table["source"].unique().to_pylist())
    files = [row | {"rank": sources.index(row["source"])} for row in table.to_pylist() if row["status"] == "ok"]
    return sorted(files, key=lambda row: (style_of(row["path"]) != "drawing", row["path"]))
