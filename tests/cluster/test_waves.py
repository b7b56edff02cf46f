"""Rows that a cluster loses are asked for again, and each is taken once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pytest

from creatures import cluster
from creatures.runtime.errors import UserError


class Lost(Exception):
    """What Ray raises."""


class Table:
    """Squares of numbers as a cluster gives them: some twice, and then a node is gone."""

    def __init__(self, keys: Sequence[int], given: int) -> None:
        self.keys, self.given = keys, given

    def to_arrow_iter(self, results_buffer_size: int) -> Iterator[pa.RecordBatch]:
        for key in [*self.keys[: self.given], *self.keys[: min(self.given, 1)]]:
            yield pa.record_batch({"key": [key], "answer": [key**2]})
        if self.given < len(self.keys):
            raise Lost("a node\n\tand its cause")


@pytest.fixture(autouse=True)
def lossy(monkeypatch):
    monkeypatch.setattr(cluster, "on_ray", lambda: True)
    monkeypatch.setattr(cluster, "_lost", lambda: (Lost,))
    monkeypatch.setattr(cluster, "WAVE", 10)


def test_lost_rows_are_asked_for_again_and_none_comes_twice():
    asked = []

    def ask(keys: Sequence[int]) -> Table:
        asked.append(len(keys))
        return Table(keys, given=6)

    found = list(cluster.answers(range(25), ask))
    assert found == [(key, key**2) for key in range(25)]
    assert asked == [10, 4, 10, 4, 5]  # waves, and what was lost of them


def test_a_cluster_that_gives_nothing_ends_in_one_line():
    with pytest.raises(UserError, match=r"^the Ray cluster did not give 3 rows back in 5 tries: a node and its cause$"):
        list(cluster.answers(range(3), lambda keys: Table(keys, given=0)))


def test_what_is_no_loss_is_raised_at_once(monkeypatch):
    monkeypatch.setattr(cluster, "_lost", lambda: ())
    with pytest.raises(Lost):
        list(cluster.answers(range(3), lambda keys: Table(keys, given=1)))
