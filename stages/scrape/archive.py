"""The source `archive`: pictures in tar and zip files, WebDataset shards among them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, count
from pathlib import Path, PurePosixPath

from pydantic import Field, model_validator

from creatures.runtime.errors import UserError
from stages.scrape.braces import expanded
from stages.scrape.fetch import fetch_file
from stages.scrape.folder import first_folder, up_to
from stages.scrape.manifest import Row, failed, is_picture, text, why_none
from stages.scrape.sidecar_labels import is_label, label_of, read_labels
from stages.scrape.site import Site, SourceParams
from stages.scrape.unpack import Member, below, members, taken

ENDING = re.compile(r"\.zip$|(\.tar)?\.(gz|bz2|xz|zst)$|\.tar$|\.t(gz|bz2|bz|xz|zst)$", re.IGNORECASE)


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
    """Unpack the pictures of one archive, or of several, each of them into a folder of its own name.

    A picture's label comes from a sidecar file of the same name, anywhere in the archive, which is
    therefore read twice; else it is the first folder of the path. Hidden files and README.md are
    skipped.

    Raises:
        UserError: an archive is missing, is damaged or has another digest; a label file is encrypted;
            a brace is missing; there is no picture.
    """
    places = expanded(params.url or params.path)
    folders = _folders(places) if len(places) > 1 else [""]
    rows = up_to(params.most, (row for at in zip(places, folders, strict=True) for row in _rows(site, params, *at)))
    if not any(row.status == "ok" for row in rows):
        raise UserError(f"{params.url or params.path}: no pictures there{why_none(rows)}")
    return rows


def _folders(places: Sequence[str]) -> list[str]:
    """A folder for each of several archives: the archive's name without its ending, numbered if that is taken."""
    folders: list[str] = []
    for place in places:
        name = ENDING.sub("", PurePosixPath(place).name).strip(".") or "archive"
        numbered = (f"{name}-{number}/" for number in count(2))
        folders.append(next(folder for folder in chain([f"{name}/"], numbered) if folder not in folders))
    return folders


def _rows(site: Site, params: ArchiveParams, place: str, folder: str) -> Iterator[Row]:
    archive = fetch_file(place, site, params.sha256) if params.url else Path(place)
    if not archive.is_file():
        raise UserError(f"{archive}: there is no such file")
    name = PurePosixPath(place).name
    address = f"{place}#" if params.url else f"archive:{name}/"
    try:
        with members(archive, place) as entries:
            labels = read_labels(entries, params.key, place)
        with members(archive, place) as entries:
            for member in entries:
                yield from _row(member, params.inside, labels, site.out / "files", folder, address)
    except UserError:
        if params.url:  # a new download may be intact
            archive.unlink()
        raise


def _row(
    member: Member, inside: str, labels: Mapping[str, str], files: Path, folder: str, address: str
) -> Iterator[Row]:
    """The row of a member; nothing for members that are skipped."""
    path = below(inside, member.name)
    name = PurePosixPath(path).name
    if member.is_folder or not name or name.startswith(".") or name == "README.md" or is_label(member):
        return
    outcome = taken(member, folder + path, files) if is_picture(name) else failed("not a picture")
    label = label_of(member.name, labels) or text(first_folder(path))
    yield Row(text(folder + path), label, "archive", address + text(path), "unknown", **outcome)
