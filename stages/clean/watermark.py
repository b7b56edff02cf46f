"""Letters laid over a picture, found on its plain background: many small separate shapes, or a few large faint ones.

The figure itself, and pictures without a plain background, are not searched.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

MARK_PX = 400  # larger pictures are shrunk to this longer side first: at 256 letters run together
NOISE = 8  # of 255: what differs less from the background is background, or JPEG noise
EVEN = 2  # of 255: most of a border without grain is nearer to the background
SURE = 0.5  # fraction of the border, at least: letters may cross it
SEEN = 16  # of 255: least contrast of a letter; JPEG blocks around a figure have less
AWAY = 6  # pixels from the figure, at least: its halo and crumbs are nearer
SMALL = 0.15  # of the longer side: letters are lower (large ones up to twice that), figures are higher
WIDE = 0.4  # of the width: letters, even those that run together, are narrower
LETTERS = 6  # at least, of one colour
FAINT = 110  # of 255, from the background, at most: black or white, two fifths opaque
STROKE = 30  # pixels of one colour, at least, in a stroke of a large letter
OPEN = 0.75  # fraction of its surroundings, at least, that is background
STROKES = 3  # at least, of one colour
MANY = 1000  # shapes, at most, that are compared


def watermark(picture: np.ndarray) -> bool:
    """Letters of one colour, or large translucent ones, on a plain background away from the figure.

    Args:
        picture: uint8, H x W x 3.
    """
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]]).astype(np.int16)
    ground = np.median(border, axis=0).astype(np.int16)
    if (np.abs(border - ground).max(axis=1) <= EVEN).mean() < SURE:
        return False
    ink = picture.astype(np.int16) - ground
    letters = np.array(list(_letters(ink)))
    strokes = np.array(list(_strokes(ink)))
    return _alike(letters, 0.25) >= LETTERS or _alike(strokes, 0.1) >= STROKES


def _letters(ink: np.ndarray) -> Iterator[np.ndarray]:
    """The strongest colour, minus the background's, of each small shape away from large ones."""
    strength = np.abs(ink).max(axis=2)
    _, shapes, stats, _ = cv2.connectedComponentsWithStats((strength > NOISE).astype(np.uint8), connectivity=8)
    width, height, area = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_AREA]
    large = (height > SMALL * max(shapes.shape)) | (width > WIDE * shapes.shape[1])
    large[0] = False
    near = cv2.dilate(large[shapes].astype(np.uint8), np.ones((2 * AWAY + 1,) * 2, np.uint8))
    small = (area >= 4) & (np.maximum(width, height) >= 4)
    small[0] = False
    small[shapes[near > 0]] = False
    for number in np.flatnonzero(small):
        box = _box(stats[number], 0)
        inside = np.where(shapes[box] == number, strength[box], 0)
        if inside.max() >= SEEN:
            yield ink[box][np.unravel_index(inside.argmax(), inside.shape)]


def _strokes(ink: np.ndarray) -> Iterator[np.ndarray]:
    """The colour, minus the background's, of each even faint shape with background on both sides."""
    strength = np.abs(ink).max(axis=2)
    square = np.ones((2, 2), np.uint8)
    even = (cv2.dilate(ink, square) - cv2.erode(ink, square)).max(axis=2) <= 10
    faint = (even & (strength > NOISE) & (strength <= FAINT)).astype(np.uint8)
    _, shapes, stats, _ = cv2.connectedComponentsWithStats(faint, connectivity=8)
    width, height, area = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_AREA]
    fit = (area >= STROKE) & (height <= 2 * SMALL * max(shapes.shape)) & (width <= WIDE * shapes.shape[1])
    fit[0] = False
    for number in np.flatnonzero(fit):
        box = _box(stats[number], 6)
        inside = (shapes[box] == number).astype(np.uint8)
        around = cv2.dilate(inside, np.ones((9, 9), np.uint8)) > cv2.dilate(inside, np.ones((5, 5), np.uint8))
        if (strength[box][around] <= NOISE).mean() >= OPEN:
            yield np.median(ink[box][inside > 0], axis=0)


def _box(stats: np.ndarray, margin: int) -> tuple[slice, slice]:
    x, y, width, height = stats[:4]
    return slice(max(0, y - margin), y + height + margin), slice(max(0, x - margin), x + width + margin)


def _alike(colours: np.ndarray, tolerance: float) -> int:
    """Largest number of colours near one of them, within a fraction of that one's difference from the background."""
    if len(colours) == 0:
        return 0
    colours = colours[:: 1 + len(colours) // MANY]
    distance = np.abs(colours[:, None] - colours[None]).max(axis=2)
    return int((distance <= np.maximum(3, tolerance * np.abs(colours).max(axis=1))).sum(axis=0).max())
