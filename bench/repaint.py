"""Colourings at twice the size, enlarged or painted again: `python -m bench.repaint`.

Unseen species at twice the side that the colourer was trained on, told their own palettes: the small colouring
enlarged, and painted again over the large outline (see `creatures.translation.repaint`). Prints a table: the error
inside the foregrounds over that of the best single colour for all, edge agreement, the number of regions' colours over
that of the real pictures, grid and holes. Needs data/clean of that size, such as that of

    dvc exp run clean -S common.image_px=128
"""

from __future__ import annotations

import sys

import cv2
import numpy as np

from app.networks import colourer_file
from bench.hints import PICTURES
from creatures.data.pictures import evenly_spaced, open_pictures
from creatures.outlines.canny import canny
from creatures.runtime.errors import UserError
from creatures.translation.colouring import load_colourer
from creatures.translation.ink import inked
from creatures.translation.palette import palettes_of
from creatures.translation.repaint import enlarged, repainted
from stages.pix2pix.score import colouring_metrics


def main() -> None:
    try:
        colourer, pictures = load_colourer(colourer_file()), open_pictures()
        px, side = colourer.net.image_px, pictures.image_px
        if side != 2 * px:
            raise UserError(f"the pictures in data/clean have {side} pixels, not {2 * px}")
        if not colourer.net.hints or not len(pictures.rows("test")):
            raise UserError("the network takes no hints, or there are no test pictures")
    except UserError as error:
        sys.exit(f"repaint: {error}")
    real = pictures.images[evenly_spaced(pictures.rows("test"), PICTURES)]
    images = [np.ascontiguousarray(picture.transpose(1, 2, 0)) for picture in real]
    lines = np.stack([canny(image) for image in images])
    small = np.stack([canny(cv2.resize(image, (px, px), interpolation=cv2.INTER_AREA)) for image in images])
    coloured = colourer.colour(small, None, palettes_of(real, colourer.net.colours))
    again = [repainted(colourer, *pair)[0] for pair in zip(lines, coloured[:, None], strict=True)]
    print("| colouring | error inside | edge agreement | regions | grid | holes |")
    print("| --- | --- | --- | --- | --- | --- |")
    large = [enlarged(picture, side) for picture in coloured]
    ink = (lines == 0).astype(np.float32)
    for name, fake in (
        ("enlarged", large),
        ("painted again", again),
        ("enlarged, lines on top", [inked(*each) for each in zip(coloured, small, ink, strict=True)]),
        ("painted again, lines on top", [inked(*each) for each in zip(again, lines, ink, strict=True)]),
        ("real", [*real]),
        ("real, lines on top", [inked(*each) for each in zip(real, lines, ink, strict=True)]),
    ):
        found = colouring_metrics(np.stack(fake), real, lines)
        inside = found["test_l1_inside"] / found["baseline_l1_inside"]
        values = inside, found["edge_agreement"], found["regions"], found["grid"], found["holes"]
        print(f"| {name} | {' | '.join(f'{value:.2f}' for value in values)} |", flush=True)


if __name__ == "__main__":
    main()
