"""The source `archive`: pictures in tar and zip files, WebDataset shards among them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import Field, model_validator

from stages.lib.params import UserError
from stages.scrape.fetch import fetch_file
from stages.scrape.folder import first_folder, up_to
from stages.scrape.manifest import Row, failed, is_picture, text
from stages.scrape.site import Site, SourceParams
from stages.scrape.unpack import Member, members, taken

LABELS = (".cls", ".txt", ".json")  # beside a picture of the same name, as WebDataset has them
MAX_LABEL = 1 << 20  # bytes


class ArchiveParams(SourceParams):
    path: str = Field("", description="below scrape.own; may have braces: shards-{000..009}.tar")
    url: str = Field("", pattern=r"^((https?|s3)://.+)?$", description="instead of a path; may have braces")
    sha256: str = Field(
        "", pattern=r"^([0-9a-f]{64})?$", description="of the file at the url, which has no braces then"
    )
    inside: str = Field("", description="only what lies below this folder of the archive; labels begin there")
    key: str = Field("label", min_length=1, description="of a .json beside a picture: where its label is")

    @model_validator(mode="after")
    def _one_place(self) -> ArchiveParams:
        if bool(self.path) == bool(self.url):
            raise ValueError("an archive needs a path or a url, one of them")
        if self.sha256 and (not self.url or "{" in self.url):
            raise ValueError("sha256 is of the one file at a url")
        return self


def unpack_archives(site: Site, params: ArchiveParams) -> list[Row]:
    """Unpack the pictures of one archive, or of several, each then into a folder named as it is.

    A picture's label is what lies beside it under its name with .cls, .txt or .json, else
    the first folder on its way. Hidden files and README.md are passed over.

    Raises:
        UserError: an archive is missing, damaged or not the one of that digest; no picture in them.
    """
    from braceexpand import braceexpand

    places = list(braceexpand(params.url or params.path))
    rows = up_to(params.most, (row for place in places for row in _rows(site, params, place, len(places) > 1)))
    if not any(row.status == "ok" for row in rows):
        raise UserError(f"{params.url or params.path}: no pictures there")
    return rows


def _rows(site: Site, params: ArchiveParams, place: str, several: bool) -> Iterator[Row]:
    archive = fetch_file(place, site, params.sha256) if params.url else Path(place)
    if not archive.is_file():
        raise UserError(f"{archive}: there is no such file")
    name = PurePosixPath(place).name
    folder = f"{name.split('.')[0]}/" if several else ""
    address = f"{place}#" if params.url else f"archive:{name}/"
    try:
        with members(archive, place) as found:
            for _, group in groupby(found, lambda member: _stem(member.name)):
                yield from _group(group, params, site.out / "files", folder, address)
    finally:
        if params.url:
            archive.unlink()


def _stem(name: str) -> str:
    """What a picture and the files that tell of it have in common."""
    folder, _, file = name.rpartition("/")
    return f"{folder}/{file.split('.')[0]}"


def _group(group: Iterator[Member], params: ArchiveParams, files: Path, folder: str, address: str) -> list[Row]:
    """The rows of members of one name; their label may come after them."""
    rows, label = [], ""
    for member in group:
        path = _below(params.inside, member.name)
        name = PurePosixPath(path).name
        if member.is_folder or not name or name.startswith(".") or name == "README.md":
            continue
        if PurePosixPath(name).suffix.lower() in LABELS and member.is_file:
            label = label or _label(member, params.key)
            continue
        outcome = taken(member, folder + path, files) if is_picture(name) else failed("not a picture")
        at = text(folder + path)
        rows.append(Row(at, text(first_folder(path)), "archive", address + text(path), "unknown", **outcome))
    return [replace(row, label=label or row.label) for row in rows]


def _below(inside: str, name: str) -> str:
    """A member's path as seen from a folder of the archive; "" for what does not lie below it."""
    path = PurePosixPath(name.lstrip("/"))
    return str(path.relative_to(inside)) if path.is_relative_to(inside) else ""


def _label(member: Member, key: str) -> str:
    said = member.opened().read(MAX_LABEL).decode("utf-8", "replace").strip()
    if not member.name.lower().endswith(".json"):
        return said.partition("\n")[0]
    try:
        told: Any = json.loads(said)
    except ValueError:
        return ""
    return str(told[key]) if isinstance(told, dict) and key in told else ""
