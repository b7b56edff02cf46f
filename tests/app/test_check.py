"""Looking at pictures before training: what is recognised in layouts as data sets have them, and what is to be set."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from app.check import check
from app.files import look_at
from app.start import write_params
from bench.browser import ALONE, CHROMIUM
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


@pytest.fixture(autouse=True)
def checkout(tmp_path, monkeypatch) -> None:
    """Parameters of their own, in the working directory."""
    (tmp_path / "checkout").mkdir()
    monkeypatch.chdir(tmp_path / "checkout")
    shutil.copy(ROOT / "params.yaml", "params.yaml")


@pytest.fixture(scope="module")
def look() -> Iterator[Callable[[str], tuple[str, int]]]:
    """A function that opens a page in a browser and returns its text and how many of its pictures are shown."""
    if not CHROMIUM:
        pytest.skip("there is no chromium")
    from playwright.sync_api import TimeoutError, sync_playwright

    shown = "[...document.images].filter(image => image.naturalWidth).length"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ALONE)

        def opened(page: str) -> tuple[str, int]:
            tab, errors = browser.new_page(), list[str]()
            tab.on("pageerror", lambda error: errors.append(str(error)))
            tab.set_content(page)
            with suppress(TimeoutError):  # they are decoded after the page is loaded
                tab.wait_for_function(f"{shown} === document.images.length", timeout=20_000)
            assert errors == []
            return tab.locator("body").inner_text(), tab.evaluate(shown)

        yield opened
        browser.close()


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_page_shows_the_report_and_every_picture(tmp_path, look, name):
    write(tmp_path / "mine", files_of(name))
    report = check(tmp_path / "mine", with_page=True)
    text, shown = look(report.page)
    assert report.lines[0] in text and shown == 12


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
    path = pack(tmp_path / "mine.pack", files_of("splits above"))
    report = check(path)
    assert report.lines[0] == f"archive: {LAYOUTS['splits above'][2]}"
    assert report.params["scrape.own"] == str(path)  # and not the folder that it lies in, which DVC would watch


def test_of_many_files_all_names_and_some_contents_are_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr("app.check.SOME", 10)
    write(
        tmp_path / "mine", {f"{kind}/{i}.png": figure(100 * n + i) for n, kind in enumerate(KINDS) for i in range(20)}
    )
    report = check(tmp_path / "mine")
    assert report.lines[:2] == [f"40 pictures: {LABELLED}", "looked at 10 of them, evenly spread:"]
    assert any(line.startswith("10 pictures: ") for line in report.lines)
    write(tmp_path / "mine", {f"{i}.txt": b"" for i in range(500)} | {"kinds/metadata.csv": b"x"})
    (tmp_path / "mine/cat/0.png").unlink()
    (tmp_path / "mine/cat/0.png").symlink_to(tmp_path / "checkout/params.yaml")
    report = check(tmp_path / "mine")
    assert report.lines[0] == f"40 pictures: {LABELLED}" and "10 pictures: " not in report.lines
    assert "folder: could not take 1: 1 link leads out of the folder" in report.lines


def test_with_a_table_folders_are_not_said_to_be_labels(tmp_path, monkeypatch):
    monkeypatch.setattr("app.check.SOME", 10)
    files = {f"{kind}/{i}.png": figure(100 * n + i) for n, kind in enumerate(KINDS) for i in range(10)}
    table = "file_name,label\n" + "".join(f"{path},{number % 3}\n" for number, path in enumerate(files))
    write(tmp_path / "mine", files | {"metadata.csv": table.encode()})
    report = check(tmp_path / "mine")
    assert report.lines[0] == "20 pictures" and report.lines[2] == "folder: 3 labels by table (0, 1, 2)"


@pytest.mark.parametrize("bad", [b"caf\xe9.png", b"nowhere.png"])
def test_names_at_which_dvc_stops_are_said_before(tmp_path, bad):
    write(tmp_path / "mine", files_of("flat"))
    path = os.path.join(os.fsencode(tmp_path / "mine"), bad)
    if bad.startswith(b"caf"):
        Path(os.fsdecode(path)).write_bytes(figure(0))
    else:
        os.symlink(b"none", path)
    with pytest.raises(
        UserError, match=r"^(caf\\udce9\.png: the name is not UTF-8|nowhere\.png is a link to nothing), and DVC"
    ):
        check(tmp_path / "mine")


def test_what_a_stage_cannot_explain_is_not_hidden(tmp_path, monkeypatch):
    write(tmp_path / "mine", files_of("flat"))
    monkeypatch.setattr("app.check.ROOT", tmp_path)  # where there are no stages
    with pytest.raises(UserError, match=r"^dvc\.yaml is missing$"):
        check(tmp_path / "mine")


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


def test_backgrounds_of_several_colours_are_said_with_what_to_set(tmp_path):
    for number, sky in enumerate(["#4080f0", "#4080f0", "#f0e0a0", "#ffffff", "#ffffff", "#ffffff"]):
        picture = Image.new("RGB", (90, 90), sky)
        picture.paste((200, 30 * number, 0), (20 + number, 20, 70, 70))
        write(tmp_path / "mine", {f"{number}.png": saved(picture, "PNG")})
    assert "to have them all on one colour, set clean.solid: replace" in check(tmp_path / "mine").lines


def test_sheets_of_sprites_are_found_and_cut(tmp_path):
    for number in range(3):
        sheet = Image.new("RGBA", (96, 64))
        for cell in range(6):
            left, top = cell % 3 * 32, cell // 3 * 32
            sheet.paste((40 * cell, 90 * number, 60, 255), (left + 4, top + 4 + cell, left + 20 + cell, top + 30))
        write(tmp_path / "mine", {f"{number}.png": saved(sheet, "PNG")})
    report = check(tmp_path / "mine")
    assert "3 look like sheets of sprites, which `sheet: auto` cuts" in report.lines
    assert report.params["scrape.sources"] == [{"from": "folder", "sheet": "auto"}]


def test_places_that_cannot_be_used_are_one_line(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    for place, message in (("none", "there is no such folder or file"), ("empty", "no pictures there")):
        with pytest.raises(UserError, match=message) as error:
            check(tmp_path / place)
        assert "\n" not in str(error.value)
    with pytest.raises(UserError, match=r"params\.yaml has pictures from elsewhere \(npm\)"):
        check()


def test_a_folder_that_holds_what_scrape_writes_is_refused():
    for place in (Path("data"), Path(), Path("data/raw/files")):
        place.mkdir(parents=True, exist_ok=True)
        with pytest.raises(UserError, match="where scrape writes"):
            check(place)


def test_failed_rows_of_an_archive_are_neither_counted_nor_opened(tmp_path, monkeypatch):
    pictures = files_of("flat")
    others = {f"notes/{n}.xml": b"<a/>" for n in range(50)} | {"../../x.png": b""}
    archive = zipped(tmp_path / "set.zip", pictures | others)
    opened: list[Path] = []
    monkeypatch.setattr("app.check.look_at", lambda paths: opened.extend(paths) or look_at(paths))
    check(archive)
    assert len(opened) == len(pictures) and all("raw/files" in path.as_posix() for path in opened)
    assert not any(".." in path.parts for path in opened)


def test_the_defaults_are_not_named_as_of_other_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr("app.check.FEW", 1)
    write_params({})
    write(tmp_path / "mine", files_of("flat"))
    assert not [line for line in check(tmp_path / "mine").lines if "params.yaml still has" in line]


def test_what_fitted_other_pictures_is_named(tmp_path):
    write_params({"clean.background": "auto"})
    write(tmp_path / "mine", files_of("flat"))
    line = "params.yaml still has clean.background: auto, which these pictures do not need"
    assert line in check(tmp_path / "mine").lines


@pytest.mark.parametrize("sources", [["folder"], {"from": "folder"}])
def test_sources_that_are_wrong_are_one_line(sources):
    write_params({"scrape.sources": sources})
    with pytest.raises(UserError, match=r"^params\.yaml: scrape\.sources\b.* is .*: .*$"):
        check()
