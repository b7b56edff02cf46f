"""Shards on a server that speaks S3 are read as those in a folder, through copies of a bounded size."""

from __future__ import annotations

import json
import os
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from pyarrow.fs import FileSelector

from creatures.data import copies as copies_module
from creatures.data.copies import CACHE, CACHE_GB
from creatures.data.pictures import open_images
from creatures.data.shards import write_shards
from creatures.runtime.errors import UserError

SPLITS = np.array(["train"] * 26 + ["val"] * 5)
LABELS = np.arange(len(SPLITS)) % 12 - 1
PER_SHARD, LENGTH = 4, 20_480  # bytes of a full shard
IMAGES = np.random.default_rng(0).integers(0, 256, (len(SPLITS), 3, 16, 16), np.uint8)
WHERE = "s3://pictures/sets/creatures/"


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(CACHE, str(tmp_path / "copies"))
    return tmp_path / "copies"


def written(folder: Path, to: str = WHERE) -> Path:
    folder.mkdir()
    write_shards(folder, SPLITS, LABELS, [IMAGES], PER_SHARD, to)
    return folder


def objects(s3) -> dict[str, bytes]:
    found = s3.get_file_info(FileSelector("pictures", recursive=True))
    return {entry.path: s3.open_input_stream(entry.path).read() for entry in found if entry.is_file}


def copies(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.suffix != ".lock"}


def test_they_are_those_of_a_folder_and_only_their_index_is_in_it(s3, cache, tmp_path):
    there, here = written(tmp_path / "there"), written(tmp_path / "here", "")
    assert [path.name for path in there.iterdir()] == ["shards.json"]
    index, plain = (json.loads((folder / "shards.json").read_text())["shardlist"] for folder in (there, here))
    stored = objects(s3)
    assert len(stored) == len(index) == len(plain) == 9
    for entry, same in zip(index, plain, strict=True):
        assert entry["url"].startswith(f"{WHERE}{Path(same['url']).stem}-") and entry["nsamples"] == same["nsamples"]
        assert stored[entry["url"].removeprefix("s3://")] == (here / same["url"]).read_bytes()
    images = open_images(there)
    assert copies(cache) == {index[0]["digest"]}  # what opening them takes
    np.testing.assert_array_equal(images[np.array([30, 2, 13, 13])], IMAGES[[30, 2, 13, 13]])
    assert copies(cache) == {index[number]["digest"] for number in (0, 3, 8)}
    np.testing.assert_array_equal(images[:], IMAGES)


def test_writing_them_again_writes_the_same_and_leaves_what_is_there(s3, cache, tmp_path, monkeypatch):
    first = (written(tmp_path / "one") / "shards.json").read_bytes()
    monkeypatch.setattr("creatures.s3.shutil.copyfileobj", None)  # nothing is sent
    assert (written(tmp_path / "two") / "shards.json").read_bytes() == first


def test_what_was_sent_in_part_is_not_left_there(s3, cache, tmp_path, monkeypatch):
    def breaks_off(source, out, length):
        out.write(source.read(1000))
        raise OSError("no route to host")

    monkeypatch.setattr("creatures.s3.shutil.copyfileobj", breaks_off)
    with pytest.raises(UserError, match=r"^cannot write s3://pictures/sets/creatures/train-0000\S+: no route to host$"):
        written(tmp_path / "there")
    assert not objects(s3)


def test_more_shards_than_the_cache_holds_are_read_and_damaged_copies_fetched_anew(s3, cache, tmp_path, monkeypatch):
    images = open_images(written(tmp_path / "there"))
    monkeypatch.setenv(CACHE_GB, str(2 * LENGTH / 1e9))
    for _ in range(2):
        np.testing.assert_array_equal(images[:], IMAGES)
        assert sum((cache / copy).stat().st_size for copy in copies(cache)) <= 2 * LENGTH
    for copy in copies(cache):
        (cache / copy).write_bytes(bytes((cache / copy).stat().st_size))
    np.testing.assert_array_equal(images[:], IMAGES)
    for copy in copies(cache):
        (cache / copy).write_bytes(b"")
    np.testing.assert_array_equal(images[:], IMAGES)


def test_copies_stay_within_the_limit_and_those_in_use_are_kept(s3, cache, tmp_path, monkeypatch):
    folder = written(tmp_path / "there")
    digests = [entry["digest"] for entry in json.loads((folder / "shards.json").read_text())["shardlist"]]
    monkeypatch.setenv(CACHE_GB, str(3 * LENGTH / 1e9))
    for name in ("holiday.jpg", "film.mp4.part"):  # of somebody who gave a folder of his own
        cache.mkdir(exist_ok=True)
        (cache / name).write_bytes(bytes(4 * LENGTH))
        os.utime(cache / name, (0, 0))
    images = open_images(folder)
    for row in (4, 0, 8, 0, 12, 0):  # the first shard is used again and again
        np.testing.assert_array_equal(images[row], IMAGES[row])
    assert copies(cache) == {digests[number] for number in (0, 2, 3)} | {"holiday.jpg", "film.mp4.part"}
    np.testing.assert_array_equal(images[4], IMAGES[4])
    for given in ("many", "inf", "-1"):
        monkeypatch.setenv(CACHE_GB, given)
        with pytest.raises(UserError, match=f"^CREATURES_SHARD_CACHE_GB is {given}: it must be a number above 0$"):
            images[16]


def test_the_next_ones_are_fetched_in_the_background(s3, cache, tmp_path, monkeypatch):
    images = open_images(written(tmp_path / "there"))
    started = []

    class AtOnce(Thread):
        def start(self):
            started.append(self)
            super().start()
            self.join()

    monkeypatch.setattr(copies_module, "Thread", AtOnce)
    images.read_ahead(np.array([0, 5, 9]))
    assert len(started) == 2  # the first shard is here
    assert len(copies(cache)) == 3


def test_what_is_gone_or_another_is_said_in_one_line(s3, cache, tmp_path):
    images = open_images(written(tmp_path / "there"))
    second, third = (images.objects[number].url for number in (1, 2))
    s3.delete_file(second.removeprefix("s3://"))
    with s3.open_output_stream(third.removeprefix("s3://")) as out:
        out.write(bytes(LENGTH))
    images.read_ahead(np.array([4]))  # not even then is a thread's error printed
    with pytest.raises(UserError, match=f"^cannot fetch {second}: .*does not exist"):
        images[4]
    with pytest.raises(UserError, match=f"^{third} is not what was written there; delete it and"):
        images[8]
    assert len(copies(cache)) == 1
    with pytest.raises(UserError, match=r"^cannot write s3://none/train-000000-\w{16}.tar: "):
        written(tmp_path / "nowhere", "s3://none")
