"""Looking at pictures before training: what is recognised in layouts as data sets have them, and what is to be set."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from app.check import check, places
from app.start import start
from creatures.runtime.errors import UserError
from tests.stages.clean.test_clean_stage import figure
from tests.stages.scrape.test_archives import tar, zipped
from tests.support.deps import ROOT
from tests.support.pictures_zoo import saved, write

KINDS = ("cat", "dog")
FLAT = [f"{i}.png" for i in range(12)]
BY_CLASS = [f"{kind}/{i}.png" for kind in KINDS for i in range(6)]
SPLITS = ("train", "train", "train", "train", "valid", "test")
LABELLED, NOT_LABELLED = "2 labels by folder (cat, dog)", "no labels"

LAYOUTS: dict[str, tuple[list[str], dict[str, bytes], str]] = {
    "flat": (FLAT, {}, NOT_LABELLED),
    "class folders": (BY_CLASS, {}, LABELLED),
    "splits above": (
        [f"{split}/{kind}/{i}.png" for kind in KINDS for i, split in enumerate(SPLITS)],
        {},
        f"{LABELLED}; splits by folder: 8 train, 2 val, 2 test",
    ),
    "one folder": ([f"jpg/{name}" for name in FLAT], {}, "no labels (all pictures are in jpg)"),
    "one folder around": ([f"pets/{name}" for name in BY_CLASS], {}, LABELLED),
    "chunks": (
        [f"00000/img{i:08d}.png" for i in range(12)],
        {"dataset.json": json.dumps({"labels": [[f"00000/img{i:08d}.png", i % 3] for i in range(12)]}).encode()},
        "3 labels by table (0, 1, 2)",
    ),
    "chunks without a table": (
        [f"0000{i % 2}/img{i:08d}.png" for i in range(12)],
        {},
        "no labels (numbered folders are none)",
    ),
    "metadata.csv": (
        FLAT,
        {"metadata.csv": ("file_name,label\n" + "".join(f"{i}.png,{i % 2}\n" for i in range(12))).encode()},
        "2 labels by table (0, 1)",
    ),
    "metadata.jsonl": (
        [f"train/{name}" for name in FLAT],
        {"train/metadata.jsonl": "\n".join(json.dumps({"file_name": n, "text": "a cat"}) for n in FLAT).encode()},
        "no labels (all pictures are in train)",
    ),
    "captions": (FLAT, {f"{i}.txt": b"a cat" for i in range(12)}, NOT_LABELLED),
}


def files_of(name: str) -> dict[str, bytes]:
    paths, others, _ = LAYOUTS[name]
    return {path: figure(number) for number, path in enumerate(paths)} | others


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_are_recognised(tmp_path, name):
    write(tmp_path / "mine", files_of(name))
    report = check(tmp_path / "mine")
    assert report.lines[0] == f"folder: {LAYOUTS[name][2]}"
    assert report.lines[1].startswith(
        "12 pictures: 9 train, 2 val, 1 test" if "splits" not in name else "12 pictures: "
    )
    assert report.params["scrape.own"] == str(tmp_path / "mine") and report.params["gan.batch"] == 16
    assert not report.page


@pytest.mark.parametrize("pack", [zipped, tar])
def test_an_archive_is_looked_at_like_a_folder(tmp_path, pack):
    report = check(pack(tmp_path / "mine.pack", files_of("splits above")))
    assert report.lines[0] == f"archive: {LAYOUTS['splits above'][2]}"
    assert report.params["scrape.sources"] == [{"from": "archive", "path": "mine.pack"}]


def test_of_many_files_all_names_and_some_contents_are_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr("app.check.SOME", 10)
    write(
        tmp_path / "mine", {f"{kind}/{i}.png": figure(100 * n + i) for n, kind in enumerate(KINDS) for i in range(20)}
    )
    report = check(tmp_path / "mine")
    assert report.lines[:2] == [f"40 pictures: {LABELLED}", "looked at 10 files, evenly spread over all:"]
    assert any(line.startswith("10 pictures: ") for line in report.lines)


def test_what_does_not_fit_is_said_with_what_to_set(tmp_path):
    glyph = Image.new("RGBA", (40, 40))
    for number in range(6):
        glyph.paste((255, 255, 255, 255), (4, 4, 12 + 3 * number, 30))
        write(tmp_path / "mine", {f"{number}.png": saved(glyph, "PNG")})
    write(tmp_path / "mine", {"broken.png": b"no picture"})
    report = check(tmp_path / "mine", with_page=True)
    assert report.params["clean.background"] == "auto" and report.params["clean.enlarge"] == "whole"
    assert "1 dropped: 1 not a picture" in report.lines
    assert "files: 7 png" in report.lines and "backgrounds: 6 transparent" in report.lines
    assert "-S clean.background=auto" in report.text
    assert report.page.count("data:image/webp") >= 6 and "backgrounds: 6 transparent" in report.page


def test_places_that_cannot_be_used_are_one_line(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    for place, message in (("none", "there is no such folder or file"), ("empty", "no pictures there")):
        with pytest.raises(UserError, match=message) as error:
            check(tmp_path / place)
        assert "\n" not in str(error.value)
    monkeypatch.chdir(ROOT)
    with pytest.raises(UserError, match=r"params\.yaml names no pictures of this machine"):
        places()


def test_starting_changes_what_must_be_and_shows_it(tmp_path, monkeypatch, capsys):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "mine", files_of("class folders"))
    before = Path("params.yaml").read_text(encoding="utf-8")
    assert start(Path("mine"), run=False) == 0
    after, said = Path("params.yaml").read_text(encoding="utf-8"), capsys.readouterr().out
    removed, added = ({*one.splitlines()} - {*other.splitlines()} for one, other in ((before, after), (after, before)))
    assert all(f"-{line}" in said for line in removed) and all(f"+{line}" in said for line in added)
    assert len(added) <= 8 and f"  own: {tmp_path}/mine" in {re.sub(r" +#.*", "", line) for line in added}
    assert places() == [tmp_path / "mine"]
    assert start(Path("mine"), run=False) == 0
    assert "params.yaml is so already" in capsys.readouterr().out


def test_starting_with_nothing_changes_nothing(tmp_path, monkeypatch):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()
    with pytest.raises(UserError, match="no pictures there"):
        start(Path("mine"))
    assert Path("params.yaml").read_bytes() == (ROOT / "params.yaml").read_bytes()
