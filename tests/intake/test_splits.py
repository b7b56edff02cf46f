"""Splits: from the source or by hashes of names, and of small sets never all or none of anything."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from creatures.intake.splits import assign_splits, check_enough, split_of
from creatures.runtime.errors import UserError


def counts(split: np.ndarray) -> dict[str, int]:
    return dict(Counter(split))


def test_a_large_set_is_split_by_hashes_of_names_alone():
    paths = [f"{i % 40}/{i}.png" for i in range(400)]
    labels = [path.split("/")[0] for path in paths]
    split = assign_splits(paths, labels, [""] * 400, 0.1, 0.1)
    assert [*split] == [split_of(path, label, 0.1, 0.1) for path, label in zip(paths, labels, strict=True)]


@pytest.mark.parametrize("count", [3, 4, 5, 8, 10, 20, 50, 100])
@pytest.mark.parametrize("name", ["{}.png", "IMG_{:04}.jpg", "a/{}", "ünï {}.gif"])
def test_a_small_set_has_some_to_train_on_and_some_to_measure_with(count, name):
    paths = [name.format(i) for i in range(count)]
    split = assign_splits(paths, [""] * count, [""] * count, 0.1, 0.1)
    check_enough(split)
    found = Counter(split)
    assert found["train"] >= count / 2
    assert found["val"] >= min(20, count // 5)


@pytest.mark.parametrize("labels", [1, 2, 5, 9])
def test_of_few_labels_none_is_held_out(labels):
    paths = [f"{i % labels}/{i}.png" for i in range(300)]
    names = [path.split("/")[0] for path in paths]
    split = assign_splits(paths, names, [""] * 300, 0.1, 0.1)
    for label in range(labels):
        rows = [row for row, name in enumerate(names) if name == str(label)]
        assert {"train", "val"} <= {*split[rows]}
    assert "test" in split


def test_of_ten_labels_whole_ones_are_held_out():
    names = [str(i % 40) for i in range(400)]
    split = assign_splits([f"{i}.png" for i in range(400)], names, [""] * 400, 0.1, 0.1)
    tested = {name for name, where in zip(names, split, strict=True) if where == "test"}
    assert tested and not any(where != "test" for name, where in zip(names, split, strict=True) if name in tested)


@pytest.mark.parametrize("name", ["{}", "kind-{}", "Art {}", "{:03}"])
def test_of_ten_labels_in_a_small_set_one_is_held_out(name):
    names = [name.format(i // 20) for i in range(200)]
    split = assign_splits([f"{label}/{i}.png" for i, label in enumerate(names)], names, [""] * 200, 0.1, 0.1)
    assert counts(split) == {"test": 20, "val": 25, "train": 155}
    assert len({label for label, where in zip(names, split, strict=True) if where == "test"}) == 1


def test_a_large_set_of_few_labels_has_test_whatever_their_hashes():
    names = [str(i % 10) for i in range(400)]  # none of which is drawn by chance
    split = assign_splits([f"{i}.png" for i in range(400)], names, [""] * 400, 0.1, 0.1)
    assert len({name for name, where in zip(names, split, strict=True) if where == "test"}) == 1
    assert counts(split)["test"] == 40
    assert "test" not in assign_splits([f"{i}.png" for i in range(400)], names, [""] * 400, 0.1, 0.0)


def test_splits_of_the_source_stay():
    given = ["train"] * 6 + ["val"] * 3 + ["test"] * 2
    paths = [f"{i}.png" for i in range(11)]
    assert [*assign_splits(paths, [str(i) for i in range(11)], given, 0.1, 0.1)] == given


def test_a_source_without_val_gets_some_of_its_train():
    given = ["train"] * 200 + ["test"] * 20
    split = assign_splits([f"{i}.png" for i in range(220)], [""] * 220, given, 0.1, 0.1)
    assert {*split[200:]} == {"test"} and {*split[:200]} == {"train", "val"}
    assert counts(split)["val"] >= 20


def test_too_few_end_in_a_line():
    for count, few in ((1, "one picture is"), (2, "2 pictures are")):
        with pytest.raises(UserError, match=f"^{few} too few: training needs at least 2, and one to measure with: add"):
            check_enough(np.array(["train", "val"][:count], object))
    for split, message in (
        ("train train test", "no picture of 3 fell into val"),
        ("train val val", "1 picture of 3 f"),
    ):
        with pytest.raises(UserError, match=message):
            check_enough(np.array(split.split(), object))
