"""Pictures in shards are those that went in, and are read in the same batches whoever reads."""

from __future__ import annotations

import io
import json
import re
import tarfile
from itertools import pairwise

import numpy as np
import pytest

from creatures.data.pictures import open_images
from creatures.data.shards import Shards, write_shards
from creatures.runtime.errors import UserError
from creatures.training import batches as batches_module
from creatures.training.batches import Batches
from creatures.training.distributed import shard
from stages.clean.pack import labels_of, shard_order
from tests.training.test_distributed import two

PER_SHARD, PX = 4, 16
SPLITS = np.array(["train"] * 26 + ["val"] * 5 + ["test"] * 2)
LABELS = np.arange(len(SPLITS)) % 12 - 1


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (len(SPLITS), 3, PX, PX), np.uint8)


@pytest.fixture
def shards(images, tmp_path) -> Shards:
    write_shards(tmp_path, SPLITS, LABELS, np.array_split(images, 5), PER_SHARD)
    found = open_images(tmp_path)
    assert isinstance(found, Shards)
    return found


def test_any_picture_is_the_one_that_went_in(images, shards):
    assert shards.shape == images.shape and len(shards) == len(images)
    for rows in (0, -1, 25, np.int64(26), slice(3, 9), slice(None), np.array([32, 0, 5, 5, 27]), np.array([], int)):
        np.testing.assert_array_equal(shards[rows], images[rows])
    np.testing.assert_array_equal(np.stack([*shards]), images)


def test_they_are_shards_as_webdataset_has_them(images, shards, tmp_path):
    """Whole samples side by side, keys in order, no split with another in a file, and wids's index of them."""
    index = json.loads((tmp_path / "shards.json").read_text())
    assert index["wids_version"] == 1
    told = [(shard["url"], shard["nsamples"]) for shard in index["shardlist"]]
    train = [(f"train-{number:06d}.tar", PER_SHARD) for number in range(6)] + [("train-000006.tar", 2)]
    assert told == [*train, ("val-000000.tar", 4), ("val-000001.tar", 1), ("test-000000.tar", 2)]
    number = 0
    for name, count in told:
        with tarfile.open(tmp_path / name) as tar:
            members = tar.getmembers()
            assert len(members) == 2 * count
            for picture, label in zip(members[::2], members[1::2], strict=True):
                assert (picture.name, label.name) == (f"{number:09d}.npy", f"{number:09d}.cls")
                np.testing.assert_array_equal(np.load(io.BytesIO(tar.extractfile(picture).read())), images[number])
                assert int(tar.extractfile(label).read()) == LABELS[number]
                number += 1


def test_the_same_pictures_are_the_same_bytes(images, shards, tmp_path):
    again = tmp_path / "again"
    again.mkdir()
    write_shards(again, SPLITS, LABELS, [images], PER_SHARD)
    for path in again.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


def test_a_shard_that_is_damaged_or_gone_is_named(shards, tmp_path):
    path = tmp_path / "train-000001.tar"
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UserError, match=rf"{re.escape(str(path))} is damaged at its picture 2"):
        shards[np.arange(8)]
    path.unlink()
    with pytest.raises(UserError, match=re.escape(str(path))):
        shards[5]
    with pytest.raises(IndexError):
        shards[len(shards)]


def test_rows_in_shards_are_split_by_split_and_at_random():
    random = np.random.default_rng(1)
    split = random.choice(["test", "train", "val"], 300).astype(object)
    digests = random.integers(0, 256, (300, 32), np.uint8).view("S32").ravel()
    order = shard_order(split, digests)
    assert sorted(order) == list(range(300))
    assert list(dict.fromkeys(split[order])) == ["train", "val", "test"]
    assert abs(np.corrcoef(np.arange(300), order)[0, 1]) < 0.2
    assert labels_of(np.array(["b", "", "a", "b"], object)).tolist() == [1, -1, 0, 1]


@pytest.mark.parametrize("sharded", [False, True])
def test_every_epoch_shows_every_picture_once_in_another_order(shards, monkeypatch, sharded):
    monkeypatch.setattr(batches_module, "WINDOW", 2)
    rows = np.arange(1, 24)
    batches = Batches(rows, 4, 1, shards if sharded else None)
    seen = np.concatenate([batches[step] for step in range(12)])
    assert sorted(seen[:23]) == sorted(seen[23:46]) == list(rows)
    assert list(seen[:23]) != list(seen[23:46])
    assert np.array_equal(Batches(rows, 4, 1, shards if sharded else None)[7], seen[28:32])


def test_shards_are_read_a_few_at_a_time_and_the_next_ones_ahead(shards, monkeypatch):
    monkeypatch.setattr(batches_module, "WINDOW", 2)
    ahead: list[int] = []
    monkeypatch.setattr(Shards, "read_ahead", lambda self, rows: ahead.extend(self.shard_of(rows).tolist()))
    batches = Batches(np.arange(24), 8, 0, shards)  # six shards of four: a window a batch
    opened, asked = [], []
    for step in range(4):
        opened.append({*shards.shard_of(batches[step]).tolist()})
        asked.append({*ahead})
        ahead.clear()
        assert list(batches[step]) != sorted(batches[step])
    assert [len(of_batch) for of_batch in opened] == [2, 2, 2, 2] and set.union(*opened[:3]) == set(range(6))
    assert asked[:3] == [now | after for now, after in pairwise(opened)]


def test_all_of_a_shard_is_read_ahead_and_a_lost_one_passed_over(shards, monkeypatch):
    """In pieces: Linux reads but the first megabyte or so of what one call asks for."""
    pieces: list[tuple[int, int]] = []
    monkeypatch.setattr("os.posix_fadvise", lambda file, start, length, advice: pieces.append((start, length)))
    monkeypatch.setattr("creatures.data.records.PIECE", 1000)
    shards.read_ahead(np.array([5]))
    size = shards.files[1].path.stat().st_size
    assert pieces == [(start, 1000) for start in range(0, size, 1000)]
    shards.files[1].path.unlink()
    shards.read_ahead(np.array([5]))


@pytest.mark.parametrize(
    ("name", "data"),
    [("train-000000.tar", b""), ("train-000000.tar", bytes(9000)), ("shards.json", b""), ("shards.json", b"{}")],
)
def test_a_set_whose_beginning_is_damaged_is_one_line(shards, tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError, match=rf"{name} is damaged, .*; run dvc checkout or dvc repro"):
        open_images(tmp_path)


def test_readers_share_the_batches_of_one(images, shards, monkeypatch):
    rows = np.arange(26)
    whole = [Batches(rows, 8, 3, shards)[step] for step in range(7)]
    parts = []
    for rank in range(2):
        two(monkeypatch, rank)
        batches = Batches(rows, 8, 3, shards)  # as a process that goes on from step 2 has them
        parts.append([shard(batches[step]) for step in range(2, 7)])
    for chosen, first, second in zip(whole[2:], *parts, strict=True):
        np.testing.assert_array_equal(np.stack([first, second], 1).ravel(), chosen)
        np.testing.assert_array_equal(shards[first], images[chosen[::2]])
