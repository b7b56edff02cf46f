"""Coloured strokes in the user's own drawing, which say what colour goes where."""

from __future__ import annotations

from math import ceil

import cv2
import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt

from app.user_images import LINE_PX, MOST_PX, Drawing, Kind, binary, cropped, fitted, is_thin, strokes

CHROMA = 60  # difference of a pixel's largest and smallest channel, of 255, from which it is coloured
MOST_COLOURED = 0.25  # fraction of the figure: with more it is a picture
PALE, MOST_PALE = 25, 0.03  # ... and so it is if beside its strokes so much of it is slightly coloured
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
    coloured = np.where(chroma >= CHROMA, np.uint8(255), np.uint8(0))
    if not coloured.any():
        return None
    paper = np.where(coloured[..., None] > 0, np.uint8(255), pixels)
    lines = strokes(Image.fromarray(paper))
    if not is_thin(lines) or (kind != "drawing" and is_picture(coloured, lines, chroma)):
        return None
    fitting, (top, left, height, width) = fitted(lines, px, margin)
    side = max(height, width) / (1 - 2 * margin)
    layer = Image.fromarray(widened(coloured, lines, pixels, round(LINE_PX / 64 * side)))
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


def is_picture(coloured: np.ndarray, lines: np.ndarray, chroma: np.ndarray) -> bool:
    """Whether what has colours, 255 on 0, and dark lines is a coloured picture, not a drawing with some strokes."""
    figure, top, left = cropped(cv2.max(coloured, lines))
    part = np.s_[top : top + figure.shape[0], left : left + figure.shape[1]]
    beside = cv2.dilate(figure, np.ones((3, 3), np.uint8)) == 0
    pale = beside.any() and (chroma[part][beside] >= PALE).mean() > MOST_PALE
    return bool(pale or (coloured[part] > 0).mean() > MOST_COLOURED)


def widened(coloured: np.ndarray, lines: np.ndarray, pixels: np.ndarray, width: int) -> np.ndarray:
    """Coloured strokes, 255 on 0, with their thin parts about `width` pixels wide, but not over lines: RGBA, uint8."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (max(1, width),) * 2)
    thin = cv2.subtract(coloured, cv2.morphologyEx(coloured, cv2.MORPH_OPEN, kernel))
    wide = cv2.max(coloured, cv2.subtract(cv2.dilate(thin, kernel), lines))
    nearest = distance_transform_edt(coloured == 0, return_distances=False, return_indices=True)
    return np.dstack([pixels[tuple(nearest)], wide])
