"""Metrics and sheets of a trained colourer, on pictures and species that it never saw."""

from __future__ import annotations

from typing import Any

import numpy as np

from creatures.data.pictures import MEASURED, Pictures, evenly_spaced
from creatures.data.sheets import save_sheet
from creatures.translation.colouring import Colourer
from creatures.translation.hints import helpful, over
from creatures.translation.pairs import Pairs
from stages.harness.stage import Stage
from stages.pix2pix.outlines import Outlines
from stages.pix2pix.score import colouring_metrics, feature_metrics, l1, palette_distance

SHOWN = 24  # unseen pictures on the sheet ...
SETS = 3  # ... in a row
POINTS = (1, 5, 20)  # hints to measure with
SEVERAL = 5  # colourings of each drawing


def metrics(
    colourer: Colourer, pictures: Pictures, outlines: Outlines | Pairs, palettes: np.ndarray, val: np.ndarray
) -> dict[str, Any]:
    """Metrics of colourings, without noise, of `val` rows and, if there are any, of test: from the outline alone,
    and under `own_palette` from the outline with the picture's own palette; with hints, also under `own_palette_seed`
    with colours of regions chosen by a seed, and under `points_1` and so on with hints of the true colours.
    """
    test, net = evenly_spaced(pictures.rows("test"), MEASURED), colourer.net

    def measured(rows: np.ndarray, fake: np.ndarray) -> dict[str, Any]:
        return colouring_metrics(fake, pictures.images[rows], outlines.plain(rows))

    results: list[dict[str, Any]] = []
    for own in (False, True):
        fake = colourer.colour(outlines.plain(val), None, palettes[val] if own else None)
        results.append({"val_l1": l1(fake, pictures.images[val])})
        if len(test):
            fake = colourer.colour(outlines.plain(test), None, palettes[test] if own else None)
            results[-1] |= measured(test, fake) | feature_metrics(fake, pictures.images[test])
            if own and net.colours:
                results[-1]["palette_distance"] = palette_distance(fake, palettes[test])
    found = {**results[0], "own_palette": results[1]}
    if net.hints and len(test):
        lines, real = outlines.plain(test), pictures.images[test]
        if net.colours:
            found["own_palette_seed"] = measured(test, fake := colourer.colour(lines, 0, palettes[test]))
            found["own_palette_seed"]["palette_distance"] = palette_distance(fake, palettes[test])
        for count in POINTS:
            hints = np.stack([helpful(*pair, count) for pair in zip(real, lines, strict=True)])
            found[f"points_{count}"] = measured(test, colourer.colour(lines, None, None, hints))
    return found


def sheets(
    stage: Stage,
    colourer: Colourer,
    pictures: Pictures,
    outlines: Outlines | Pairs,
    palettes: np.ndarray,
    hand: np.ndarray,
    seed: int,
) -> None:
    """Write test.png: an outline, the colouring with another picture's palette, with its own, with hints if the network
    takes them, and the real picture, for pictures of test, or of val if there are none; and drawings.png: drawings by
    hand, coloured.
    """
    test = pictures.rows("test")
    rows = evenly_spaced(test if len(test) else pictures.rows("val"), SHOWN)
    lines, real, hinted = outlines.plain(rows), pictures.images[rows], colourer.net.hints
    hints = np.stack([helpful(*pair, POINTS[1]) for pair in zip(real, lines, strict=True)]) if hinted else None
    columns = [
        np.stack([over(line, None if hints is None else hints[i]) for i, line in enumerate(lines)]),
        colourer.colour(lines, seed),
        colourer.colour(lines, None, palettes[rows]),
        *([colourer.colour(lines, None, None, hints)] if hinted else []),
        real,
    ]
    sets = np.stack(columns, axis=1)
    save_sheet(stage.plot_path("test.png"), sets.reshape(-1, *sets.shape[2:]), columns=SETS * len(columns))
    several = [np.stack([over(x, None) for x in hand]), *(colourer.colour(hand, seed + i) for i in range(SEVERAL))]
    save_sheet(stage.plot_path("drawings.png"), np.concatenate(several), columns=len(hand))
