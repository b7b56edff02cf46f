"""Labels beside pictures in archives: of the same name, wherever in the archive they lie."""

from __future__ import annotations

import json
import zipfile

import pytest

from creatures.runtime.errors import UserError
from stages.scrape import sidecar_labels
from tests.stages.scrape.test_archives import KINDS, PICTURE, lock, tar, unpacked, zipped
from tests.stages.scrape.test_scrape import written


def test_webdataset_shards_are_labelled_by_what_lies_beside_their_pictures(tmp_path):
    tar(tmp_path / "s-000.tar", {"000.cls": b"7\n", "000.png": PICTURE, "001.jpg": PICTURE, "001.CLS": b"mew\nx"})
    sample = {"train/a.png": PICTURE, "train/a.json": json.dumps({"label": "eevee", "kind": 3}).encode()}
    tar(
        tmp_path / "s-001.tar",
        sample | {"train/b.png": PICTURE, "train/b.json": b"[]", "000.png": PICTURE, "000.txt": b"a caption"},
    )
    rows = unpacked(tmp_path, tmp_path / "s-{000..001}.tar")
    assert {path: row.label for path, row in rows.items()} == {
        "s-000/000.png": "7",
        "s-000/001.jpg": "mew",
        "s-001/train/a.png": "eevee",
        "s-001/train/b.png": "",
        "s-001/000.png": "",
    }
    assert written(tmp_path / "out") == set(rows)
    assert unpacked(tmp_path / "2", tmp_path / "s-001.tar", key="kind")["train/a.png"].label == "3"


def test_labels_belong_to_the_picture_of_their_name_wherever_they_lie(tmp_path):
    files = {f"{kind}/{name}.png": PICTURE for kind in "ab" for name in ("0", "img.0", "img.1", "bare")}
    wanted = {path: path[0] for path in files}
    files |= {"a/0.cls": b"mew", "b/0.cls": b"eevee"}
    files |= {"a/img.0.cls": b"ditto", "a/img.1.CLS": b"muk", "b/img.1.cls": b"7"}
    wanted |= {"a/0.png": "mew", "b/0.png": "eevee", "a/img.0.png": "ditto", "a/img.1.png": "muk", "b/img.1.png": "7"}
    files |= {"left.a.jpg": PICTURE, "left.cls": b"3", "x.png": PICTURE, "x.png.json": b'{"label": 5}'}
    files |= {"y.png": PICTURE, "y.txt": b"a caption", "y.json": b'{"label": null}', "a/bare.txt": b"a caption"}
    wanted |= {"left.a.jpg": "3", "x.png": "5", "y.png": ""}
    for number, order in enumerate((files, dict(reversed(files.items())), dict(sorted(files.items())))):
        for kind in ("a.tar.zst", "a.zip"):
            rows = unpacked(tmp_path / f"{number}{kind}", KINDS[kind](tmp_path / kind, order))
            assert {path: row.label for path, row in rows.items()} == wanted


def test_a_long_file_is_no_label_and_too_many_end_the_stage(tmp_path, monkeypatch):
    monkeypatch.setattr(sidecar_labels, "MAX_LABEL", 50)
    files = {"a/1.png": PICTURE, "a/1.json": b"[" * 51, "b/2.png": PICTURE, "b/2.cls": b"mew"}
    path = zipped(tmp_path / "a.zip", files)
    rows = unpacked(tmp_path, path)
    assert {name: (row.label, row.reason) for name, row in rows.items()} == {
        "a/1.png": ("a", ""),
        "a/1.json": ("", "not a picture"),
        "b/2.png": ("mew", ""),
    }
    monkeypatch.setattr(sidecar_labels, "MAX_LABEL", 1 << 16)
    deep = zipped(tmp_path / "deep.zip", {"a/1.png": PICTURE, "a/1.json": b"[" * 50_000, "b/1.png": PICTURE})
    assert unpacked(tmp_path / "2", deep)["a/1.png"].label == "a"
    monkeypatch.setattr(sidecar_labels, "MAX_LABELS", 9)
    with pytest.raises(UserError, match="more labels than fit in memory"):
        unpacked(tmp_path / "3", path)


def test_a_locked_label_is_one_line(tmp_path):
    path = zipped(tmp_path / "a.zip", {"1.png": PICTURE})
    with zipfile.ZipFile(path, "a") as out:
        lock(out, "1.cls")
    with pytest.raises(UserError, match=r"cannot unpack .*a\.zip: the label 1\.cls: .*encrypted") as error:
        unpacked(tmp_path, path)
    assert "\n" not in str(error.value)
