"""The source `archive`: pictures in tar and zip files, WebDataset shards among them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import ClassVar

from pydantic import Field, field_validator, model_validator

from creatures.intake.names import is_litter, is_picture
from creatures.intake.tables import MAX_BYTES, is_table
from creatures.runtime.errors import UserError
from stages.scrape.braces import expanded
from stages.scrape.fetch import fetch_files
from stages.scrape.folder import in_a_copy, up_to
from stages.scrape.labels import keep_table
from stages.scrape.manifest import Row, failed, text, why_none
from stages.scrape.sidecar_labels import is_sidecar, label_of, read_labels
from stages.scrape.site import LabelledParams, Site
from stages.scrape.unpack import UNREADABLE, Member, below, is_inside, members, taken

ENDING = re.compile(r"\.zip$|(\.tar)?\.(gz|bz2|xz|zst)$|\.tar$|\.t(gz|bz2|bz|xz|zst)$", re.IGNORECASE)


class ArchiveParams(LabelledParams):
    by_folder: ClassVar[bool] = True
    path: str = Field("", description="below scrape.own; may have braces: shards-{000..009}.tar")
    url: str = Field("", pattern=r"^((https?|s3)://.+)?$", description="instead of a path; may have braces")
    sha256: str = Field(
        "", pattern=r"^([0-9a-f]{64})?$", description="of the file at the url, which has no braces then"
    )
    inside: str = Field("", description="only what lies below this folder of the archive; labels begin there")
    encoding: str = Field("", description="of names in a zip that does not say it, such as gbk, shift_jis, cp1252")
    key: str = Field("label", min_length=1, description="of a .json beside a picture: where its label is")

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str) -> str:
        try:
            " ".encode(encoding or "cp437")
        except LookupError:
            raise ValueError("must be an encoding that Python knows, such as gbk") from None
        return encoding

    @model_validator(mode="after")
    def _one_place(self) -> ArchiveParams:
        if bool(self.path) == bool(self.url):
            raise ValueError("an archive needs a path or a url, one of them")
        if self.sha256 and (not self.url or "{" in self.url):
            raise ValueError("sha256 is of the one file at a url")
        return self


def unpack_archives(site: Site, params: ArchiveParams) -> list[Row]:
    """Unpack the pictures of one archive, or of several, each of them into a folder of its own name.

    A picture's label comes from a sidecar file of the same name, anywhere in the archive, which is therefore read
    twice; others have none. Tables of labels are put aside. Captions, hidden files, README.md and what macOS and
    Windows add are skipped.

    Raises:
        UserError: an archive is missing, is damaged or has another digest; a label file is encrypted;
            a brace is missing; there is no picture.
    """
    places = expanded(params.url or params.path)
    folders = _folders(places) if len(places) > 1 else [""]
    archives = fetch_files(places, site, params.sha256) if params.url else map(Path, places)
    each = zip(archives, places, folders, strict=True)
    rows = up_to(params.most, (row for at in each for row in _rows(site, params, *at)))
    if not any(row.status == "ok" for row in rows):
        raise UserError(f"{params.url or params.path}: no pictures there{why_none(rows)}")
    return rows


def levels(params: ArchiveParams) -> int:
    """Levels of folders on a picture's path that are none of an archive's: each of several has one of its own."""
    return int(len(expanded(params.url or params.path)) > 1)


def _folders(places: Sequence[str]) -> list[str]:
    """A folder for each of several archives: the archive's name without its ending, numbered if that is taken."""
    folders: list[str] = []
    for place in places:
        name = ENDING.sub("", PurePosixPath(place).name).strip(".") or "archive"
        numbered = (f"{name}-{number}/" for number in count(2))
        folders.append(next(folder for folder in chain([f"{name}/"], numbered) if folder not in folders))
    return folders


def _rows(site: Site, params: ArchiveParams, archive: Path, place: str, folder: str) -> Iterator[Row]:
    if not archive.is_file():
        raise UserError(f"{archive}: there is no such file{in_a_copy(archive)}")
    name = PurePosixPath(place).name
    address = f"{place}#" if params.url else f"archive:{name}/"
    try:
        with members(archive, place, params.encoding) as entries:
            labels = read_labels(entries, params.key, place)
        guessed = ""
        with members(archive, place, params.encoding) as entries:
            for member in entries:
                guessed = guessed or (member.name if member.guessed and not params.encoding else "")
                yield from _row(member, params.inside, labels, site.out, folder, address)
        if guessed:
            message = f"{name} does not say how its names are encoded; {guessed!r} may be wrong: set `encoding`"
            print(f"scrape: {message}, such as gbk or shift_jis", file=sys.stderr, flush=True)
    except UserError:
        if params.url:  # a new download may be intact
            archive.unlink()
        raise


def _row(member: Member, inside: str, labels: Mapping[str, str], out: Path, folder: str, address: str) -> Iterator[Row]:
    """The row of a member; nothing for members that are skipped."""
    path = below(inside, member.name)
    name = PurePosixPath(path).name
    if member.is_folder or not name or any(map(is_litter, PurePosixPath(path).parts)):
        return
    if is_table(path) and member.is_file and member.length <= MAX_BYTES and is_inside(member):
        with suppress(*UNREADABLE):  # an encrypted one
            keep_table(out, folder + path, member.opened().read(MAX_BYTES))
        return
    if is_sidecar(member):
        return
    if is_picture(name):
        outcome = taken(member, folder + path, out / "files")
    else:
        outcome = failed("an archive in the archive: unpack it" if ENDING.search(name) else "not a picture")
    label = label_of(member.name, labels)
    yield Row(text(folder + path), label, "archive", address + text(path), "unknown", **outcome)
