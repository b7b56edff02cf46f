"""Cut a figure out of a background of one colour, its edges unmixed from it."""

from __future__ import annotations

import cv2
import numpy as np

FAINT = 16  # levels that the background may differ from its colour
SOFT_PX = 3  # width of the softest edge
MIXED = 24  # levels that an edge pixel may be off the line from the background's colour to the figure's
EVEN = 4  # levels by which a pixel on the way to the rim may be nearer to the background's colour than the last
FARTHER = 3  # levels off the line that a step towards the rim is worth
SOLID = 0.95  # opacity from which a pixel is the figure's own


def cut_background(pixels: np.ndarray, holes: bool = False) -> np.ndarray:
    """Cut the background around a figure away.

    The background is what is connected to the border and has its colour. Pixels between it and the figure's rim, the
    nearest extreme of the difference from the background, are mixtures of both colours: they get the rim's colour and
    the opacity that gives the mixture back (as in T. Porter and T. Duff, "Compositing Digital Images", 1984), so that
    no trace of the background is left.

    Args:
        pixels: uint8, H x W x 3.
        holes: whether background that the figure encloses is cut away, too.

    Returns:
        uint8, H x W x 4; colour 0 where nothing is left.
    """
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    background = np.median(border, axis=0)
    distance = np.abs(pixels - background).max(axis=2).astype(np.float32)
    like_background = (distance <= FAINT).astype(np.uint8)
    _, labels = cv2.connectedComponents(like_background, connectivity=4)
    rim = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    clear = like_background.astype(bool) if holes else np.isin(labels, np.setdiff1d(rim, 0)) & (like_background > 0)

    flat = pixels.reshape(-1, 3).astype(np.float64)
    uphill = _uphill(distance)
    edge = _rim(distance, clear, uphill.reshape(clear.shape) != np.arange(clear.size).reshape(clear.shape)).ravel()
    colour, alpha, top = flat.copy(), np.ones(len(flat)), np.arange(len(flat))
    least = np.full(len(flat), np.inf)
    for steps in range(1, SOFT_PX + 1):  # the colour uphill that the pixel is a mixture of, rather a farther one
        top = uphill[top]
        along = flat[top] - background
        share = (((flat - background) * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1)).clip(0, 1)
        off = np.abs(flat - background - share[:, None] * along).max(axis=1)
        mixed = edge & (off <= MIXED) & (share < SOLID) & (off - FARTHER * steps < least)
        least[mixed] = (off - FARTHER * steps)[mixed]
        colour[mixed], alpha[mixed] = flat[top[mixed]], share[mixed]
    alpha[clear.ravel()] = 0
    result = np.concatenate([colour * (alpha > 0)[:, None], 255 * alpha[:, None]], axis=1)
    return result.round().astype(np.uint8).reshape(*pixels.shape[:2], 4)


def _rim(distance: np.ndarray, clear: np.ndarray, rising: np.ndarray) -> np.ndarray:
    """Mask, bool H x W, of pixels on the way from the background to the figure's rim, ever farther from its colour."""
    edge, passed = np.zeros_like(clear), clear
    for _ in range(SOFT_PX):
        reached = np.zeros_like(clear)
        for down, right in np.ndindex(3, 3):
            if (down, right) != (1, 1):
                nearer = _moved(passed, down - 1, right - 1)
                reached |= nearer & (distance + EVEN > _moved(distance, down - 1, right - 1))
        passed = reached & rising & ~clear & ~edge
        edge |= passed
    return edge


def _moved(values: np.ndarray, down: int, right: int) -> np.ndarray:
    """Values, H x W, moved by a pixel or none along each axis; 0 where there is none to move there."""
    height, width = values.shape
    return np.pad(values, 1)[1 - down : 1 - down + height, 1 - right : 1 - right + width]


def _uphill(distance: np.ndarray) -> np.ndarray:
    """For each pixel the flat index of the one in its 3 x 3 neighbourhood that is farthest from the background."""
    height, width = distance.shape
    padded = np.pad(distance, 1, constant_values=-1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).reshape(height, width, 9)
    # itself first, so that it wins where all are the same
    order = [4, 0, 1, 2, 3, 5, 6, 7, 8]
    best = np.array(order)[windows[:, :, order].argmax(axis=2)]
    rows, columns = np.indices(distance.shape)
    return ((rows + best // 3 - 1) * width + columns + best % 3 - 1).ravel()
