"""Limits on what a visitor may request."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from app.explore import unusable
from creatures.decoding.raster import frames, open_picture
from creatures.decoding.svg import is_svg, render
from creatures.decoding.unusable import Unusable
from creatures.runtime.errors import UserError

MOST_BYTES = 8 << 20
MOST_PIXELS = 20_000_000
MOST_CREATURES = 64
MOST_TIMES = 8  # pictures generated for each one that is kept
MOST_SEED = 2**31 - 1
SVG_PX = 512  # side that SVG drawings are rendered at


def open_upload(path: Path) -> Image.Image:
    """Open an uploaded picture: RGBA, its first frame, upright.

    Raises:
        UserError: too large, gone, or not a picture.
    """
    try:
        data = path.read_bytes()
        if len(data) > MOST_BYTES:
            raise UserError(f"the file is larger than {MOST_BYTES >> 20} MB")
        if is_svg(data):
            return render(data, SVG_PX)
        picture = open_picture(data)
        if picture.width * picture.height > MOST_PIXELS:
            raise UserError(f"the picture has more than {MOST_PIXELS // 1_000_000} million pixels")
        return next(frames(picture, 1))[1]
    except OSError:
        raise UserError("this picture is no longer here: send it again") from None
    except Unusable as error:
        raise unusable("this picture", error) from None


def number(value: object, least: float, most: float, name: str) -> float:
    """Check that a value is a number within bounds.

    Raises:
        UserError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise UserError(f"{name} must be a number from {least:g} to {most:g}")
    return float(value)


def whole(value: object, least: int, most: int, name: str) -> int:
    """Check that a value is a whole number within bounds.

    Raises:
        UserError: it is not.
    """
    checked = number(value, least, most, name)
    if checked != int(checked):
        raise UserError(f"{name} must be a whole number from {least} to {most}")
    return int(checked)
