"""Copies: pictures that show the same as an earlier one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from creatures.cluster import on_ray
from creatures.data.records import Records
from stages.clean.bands import Joined

BATCH = 1024  # rows searched at once, which bounds memory
IN_MEMORY = 5_000_000  # rows; for more, the cluster searches for near hashes, if there is one

Rule = Callable[[np.ndarray, np.ndarray], np.ndarray]


def exact_copies(digests: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """int64, N: the first of `rows` with the same digest, -1 for that row itself and for all others.

    Args:
        digests: N fixed-width byte strings.
        rows: row numbers, in order of precedence.
    """
    _, first, group = np.unique(digests[rows], return_index=True, return_inverse=True)
    copy_of = np.full(len(digests), -1)
    copy_of[rows] = np.where(first[group] == np.arange(len(rows)), -1, rows[first[group]])
    return copy_of


def near_copies(hashes: np.ndarray, rows: np.ndarray, bits: int, alike: Rule) -> np.ndarray:
    """Go through `rows` in order and keep each that is not a near copy of one kept earlier.

    Args:
        hashes: uint64, N, one for every row.
        rows: row numbers in the order to go through them.
        bits: hashes that differ in more bits than this are not copies.
        alike: for two equally long arrays of row numbers, which pairs are copies, given that
            their hashes are near.

    Returns:
        int64, N: the kept row that a row is a copy of, else -1.
    """
    copy_of = np.full(len(hashes), -1)
    index = Joined(hashes[rows], bits) if len(rows) > IN_MEMORY and on_ray() else _Kept(bits)
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        mine, other = index.within(hashes[batch])
        is_copy = alike(batch[mine], other)
        # from the last match to the first, so that the first one stays
        copy_of[batch[mine[is_copy]][::-1]] = other[is_copy][::-1]
        fresh, count = np.empty(len(batch), np.int64), 0
        for row in batch[copy_of[batch] < 0]:
            near = fresh[:count][np.bitwise_count(hashes[fresh[:count]] ^ hashes[row]) <= bits]
            near = near[alike(np.full(len(near), row), near)] if len(near) else near
            if len(near):
                copy_of[row] = near[0]
            else:
                fresh[count] = row
                count += 1
        index.add(fresh[:count], hashes[fresh[:count]])
    return copy_of


class _Kept:
    """The rows kept so far, searched by Hamming distance."""

    def __init__(self, bits: int) -> None:
        import faiss

        self.radius = bits + 1  # faiss returns distances strictly below
        # If two hashes differ in at most `bits` bits, at least one of their words differs in at most
        # bits // words, so the search misses none. Longer words are shared with fewer other hashes,
        # but there are many ways to flip more than one of their bits.
        words = 3 if bits < 6 else 4
        self.index = faiss.IndexBinaryMultiHash(64, words, 64 // words)
        self.index.nflip = bits // words
        self.rows = np.empty(0, np.int64)

    def add(self, rows: np.ndarray, hashes: np.ndarray) -> None:
        if len(rows):
            self.index.add(_octets(hashes))
            self.rows = np.concatenate([self.rows, rows])

    def within(self, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pairs (index in `hashes`, kept row) in ascending order."""
        if not len(self.rows):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        limits, _, ids = self.index.range_search(_octets(hashes), self.radius)
        mine = np.repeat(np.arange(len(hashes)), np.diff(limits.astype(np.int64)).astype(np.int64))
        other = self.rows[ids]
        order = np.lexsort((other, mine))
        return mine[order], other[order]


def _octets(hashes: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(hashes).view(np.uint8).reshape(-1, 8)


def copy_rule(
    thumbs: np.ndarray | Records, place: np.ndarray, species: np.ndarray, limit: float, recolours: str
) -> Rule:
    """Rule for which near hashes are copies: colours that differ by less than `limit` on average,
    or, when recolours are dropped, the same species.

    Args:
        thumbs: uint8, N x 768.
        place: N, index of each row in `thumbs`.
        species: N names, "" for none.
    """

    def alike(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        result = np.empty(len(one), bool)
        for start in range(0, len(one), BATCH * 8):
            part = slice(start, start + BATCH * 8)
            difference = np.abs(thumbs[place[one[part]]].astype(np.int16) - thumbs[place[other[part]]])
            result[part] = difference.mean(axis=1) < limit
        if recolours == "drop":
            result |= (species[one] == species[other]) & (species[one] != "")
        return result

    return alike
