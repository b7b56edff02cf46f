"""Colour the user's own drawings and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from app.explore import picture_of, unusable
from app.networks import colourer_file, is_released
from app.pictures import PLAIN, Form, must_end, write_sheet
from app.trained import cleaning_of, note_changes
from app.user_hints import with_hints
from app.user_images import Kind, outline_of
from creatures.artifacts import PICTURES
from creatures.data.provenance import ancestors
from creatures.decoding.files import open_file
from creatures.decoding.unusable import Unusable
from creatures.outlines.canny import canny
from creatures.outlines.sketch import sketch
from creatures.runtime.errors import UserError
from creatures.translation.colouring import Colourer, load_colourer
from creatures.translation.palette import palette_of


def colour(
    files: Sequence[Path], kind: Kind, count: int, seed: int, like: str, out: Path, form: Form = PLAIN
) -> list[Path]:
    """Write a sheet with a row for each file: its outline, then `count` colourings.

    Args:
        like: a species or a picture file, for its colours; empty: those of pictures chosen by `seed`.

    Raises:
        UserError: the model is missing or from another run, or a file cannot be used.
    """
    must_end(out, ".png")
    network, rows = colourer_file(), []
    colourer, margin = load_colourer(network), cleaning_of(network)["clean.margin"]
    note_changes(network)
    picture, row = picture_of(like, network) if like else (None, None)
    if row is not None and not is_released(network):
        ancestors(network, PICTURES)
    for file in files:
        try:
            outline, hints = traced(colourer, open_file(file, colourer.net.image_px), margin, kind)
        except Unusable as error:
            raise unusable(str(file), error) from None
        except UserError as error:
            raise UserError(f"{file}: {error}") from None
        colourings = painted(colourer, outline, count, seed, picture, hints)
        rows.append(np.concatenate([drawn(outline, hints)[None], colourings]))
    return write_sheet(np.concatenate(rows), count + 1, out, form)


def traced(
    colourer: Colourer, image: Image.Image, margin: float, kind: Kind = "auto"
) -> tuple[np.ndarray, np.ndarray | None]:
    """The outline, as in `outline_of`, of a drawing or picture, RGBA, of the kind that the colourer was trained on;
    and the coloured strokes of a drawing as hints, if the colourer takes them.
    """
    px = colourer.net.image_px
    if colourer.net.hints and kind != "picture" and (found := with_hints(image, px, margin, kind)):
        return found
    return outline_of(image, px, margin, kind, sketch if colourer.outline == "sketch" else canny), None


def drawn(outline: np.ndarray, hints: np.ndarray | None) -> np.ndarray:
    """An outline and its hints as a picture, uint8 3 x H x W."""
    picture = np.repeat(outline[None], 3, axis=0)
    if hints is not None:
        put = hints[3] > 0
        picture[:, put] = ((hints[:3, put] + 1) * 127.5).round().astype(np.uint8)
    return picture


def painted(
    colourer: Colourer,
    outline: np.ndarray,
    count: int,
    seed: int,
    like: np.ndarray | None,
    hints: np.ndarray | None = None,
) -> np.ndarray:
    """Colourings of an outline, uint8 count x 3 x H x W.

    Args:
        like: a picture, uint8 3 x H x W, for its colours; None: those of pictures chosen by `seed`.
        hints: float32 4 x H x W; None for none.

    Raises:
        UserError: the colourer knows no palettes.
    """
    palettes = None
    if like is not None:
        if not colourer.net.colours:
            raise UserError("this model was trained with pix2pix.palette: 0; it knows no palettes")
        palettes = np.repeat(palette_of(like, colourer.net.colours)[None], count, axis=0)
    repeated = None if hints is None else np.repeat(hints[None], count, axis=0)
    return colourer.colour(np.repeat(outline[None], count, axis=0), seed, palettes, repeated)
