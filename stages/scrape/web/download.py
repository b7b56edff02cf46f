"""Pictures by their addresses: each requested once, politely, and kept if the run is interrupted."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from creatures.runtime.errors import UserError
from creatures.runtime.progress import track
from stages.scrape.manifest import Row, failed, keep, text
from stages.scrape.web.engine import Asked, ask_all
from stages.scrape.web.guard import BadAddress, checked
from stages.scrape.web.journal import Journal, end_run

if TYPE_CHECKING:
    from stages.scrape.web.params import WebParams

LABEL = 60  # letters of a label, at most, in its folder's name


@dataclass(frozen=True)
class Wanted:
    """A picture to fetch; `source` is also the folder that it is written to."""

    url: str
    label: str = ""
    licence: str = "unknown"
    source: str = "urls"


def download(wanted: Iterable[Wanted], out: Path, params: WebParams, store: Path) -> list[Row]:
    """Fetch pictures into `out/files/<source>/<label>/<16 hex of the address's SHA-256>.<suffix>`.

    Args:
        wanted: any number; an address that is listed again becomes a failed row.
        out: the folder that the stage writes into.
        store: a folder outside the outputs, the same in every run, for what was fetched, so that
            an interrupted run resumes where it was. See `finish`.

    Returns:
        A row for each of `wanted`, in their order; none of them raises.

    Raises:
        UserError: another run fetches into the same store.
    """
    listed = list(wanted)
    store.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(store / "lock", timeout=0):
            journal = Journal(store)
            try:
                reasons = _fetch(listed, params, journal)
                return _rows(listed, reasons, journal, out / "files")
            finally:
                journal.close()
    except Timeout:
        raise UserError(f"another run is fetching into {store}; wait for it or end it") from None


def finish(store: Path) -> None:
    """Call this once the outputs are in place: the next run asks servers what has changed."""
    end_run(store)


def _fetch(wanted: Sequence[Wanted], params: WebParams, journal: Journal) -> dict[str, str]:
    """Request all addresses that this run has not requested yet; return the reasons of failures, by address."""
    reasons: dict[str, str] = {}
    requests: list[Asked] = []
    for url in dict.fromkeys(item.url for item in wanted):
        try:
            host = checked(url).host
        except BadAddress as error:
            reasons[url] = str(error)
            continue
        if not journal.settled(url):
            known = journal.known(url) or {"etag": "", "modified": ""}
            requests.append(Asked(url, host, known["etag"], known["modified"]))
    for response in track(ask_all(requests, params), len(requests), "scrape: pictures"):
        if response["reason"] and not response["lasting"]:
            reasons[response["url"]] = response["reason"]
        else:
            _record(response, journal)
    return reasons


def _record(response: dict[str, Any], journal: Journal) -> None:
    body = response.pop("body")
    known = journal.known(response["url"])
    if body is None and known and not response["reason"]:  # our version is still current
        response |= {name: known[name] for name in ("sha256", "suffix", "time")}
        response |= {name: response[name] or known[name] for name in ("etag", "modified")}
    del response["lasting"]
    journal.add(response, body)


def _rows(wanted: Sequence[Wanted], reasons: dict[str, str], journal: Journal, files: Path) -> list[Row]:
    rows, seen = [], set()
    for item in wanted:
        path, time = _path(item), ""
        if item.url in seen:
            outcome = failed("address is listed twice")
        elif reason := reasons.get(item.url) or journal.records[item.url]["reason"]:
            outcome = failed(reason)
        else:
            record = journal.records[item.url]
            path, time = path + record["suffix"], record["time"]
            body = journal.body(record)
            outcome = failed("what was kept of it is damaged") if body is None else keep(files, path, body)
        seen.add(item.url)
        rows.append(Row(path, text(item.label), item.source, text(item.url), text(item.licence), **outcome, time=time))
    return rows


def _path(item: Wanted) -> str:
    digest = hashlib.sha256(item.url.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return "/".join(filter(None, (item.source, slug(item.label), digest)))


def slug(label: str) -> str:
    """A label as the name of a folder: letters and digits of any script, all else becomes `-`."""
    return re.sub(r"[\W_]+", "-", unicodedata.normalize("NFKC", label)).strip("-").lower()[:LABEL].rstrip("-")
