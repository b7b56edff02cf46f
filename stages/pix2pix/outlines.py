"""The outlines that are coloured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from creatures.artifacts import OUTLINES, PICTURES
from creatures.data.loading import open_array
from creatures.data.pictures import Pictures, open_pictures
from creatures.data.provenance import ancestors
from creatures.outlines.canny import canny
from creatures.outlines.sketch import sketch
from creatures.runtime.errors import UserError
from creatures.training.loop import mix
from creatures.translation.drawings import drawings
from creatures.translation.pairs import Pairs, read_pairs
from stages.pix2pix.outline_augment import by_hand
from stages.pix2pix.params import NO_PAIRS, Pix2pixParams

EDGES = OUTLINES.parent
TRACERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"canny": canny, "sketch": sketch}
KINDS = {"canny": ("canny",), "sketch": ("sketch",), "mixed": ("canny", "sketch")}


@dataclass(frozen=True)
class Outlines:
    """Outlines of all pictures: uint8, N x H x W, by kind."""

    by_kind: dict[str, np.ndarray]
    channels: ClassVar[int] = 1

    def plain(self, rows: np.ndarray) -> np.ndarray:
        """Outlines of some rows, as the edges stage drew them: uint8, n x H x W; several kinds alternate by row."""
        kinds = list(self.by_kind)
        return np.stack([self.by_kind[kinds[row % len(kinds)]][row] for row in rows])

    def varied(self, rows: np.ndarray, images: np.ndarray, step: int, seed: int, strength: float) -> np.ndarray:
        """Outlines of a batch, of random kinds and randomly varied: the same for the same step and seed.

        Args:
            images: the pictures of these rows, uint8 n x 3 x H x W. Of enlarged ones, outlines are traced anew.
        """
        rng, kinds, outlines = np.random.default_rng(mix(seed, step, 1)), list(self.by_kind), []
        for row, picture in zip(rows, images, strict=True):
            kind = kinds[rng.integers(len(kinds))]
            image, outline = np.ascontiguousarray(picture.transpose(1, 2, 0)), self.by_kind[kind][row]
            if outline.shape != image.shape[:2]:
                outline = TRACERS[kind](image)
            outlines.append(by_hand(outline, image, kind, rng, strength))
        return np.stack(outlines)

    def unseen(self, val: np.ndarray, px: int) -> np.ndarray:
        """Drawings by hand, to watch."""
        return drawings(px)


def open_data(p: Pix2pixParams, image_px: int) -> tuple[Pictures, Outlines | Pairs, dict[str, str]]:
    """Pictures, what they are to be made from, and the digests of both, as `ancestors` returns them.

    Raises:
        UserError: some are missing or damaged, or there are none to measure with.
    """
    data: Outlines | Pairs
    if p.pairs == NO_PAIRS:
        pictures, made_from = open_pictures(), ancestors(PICTURES, OUTLINES)
        data = open_outlines(p.outline, pictures)
    else:
        data = read_pairs(Path(p.pairs), image_px)
        pictures, made_from = data.pictures, {"pairs": data.digest}
    if not len(pictures.rows("val")):
        raise UserError("there are no val pictures to measure with; raise clean.val_share or add pictures")
    return pictures, data, made_from


def open_outlines(name: str, pictures: Pictures) -> Outlines:
    """Open the outlines that `pix2pix.outline` names.

    Raises:
        UserError: they are missing or of other pictures.
    """
    by_kind = {kind: open_array(EDGES / f"{kind}.npy", 3, np.uint8) for kind in KINDS[name]}
    if any(len(array) != len(pictures) for array in by_kind.values()):
        raise UserError(f"{EDGES} has outlines of other pictures; run dvc repro")
    return Outlines(by_kind)
