"""Near hashes by joins on bands of their bits, which a cluster can distribute; near.py searches in one memory."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from creatures.cluster import collected, on_ray

SURE = 2  # pieces, at least, in which near hashes agree, whichever bits differ
PARTS = 64  # partitions of a join, on a cluster


def bands(bits: int) -> list[np.uint64]:
    """Masks, at least one of which leaves no difference between any two hashes that differ in at most `bits` bits.

    The 64 bits are cut into `bits` + SURE pieces, so at least SURE of them are equal; there is a mask for every
    choice of SURE pieces (Manku et al., "Detecting Near-Duplicates for Web Crawling", 2007).
    """
    pieces = [sum(1 << int(bit) for bit in piece) for piece in np.array_split(np.arange(64), bits + SURE)]
    return [np.uint64(sum(chosen)) for chosen in combinations(pieces, SURE)]


def near_pairs(hashes: np.ndarray, bits: int) -> np.ndarray:
    """int64, M x 2: all pairs of indices i < j whose hashes differ in at most `bits` bits, ascending.

    Args:
        hashes: uint64, N, all different.
    """
    cluster = on_ray()
    import daft
    from daft import DataType, Series, col

    @daft.func.batch(return_dtype=DataType.bool())
    def near(one: Series, other: Series) -> np.ndarray:
        return np.bitwise_count(one.to_arrow().to_numpy() ^ other.to_arrow().to_numpy()) <= bits

    places = np.arange(len(hashes))
    parts = [np.empty((0, 2), np.int64)]
    for mask in bands(bits):
        one = daft.from_pydict({"band": hashes & mask, "i": places, "one": hashes})
        if cluster:
            one = one.repartition(PARTS, "band")
        other = one.select("band", col("i").alias("j"), col("one").alias("other"))
        pairs = one.join(other, on="band").where(col("i") < col("j")).where(near(col("one"), col("other")))
        table = collected(pairs.select("i", "j"))
        parts.append(np.stack([table["i"].to_numpy(), table["j"].to_numpy()], axis=1))
    return np.unique(np.concatenate(parts), axis=0)


class Joined:
    """The rows kept so far, like `_Kept` in near.py, searched among pairs that were computed in advance."""

    def __init__(self, hashes: np.ndarray, bits: int) -> None:
        self.hashes = np.unique(hashes)
        pairs = near_pairs(self.hashes, bits)
        each = np.repeat(np.arange(len(self.hashes))[:, None], 2, axis=1)  # a hash is near itself
        both = np.concatenate([pairs, pairs[:, ::-1], each])
        both = both[np.argsort(both[:, 0], kind="stable")]
        self.near = both[:, 1]
        self.limits = np.searchsorted(both[:, 0], np.arange(len(self.hashes) + 1))
        self.rows: dict[int, list[int]] = {}  # by index in `hashes`

    def add(self, rows: np.ndarray, hashes: np.ndarray) -> None:
        for place, row in zip(np.searchsorted(self.hashes, hashes).tolist(), rows.tolist(), strict=True):
            self.rows.setdefault(place, []).append(row)

    def within(self, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pairs (index in `hashes`, kept row) in ascending order."""
        mine, other = [], []
        for number, place in enumerate(np.searchsorted(self.hashes, hashes).tolist()):
            near = self.near[self.limits[place] : self.limits[place + 1]].tolist()
            rows = sorted(row for one in near for row in self.rows.get(one, ()))
            mine += [number] * len(rows)
            other += rows
        return np.array(mine, np.int64), np.array(other, np.int64)
