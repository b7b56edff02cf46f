"""Which of several copies stays: the first of a source, and of several sources' the one from the largest original."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Search = Callable[[np.ndarray], np.ndarray]


def copies(search: Search, rows: np.ndarray, source: np.ndarray, area: np.ndarray) -> np.ndarray:
    """int64, N: the kept row that a row is a copy of, else -1.

    Args:
        search: goes through row numbers in the order given and keeps each that is no copy of one kept
            before it; its result is as this one's.
        rows: ascending row numbers to go through.
        source: N names. Copies from one source are settled first, so that another source moves none of them.
        area: N, of the originals.
    """
    copy_of = np.full(len(source), -1)
    names = np.unique(source[rows].astype(str))
    for name in names:
        mine = rows[source[rows] == name]
        copy_of[mine] = search(mine)[mine]
    if len(names) > 1:
        firsts = rows[copy_of[rows] < 0]
        found = search(firsts[np.argsort(-area[firsts], kind="stable")])
        copy_of[firsts] = found[firsts]
        further = copy_of[copy_of] >= 0  # copies of a first that has not stayed itself
        copy_of = np.where((copy_of >= 0) & further, copy_of[copy_of], copy_of)
    return copy_of
