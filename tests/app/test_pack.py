"""Packing: what stylegan2-ada reads, and what comes back is what went out."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from app.pack import pack
from creatures.data.pictures import open_pictures
from creatures.runtime.errors import UserError
from tests.stages.clean.test_clean_stage import figure, run
from tests.stages.scrape.test_archives import unpacked, zipped

FILES = {f"{kind}/{i}.png": figure(10 * n + i) for n, kind in enumerate(("ant", "bee", "cat")) for i in range(6)}


def test_pictures_and_labels_come_back(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch, FILES)
    pictures = open_pictures()
    path = pack("all", tmp_path / "set.zip")
    with zipfile.ZipFile(path) as packed:
        table = dict(json.loads(packed.read("dataset.json"))["labels"])
        images = [np.asarray(Image.open(io.BytesIO(packed.read(name)))).transpose(2, 0, 1) for name in table]
    np.testing.assert_array_equal(images, pictures.images[:])
    species = pictures.column("species").tolist()
    assert [*table.values()] == [sorted({*species}).index(name) for name in species]
    rows = unpacked(tmp_path / "again", path)
    assert [rows[name].label for name in table] == [str(number) for number in table.values()]
    assert pack("all", tmp_path / "twice.zip").read_bytes() == path.read_bytes()
    train = pack("train", tmp_path / "train.zip")
    assert pack("train", train) == train  # its own is replaced
    assert len(zipfile.ZipFile(train).namelist()) == len(pictures.rows("train")) + 1


def test_without_labels_the_table_is_empty(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch, {name.replace("/", ""): data for name, data in FILES.items()})
    with zipfile.ZipFile(pack("train", tmp_path / "a.zip")) as packed:
        assert json.loads(packed.read("dataset.json")) == {"labels": None}


def test_a_zip_of_the_users_is_not_replaced(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch, FILES)
    mine = zipped(tmp_path / "mine.zip", {"00000/img00000000.png": b"", "dataset.json": b"{}"})
    before = mine.read_bytes()
    with pytest.raises(UserError, match="was not written by this command"):
        pack("all", mine)
    assert mine.read_bytes() == before


def test_what_cannot_be_packed_is_one_line(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"must end in \.zip"):
        pack("train", tmp_path / "a.tar")
    with pytest.raises(UserError, match="there is no split 'dev', only train, val, test and all"):
        pack("dev", tmp_path / "a.zip")
