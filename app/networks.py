"""Networks that commands use: those of a folder that is named, the user's own, or the released ones until there are
any.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

from creatures.artifacts import COLOURER, DISCRIMINATOR, ENCODER, GENERATOR, MODELS

RELEASED = MODELS / "released"
CARD = "docs/MODEL_CARD.md"

_named: Path | None = None


def use(folder: Path) -> None:
    """Use the networks of a folder from now on."""
    global _named
    _named = folder


def generator_file() -> Path:
    return _own_or_released(GENERATOR, GENERATOR)


def encoder_file() -> Path:
    """The encoder of the generator's run: runs are never mixed."""
    return _own_or_released(ENCODER, GENERATOR)


def critic_file() -> Path:
    return _own_or_released(DISCRIMINATOR, GENERATOR)


def colourer_file() -> Path:
    return _own_or_released(COLOURER, COLOURER)


def is_released(path: Path) -> bool:
    return path.parent.resolve() == RELEASED.resolve()


def is_own(path: Path) -> bool:
    """Whether a network is of this checkout's last run, with its pictures, embeddings and parameters."""
    return path.parent == MODELS


def _own_or_released(file: Path, mark: Path) -> Path:
    """A file of the named folder or of models/, or, with a note on stderr, the released one of the same name if `mark`
    is missing.
    """
    if _named:
        return _named / file.name
    released = RELEASED / file.name
    if mark.exists() or not released.is_file():
        return file
    _tell()
    return released


@cache
def _tell() -> None:
    print(f"note: there are no networks of your own yet, so the released ones are used ({CARD})", file=sys.stderr)
