"""Which networks commands draw with: one's own, or the released ones until there are any."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

from creatures.latents.sampler import GAN_FILE
from creatures.nets.discriminators.critic import FILE as CRITIC_FILE
from creatures.nets.encoder.encoder import FILE as ENCODER_FILE
from creatures.training.origin import MODELS
from creatures.translation.colouring import FILE as COLOURER_FILE

RELEASED = MODELS / "released"
CARD = "docs/MODEL_CARD.md"


def generator_file() -> Path:
    return _own_or_released(GAN_FILE, GAN_FILE)


def encoder_file() -> Path:
    """Of the run that the generator is of: the two are never mixed."""
    return _own_or_released(ENCODER_FILE, GAN_FILE)


def critic_file() -> Path:
    return _own_or_released(CRITIC_FILE, GAN_FILE)


def colourer_file() -> Path:
    return _own_or_released(COLOURER_FILE, COLOURER_FILE)


def is_released(path: Path) -> bool:
    return path.parent == RELEASED


def _own_or_released(file: Path, mark: Path) -> Path:
    """A file of models/, or the released one of its name where `mark` is missing, of which a line on stderr tells."""
    released = RELEASED / file.name
    if mark.exists() or not released.is_file():
        return file
    _tell()
    return released


@cache
def _tell() -> None:
    print(f"note: there are no networks of your own yet, so the released ones draw ({CARD})", file=sys.stderr)
