"""Manifest of what was scraped: a row for each file."""

from __future__ import annotations

import errno
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

MOST_REASONS = 3  # in a message
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the manifest; a failed file has a reason, and no copy in `files/`.

    `time` is when a picture was fetched, ISO 8601 in UTC; "" if unknown. `split` is the one that the source puts a
    picture in, "" where it leaves that to `clean`.
    """

    path: str
    label: str
    source: str
    url: str
    licence: str
    sha256: str = ""
    bytes: int = 0
    status: str = "ok"
    reason: str = ""
    time: str = ""
    split: str = ""


def text(path: str) -> str:
    """A path that Parquet can hold: bytes that are not UTF-8 are written as \\udcXX."""
    return path.encode("utf-8", "backslashreplace").decode()


def keep(files: Path, path: str, data: bytes) -> dict[str, Any]:
    """Write one file below `files`.

    Returns:
        The columns of Row for the outcome: sha256 and bytes, or status and reason.

    Raises:
        OSError: no file can be written, whatever its name.
    """
    if text(path) != path:
        return failed("name is not UTF-8")
    target = files / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "xb") as out:
            out.write(data)
    except FileExistsError:
        return failed("of a name that is taken")
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        return failed(str(error.strerror).lower())
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def failed(reason: str) -> dict[str, Any]:
    return {"status": "failed", "reason": reason}


def why_none(rows: Sequence[Row]) -> str:
    """The reasons why no picture could be kept, for a message: the most frequent first; "" without rows."""
    return f"; of {len(rows)} files: {reasons_of(rows)}" if rows else ""


def reasons_of(rows: Sequence[Row]) -> str:
    """The most frequent reasons of failed rows, and how many have them."""
    reasons = Counter(row.reason for row in rows if row.status != "ok").most_common()
    some = [f"{count} {reason}" for reason, count in reasons[:MOST_REASONS]]
    return ", ".join(some + ["…"] * (len(reasons) > MOST_REASONS))


def write_manifest(path: Path, rows: Sequence[Row]) -> None:
    """Write the rows, sorted by path, as Parquet: the same bytes for the same rows.

    Rows are grouped by source; if there are several, the schema's metadata has their names in that order.
    Without any `split` there is no such column.
    """
    ordered = sorted(sorted(rows, key=attrgetter("status")), key=attrgetter("path"))
    names = [field.name for field in fields(Row) if field.name != "split" or any(row.split for row in rows)]
    schema = pa.schema([(name, pa.int64() if name == "bytes" else pa.string()) for name in names])
    sources = list(dict.fromkeys(row.source for row in rows))
    if len(sources) > 1:
        schema = schema.with_metadata({"sources": json.dumps(sources)})
    pq.write_table(pa.table([[getattr(row, name) for row in ordered] for name in schema.names], schema=schema), path)


def metrics(by_source: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    """The contents of metrics/scrape.json, from the rows of each source by its name."""
    rows = [row for some in by_source.values() for row in some]
    ok_rows = [row for row in rows if row.status == "ok"]
    failures = Counter(row.reason for row in rows if row.status == "failed")
    return {
        "files": len(ok_rows),
        "bytes": sum(row.bytes for row in ok_rows),
        "labels": len({row.label for row in ok_rows} - {""}),
        "failed": sum(failures.values()),
        "failures": dict(sorted(failures.items())),
    } | ({"sources": {name: _count_ok(some) for name, some in by_source.items()}} if len(by_source) > 1 else {})


def _count_ok(rows: Sequence[Row]) -> int:
    return sum(row.status == "ok" for row in rows)
