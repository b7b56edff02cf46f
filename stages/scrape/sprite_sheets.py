"""Cut sprite sheets into their cells."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from creatures.decoding.raster import frames, open_picture
from creatures.decoding.svg import is_svg
from creatures.decoding.unusable import Unusable
from creatures.intake.sheets import background_mask, cell_of
from stages.scrape.manifest import Row, failed, keep

AUTO = "auto"


def cut_sheets(rows: Sequence[Row], sheet: str, files: Path) -> Iterator[Row]:
    """A row for each cell that shows something, written as PNG to a folder of its sheet's name, in its place.

    Args:
        sheet: WIDTHxHEIGHT of a cell in pixels, or `auto`: the smallest square one that no figure crosses; a picture
            without such a grid stays whole.
    """
    for row in rows:
        if row.status != "ok":
            yield row
            continue
        path = files / row.path
        data = path.read_bytes()
        try:
            pixels = np.asarray(next(frames(open_picture(data), 1))[1]) if not is_svg(data) else None
        except Unusable:  # `clean` says why
            pixels = None
        if pixels is None or not (size := _size_of(pixels, sheet)):
            yield row
            continue
        path.unlink()
        folder = str(PurePosixPath(row.path).with_suffix(""))
        if (files / folder).exists():  # of another sheet that differs in its ending alone
            folder = row.path
        width, height = size
        if pixels.shape[1] % width or pixels.shape[0] % height:
            reason = f"a sheet of {pixels.shape[1]} x {pixels.shape[0]} pixels has no cells of {width} x {height}"
            yield replace(row, sha256="", bytes=0, **failed(reason))
            continue
        shown = ~background_mask(pixels)
        for top in range(0, pixels.shape[0], height):
            for left in range(0, pixels.shape[1], width):
                if not shown[top : top + height, left : left + width].any():
                    continue
                name = f"{folder}/{top // height:02}-{left // width:02}.png"
                cell = io.BytesIO()
                Image.fromarray(pixels[top : top + height, left : left + width]).save(cell, "PNG")
                yield replace(row, path=name, url=f"{row.url}#{left},{top}", **keep(files, name, cell.getvalue()))


def _size_of(pixels: np.ndarray, sheet: str) -> tuple[int, int] | None:
    """Width and height of a cell; None for a picture that is none of several."""
    if sheet == AUTO:
        side = cell_of(pixels)
        return (side, side) if side else None
    width, _, height = sheet.partition("x")
    return int(width), int(height)
