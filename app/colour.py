"""Colour the user's own drawings and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from app.explore import picture_of, unusable
from app.networks import colourer_file, is_own
from app.pictures import PLAIN, Form, must_end, write_sheet
from app.trained import cleaning_of, note_changes
from app.user_hints import with_hints
from app.user_images import Drawing, Kind, drawing_of
from creatures.artifacts import PICTURES
from creatures.data.provenance import ancestors
from creatures.decoding.files import open_file
from creatures.decoding.unusable import Unusable
from creatures.outlines.canny import canny
from creatures.outlines.sketch import sketch
from creatures.runtime.errors import UserError
from creatures.translation.colouring import Colourer, load_colourer
from creatures.translation.hints import over
from creatures.translation.ink import inked
from creatures.translation.palette import palette_of
from creatures.translation.repaint import enlarged, repainted


def colour(
    files: Sequence[Path],
    kind: Kind,
    count: int,
    seed: int,
    like: str,
    out: Path,
    form: Form = PLAIN,
    ink: bool = True,
) -> list[Path]:
    """Write a sheet with a row for each file: its outline, then `count` colourings.

    Args:
        like: a species or a picture file, for its colours; empty: those of pictures chosen by `seed`.
        ink: whether a drawing's own lines are laid over its colourings.

    Raises:
        UserError: the model is missing or from another run, or a file cannot be used.
    """
    must_end(out, ".png")
    network, rows = colourer_file(), []
    colourer = load_colourer(network)
    margin = cleaning_of(network)["clean.margin"] if colourer.net.inputs == 1 else 0.0
    note_changes(network)
    picture, row = _liked(like, colourer, network) if like else (None, None)
    if row is not None and is_own(network):
        ancestors(network, PICTURES)
    px = colourer.net.image_px
    side = px * (1 if form.style.colours else form.style.scale)  # sprites are enlarged afterwards
    for file in files:
        try:
            image = open_file(file, px)
            drawing = traced(colourer, image, margin, kind)
        except Unusable as error:
            raise unusable(str(file), error) from None
        except UserError as error:
            raise UserError(f"{file}: {error}") from None
        colourings = painted(colourer, drawing, count, seed, picture)
        if ink and drawing.lines is not None and side > px and colourer.net.hints:
            drawing = traced(colourer, image, margin, kind, 2 * px)
            colourings = repainted(colourer, drawing.outline, colourings, drawing.hints)
        rows += [
            over(drawing.outline, drawing.hints),
            *(finished(drawing, colouring, side, ink) for colouring in colourings),
        ]
    large = np.stack([enlarged(picture, side) for picture in rows])
    style = form.style if form.style.colours else replace(form.style, scale=1)
    made_of = [*map(str, files), like]
    return write_sheet(large, count + 1, out, replace(form, style=style), 2 if side == px else 1, made_of)


def traced(colourer: Colourer, image: Image.Image, margin: float, kind: Kind = "auto", px: int = 0) -> Drawing:
    """The outline of a drawing or picture, RGBA, of the kind that the colourer was trained on; and the coloured
    strokes of a drawing as hints, if the colourer takes them.

    Args:
        px: side of the outline; 0: that of the pictures that the colourer was trained on.
    """
    px = px or colourer.net.image_px
    if colourer.net.inputs != 1:  # trained on pairs: the picture itself is translated
        return Drawing(squared(image, px))
    if colourer.net.hints and kind != "picture" and (found := with_hints(image, px, margin, kind)):
        return found
    return drawing_of(image, px, margin, kind, sketch if colourer.outline == "sketch" else canny)


def squared(image: Image.Image, px: int) -> np.ndarray:
    """A picture, RGBA, on white, stretched to a square as those of pairs are: uint8, 3 x px x px."""
    white = Image.new("RGBA", image.size, "white")
    square = Image.alpha_composite(white, image).convert("RGB").resize((px, px), Image.Resampling.LANCZOS)
    return np.asarray(square).transpose(2, 0, 1)


def _liked(what: str, colourer: Colourer, network: Path) -> tuple[np.ndarray, int | None]:
    """As `picture_of`; a file for a colourer of pairs, which are not cleaned, is not cleaned either."""
    if colourer.net.inputs == 1 or not Path(what).is_file():
        return picture_of(what, network)
    try:
        return squared(open_file(what, colourer.net.image_px), colourer.net.image_px), None
    except Unusable as error:
        raise unusable(what, error) from None


def finished(drawing: Drawing, colouring: np.ndarray, side: int, ink: bool) -> np.ndarray:
    """A colouring, uint8 3 x px x px, enlarged to 3 x side x side; with `ink`, under the lines of a drawing."""
    lines = drawing.ink(side) if ink else None
    return enlarged(colouring, side) if lines is None else inked(colouring, drawing.outline, lines)


def painted(colourer: Colourer, drawing: Drawing, count: int, seed: int, like: np.ndarray | None) -> np.ndarray:
    """Colourings of a drawing, uint8 count x 3 x H x W.

    Args:
        like: a picture, uint8 3 x H x W, for its colours; None: those of pictures chosen by `seed`.

    Raises:
        UserError: the colourer knows no palettes.
    """
    palettes = None
    if like is not None:
        if not colourer.net.colours:
            raise UserError("this model was trained with pix2pix.palette: 0; it knows no palettes")
        palettes = np.repeat(palette_of(like, colourer.net.colours)[None], count, axis=0)
    hints = None if drawing.hints is None else np.repeat(drawing.hints[None], count, axis=0)
    return colourer.colour(np.repeat(drawing.outline[None], count, axis=0), seed, palettes, hints)
