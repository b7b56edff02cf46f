"""Coloured strokes in the user's own drawing, which say what colour goes where."""

from __future__ import annotations

from math import ceil

import numpy as np
from PIL import Image

from app.user_images import MOST_PX, Drawing, Kind, binary, fitted, is_thin, strokes

CHROMA = 60  # difference of a pixel's largest and smallest channel, of 255, from which it is coloured
MOST_COLOURED = 0.3  # fraction of the drawing: with more it is a picture
LEAST_COVER = 96  # opacity of 255 from which a pixel has a hint


def with_hints(image: Image.Image, px: int, margin: float, kind: Kind) -> Drawing | None:
    """The outline of a drawing in dark lines, as from `drawing_of`, and its coloured strokes as hints.

    Args:
        image: RGBA.

    Returns:
        None for what is no such drawing: without coloured strokes, without dark lines, or mostly coloured; for kind
        `drawing` it may be mostly coloured.
    """
    image = image.copy()
    image.thumbnail((MOST_PX, MOST_PX))
    pixels = np.asarray(Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB"))
    chroma = pixels.max(axis=2).astype(int) - pixels.min(axis=2)
    coloured = chroma >= CHROMA
    if not coloured.any() or (kind != "drawing" and coloured.mean() > MOST_COLOURED):
        return None
    paper = np.where(coloured[..., None], np.uint8(255), pixels)
    lines = strokes(Image.fromarray(paper))
    if not is_thin(lines):
        return None
    fitting, (top, left, height, width) = fitted(lines, px, margin)
    layer = Image.fromarray(np.dstack([pixels, np.where(coloured, np.uint8(255), np.uint8(0))]))
    side = max(height, width) / (1 - 2 * margin)
    canvas = Image.new("RGBA", (ceil(side),) * 2)
    canvas.paste(
        layer.crop((left, top, left + width, top + height)), ((ceil(side) - width) // 2, (ceil(side) - height) // 2)
    )
    small = np.asarray(
        canvas.convert("RGBa").resize((px, px), Image.Resampling.BOX, (0, 0, side, side)).convert("RGBA")
    )
    hints, put = np.zeros((4, px, px), np.float32), small[..., 3] >= LEAST_COVER
    hints[:3, put] = small[put, :3].T / 127.5 - 1
    hints[3, put] = 1
    return Drawing(binary(fitting), hints, lines, margin)
