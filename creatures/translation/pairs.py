"""Pairs of pictures, A to B, for translations other than from outlines to colours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import ClassVar

import numpy as np
import pyarrow as pa
from PIL import Image

from creatures.data.pictures import Pictures
from creatures.decoding.files import open_file
from creatures.decoding.unusable import Unusable
from creatures.intake.layout import SPLIT_NAMES, normal
from creatures.intake.names import files_below, is_picture
from creatures.intake.splits import assign_splits, check_enough
from creatures.runtime.errors import UserError

VAL_SHARE = TEST_SHARE = 0.1  # where folders do not name splits
FEW = 6
NAMED = 3  # files in a message


@dataclass(frozen=True)
class Pairs:
    """Both sides of all pairs.

    Attributes:
        inputs: A, uint8 N x 3 x px x px.
        pictures: B, with the splits of the pairs.
        digest: of the files.
    """

    inputs: np.ndarray
    pictures: Pictures
    digest: str
    channels: ClassVar[int] = 3

    def plain(self, rows: np.ndarray) -> np.ndarray:
        """A of some rows."""
        return self.inputs[rows]

    def varied(self, rows: np.ndarray, images: np.ndarray, step: int, seed: int, strength: float) -> np.ndarray:
        """A of a batch; only outlines are varied."""
        return self.inputs[rows]

    def unseen(self, val: np.ndarray, px: int) -> np.ndarray:
        """A of a few val pairs, to watch."""
        return self.inputs[val[:FEW]]


def read_pairs(folder: Path, px: int) -> Pairs:
    """Read all pairs of a folder, squeezed to squares of `px`.

    Either files of the same name in folders A and B (also trainA and trainB, as CycleGAN's data sets have them, in
    any order with folders train, val and test), or files of A and B side by side, as pix2pix's have them.

    Raises:
        UserError: there are none, some are without a partner, or a file cannot be read.
    """
    if not folder.is_dir():
        raise UserError(f"pix2pix.pairs is {folder}: there is no such folder")
    paths = [path for path in map(Path.as_posix, files_below(folder)) if is_picture(path)]
    names, given, sides = [], [], []
    for name, split, side in _sides(folder, paths, px):
        names.append(name)
        given.append(split)
        sides.append(side)
    if not names:
        raise UserError(
            f"{folder} has no pairs: files of the same name in folders A and B, or pictures of both side by side"
        )
    splits = assign_splits(names, [""] * len(names), given, VAL_SHARE, TEST_SHARE)
    check_enough(splits)
    both = np.stack(sides).transpose(1, 0, 4, 2, 3)  # 2 x N x 3 x px x px
    index = pa.table({"species": names, "split": splits.tolist()})
    digest = sha256(both.tobytes() + repr(index.to_pydict()).encode()).hexdigest()
    return Pairs(both[0], Pictures(both[1], index), digest[:16])


def _sides(folder: Path, paths: list[str], px: int) -> Iterator[tuple[str, str, np.ndarray]]:
    """Name, split ("" where none is named) and both sides, uint8 2 x px x px x 3, of each pair."""
    sides: dict[tuple[str, str], dict[str, str]] = {}
    for path in paths:
        split, side, name = _place(path)
        if side:
            other = sides.setdefault((name, split), {}).setdefault(side, path)
            if other != path:
                raise UserError(f"{other} and {path} would be the same half of a pair: remove one")
    if alone := [next(iter(found.values())) for found in sides.values() if len(found) < 2]:
        raise UserError(f"{len(alone)} of {len(paths)} pictures have no partner: {', '.join(alone[:NAMED])}")
    for (name, split), found in sorted(sides.items()):
        yield name, split, np.stack([_square(_open(folder / found[side], px), px) for side in "ab"])
    for path in paths if not sides else ():
        split, _, name = _place(path)
        image = _open(folder / path, px)
        if image.width != 2 * image.height:
            raise UserError(
                f"{path} is {image.width} x {image.height} pixels: pictures of both sides are twice as wide as high"
            )
        halves = [image.crop((left, 0, left + image.height, image.height)) for left in (0, image.height)]
        yield name, split, np.stack([_square(half, px) for half in halves])


def _place(path: str) -> tuple[str, str, str]:
    """Split and side, "" for none, that a path's folders name, and what is left of it, without ending."""
    split, side, left = "", "", []
    for part in PurePosixPath(path).parent.parts:
        lower = part.lower()
        if lower in SPLIT_NAMES:
            split = SPLIT_NAMES[lower]
        elif lower[-1:] in ("a", "b") and (lower[:-1] in SPLIT_NAMES or not lower[:-1]):
            side, split = lower[-1], SPLIT_NAMES.get(lower[:-1], split)
        else:
            left.append(part)
    return split, side, normal("/".join([*left, PurePosixPath(path).stem]))


def _open(path: Path, px: int) -> Image.Image:
    """A picture on white, RGB."""
    try:
        image = open_file(path, px)
    except Unusable as error:
        raise UserError(f"{path} cannot be used: {error.reason}{error.detail and f' ({error.detail})'}") from None
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _square(image: Image.Image, px: int) -> np.ndarray:
    return np.asarray(image.resize((px, px), Image.Resampling.LANCZOS, reducing_gap=3))
