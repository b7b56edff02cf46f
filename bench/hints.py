"""How closely colourings follow hints: `python -m bench.hints`.

Unseen species, given hints of the true colours in the middles of their largest regions: by the network alone, with a
palette that agrees with the hints, and kept to them (see `creatures.translation.hinted`). Prints a table: the error
inside the foregrounds over that of the best single colour for all, edge agreement, the number of regions' colours over
that of the real pictures, and `grid`. Two colourings without a network show what the figures mean: each region filled
with the nearest hint, and with its true median colour. Needs data/clean and data/edges; takes the network of models/ or
the released one.
"""

from __future__ import annotations

import sys

import numpy as np

from app.networks import colourer_file
from creatures.artifacts import OUTLINES
from creatures.data.loading import open_array
from creatures.data.pictures import evenly_spaced, open_pictures
from creatures.outlines.sketch import silhouette
from creatures.runtime.errors import UserError
from creatures.translation.colouring import load_colourer
from creatures.translation.hinted import hint_palette, merged
from creatures.translation.hints import helpful, spread
from creatures.translation.regions import from_nearest, regions_of
from stages.pix2pix.score import colouring_metrics

PICTURES = 226  # a third of the default test pictures
POINTS = (1, 5, 20)


def filled(hints: np.ndarray, outline: np.ndarray, figure: np.ndarray) -> np.ndarray:
    """A figure, bool H x W, on white, filled with the nearest hint of the region, or else with what is nearest."""
    spreading = spread(hints, outline)
    colours = from_nearest(spreading[:3].transpose(1, 2, 0), spreading[3] > 0).transpose(2, 0, 1)
    return np.where(figure, ((colours + 1) * 127.5).round().astype(np.uint8), np.uint8(255))


def medians(picture: np.ndarray, outline: np.ndarray, figure: np.ndarray) -> np.ndarray:
    """A figure, bool H x W, on white, each region and all that is between them in its median colour in a picture."""
    labels, flat = regions_of(outline), np.full_like(picture, 255)
    for label in np.unique(labels[figure]):
        mask = figure & (labels == label)
        flat[:, mask] = np.median(picture[:, mask], axis=1, keepdims=True)
    return flat


def main() -> None:
    try:
        colourer, pictures = load_colourer(colourer_file()), open_pictures()
        rows = evenly_spaced(pictures.rows("test"), PICTURES)
        lines = open_array(OUTLINES.with_name("canny.npy"), 3, np.uint8)[rows]
    except UserError as error:
        sys.exit(f"hints: {error}")
    real, empty = pictures.images[rows], np.zeros((colourer.net.colours, 4), np.float32)
    print(
        "| hints | colouring | error inside | edge agreement | regions | grid |\n| --- | --- | --- | --- | --- | --- |"
    )
    figures = [silhouette(np.ascontiguousarray(picture.transpose(1, 2, 0))) > 0 for picture in real]

    def row(count: object, name: str, fake: np.ndarray) -> None:
        found = colouring_metrics(fake, real, lines)
        inside = found["test_l1_inside"] / found["baseline_l1_inside"]
        values = inside, found["edge_agreement"], found["regions"], found["grid"]
        print(f"| {count} | {name} | {' | '.join(f'{value:.2f}' for value in values)} |", flush=True)

    for count in POINTS:
        hints = np.stack([helpful(*pair, count) for pair in zip(real, lines, strict=True)])
        pairs = zip(hints, lines, strict=True)
        palettes = np.stack([merged(empty, hint_palette(*pair, len(empty))) for pair in pairs])
        for name, given, follow in (
            ("network alone", None, False),
            ("palette of the hints", palettes, False),
            ("and kept to them", None, True),
        ):
            row(count, name, colourer.colour(lines, None, given, hints, follow))
        row(count, "no network: nearest hint", np.stack([*map(filled, hints, lines, figures)]))
    row("all", "no network: regions' true medians", np.stack([*map(medians, real, lines, figures)]))


if __name__ == "__main__":
    main()
