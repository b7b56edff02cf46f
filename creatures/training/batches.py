"""Pictures of each batch: a function of its number, so that any process can compute it and resume at any step."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from creatures.data.shards import Shards

WINDOW = 8  # shards that are shuffled together


class Batches:
    """The rows of each batch, by step: every epoch is a permutation of all rows, given by the seed and the epoch.

    For pictures in shards, the permutation is one of the shards, then of the pictures within windows of a few
    shards: like a shuffle buffer, it reads shard by shard, but the order is the same for any number of processes
    that share a batch.

    Args:
        rows: ascending.
        images: the pictures; shards change the order.
    """

    def __init__(self, rows: np.ndarray, batch: int, seed: int, images: np.ndarray | Shards | None = None) -> None:
        self.rows, self.batch, self.seed = rows, batch, seed
        self.shards = images if isinstance(images, Shards) else None
        self._permuted = lru_cache(2)(self._permute)
        self._windows = lru_cache(2)(self._cut)

    def __getitem__(self, step: int) -> np.ndarray:
        """Rows, int (batch,); the last batch of an epoch is filled from the next epoch."""
        numbers = np.arange(step * self.batch, (step + 1) * self.batch)
        places = zip((numbers // len(self.rows)).tolist(), (numbers % len(self.rows)).tolist(), strict=True)
        return np.array([self._at(epoch, place) for epoch, place in places])

    def _at(self, epoch: int, place: int) -> int:
        if self.shards is None:
            return int(self._permuted(epoch, 0)[place])
        limits = self._windows(epoch)[1]
        window = int(np.searchsorted(limits, place, side="right")) - 1
        return int(self._permuted(epoch, window)[place - limits[window]])

    def _permute(self, epoch: int, window: int) -> np.ndarray:
        if self.shards is None:
            return np.random.default_rng([self.seed, epoch]).permutation(self.rows)
        windows = self._windows(epoch)[0]
        following = windows[window + 1] if window + 1 < len(windows) else self._windows(epoch + 1)[0][0]
        for part in (*windows[window], *following):
            self.shards.read_ahead(part[:1])
        return np.random.default_rng([self.seed, epoch, window]).permutation(np.concatenate(windows[window]))

    def _cut(self, epoch: int) -> tuple[list[list[np.ndarray]], np.ndarray]:
        """An epoch's windows, each a list of rows by shard, and where they begin in the epoch and the last one ends."""
        assert self.shards is not None
        shard = self.shards.shard_of(self.rows)
        parts = np.split(self.rows, np.flatnonzero(np.diff(shard)) + 1)
        order = np.random.default_rng([self.seed, epoch]).permutation(len(parts))
        windows = [[parts[number] for number in order[i : i + WINDOW]] for i in range(0, len(order), WINDOW)]
        return windows, np.cumsum([0, *(sum(map(len, window)) for window in windows)])
