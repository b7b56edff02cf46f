"""How closely colourings follow hints: `python -m bench.hints`.

Unseen species, given hints of the true colours in the middles of their largest regions: by the network alone, with a
palette that agrees with the hints, and kept to them (see `creatures.translation.hinted`). Prints a table: the error
inside the foregrounds over that of the best single colour for all, edge agreement, and the number of regions' colours
over that of the real pictures. Needs data/clean and data/edges; takes the networks of models/ or the released ones.
"""

from __future__ import annotations

import sys

import numpy as np

from app.networks import colourer_file
from creatures.artifacts import OUTLINES
from creatures.data.loading import open_array
from creatures.data.pictures import evenly_spaced, open_pictures
from creatures.runtime.errors import UserError
from creatures.translation.colouring import load_colourer
from creatures.translation.hinted import hint_palette, merged
from creatures.translation.hints import helpful
from stages.pix2pix.score import colouring_metrics

PICTURES = 226  # a third of the default test pictures
POINTS = (1, 5, 20)


def main() -> None:
    try:
        colourer, pictures = load_colourer(colourer_file()), open_pictures()
        rows = evenly_spaced(pictures.rows("test"), PICTURES)
        lines = open_array(OUTLINES.with_name("canny.npy"), 3, np.uint8)[rows]
    except UserError as error:
        sys.exit(f"hints: {error}")
    real, empty = pictures.images[rows], np.zeros((colourer.net.colours, 4), np.float32)
    print("| hints | colouring | error inside | edge agreement | regions |\n| --- | --- | --- | --- | --- |")
    for count in POINTS:
        hints = np.stack([helpful(*pair, count) for pair in zip(real, lines, strict=True)])
        pairs = zip(hints, lines, strict=True)
        palettes = np.stack([merged(empty, hint_palette(*pair, len(empty))) for pair in pairs])
        for name, given, follow in (
            ("network alone", None, False),
            ("palette of the hints", palettes, False),
            ("and kept to them", None, True),
        ):
            fake = colourer.colour(lines, None, given, hints, follow)
            found = colouring_metrics(fake, real, lines)
            values = found["test_l1_inside"] / found["baseline_l1_inside"], found["edge_agreement"], found["regions"]
            print(f"| {count} | {name} | {' | '.join(f'{value:.2f}' for value in values)} |", flush=True)


if __name__ == "__main__":
    main()
