"""From a picture to its foreground: composited, cropped, centred, resized."""

from __future__ import annotations

from math import ceil

import numpy as np
from PIL import Image, ImageChops

from creatures.decoding.matting import cut_background
from creatures.decoding.raster import MAX_PIXELS
from creatures.decoding.unusable import BLANK, SMALL, Unusable

FAINT = 12  # alpha up to this, and colours this close to the background, are not the foreground
CLEAR = [255 * (level > FAINT) for level in range(256)]
MOST_PIXELS = 2 * MAX_PIXELS  # of the square canvas of a foreground
STRIP_PIXELS = 1 << 22
BORDER_SHARE = 0.95  # fraction of the border in one colour that makes it the background

SEEN_SHARE = 0.1  # fraction of a figure that must differ from white, or it is put on black
AUTO = "auto"
KEEP, REPLACE = "keep", "replace"  # solid backgrounds of another colour

Colour = tuple[int, int, int]
WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def background_of(image: Image.Image, background: str) -> Colour:
    """The colour that a picture with transparency is put on.

    Args:
        image: RGBA.
        background: `#rrggbb`, or `auto`: white, or black for a figure that could hardly be seen on white.
    """
    if background != AUTO:
        return rgb(background)
    opaque = image.getchannel("A").point(CLEAR)
    seen = ImageChops.multiply(opaque, _content(image.convert("RGB"), WHITE))
    return WHITE if seen.histogram()[255] >= SEEN_SHARE * opaque.histogram()[255] else BLACK


def fitted(
    image: Image.Image, px: int, *, background: str, solid: str, enlarge: str, margin: float, min_px: int
) -> tuple[Image.Image, Colour, int]:
    """A picture's foreground, centred on a square of `px`, as the parameters of `clean` say.

    Args:
        image: RGBA.

    Returns:
        The picture, RGB, the colour of its background, and the area of the foreground in the original's pixels.

    Raises:
        Unusable: as `cut_out`.
    """
    behind = background_of(image, background)
    foreground, around = cut_out(image, behind, min_px)
    picture = ENLARGE[enlarge](foreground, around, px, margin)
    if solid == REPLACE and around != behind:
        cut = Image.fromarray(cut_background(np.asarray(picture)))
        around = background_of(cut, background)
        picture = Image.alpha_composite(Image.new("RGBA", cut.size, around), cut).convert("RGB")
    return picture, around, foreground.width * foreground.height


def rgb(colour: str) -> Colour:
    """`#rrggbb` as three numbers."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def cut_out(image: Image.Image, background: Colour, min_px: int) -> tuple[Image.Image, Colour]:
    """Crop a picture to its content.

    A picture with transparency is composited on `background`. An opaque one is cropped to
    what differs from the colour of its border, or kept whole if the border has no single colour.

    Args:
        image: RGBA.

    Returns:
        The foreground, RGB, and the colour around it.

    Raises:
        Unusable: blank, or its longer side is below `min_px`.
    """
    alpha = image.getchannel("A")
    opaque = None
    if alpha.getextrema() != (255, 255):
        box = alpha.point(CLEAR).getbbox()
    else:
        opaque = image.convert("RGB")
        colour = plain_colour(_border(opaque))
        box = _content_box(opaque, colour) if colour else (0, 0, *image.size)
        background = colour or background
    if box is None:
        raise Unusable(BLANK)
    width, height = box[2] - box[0], box[3] - box[1]
    if max(width, height) < min_px:
        raise Unusable(SMALL, f"{width} x {height} pixels")
    if opaque:
        return opaque.crop(box), background
    foreground = Image.new("RGB", (width, height), background)
    foreground.paste(image.crop(box), mask=alpha.crop(box))
    return foreground, background


def border_colour(pixels: np.ndarray) -> Colour | None:
    """The colour of nearly all the border, None if there is no such colour.

    Args:
        pixels: uint8, H x W x 3.
    """
    return plain_colour(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]))


def plain_colour(border: np.ndarray) -> Colour | None:
    """The colour of nearly all pixels, uint8 n x 3, None if there is no such colour."""
    border = border.astype(np.int16)
    colour = np.median(border, axis=0).astype(np.int16)
    alike = np.abs(border - colour).max(axis=1) <= FAINT
    red, green, blue = colour.tolist()
    return (red, green, blue) if alike.mean() >= BORDER_SHARE else None


def ink(picture: Image.Image, background: Colour) -> float:
    """The fraction of an RGB picture that is not background."""
    return _content(picture, background).histogram()[255] / (picture.width * picture.height)


def smooth(foreground: Image.Image, background: Colour, px: int, margin: float) -> Image.Image:
    """Centre a foreground on a square of `px` that it fills up to the margin, antialiased."""
    side = max(foreground.size) / (1 - 2 * margin)
    if side**2 > MOST_PIXELS:  # a very long one: its square would not fit in memory
        longest = max(foreground.size) * px / side
        size = [max(1, round(length * longest / max(foreground.size))) for length in foreground.size]
        return _centred(foreground.resize((size[0], size[1]), Image.Resampling.LANCZOS, reducing_gap=3), background, px)
    canvas = _centred(foreground, background, ceil(side))
    kernel = Image.Resampling.LANCZOS if side > px else Image.Resampling.BICUBIC
    return canvas.resize((px, px), kernel, box=(0, 0, side, side), reducing_gap=3)


def whole(foreground: Image.Image, background: Colour, px: int, margin: float) -> Image.Image:
    """Like `smooth`, but small foregrounds are enlarged by an integer factor, for pixel art."""
    factor = int(px * (1 - 2 * margin) // max(foreground.size))
    if not factor:
        return smooth(foreground, background, px, margin)
    grown = foreground.resize((foreground.width * factor, foreground.height * factor), Image.Resampling.NEAREST)
    return _centred(grown, background, px)


ENLARGE = {"smooth": smooth, "whole": whole}


def _centred(foreground: Image.Image, background: Colour, side: int) -> Image.Image:
    canvas = Image.new("RGB", (side, side), background)
    canvas.paste(foreground, ((side - foreground.width) // 2, (side - foreground.height) // 2))
    return canvas


def _border(picture: Image.Image) -> np.ndarray:
    """The pixels of an RGB picture's border, uint8 n x 3: first row, last row, first column, last column."""
    width, height = picture.size
    sides = [(0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height), (width - 1, 0, width, height)]
    return np.concatenate([np.asarray(picture.crop(side)).reshape(-1, 3) for side in sides])


def _content_box(picture: Image.Image, background: Colour) -> tuple[int, int, int, int] | None:
    """Bounding box of the content, None if empty; strip by strip, to avoid several copies of the whole picture."""
    height = max(1, STRIP_PIXELS // picture.width)
    boxes = []
    for top in range(0, picture.height, height):
        strip = picture.crop((0, top, picture.width, min(top + height, picture.height)))
        if box := _content(strip, background).getbbox():
            boxes.append((box[0], top + box[1], box[2], top + box[3]))
    if not boxes:
        return None
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _content(picture: Image.Image, background: Colour) -> Image.Image:
    """255 where any channel is further than FAINT from the background, 0 elsewhere."""
    difference = ImageChops.difference(picture, Image.new("RGB", picture.size, background))
    red, green, blue = difference.split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue).point(CLEAR)
