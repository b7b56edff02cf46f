"""Journal of what was fetched, kept outside the outputs: a line per address, and bodies by their SHA-256.

A line is written after its body, so whenever a run is killed, the bodies that the journal
names exist. Truncated lines are ignored.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

DONE = {"done": True}  # marks the end of a run


class Journal:
    """Everything known of each address.

    Attributes:
        records: by address, the last of its lines: time, reason, and for a picture sha256,
            suffix, etag, modified.
        fresh: the addresses that the current run has requested.
    """

    def __init__(self, store: Path) -> None:
        self._path, self._bodies = store / "journal.jsonl", store / "bodies"
        store.mkdir(parents=True, exist_ok=True)
        self.records: dict[str, dict[str, Any]] = {}
        self.fresh: set[str] = set()
        lines = 0
        for line in _lines(self._path):
            lines += 1
            if line == DONE:
                self.fresh.clear()
            else:
                self.records[line["url"]] = line
                self.fresh.add(line["url"])
        if lines > 2 * len(self.records) + 100:
            self._shorten()
        self._out = open_to_append(self._path)

    def known(self, url: str) -> Mapping[str, Any] | None:
        """The record of a picture that we have, else None."""
        record = self.records.get(url)
        return record if record and not record["reason"] and self._place(record["sha256"]).is_file() else None

    def settled(self, url: str) -> bool:
        """Whether this run need not request it."""
        return url in self.fresh and (bool(self.records[url]["reason"]) or self.known(url) is not None)

    def add(self, record: dict[str, Any], body: bytes | None) -> None:
        """Store a body, unless it is stored already, and then the record of its address."""
        if body is not None and not (place := self._place(record["sha256"])).exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            part = place.with_suffix(".part")
            part.write_bytes(body)
            os.replace(part, place)
        self._out.write(_encoded(record))
        self.records[record["url"]] = record
        self.fresh.add(record["url"])

    def body(self, record: Mapping[str, Any]) -> bytes | None:
        """The body that was fetched; if damaged, it is deleted, for the next run to fetch, and None returned."""
        place = self._place(record["sha256"])
        body = place.read_bytes()
        if hashlib.sha256(body).hexdigest() == record["sha256"]:
            return body
        place.unlink()
        return None

    def close(self) -> None:
        self._out.close()

    def _place(self, sha256: str) -> Path:
        return self._bodies / sha256[:2] / sha256

    def _shorten(self) -> None:
        """Rewrite the journal with one line per address, and delete bodies that no line names."""
        old = [record for url, record in self.records.items() if url not in self.fresh]
        new = [self.records[url] for url in self.records if url in self.fresh]
        part = self._path.with_suffix(".part")
        part.write_bytes(b"".join(map(_encoded, [*old, DONE, *new])))
        os.replace(part, self._path)
        used = {record.get("sha256") for record in self.records.values()}
        for body in self._bodies.glob("*/*"):
            if body.name not in used:
                body.unlink()


def open_to_append(path: Path) -> Any:
    """Open a journal to append lines, each with a single write."""
    out = open(path, "ab", buffering=0)  # noqa: SIM115, the caller closes it
    if out.tell():
        with open(path, "rb") as written:
            written.seek(-1, os.SEEK_END)
            if written.read(1) != b"\n":  # the last line was truncated
                out.write(b"\n")
    return out


def end_run(store: Path) -> None:
    """Mark the end of a run: what it has fetched is not fresh for the next one."""
    store.mkdir(parents=True, exist_ok=True)
    with open_to_append(store / "journal.jsonl") as out:
        out.write(_encoded(DONE))


def _encoded(line: dict[str, Any]) -> bytes:
    return json.dumps(line).encode() + b"\n"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with open(path, "rb") as lines:
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:  # truncated when a run was killed
                continue
            if isinstance(record, dict) and (record == DONE or {"url", "reason"} <= record.keys()):
                yield record
