"""Which split a file is in, by hashes of names alone: adding files moves no other."""

from __future__ import annotations

from hashlib import sha256


def split_of(path: str, species: str, val_share: float, test_share: float) -> str:
    """`test` for a share of the species (of the files, where there are no species), `val`
    for a share of the other files, `train` for the rest."""
    if _share(f"test:{species or path}") < test_share:
        return "test"
    return "val" if _share(f"val:{path}") < val_share else "train"


def _share(text: str) -> float:
    """A number in [0, 1) that only depends on the text."""
    return int.from_bytes(sha256(text.encode()).digest()[:6], "big") / 2**48
