"""What a visitor may ask for."""

from __future__ import annotations

import warnings
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from stages.lib.params import UserError

MOST_BYTES = 8 << 20
MOST_PIXELS = 20_000_000
MOST_CREATURES = 64
MOST_SEED = 2**31 - 1


def open_upload(path: str | Path) -> Image.Image:
    """A picture that somebody sent, RGBA, its first frame.

    Raises:
        UserError: too large, or no picture.
    """
    path = Path(path)
    if path.stat().st_size > MOST_BYTES:
        raise UserError(f"the file is larger than {MOST_BYTES >> 20} MB")
    try:
        with warnings.catch_warnings(), Image.open(path) as image:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if image.width * image.height > MOST_PIXELS:
                raise UserError(f"the picture has more than {MOST_PIXELS // 1_000_000} million pixels")
            return image.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning):
        raise UserError("this is no picture that can be read") from None


def number(value: object, least: float, most: float, name: str) -> float:
    """A number within bounds.

    Raises:
        UserError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise UserError(f"{name} must be a number from {least:g} to {most:g}")
    return float(value)


def whole(value: object, least: int, most: int, name: str) -> int:
    """A whole number within bounds.

    Raises:
        UserError: it is none.
    """
    found = number(value, least, most, name)
    if found != int(found):
        raise UserError(f"{name} must be a whole number from {least} to {most}")
    return int(found)
