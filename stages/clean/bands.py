"""Near hashes by joins on bands of their bits, which a cluster can share; a search in one memory is in near.py."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from creatures.cluster import collected, on_ray

SURE = 2  # bands in which near hashes agree, whatever their differing bits hit
PARTS = 64  # of a join, on a cluster


def bands(bits: int) -> list[np.uint64]:
    """Masks, of which one at least leaves no difference of two hashes that differ in `bits` at most.

    The 64 bits are cut into `bits` + SURE pieces, so SURE of them are equal; a mask for every choice
    of so many (Manku et al., "Detecting Near-Duplicates for Web Crawling", 2007).
    """
    pieces = [sum(1 << int(bit) for bit in piece) for piece in np.array_split(np.arange(64), bits + SURE)]
    return [np.uint64(sum(chosen)) for chosen in combinations(pieces, SURE)]


def near_pairs(hashes: np.ndarray, bits: int) -> np.ndarray:
    """int64, M x 2: all pairs of places i < j whose hashes differ in at most `bits` bits, ascending.

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
    found = [np.empty((0, 2), np.int64)]
    for mask in bands(bits):
        one = daft.from_pydict({"band": hashes & mask, "i": places, "one": hashes})
        if cluster:
            one = one.repartition(PARTS, "band")
        other = one.select("band", col("i").alias("j"), col("one").alias("other"))
        pairs = one.join(other, on="band").where(col("i") < col("j")).where(near(col("one"), col("other")))
        table = collected(pairs.select("i", "j"))
        found.append(np.stack([table["i"].to_numpy(), table["j"].to_numpy()], axis=1))
    return np.unique(np.concatenate(found), axis=0)


class Joined:
    """The rows kept so far, as `_Kept` of near.py has them, searched among pairs that were found before."""

    def __init__(self, hashes: np.ndarray, bits: int) -> None:
        self.hashes = np.unique(hashes)
        pairs = near_pairs(self.hashes, bits)
        each = np.repeat(np.arange(len(self.hashes))[:, None], 2, axis=1)  # a hash is near itself
        both = np.concatenate([pairs, pairs[:, ::-1], each])
        both = both[np.argsort(both[:, 0], kind="stable")]
        self.near = both[:, 1]
        self.limits = np.searchsorted(both[:, 0], np.arange(len(self.hashes) + 1))
        self.rows: dict[int, list[int]] = {}  # by place in `hashes`

    def add(self, rows: np.ndarray, hashes: np.ndarray) -> None:
        for place, row in zip(np.searchsorted(self.hashes, hashes).tolist(), rows.tolist(), strict=True):
            self.rows.setdefault(place, []).append(row)

    def within(self, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pairs (place in `hashes`, kept row) in ascending order."""
        mine, other = [], []
        for number, place in enumerate(np.searchsorted(self.hashes, hashes).tolist()):
            near = self.near[self.limits[place] : self.limits[place + 1]].tolist()
            rows = sorted(row for one in near for row in self.rows.get(one, ()))
            mine += [number] * len(rows)
            other += rows
        return np.array(mine, np.int64), np.array(other, np.int64)
