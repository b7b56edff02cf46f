"""The source `urls`: a list of addresses."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from creatures.runtime.errors import UserError
from stages.scrape.manifest import Row
from stages.scrape.site import LabelledParams, Site
from stages.scrape.web.download import Wanted, download, finish


class UrlsParams(LabelledParams):
    path: str = Field("urls.txt", min_length=1, description="below scrape.own: a .txt, .csv or .parquet file")
    url_column: str = Field("url", min_length=1, description="the column of addresses")
    label_column: str = Field("label", description="the column of labels; '' for none")
    licence_column: str = Field("licence", description="the column of licences; '' for none")


def fetch_urls(site: Site, params: UrlsParams) -> list[Row]:
    """Fetch the pictures that a list names.

    A .txt file has one address per line, and comments that begin with #; the others have columns,
    of which only that of addresses is required. A row without an address becomes a failed row.

    Raises:
        UserError: there is no such file, it cannot be read, it has no such column, or nothing
            on it could be fetched.
    """
    wanted = islice(read_list(Path(params.path), params), params.most or None)
    rows = download(wanted, site.out, site.web, site.store)
    if not any(row.status == "ok" for row in rows):
        finish(site.store)  # the next run requests all of them again
        why = f"; the first address: {rows[0].url!r}: {rows[0].reason}" if rows else ": it is empty"
        raise UserError(f"{params.path}: no picture could be fetched{why}")
    return rows


def read_list(path: Path, params: UrlsParams) -> Iterator[Wanted]:
    """The rows of a list, one by one."""
    reader = READERS.get(path.suffix.lower())
    if not reader:
        raise UserError(f"{path}: the name of a list ends in one of {', '.join(READERS)}")
    try:
        yield from reader(path, params)
    except (OSError, pa.ArrowException, UnicodeDecodeError, csv.Error) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        raise UserError(f"{path} cannot be read: {reason}") from None


def _text(path: Path, params: UrlsParams) -> Iterator[Wanted]:
    with open(path, encoding="utf-8-sig") as lines:
        for line in map(str.strip, lines):
            if line and not line.startswith("#"):
                yield Wanted(line)


def _csv(path: Path, params: UrlsParams) -> Iterator[Wanted]:
    with open(path, encoding="utf-8-sig", newline="") as lines:
        table = csv.DictReader(lines)
        _columns(path, list(table.fieldnames or ()), params)
        for row in table:
            yield _wanted(row, params)


def _parquet(path: Path, params: UrlsParams) -> Iterator[Wanted]:
    with pq.ParquetFile(path) as table:
        columns = _columns(path, table.schema_arrow.names, params)
        for batch in table.iter_batches(columns=columns):
            for row in batch.to_pylist():
                yield _wanted(row, params)


READERS = {".txt": _text, ".csv": _csv, ".parquet": _parquet}


def _columns(path: Path, names: list[str], params: UrlsParams) -> list[str]:
    if params.url_column not in names:
        raise UserError(f"{path} has no column {params.url_column!r}, only {', '.join(map(repr, names)) or 'none'}")
    return [name for name in (params.url_column, params.label_column, params.licence_column) if name in names]


def _wanted(row: dict[str, object], params: UrlsParams) -> Wanted:
    url, label, licence = (
        row.get(name) if name else None for name in (params.url_column, params.label_column, params.licence_column)
    )
    values = ["" if value is None else str(value).strip() for value in (url, label, licence)]
    return Wanted(values[0], values[1], values[2] or "unknown")
