"""Where pictures come from: each source is a function of its params, found by name.

A source is called with its `Site` and its own entry of `scrape.sources`. It writes pictures
below `files/`, licence texts beside it, and returns a manifest row per file.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from creatures.runtime.errors import UserError
from stages.scrape.archive import ArchiveParams, levels, unpack_archives
from stages.scrape.danbooru import DanbooruParams, fetch_posts
from stages.scrape.folder import FolderParams, copy_folder
from stages.scrape.huggingface import HuggingfaceParams, fetch_tables
from stages.scrape.kaggle import KaggleParams, fetch_dataset
from stages.scrape.labels import LABELS, labelled
from stages.scrape.manifest import Row, reasons_of, why_none
from stages.scrape.npm import NpmParams, fetch_package
from stages.scrape.search import SearchParams, fetch_found
from stages.scrape.site import LabelledParams, Site, SourceParams
from stages.scrape.sprite_sheets import cut_sheets
from stages.scrape.urls import UrlsParams, fetch_urls

SOURCES: dict[str, tuple[type[SourceParams], Callable[[Site, Any], list[Row]]]] = {
    "archive": (ArchiveParams, unpack_archives),
    "danbooru": (DanbooruParams, fetch_posts),
    "folder": (FolderParams, copy_folder),
    "huggingface": (HuggingfaceParams, fetch_tables),
    "kaggle": (KaggleParams, fetch_dataset),
    "npm": (NpmParams, fetch_package),
    "search": (SearchParams, fetch_found),
    "urls": (UrlsParams, fetch_urls),
}


def names(entries: Sequence[SourceParams]) -> list[str]:
    """Names of the sources: their kinds, and for a second one of a kind `folder-2`."""
    kinds = [entry.kind for entry in entries]
    earlier = [kinds[:i].count(kind) for i, kind in enumerate(kinds)]
    return [f"{kind}-{count + 1}" if count else kind for kind, count in zip(kinds, earlier, strict=True)]


def gather(site: Site, entries: Sequence[SourceParams]) -> dict[str, list[Row]]:
    """Call each source in turn; if there are several, each gets its own folder below `files/`.

    Returns:
        The rows of each source by its name.

    Raises:
        UserError: a source failed; the message has its index and kind.
    """
    rows_by_source = {}
    for number, (name, entry) in enumerate(zip(names(entries), entries, strict=True)):
        alone = len(entries) == 1
        source_site = site if alone else replace(site, out=site.out / name)
        source_site.out.mkdir(parents=True, exist_ok=True)
        try:
            rows = SOURCES[entry.kind][1](source_site, entry)
            start = levels(entry) if isinstance(entry, ArchiveParams) else 0
            rows, recognised = labelled(rows, entry, source_site.out, start)
            if isinstance(entry, LabelledParams) and entry.sheet:
                rows = list(cut_sheets(rows, entry.sheet, source_site.out / "files"))
                if not any(row.status == "ok" for row in rows):
                    raise UserError(f"sheet: {entry.sheet} leaves no picture{why_none(rows)}")
        except UserError as error:
            raise UserError(f"sources.{number} ({entry.kind}): {error}") from None
        if not entry.label:
            print(f"scrape: {name}: {recognised}", file=sys.stderr, flush=True)
        if lost := [row for row in rows if row.status != "ok"]:
            print(f"scrape: {name}: could not take {len(lost):,}: {reasons_of(lost)}", file=sys.stderr, flush=True)
        shutil.rmtree(source_site.out / LABELS, ignore_errors=True)
        for i, row in enumerate(rows):
            placed: dict[str, Any] = {} if alone else {"path": f"{name}/{row.path}", "source": name}
            label = sys.intern(entry.label or row.label)  # few distinct ones
            rows[i] = replace(row, label=label, licence=entry.licence or row.licence, **placed)
        rows_by_source[name] = rows
        if not alone:
            _move_in(source_site.out, site.out / "files" / name)
    return rows_by_source


def _move_in(part: Path, files: Path) -> None:
    """Move a source's pictures below the common `files/`; texts, if any, stay in its own folder."""
    files.parent.mkdir(exist_ok=True)
    if (part / "files").is_dir():
        os.replace(part / "files", files)
    if not any(part.iterdir()):
        part.rmdir()
