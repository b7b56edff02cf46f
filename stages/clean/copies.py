"""Which of several copies to keep: within a source the first, across sources the one from the largest original."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

Search = Callable[[np.ndarray], np.ndarray]


def copies(
    searches: Mapping[str, Search], rows: np.ndarray, source: np.ndarray, area: np.ndarray
) -> dict[str, np.ndarray]:
    """For each search, int64, N: the row that a row is a copy of, else -1; copies found are not passed to the next.

    Copies within a source are settled first, by all searches, so that they do not depend on other sources.

    Args:
        searches: each goes through row numbers in the order given and keeps each that is not a copy of an
            earlier one; returns an array like those returned here.
        rows: ascending row numbers to go through.
        source: N, rank of each row's source: of equally large copies, the earlier source's is kept.
        area: N, of the originals.
    """
    copy_of = {name: np.full(len(source), -1) for name in searches}

    def settle(remaining: np.ndarray) -> np.ndarray:
        for name, search in searches.items():
            copy_of[name][remaining] = search(remaining)[remaining]
            remaining = remaining[copy_of[name][remaining] < 0]
        return remaining

    parts = [settle(rows[source[rows] == one]) for one in np.unique(source[rows])]
    if len(parts) > 1:
        firsts = np.sort(np.concatenate(parts))
        settle(firsts[np.lexsort((source[firsts], -area[firsts]))])
        for originals in copy_of.values():
            chained = np.flatnonzero((originals >= 0) & (originals[originals] >= 0))
            originals[chained] = originals[originals[chained]]  # copies of a row that is itself a copy
    return copy_of
