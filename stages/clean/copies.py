"""Which of several copies stays: the first of a source, and of several sources' the one from the largest original."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

Search = Callable[[np.ndarray], np.ndarray]


def copies(
    searches: Mapping[str, Search], rows: np.ndarray, source: np.ndarray, area: np.ndarray
) -> dict[str, np.ndarray]:
    """For each search, int64, N: the row that a row is a copy of, else -1; what one finds, the next is not asked about.

    Copies from one source are settled first, by all searches, so that another source moves none of them.

    Args:
        searches: each goes through row numbers in the order given and keeps each that is no copy of one
            kept before it; its result is as this one's.
        rows: ascending row numbers to go through.
        source: N, the place of each row's source among all: of copies as large, an earlier source's stays.
        area: N, of the originals.
    """
    copy_of = {name: np.full(len(source), -1) for name in searches}

    def settle(left: np.ndarray) -> np.ndarray:
        for name, search in searches.items():
            copy_of[name][left] = search(left)[left]
            left = left[copy_of[name][left] < 0]
        return left

    parts = [settle(rows[source[rows] == one]) for one in np.unique(source[rows])]
    if len(parts) > 1:
        firsts = np.sort(np.concatenate(parts))
        settle(firsts[np.lexsort((source[firsts], -area[firsts]))])
        for found in copy_of.values():
            further = np.flatnonzero((found >= 0) & (found[found] >= 0))
            found[further] = found[found[further]]  # copies of a first that has not stayed itself
    return copy_of
