"""Manual decisions about single pictures: data/vetoes.txt, one per line."""

from __future__ import annotations

import os
from pathlib import Path

from creatures.artifacts import VETOES
from creatures.data.loading import reading
from creatures.runtime.errors import UserError

DROP, KEEP = "drop", "keep"


def veto_name(path: str, frame: int | None = None) -> str:
    """Name that vetoes use for a scraped file, or one of its frames: on one line."""
    line = path.replace("\r", "\\r").replace("\n", "\\n")
    return line if frame is None else f"{line}#{frame}"


def read_vetoes(path: Path = VETOES) -> dict[str, str]:
    """DROP or KEEP by the name of a file or frame; the later of two lines for one name wins. Empty without a file.

    Raises:
        UserError: a line says neither, or the file is not UTF-8.
    """
    vetoes = {}
    lines = _lines(path)
    for number, line in enumerate(lines, 1):
        verdict, _, name = line.partition(" ")
        if verdict in (DROP, KEEP) and name:
            vetoes[name] = verdict
        elif line.strip() and not line.startswith("#"):
            raise UserError(f"{path}, line {number}: {line[:80]!r} is neither `drop PATH` nor `keep PATH`")
    return vetoes


def write_veto(name: str, verdict: str, path: Path = VETOES) -> None:
    """Set the verdict for a name, "" for none; all other lines stay.

    Raises:
        UserError: the existing file cannot be read.
    """
    lines = [line for line in _lines(path) if line.startswith("#") or line.partition(" ")[2] != name]
    part = path.with_name(f"{path.name}.part")
    part.write_text("\n".join([*lines, *([f"{verdict} {name}"] if verdict else [])]) + "\n", encoding="utf-8")
    os.replace(part, path)


def _lines(path: Path) -> list[str]:
    with reading(path, "mend or delete it"):
        if not path.exists():
            return []
        try:
            return path.read_text(encoding="utf-8").rstrip("\n").split("\n")
        except UnicodeDecodeError as error:
            raise UserError(f"{path} is not UTF-8, from byte {error.start} on") from None
