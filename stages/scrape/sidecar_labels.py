"""Labels that lie beside pictures in an archive, in files of the same name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from creatures.runtime.errors import UserError
from stages.scrape.manifest import text
from stages.scrape.unpack import UNREADABLE, Member

ENDINGS = (".cls", ".json", ".txt")  # the first that says something counts
MAX_LABEL = 1 << 16  # bytes of a file; a longer one is no label
MAX_LABELS = 1 << 26  # characters of an archive's labels and their names, which are all in memory


def is_label(member: Member) -> bool:
    """Whether a member is a file that may say a picture's label."""
    return member.is_file and member.length <= MAX_LABEL and _ending(member.name) in ENDINGS


def read_labels(found: Iterable[Member], key: str, archive: str) -> dict[str, str]:
    """Labels in an archive's label files, by their paths without `./`, the ending in small letters.

    Args:
        key: where a .json has its label.
        archive: what errors call it.

    Raises:
        UserError: one is locked or damaged; they are too many.
    """
    labels: dict[str, str] = {}
    length = 0
    for member in filter(is_label, found):
        try:
            said = _said(member, key)
        except UNREADABLE as error:
            reason = " ".join(str(error).split())
            raise UserError(f"cannot unpack {archive}: the label {member.name}: {reason}") from None
        if said:
            name = str(PurePosixPath(member.name))
            labels[name[: -len(_ending(name))] + _ending(name)] = said
            length += len(name) + len(said)
        if length > MAX_LABELS:
            raise UserError(f"{archive} holds more labels than fit in memory; split it")
    return labels


def label_of(name: str, labels: Mapping[str, str]) -> str:
    """The label beside a picture, "" where there is none.

    A label's file without its ending is called as the picture is, as the picture without its
    ending or, as in WebDataset, as what comes before the first dot in the picture's name.
    """
    folder, slash, file = str(PurePosixPath(name)).rpartition("/")
    stems = (file, file.rpartition(".")[0], file.partition(".")[0])
    asked = (f"{folder}{slash}{stem}{ending}" for stem in stems for ending in ENDINGS)
    return next((labels[beside] for beside in asked if beside in labels), "")


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _said(member: Member, key: str) -> str:
    said = member.opened().read(MAX_LABEL).decode("utf-8", "replace").strip()
    if _ending(member.name) != ".json":
        return said.partition("\n")[0].strip()
    try:
        parsed: Any = json.loads(said)
    except (ValueError, RecursionError):
        return ""
    value = parsed.get(key) if isinstance(parsed, dict) else None
    return "" if value is None else text(str(value))
