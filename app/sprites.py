"""Sprites from generated pictures: the background cut away, few colours, enlarged."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

FAINT = 16  # levels that the background may differ from its colour
SOFT_PX = 3  # width of the softest edge
MIXED = 24  # levels that an edge pixel may be off the line from the background's colour to the figure's
FARTHER = 3  # levels off the line that a step towards the rim is worth
SOLID = 0.95  # opacity from which a pixel is the figure's own


@dataclass(frozen=True)
class Style:
    """Look of a written picture.

    Attributes:
        transparent: whether the background around the figure is cut away.
        holes: whether background that the figure encloses is, too.
        colours: size of each picture's palette: cut out, indexed, with hard edges; 0: no palette.
        scale: factor of enlargement.
    """

    transparent: bool = False
    holes: bool = False
    colours: int = 0
    scale: int = 1

    def apply(self, picture: np.ndarray) -> Image.Image:
        """A picture, uint8 3 x H x W, as RGB, RGBA or P (indexed)."""
        pixels = np.ascontiguousarray(picture.transpose(1, 2, 0))
        if self.colours:
            image = indexed(cut_background(pixels, self.holes), self.colours)
        elif self.transparent:
            image = Image.fromarray(cut_background(pixels, self.holes))
        else:
            image = Image.fromarray(pixels)
        kernel = Image.Resampling.NEAREST if self.colours else Image.Resampling.BICUBIC
        size = (image.width * self.scale, image.height * self.scale)
        return image if self.scale == 1 else image.resize(size, kernel)


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


def indexed(pixels: np.ndarray, colours: int) -> Image.Image:
    """RGBA pixels with a palette of at most `colours` of their own, and hard edges; index 0 is transparent."""
    solid = pixels[:, :, 3] >= 128
    index = np.zeros(solid.shape, np.uint8)
    palette = np.zeros((1, 3), np.uint8)
    if solid.any():
        own = Image.fromarray(np.ascontiguousarray(pixels[solid][None, :, :3]))
        few = own.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=3, dither=Image.Dither.NONE)
        index[solid] = np.asarray(few)[0] + 1
        palette = np.concatenate([palette, np.array(few.getpalette(), np.uint8).reshape(-1, 3)[:colours]])
    image = Image.fromarray(index, "P")
    image.putpalette(palette.ravel().tolist())
    image.info["transparency"] = 0
    return image


def _rim(distance: np.ndarray, clear: np.ndarray, rising: np.ndarray) -> np.ndarray:
    """Mask, bool H x W, of pixels on the way from the background to the figure's rim: ever farther from its colour."""
    edge, passed = np.zeros_like(clear), clear
    for _ in range(SOFT_PX):
        reached = np.zeros_like(clear)
        for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
            reached |= _moved(passed, step, axis) & (distance > _moved(distance, step, axis))
        passed = reached & rising & ~clear & ~edge
        edge |= passed
    return edge


def _moved(values: np.ndarray, step: int, axis: int) -> np.ndarray:
    """Values moved by a pixel; 0 where there is none to move there."""
    moved = np.roll(values, step, axis)
    moved[(0 if step > 0 else -1,) if axis == 0 else (slice(None), 0 if step > 0 else -1)] = 0
    return moved


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
