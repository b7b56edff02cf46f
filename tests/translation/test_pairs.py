"""Pairs of pictures in the layouts of pix2pix and CycleGAN."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from creatures.runtime.errors import UserError
from creatures.translation.pairs import read_pairs


def write(folder: Path, name: str, level: int, size: tuple[int, int] = (20, 20)) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (level, 0, 0)).save(path)


LAYOUTS = {
    "A and B": ["A/{n}.png", "B/{n}.jpg"],
    "splits above": ["{split}/A/{n}.png", "{split}/B/{n}.png"],
    "splits below": ["a/{split}/{n}.png", "b/{split}/{n}.png"],
    "CycleGAN's": ["{split}A/{n}.png", "{split}B/{n}.png"],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_files_of_the_same_name_are_pairs(tmp_path, layout):
    for number in range(10):
        split = "train" if number < 7 else "val" if number < 9 else "test"
        for side, pattern in enumerate(LAYOUTS[layout]):
            write(tmp_path, f"around/{pattern}".format(n=number, split=split), 20 * number + 10 * side)
    pairs = read_pairs(tmp_path, 16)
    assert np.abs(pairs.inputs[:, 0, 8, 8] - 20.0 * np.arange(10)).max() <= 2
    assert np.abs(pairs.pictures.images[:, 0, 8, 8] - 20.0 * np.arange(10) - 10).max() <= 2
    counts = [len(pairs.pictures.rows(split)) for split in ("train", "val", "test")]
    assert counts == [7, 2, 1]
    assert pairs.digest != read_pairs(tmp_path, 32).digest


def test_pictures_of_both_sides_are_cut_in_halves(tmp_path):
    for number in range(6):
        both = np.zeros((20, 40, 3), np.uint8)
        both[:, :20], both[:, 20:] = 100 + number, 200 + number
        (tmp_path / "facades").mkdir(exist_ok=True)
        Image.fromarray(both).save(tmp_path / f"facades/{number}.png")
    pairs = read_pairs(tmp_path, 16)
    assert pairs.inputs[:, 1, 8, 8].tolist() == [100, 101, 102, 103, 104, 105]
    assert pairs.pictures.images[:, 1, 8, 8].tolist() == [200, 201, 202, 203, 204, 205]


def test_a_half_that_is_there_twice_is_named(tmp_path):
    for name in ("A/1.png", "A/1.jpg", "B/1.png"):
        write(tmp_path, name, 0)
    with pytest.raises(UserError, match=r"A/1\.\w+ and A/1\.\w+ would be the same half of a pair"):
        read_pairs(tmp_path, 16)


def test_what_is_no_pair_is_named(tmp_path):
    with pytest.raises(UserError, match="there is no such folder"):
        read_pairs(tmp_path / "none", 16)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="has no pairs"):
        read_pairs(tmp_path / "empty", 16)
    write(tmp_path, "one/A/1.png", 0)
    with pytest.raises(UserError, match=r"1 of 1 pictures have no partner: one/A/1\.png|no partner: A/1\.png"):
        read_pairs(tmp_path / "one", 16)
    write(tmp_path, "flat/1.png", 0, (30, 20))
    with pytest.raises(UserError, match=r"1\.png is 30 x 20 pixels: pictures of both sides are twice as wide"):
        read_pairs(tmp_path / "flat", 16)
