"""The outlines that are coloured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from creatures.artifacts import OUTLINES
from creatures.data.loading import open_array
from creatures.data.pictures import Pictures
from creatures.runtime.errors import UserError
from creatures.training.loop import mix
from stages.pix2pix.outline_augment import by_hand

EDGES = OUTLINES.parent
KINDS = {"canny": ("canny",), "sketch": ("sketch",), "mixed": ("canny", "sketch")}


@dataclass(frozen=True)
class Outlines:
    """Outlines of all pictures: uint8, N x H x W, by kind."""

    by_kind: dict[str, np.ndarray]

    def plain(self, rows: np.ndarray) -> np.ndarray:
        """Outlines of some rows, as the edges stage drew them: uint8, n x H x W; several kinds alternate by row."""
        kinds = list(self.by_kind)
        return np.stack([self.by_kind[kinds[row % len(kinds)]][row] for row in rows])

    def varied(self, rows: np.ndarray, pictures: Pictures, step: int, seed: int, strength: float) -> np.ndarray:
        """Outlines of a batch, of random kinds and randomly varied: the same for the same step and seed."""
        rng, kinds, outlines = np.random.default_rng(mix(seed, step, 1)), list(self.by_kind), []
        for row in rows:
            kind = kinds[rng.integers(len(kinds))]
            image = np.ascontiguousarray(pictures.images[row].transpose(1, 2, 0))
            outlines.append(by_hand(self.by_kind[kind][row], image, kind, rng, strength))
        return np.stack(outlines)


def open_outlines(name: str, pictures: Pictures) -> Outlines:
    """Open the outlines that `pix2pix.outline` names.

    Raises:
        UserError: they are missing or of other pictures.
    """
    by_kind = {kind: open_array(EDGES / f"{kind}.npy", 3, np.uint8) for kind in KINDS[name]}
    if any(len(array) != len(pictures) for array in by_kind.values()):
        raise UserError(f"{EDGES} has outlines of other pictures; run dvc repro")
    return Outlines(by_kind)
