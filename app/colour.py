"""Drawings and pictures of one's own, coloured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from app.explore import picture_of
from app.own import Kind, outline_of
from stages.lib.colouring import load_colourer
from stages.lib.outlines.canny import canny
from stages.lib.outlines.sketch import sketch
from stages.lib.palette import palette_of
from stages.lib.params import UserError, read_yaml
from stages.lib.reading.files import open_file
from stages.lib.reading.unusable import Unusable
from stages.lib.sheets import save_sheet


def colour(files: Sequence[Path], kind: Kind, count: int, seed: int, like: str, out: Path) -> Path:
    """A sheet with a row for each file: its outline, then `count` colourings.

    Args:
        like: a species or a picture file, for its colours; empty: those of pictures chosen by `seed`.

    Raises:
        UserError: the model is missing, or a file cannot be used.
    """
    if out.suffix != ".png":
        raise UserError(f"{out} must end in .png")
    colourer, margin = load_colourer(), read_yaml("params.yaml")["clean"]["margin"]
    trace = sketch if colourer.outline == "sketch" else canny
    px, rows, palettes = colourer.net.image_px, [], None
    if like:
        if not colourer.net.colours:
            raise UserError("this model was trained with pix2pix.palette: 0; it knows no palettes")
        palettes = np.repeat(palette_of(picture_of(like)[0], colourer.net.colours)[None], count, axis=0)
    for file in files:
        try:
            outline = outline_of(open_file(file, px), px, margin, kind, trace)
        except Unusable as error:
            raise UserError(f"{file} cannot be used: {error.reason} {error.detail}".rstrip()) from None
        except UserError as error:
            raise UserError(f"{file}: {error}") from None
        drawn = colourer.colour(np.repeat(outline[None], count, axis=0), seed, palettes)
        rows.append(np.concatenate([np.repeat(outline[None, None], 3, axis=1), drawn]))
    save_sheet(out, np.concatenate(rows), columns=count + 1, scale=2)
    return out
