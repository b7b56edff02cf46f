"""Pictures that do not show a single figure, by cheap tests of their pixels at a fixed size.

What each test finds, and how often it is wrong, is measured by `python -m bench.upright` (docs/CLEANING.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from PIL import Image

from creatures.decoding.foreground import border_colour
from stages.clean.watermark import MARK_PX, watermark

WORK_PX = 256  # larger pictures are shrunk to this longer side first
FLAT = 0.33  # fraction of a drawing's pixels, at least, that hardly differ from their neighbours
FAR = 40  # of 255: what differs more from the background colour is foreground
LETTERS = 15  # at least, in a picture of text
CELLS = 2  # figures of similar size, at least, in a collage
JUMP = 20  # of 255: difference, at least, across the border of two panels


def photo(picture: np.ndarray) -> bool:
    """No plain background and almost no flat areas: noise and texture, of which drawings have little.

    False for pictures smaller than WORK_PX: JPEG at their own size leaves nothing flat.
    """
    if max(picture.shape) < WORK_PX or border_colour(picture) is not None:
        return False
    return float((_steps(picture) <= 2).mean()) < FLAT


def text(picture: np.ndarray) -> bool:
    """On a plain background, nearly all ink is in many small separate shapes: letters."""
    mask = _foreground(picture)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    width, height, area = stats[1:, cv2.CC_STAT_WIDTH], stats[1:, cv2.CC_STAT_HEIGHT], stats[1:, cv2.CC_STAT_AREA]
    small = (height <= 0.12 * max(mask.shape)) & (width <= 0.4 * mask.shape[1]) & (area >= 3)
    return int(small.sum()) >= LETTERS and int(area[small].sum()) >= 0.8 * int(mask.sum())


def collage(picture: np.ndarray) -> bool:
    """Figures of similar size in rows and columns on a plain background, or straight lines from side to side."""
    sides = np.array([max(cell.shape) for cell in _cells(_foreground(picture))])
    return int((sides >= 0.6 * sides.max(initial=0)).sum()) >= CELLS or _is_split(picture)


TESTS: dict[str, Callable[[np.ndarray], bool]] = {
    "photo": photo,
    "text": text,
    "collage": collage,
    "watermark": watermark,
}
LARGER = {"watermark": MARK_PX}  # instead of WORK_PX


def first_failed(image: Image.Image, background: tuple[int, int, int], tests: Sequence[str]) -> int:
    """The first test that an RGBA picture, blended onto a colour, fails: its number in TESTS, from 1; 0 for none."""
    flat = Image.new("RGB", image.size, background)
    flat.paste(image, mask=image.getchannel("A"))
    sides = {name: LARGER.get(name, WORK_PX) for name in tests}
    pixels = {px: _shrunk(flat, px) for px in sorted(set(sides.values()))}
    selected = ((number, name) for number, name in enumerate(TESTS, 1) if name in sides)
    return next((number for number, name in selected if TESTS[name](pixels[sides[name]])), 0)


def _shrunk(image: Image.Image, px: int) -> np.ndarray:
    image = image.copy()
    image.thumbnail((px, px), Image.Resampling.LANCZOS)
    return np.asarray(image)


def _steps(picture: np.ndarray) -> np.ndarray:
    """Largest difference, over channels, of each pixel from the one to its right or below."""
    padded = np.pad(picture, ((0, 1), (0, 1), (0, 0)), "edge").astype(np.int16)
    right, below = padded[:-1, 1:] - padded[:-1, :-1], padded[1:, :-1] - padded[:-1, :-1]
    return np.maximum(np.abs(right), np.abs(below)).max(axis=2)


def _foreground(picture: np.ndarray) -> np.ndarray:
    """uint8, H x W: 1 where far from the background colour; all 0 if the background is not plain."""
    ground = border_colour(picture)
    if ground is None:
        return np.zeros(picture.shape[:2], np.uint8)
    return (np.abs(picture.astype(np.int16) - np.array(ground)).max(axis=2) > FAR).astype(np.uint8)


def _cells(mask: np.ndarray) -> list[np.ndarray]:
    """The parts between empty rows and columns, cut recursively (the X-Y cut of
    Nagy and Seth, "Hierarchical Representation of Optically Scanned Documents", 1984).
    """
    parts = [part for band in _bands(mask) for part in _bands(band.T)]
    if len(parts) == 1 and parts[0].shape == mask.T.shape:
        return [mask]
    return [cell for part in parts for cell in _cells(part.T)]


def _bands(mask: np.ndarray) -> list[np.ndarray]:
    """The parts between empty rows."""
    edges = np.flatnonzero(np.diff(mask.any(axis=1).astype(np.int8), prepend=0, append=0))
    return [mask[top:end] for top, end in zip(edges[::2], edges[1::2], strict=True)]


def _is_split(picture: np.ndarray) -> bool:
    """Whether a straight line goes from side to side, away from the border."""
    for axis in (0, 1):
        jumps = np.abs(np.diff(picture.astype(np.int16), axis=axis)).max(axis=2) > JUMP
        fraction = jumps.mean(axis=1 - axis)
        tenth = len(fraction) // 10
        if fraction[tenth : len(fraction) - tenth].max(initial=0) >= 0.9:
            return True
    return False
