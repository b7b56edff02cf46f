"""The split of a file, by hashes of names alone, so that adding files moves no other."""

from __future__ import annotations

from hashlib import sha256

import numpy as np

from creatures.runtime.errors import UserError

LEAST = (  # split, pictures that training needs, and what helps besides adding some
    ("train", 2, "lower clean.test_share or clean.val_share"),
    ("val", 1, "raise clean.val_share"),
)


def split_of(path: str, species: str, val_share: float, test_share: float) -> str:
    """`test` for a fraction of the species (of the files, if there are no species), `val`
    for a fraction of the other files, `train` for the rest.
    """
    if _uniform(f"test:{species or path}") < test_share:
        return "test"
    return "val" if _uniform(f"val:{path}") < val_share else "train"


def _uniform(text: str) -> float:
    """A number in [0, 1) that depends only on the text."""
    return int.from_bytes(sha256(text.encode()).digest()[:6], "big") / 2**48


def check_enough(split: np.ndarray) -> None:
    """Raise UserError if a split has too few pictures for training; `split`: each picture's split, N names."""
    for name, least, remedy in LEAST:
        if (count := int((split == name).sum())) < least:
            raise UserError(
                f"{count or 'no'} picture{'s' * (count > 1)} of {len(split)} fell into {name}, where at least {least} "
                f"must be: add pictures, or {remedy}"
            )
