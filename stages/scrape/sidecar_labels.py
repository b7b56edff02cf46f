"""Labels that lie beside pictures in an archive, in files of the same name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from creatures.intake.tables import is_table
from creatures.runtime.errors import UserError
from stages.scrape.manifest import text
from stages.scrape.unpack import UNREADABLE, Member

ENDINGS = (".cls", ".json")  # by precedence
CAPTIONS = (".txt", ".caption")  # of pictures, as in img2dataset's and WebDataset's shards: no labels
MAX_LABEL = 1 << 16  # bytes of a file; a longer one is not a label
MAX_LABELS = 1 << 26  # characters of all of an archive's labels and their names, which are held in memory


def is_sidecar(member: Member) -> bool:
    """Whether a member is a file that may lie beside a picture: its label or its caption."""
    return member.is_file and member.length <= MAX_LABEL and _ending(member.name) in ENDINGS + CAPTIONS


def read_labels(members: Iterable[Member], key: str, archive: str) -> dict[str, str]:
    """Labels in an archive's label files, by their paths without `./`, with lower-case endings.

    Args:
        key: the label's key in a .json.
        archive: its name in errors.

    Raises:
        UserError: a label file is encrypted or damaged; there are too many labels.
    """
    labels: dict[str, str] = {}
    length = 0
    for member in members:
        if not is_sidecar(member) or _ending(member.name) in CAPTIONS or is_table(member.name):
            continue
        try:
            label = _read_label(member, key)
        except UNREADABLE as error:
            reason = " ".join(str(error).split())
            raise UserError(f"cannot unpack {archive}: the label {member.name}: {reason}") from None
        if label:
            name = str(PurePosixPath(member.name))
            labels[name[: -len(_ending(name))] + _ending(name)] = label
            length += len(name) + len(label)
        if length > MAX_LABELS:
            raise UserError(f"{archive} holds more labels than fit in memory; split it")
    return labels


def label_of(name: str, labels: Mapping[str, str]) -> str:
    """The label beside a picture, "" where there is none.

    The name of a label file, without its ending, is the picture's name, the picture's name without
    its ending or, as in WebDataset, what comes before the first dot of the picture's name.
    """
    folder, slash, file = str(PurePosixPath(name)).rpartition("/")
    stems = (file, file.rpartition(".")[0], file.partition(".")[0])
    candidates = (f"{folder}{slash}{stem}{ending}" for stem in stems for ending in ENDINGS)
    return next((labels[path] for path in candidates if path in labels), "")


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _read_label(member: Member, key: str) -> str:
    content = member.opened().read(MAX_LABEL).decode("utf-8", "replace").strip()
    if _ending(member.name) != ".json":
        return content.partition("\n")[0].strip()
    try:
        parsed: Any = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    value = parsed.get(key) if isinstance(parsed, dict) else None
    return "" if value is None else text(str(value))
