"""Turn the user's own picture into an outline to colour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from creatures.decoding.foreground import AUTO, WHITE, background_of, cut_out, smooth
from creatures.decoding.unusable import Unusable
from creatures.outlines.canny import canny
from creatures.outlines.levels import otsu
from creatures.runtime.errors import UserError

MIN_PX = 8  # least length of a drawing's longer side
MOST_PX = 1024  # larger ones are reduced first
LINE_PX = 1.5  # width of drawn lines in a picture of 64
THIN = 0.08  # of the longer side: nothing wider is a line
COLOURLESS = 25  # mean difference of a pixel's largest and smallest channel, of 255
CONTRAST = 40  # least contrast of lines, of 255

Kind = Literal["auto", "drawing", "picture"]


@dataclass(frozen=True)
class Drawing:
    """What a colourer is given of the user's picture.

    Attributes:
        outline: uint8, px x px: 0 on lines, 255 elsewhere; for a network trained on pairs the picture, 3 x px x px.
        hints: colours that the user put somewhere, float32 4 x px x px, see `creatures.translation.hints`; or None.
        lines: the user's own strokes, uint8 H x W, 255 on 0; None for edges that were found in a picture.
        margin: left free around them, a fraction of the side.
    """

    outline: np.ndarray
    hints: np.ndarray | None = None
    lines: np.ndarray | None = None
    margin: float = 0.0

    def ink(self, px: int) -> np.ndarray | None:
        """The user's own strokes where the outline has them, float32 px x px in [0, 1], 1 on lines; None for edges."""
        return None if self.lines is None else 1 - fitted(self.lines, px, self.margin)[0].astype(np.float32) / 255


def drawing_of(
    image: Image.Image, px: int, margin: float, kind: Kind = "auto", trace: Callable[[np.ndarray], np.ndarray] = canny
) -> Drawing:
    """The outline of a drawing or a picture, cropped and centred.

    Args:
        image: RGBA.
        px: side of the outline.
        margin: left free around it, a fraction of the side.
        kind: drawing: its own lines, dark on light or light on dark, are brought to the usual width;
            picture: `trace` finds its edges; auto: a drawing if it has thin lines and no colour elsewhere.

    Raises:
        UserError: the picture is empty.
    """
    image = image.copy()
    image.thumbnail((MOST_PX, MOST_PX))
    try:
        foreground, background = cut_out(image, background_of(image, AUTO), MIN_PX)
    except Unusable as error:
        raise UserError(f"there is nothing to colour: {error.reason} {error.detail}".rstrip()) from None
    lines = strokes(foreground) if kind != "picture" else None
    if lines is not None and (kind == "drawing" or (is_thin(lines) and is_bare(foreground, lines))):
        return Drawing(binary(fitted(lines, px, margin)[0]), None, lines, margin)
    outline = trace(np.asarray(smooth(foreground, background, px, margin)))
    if not (outline == 0).any():
        raise UserError("there is nothing to colour: no lines")
    return Drawing(outline)


def strokes(foreground: Image.Image) -> np.ndarray:
    """Mask of what differs most from the paper around it: uint8, H x W, 255 on it, 0 elsewhere.

    The paper is the median of a wide neighbourhood, so that a shadow over a photographed
    sheet is not part of the drawing. Beyond the edges it has the median colour of the sheet,
    since a line that runs along an edge is not part of the paper.
    """
    pixels = np.asarray(foreground)
    wide = min(255, max(3, max(foreground.size) // 4) | 1)
    half, median = wide // 2, np.median(pixels, axis=(0, 1)).tolist()
    sheet = cv2.copyMakeBorder(pixels, half, half, half, half, cv2.BORDER_CONSTANT, value=median)
    paper = cv2.medianBlur(sheet, wide)[half:-half, half:-half]
    difference = cv2.absdiff(pixels, paper).max(axis=2)
    return np.where(difference > max(otsu(difference), CONTRAST), np.uint8(255), np.uint8(0))


def is_thin(lines: np.ndarray) -> bool:
    """Whether strokes (255 on 0) are lines, not areas."""
    return bool(lines.any()) and thickness(lines) <= max(3.0, THIN * max(lines.shape)) and (lines > 0).mean() < 0.4


def is_bare(foreground: Image.Image, lines: np.ndarray) -> bool:
    """Whether there is almost no colour outside the strokes (255 on 0)."""
    colours = np.asarray(foreground).astype(np.int16)
    chroma = colours.max(2) - colours.min(2)
    outside = cv2.dilate(lines, np.ones((5, 5), np.uint8)) == 0
    return not outside.any() or float(chroma[outside].mean()) < COLOURLESS


def thickness(lines: np.ndarray) -> float:
    """The width of strokes (255 on 0) in pixels: the 0.9 quantile along their centre lines."""
    depth = cv2.distanceTransform(np.pad(lines, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    middle = depth[(depth > 0) & (depth >= cv2.dilate(depth, np.ones((3, 3), np.uint8)))]
    return float(2 * np.quantile(middle, 0.9) - 1) if len(middle) else 0.0


def fitted(lines: np.ndarray, px: int, margin: float) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """Crop strokes (255 on 0), make them as wide as outlines are, and centre them.

    Returns:
        uint8, px x px, 0 on lines and 255 elsewhere, antialiased; and the part of the given sheet that it shows, but
        for the margin: its top and left, which may be below 0, height and width.

    Raises:
        UserError: there are none.
    """
    lines, top, left = cropped(lines)
    scale = px * (1 - 2 * margin) / max(lines.shape)
    target = LINE_PX * px / 64 / scale  # in pixels of the drawing
    excess = round((thickness(lines) - target) / 2)
    padded = np.pad(lines, abs(excess) + 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(excess) + 1,) * 2)
    if excess < 0:
        padded = cv2.dilate(padded, kernel)
    elif excess:  # strokes too thin to erode stay as they are
        thin = cv2.subtract(padded, cv2.morphologyEx(padded, cv2.MORPH_OPEN, kernel))
        padded = cv2.max(cv2.erode(padded, kernel), thin)
    shown, down, right = cropped(padded)
    inked = smooth(Image.fromarray(255 - shown).convert("RGB"), WHITE, px, margin)
    place = (top + down - abs(excess) - 1, left + right - abs(excess) - 1, *shown.shape)
    return np.asarray(inked)[..., 0], place


def binary(lines: np.ndarray) -> np.ndarray:
    """Antialiased lines, uint8, as an outline: 0 on lines, 255 elsewhere."""
    return np.where(lines < 160, np.uint8(0), np.uint8(255))


def cropped(lines: np.ndarray) -> tuple[np.ndarray, int, int]:
    """The part of a sheet that has strokes (255 on 0), and its top and left. Raises UserError if there are none."""
    rows, columns = np.flatnonzero(lines.any(1)), np.flatnonzero(lines.any(0))
    if not len(rows):
        raise UserError("there is nothing to colour: no lines")
    return lines[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], int(rows[0]), int(columns[0])
