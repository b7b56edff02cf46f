"""Labels and splits of a source's pictures: from folders, from tables, or as the source says."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from creatures.intake.layout import Layout, described, normal, recognise
from creatures.intake.tables import LabelTable, first_label, read_table
from creatures.runtime.errors import UserError
from stages.scrape.manifest import Row
from stages.scrape.site import LabelledParams, SourceParams

LABELS = "labels"  # folder beside `files/` where sources put the tables that lie among their pictures


def labelled(rows: Sequence[Row], params: SourceParams, out: Path, start: int = 0) -> tuple[list[Row], str]:
    """Rows with labels and splits, and what was recognised, in a few words.

    A label that the source gives a picture (a sidecar file, a column) comes first, then a table's, then a folder's.
    Fewer than two labels by folder are
    none, unless `labels: folder` insists.

    Args:
        out: the source's folder, which may have `LABELS`.
        start: number of levels of folders that are the source's own.

    Raises:
        UserError: a table cannot be read, or has none of the pictures.
    """
    if not isinstance(params, LabelledParams):
        rows = [replace(row, label=normal(row.label)) for row in rows]
        return rows, described(Layout(), Counter(row.label for row in rows if row.status == "ok"), Counter(), "")
    if params.labels == "none":
        rows = [replace(row, label="") for row in rows]
    layout, tables = Layout(), list[LabelTable]()
    paths = [row.path for row in rows if row.status == "ok"]
    if params.by_folder:
        layout = recognise(paths, start, params.splits == "auto")
        if params.labels == "folder" and layout.label is None:
            layout = replace(layout, label=start)  # even if all have the same
        tables = _tables_among(out / LABELS, params.column) if params.labels == "auto" else []
    if params.table:
        tables = [LabelTable(read_table(params.table, _content(Path(params.table)), params.column))]
        rows = [replace(row, label="") for row in rows]
    by_folder = params.labels == "folder" or (params.labels == "auto" and params.by_folder and not tables)

    def label(row: Row) -> str:
        if params.labels == "none" or (row.label and params.labels != "folder"):
            return normal(row.label)
        return layout.label_of(row.path) if by_folder else first_label(tables, row.path) or ""

    result = [replace(row, label=label(row), split=layout.split_of(row.path)) for row in rows]
    kept = [row for row in result if row.status == "ok"]
    labels, splits = Counter(row.label for row in kept), Counter(row.split for row in kept)
    if params.table and not labels.keys() - {""}:
        raise UserError(f"{params.table} has labels for none of the {len(kept)} pictures, such as {kept[0].path}")
    own = any(row.label for row in rows) and params.labels != "folder"
    origin = "" if own else f"by {params.table or 'table'}" if tables else "by folder"
    return result, described(layout, labels, splits, origin)


def keep_table(out: Path, path: str, data: bytes) -> None:
    """Put a table that lies among the pictures where `labelled` finds it."""
    target = out / LABELS / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def _tables_among(folder: Path, column: str) -> list[LabelTable]:
    """The tables that name labels, each for the pictures in and below its own folder."""
    tables = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (labels := read_table(path.name, path.read_bytes(), column)):
            place = os.path.relpath(path.parent, folder)
            tables.append(LabelTable(labels, "" if place == "." else place))
    return tables


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {str(error.strerror).lower()}") from None
