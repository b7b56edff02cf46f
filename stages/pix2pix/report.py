"""Metrics and sheets of a trained colourer, on pictures and species that it never saw."""

from __future__ import annotations

from typing import Any

import numpy as np

from creatures.data.pictures import MEASURED, Pictures, evenly_spaced
from creatures.data.sheets import save_sheet
from creatures.translation.colouring import Colourer
from stages.harness.stage import Stage
from stages.pix2pix.outlines import Outlines
from stages.pix2pix.score import colouring_metrics, l1

SHOWN = 24  # unseen pictures on the sheet
SEVERAL = 5  # colourings of each drawing


def metrics(
    colourer: Colourer, pictures: Pictures, outlines: Outlines, palettes: np.ndarray, val: np.ndarray
) -> dict[str, Any]:
    """Metrics of colourings, without noise, of `val` rows and, if there are any, of test: from the outline alone,
    and under `own_palette` from the outline with the picture's own palette.
    """

    def colour(rows: np.ndarray, with_palette: bool) -> np.ndarray:
        return colourer.colour(outlines.plain(rows), None, palettes[rows] if with_palette else None)

    test, results = evenly_spaced(pictures.rows("test"), MEASURED), []
    for with_palette in (False, True):
        results.append({"val_l1": l1(colour(val, with_palette), pictures.images[val])})
        if len(test):
            results[-1] |= colouring_metrics(colour(test, with_palette), pictures.images[test], outlines.plain(test))
    return {**results[0], "own_palette": results[1]}


def sheets(
    stage: Stage,
    colourer: Colourer,
    pictures: Pictures,
    outlines: Outlines,
    palettes: np.ndarray,
    hand: np.ndarray,
    seed: int,
) -> None:
    """Write test.png: an outline, the colouring with another picture's palette, with its own, and the real
    picture, for pictures of test, or of val if there are none; and drawings.png: drawings by hand, coloured.
    """
    test = pictures.rows("test")
    rows = evenly_spaced(test if len(test) else pictures.rows("val"), SHOWN)
    lines = outlines.plain(rows)
    columns = [as_pictures(lines), colourer.colour(lines, seed), colourer.colour(lines, None, palettes[rows])]
    quartets = np.stack([*columns, pictures.images[rows]], axis=1)
    save_sheet(stage.plot_path("test.png"), quartets.reshape(-1, *quartets.shape[2:]), columns=12)
    several = [as_pictures(hand), *(colourer.colour(hand, seed + i) for i in range(SEVERAL))]
    save_sheet(stage.plot_path("drawings.png"), np.concatenate(several), columns=len(hand))


def as_pictures(outlines: np.ndarray) -> np.ndarray:
    """Outlines, uint8 N x H x W, as pictures, N x 3 x H x W."""
    return np.repeat(outlines[:, None], 3, axis=1)
