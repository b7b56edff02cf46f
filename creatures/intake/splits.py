"""The split of each file: from the source, or by hashes of names, so that adding files moves no other, except in small
sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from creatures.runtime.errors import UserError

NEEDED = (  # split, pictures that training needs, and what helps besides adding some
    ("train", 2, "lower clean.test_share or clean.val_share, or `splits: none` of the source"),
    ("val", 1, "raise clean.val_share"),
)
LEAST_SPECIES = 10  # of fewer, none is held out: `test` is then pictures, not species
SMALL = 250  # files: in a smaller set, chance alone could put all or none of them into a split
LEAST_VAL = 25  # files: what is measured on fewer says little


def split_of(path: str, species: str, val_share: float, test_share: float) -> str:
    """`test` for a fraction of the species (of the files, if there are no species), `val`
    for a fraction of the other files, `train` for the rest.
    """
    if _uniform(f"test:{species or path}") < test_share:
        return "test"
    return "val" if _uniform(f"val:{path}") < val_share else "train"


def holds_out_species(labels: Sequence[str]) -> bool:
    """Whether there are enough labels to hold some of them out as `test`."""
    return len({*labels} - {""}) >= LEAST_SPECIES


def assign_splits(
    paths: Sequence[str], labels: Sequence[str], given: Sequence[str], val_share: float, test_share: float
) -> np.ndarray:
    """The split of each of N files: N names.

    Splits that the source gives stay; if it gives none of `val`, some of its `train` become `val`. Other files are
    split by `split_of`: by species only if there are at least LEAST_SPECIES, of which one at least is `test`. Of fewer
    than SMALL files, the numbers are exact: `test_share` of the species, at least one, or of the files are `test`, and
    `val` has at least LEAST_VAL files, or a fifth of them if that is less; adding files may then move others.

    Args:
        given: `train`, `val` or `test`, "" where the source does not say.
    """
    by_species, small = holds_out_species(labels), len(paths) < SMALL
    split = np.array([fixed or "train" for fixed in given], object)
    free = np.array([not fixed for fixed in given], bool)
    for_val = free if "val" in given else free | (split == "train")
    units = [label or path if by_species else path for label, path in zip(labels, paths, strict=True)]
    if not small:
        for row in np.flatnonzero(free).tolist():
            split[row] = split_of(paths[row], labels[row] if by_species else "", 0, test_share)
    missed = by_species and test_share > 0 and not (split == "test").any()  # as chance has it with a dozen species
    if small or missed:
        names = sorted({units[row] for row in np.flatnonzero(free)}, key=lambda name: _uniform(f"test:{name}"))
        count = max(by_species and test_share > 0, round(test_share * len(names)) if small else 1)
        split[free & np.isin(units, names[:count])] = "test"
    for_val &= split == "train"
    if small:
        least = min(LEAST_VAL, max(1, len(paths) // 5))
        _draw(split, for_val, "val", min(max(round(val_share * for_val.sum()), least), for_val.sum() - 1), paths)
    else:
        for row in np.flatnonzero(for_val).tolist():
            split[row] = split_of(paths[row], "", val_share, 0)
    return split


def check_enough(split: np.ndarray) -> None:
    """Raise UserError if a split has too few pictures for training; `split`: each picture's split, N names."""
    if len(split) < sum(least for _, least, _ in NEEDED):
        few = "one picture is" if len(split) == 1 else f"{len(split)} pictures are"
        raise UserError(f"{few} too few: training needs at least 2, and one to measure with: add pictures")
    for name, least, remedy in NEEDED:
        if (count := int((split == name).sum())) < least:
            raise UserError(
                f"{count or 'no'} picture{'s' * (count > 1)} of {len(split)} fell into {name}, where at least {least} "
                f"must be: add pictures, or {remedy}"
            )


def _draw(split: np.ndarray, among: np.ndarray, name: str, count: int, paths: Sequence[str]) -> None:
    """Put `count` of the files in `among` (bool, N) into a split, chosen by the hashes of their names."""
    rows = sorted(np.flatnonzero(among).tolist(), key=lambda row: _uniform(f"{name}:{paths[row]}"))
    split[rows[: max(0, count)]] = name


def _uniform(text: str) -> float:
    """A number in [0, 1) that depends only on the text."""
    return int.from_bytes(sha256(text.encode()).digest()[:6], "big") / 2**48
