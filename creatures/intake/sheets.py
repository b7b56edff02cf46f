"""Grids of sprite sheets: rows and columns of background between their cells."""

from __future__ import annotations

import numpy as np

from creatures.decoding.foreground import border_colour

SMALLEST = 16  # pixels of a cell
ENOUGH = 4  # cells that make a picture a sheet


def cell_of(pixels: np.ndarray) -> int:
    """Side in pixels of the smallest square cells that no figure crosses, 0 for a picture without such a grid.

    Args:
        pixels: uint8 H x W x 4, RGBA.
    """
    shown = ~background_mask(pixels)
    rows, columns = np.atleast_1d(shown.any(axis=1)), np.atleast_1d(shown.any(axis=0))
    for side in range(SMALLEST, max(shown.shape) // 2 + 1):
        if any(length % side for length in shown.shape):
            continue
        cuts = [(line, at) for line in (rows, columns) for at in range(side, len(line), side)]
        if cuts and not any(line[at - 1] and line[at] for line, at in cuts):
            return side
    return 0


def is_sheet(pixels: np.ndarray) -> bool:
    """Whether a picture, uint8 H x W x 4 (RGBA), has a grid of cells, `ENOUGH` of which show something."""
    side = cell_of(pixels)
    if not side:
        return False
    shown = ~background_mask(pixels)
    height, width = (length // side for length in shown.shape)
    return bool(shown.reshape(height, side, width, side).any(axis=(1, 3)).sum() >= ENOUGH)


def background_mask(pixels: np.ndarray) -> np.ndarray:
    """Mask, bool H x W, of what is transparent, or of the border's colour if nothing is."""
    clear = pixels[:, :, 3] == 0
    if clear.any():
        return clear
    colour = border_colour(pixels[:, :, :3])
    return clear if colour is None else (pixels[:, :, :3] == colour).all(axis=2)
