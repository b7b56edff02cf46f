"""Pictures from files of any supported kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from creatures.decoding.raster import frames, open_picture
from creatures.decoding.svg import is_svg, render
from creatures.decoding.unusable import UNDECODABLE, Unusable

SVG_SCALE = 4  # drawings are drawn this much larger than needed, then cropped and reduced


def open_frames(path: str | Path, px: int, per_gif: int | str) -> Iterator[tuple[int, Image.Image]]:
    """Numbers and frames, RGBA, of any readable file; SVG is drawn for pictures of `px`.

    Raises:
        Unusable: the file, or a later frame of it, cannot be read.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise Unusable(UNDECODABLE, str(error.strerror).lower()) from None
    if is_svg(data):
        return iter([(0, render(data, px * SVG_SCALE))])
    return frames(open_picture(data), per_gif)


def open_file(path: str | Path, px: int) -> Image.Image:
    """The first frame of a file, RGBA."""
    return next(open_frames(path, px, 1))[1]
