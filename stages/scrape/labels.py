"""Labels and splits of a source's pictures: from folders, from tables, or as the source says."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
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
    Fewer than two labels by folder are none, unless `labels: folder` insists.

    Args:
        out: the source's folder, which may have `LABELS`.
        start: number of levels of folders that are the source's own.

    Raises:
        UserError: the table that `labels` names cannot be read, or has none of the pictures.
    """
    chosen = params if isinstance(params, LabelledParams) else LabelledParams()
    layout = Layout()
    if chosen.by_folder:
        layout = recognise((row.path for row in rows if row.status == "ok"), start, chosen.splits == "auto")
    label_of, origin = _labels(chosen, rows, layout, out, start)
    rows = [
        replace(row, label=normal(label_of(row)), split=layout.split_of(row.path)) if row.status == "ok" else row
        for row in rows
    ]
    kept = [row for row in rows if row.status == "ok"]
    labels, splits = Counter(row.label for row in kept), Counter(row.split for row in kept)
    if chosen.table and not labels.keys() - {""}:
        raise UserError(f"{chosen.table} has labels for none of the {len(kept)} pictures, such as {kept[0].path}")
    return rows, described(layout, labels, splits, origin)


def _labels(
    params: LabelledParams, rows: Sequence[Row], layout: Layout, out: Path, start: int
) -> tuple[Callable[[Row], str], str]:
    """A function from a row to its label, and where labels are from, for the message."""
    if params.labels == "none":
        return (lambda row: ""), ""
    if params.table:
        table = LabelTable(read_table(params.table, _content(Path(params.table)), params.column), ends=True)
        return (lambda row: table.get(row.path) or ""), f"by {params.table}"
    if params.labels == "folder":  # even if all pictures have the same
        below = start if layout.split is None else layout.split + 1
        insisting = layout if layout.label is not None else replace(layout, label=below)
        return (lambda row: insisting.label_of(row.path)), "by folder"
    tables = [table for table in _tables_among(out / LABELS, params.column) if any(table.get(row.path) for row in rows)]
    if tables:  # where it does not have a picture, its folder counts
        return (lambda row: row.label or _told(tables, row.path, layout)), "by table"
    return (lambda row: row.label or layout.label_of(row.path)), "" if any(row.label for row in rows) else "by folder"


def _told(tables: Sequence[LabelTable], path: str, layout: Layout) -> str:
    found = first_label(tables, path)
    return layout.label_of(path) if found is None else found


def keep_table(out: Path, path: str, data: bytes) -> None:
    """Put a table that lies among the pictures where `labelled` finds it."""
    target = out / LABELS / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def _tables_among(folder: Path, column: str) -> list[LabelTable]:
    """The tables that name labels, each for the pictures in and below its own folder; others are passed over."""
    tables = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        place = os.path.relpath(path.parent, folder)
        try:
            labels = read_table(path.name, path.read_bytes(), column)
        except UserError as error:
            print(f"scrape: passed over a table: {error}", file=sys.stderr, flush=True)
            continue
        if labels:
            tables.append(LabelTable(labels, "" if place == "." else place))
    return tables


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: {str(error.strerror).lower()}") from None
