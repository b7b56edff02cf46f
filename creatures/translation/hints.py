"""Colour hints: the colours that a user puts in places, as planes that condition the colourer.

Hints are float32, 4 x H x W: RGB in [-1, 1] and a mask, 1 where there is a hint; all 0 elsewhere. `spread` fills the
regions around them, as an edit tool would: with that, a network has less to learn and follows them far more closely.
"""

from __future__ import annotations

import cv2
import numpy as np

from creatures.translation.regions import deepest, from_nearest, regions_of

MEAN = 6.0  # number of hints, of pictures that have any
STROKES = 0.5  # fraction of hints that are strokes; the others are points
WIDTHS = (1.0, 5.0)  # pixels at a side of 64
SPREAD = 0.5  # mask of pixels that have no hint themselves, in a region that has one
POINT = 3.0  # width of one, in such pixels
LONGEST = 24.0  # stroke, in such pixels
ALIKE = 40  # levels of 255 within which colours are of one part
SHIFT = 0.5  # pixels that a hint is out of place, standard deviation
OFF = 8.0  # levels that its colour is off, standard deviation
INK = 24  # levels from the background, from which on a pixel is of the figure


def none(side: int) -> np.ndarray:
    """No hints."""
    return np.zeros((4, side, side), np.float32)


def drawn_from(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hints as a user might put them, drawn from a picture, uint8 3 x H x W.

    Their number is geometric, as in R. Zhang et al., "Real-Time User-Guided Image Colorization with Learned Deep
    Priors", 2017. Most are on the figure; points and strokes stay in one colour, which is that of the picture there,
    slightly off, and they are slightly out of place.
    """
    image = np.ascontiguousarray(picture.transpose(1, 2, 0))
    side, hints = image.shape[0], none(image.shape[0])
    scale = side / 64
    figure = np.argwhere(np.abs(image.astype(np.int16) - np.median(image[0], axis=0)).max(axis=2) > INK)
    for _ in range(rng.geometric(1 / MEAN)):
        anywhere = not len(figure) or rng.random() < 1 / 8
        row, column = rng.integers(side, size=2) if anywhere else figure[rng.integers(len(figure))]
        colour, end = image[row, column], np.array([row, column], float)
        if rng.random() < STROKES:
            angle = rng.uniform(0, 2 * np.pi)
            end = _end(image, end, np.array([np.sin(angle), np.cos(angle)]), rng.uniform(2, LONGEST * scale))
        ends = np.array([[column, row], end[::-1]]) + rng.normal(0, SHIFT * scale, 2)
        put(hints, ends, np.clip(colour + rng.normal(0, OFF, 3), 0, 255), rng.uniform(*WIDTHS) * scale)
    hints[:, 0, 0] = 0  # augmentation fills gaps with what is in this corner
    return hints


def spread(hints: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Hints, and in each region of the outline that has some the colour of the nearest, with mask SPREAD.

    Args:
        outline: uint8, H x W.
    """
    labels, put, result = regions_of(outline), hints[3] > 0, hints.copy()
    for rank in np.unique(labels[put & (labels > 0)]):
        region = labels == rank
        rest = region & ~put
        result[:3, rest] = from_nearest(hints[:3].transpose(1, 2, 0), put & region)[rest].T
        result[3, rest] = SPREAD
    return result


def over(outline: np.ndarray, hints: np.ndarray | None) -> np.ndarray:
    """An outline, uint8 H x W, or a picture, uint8 3 x H x W, and hints over it: uint8 3 x H x W."""
    picture = outline.copy() if outline.ndim == 3 else np.repeat(outline[None], 3, axis=0)
    if hints is not None:
        mask = hints[3] == 1
        picture[:, mask] = ((hints[:3, mask] + 1) * 127.5).round().astype(np.uint8)
    return picture


def put(hints: np.ndarray, points: np.ndarray, colour: np.ndarray, width: float) -> None:
    """Put a stroke through points, n x 2 (x, y), of a colour, RGB 0 to 255, over hints, in place."""
    mask = np.zeros(hints.shape[1:], np.uint8)
    cv2.polylines(mask, [np.rint(points).astype(np.int32)], False, 1, max(1, round(width)))
    hints[:3, mask > 0] = (np.asarray(colour, np.float32) / 127.5 - 1)[:, None]
    hints[3, mask > 0] = 1


def put_point(hints: np.ndarray, place: tuple[int, int], colour: np.ndarray) -> None:
    """Put a point at a row and column, of a colour, RGB 0 to 255, over hints, in place."""
    put(hints, np.array([place[::-1]] * 2), colour, POINT * hints.shape[1] / 64)


def helpful(picture: np.ndarray, outline: np.ndarray, count: int) -> np.ndarray:
    """Hints as a careful user puts them: the true colour, in the middle of each of the largest regions.

    With more hints than regions, the others go where the figure is farthest from all of them.

    Args:
        picture: uint8, 3 x H x W.
        outline: uint8, H x W.
    """
    labels, hints = regions_of(outline), none(outline.shape[0])
    image, apart = picture.transpose(1, 2, 0), np.ones(outline.shape, np.uint8)
    figure = (np.abs(image.astype(np.int16) - np.median(image[0], axis=0)).max(axis=2) > INK).astype(np.uint8)
    figure = cv2.erode(figure, np.ones((5, 5), np.uint8), borderValue=0)
    for number in range(1, count + 1):
        if (labels == number).any():
            row, column = deepest(labels == number)
        elif apart.all():  # the first one
            row, column = deepest(figure > 0)
        else:
            far = cv2.distanceTransform(apart, cv2.DIST_L2, 5) * figure
            row, column = divmod(int(far.argmax()), far.shape[1])
        apart[row, column] = 0
        near = image[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].reshape(-1, 3)
        put_point(hints, (row, column), np.median(near, axis=0))
    return hints


def _end(image: np.ndarray, start: np.ndarray, direction: np.ndarray, length: float) -> np.ndarray:
    """The end of a stroke that stops at `length` or where the picture's colour changes."""
    colour = image[tuple(start.astype(int))].astype(int)
    for step in range(1, int(length) + 1):
        place = np.rint(start + step * direction).astype(int)
        if (place < 0).any() or (place >= image.shape[0]).any() or np.abs(image[tuple(place)] - colour).max() > ALIKE:
            return start + (step - 1) * direction
    return start + int(length) * direction
