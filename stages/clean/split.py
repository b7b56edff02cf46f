"""Which split a file is in, by hashes of names alone: adding files moves no other."""

from __future__ import annotations

from hashlib import sha256

import numpy as np

from creatures.runtime.errors import UserError

LEAST = (  # of a split that training needs, and what else helps
    ("train", 2, "lower clean.test_share or clean.val_share"),
    ("val", 1, "raise clean.val_share"),
)


def split_of(path: str, species: str, val_share: float, test_share: float) -> str:
    """`test` for a share of the species (of the files, where there are no species), `val`
    for a share of the other files, `train` for the rest.
    """
    if _share(f"test:{species or path}") < test_share:
        return "test"
    return "val" if _share(f"val:{path}") < val_share else "train"


def _share(text: str) -> float:
    """A number in [0, 1) that only depends on the text."""
    return int.from_bytes(sha256(text.encode()).digest()[:6], "big") / 2**48


def check_enough(split: np.ndarray) -> None:
    """Raises UserError where too few pictures, whose splits are N names, fell into one for training to be possible."""
    for name, least, remedy in LEAST:
        if (found := int((split == name).sum())) < least:
            raise UserError(
                f"{found or 'no'} picture{'s' * (found > 1)} of {len(split)} fell into {name}, where at least {least} "
                f"must be: add pictures, or {remedy}"
            )
