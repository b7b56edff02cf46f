"""Sprite sheets are cut into cells, with the label of their sheet; what is no sheet stays as it is."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from creatures.runtime.errors import UserError
from stages.scrape.folder import FolderParams
from tests.stages.scrape.test_scrape import by_path, rows_of, site, written
from tests.support.pictures_zoo import FLAG_SVG, saved, svg, write

CELL = 32


def sheet_of(
    columns: int, rows: int, background: tuple[int, ...] = (0, 0, 0, 0), empty: tuple[int, ...] = ()
) -> Image.Image:
    """Discs of a colour each, none in the cells that are to be empty."""
    image = Image.new("RGBA", (columns * CELL, rows * CELL), background)
    for number in set(range(columns * rows)) - {*empty}:
        disc = Image.new("RGBA", (24, 24), (9 * number, 200, 30, 255))
        image.paste(disc, (number % columns * CELL + 4, number // columns * CELL + 4))
    return image


def cut(tmp_path, files, sheet):
    write(tmp_path / "mine", files)
    rows = by_path(rows_of(site(tmp_path / "out"), FolderParams(path=str(tmp_path / "mine"), sheet=sheet)))
    assert written(tmp_path / "out") == {path for path, row in rows.items() if row.status == "ok"}
    return rows


@pytest.mark.parametrize("sheet", ["32x32", "auto"])
@pytest.mark.parametrize("background", [(0, 0, 0, 0), (255, 255, 255, 255), (255, 0, 255, 255)])
def test_a_sheet_becomes_its_cells(tmp_path, sheet, background):
    files = {"cat/hero.png": saved(sheet_of(3, 2, background, empty=(4,)), "PNG"), "dog/1.svg": svg(FLAG_SVG)}
    rows = cut(tmp_path, files, sheet)
    cells = ["00-00", "00-01", "00-02", "01-00", "01-02"]
    assert [*rows] == [*(f"cat/hero/{cell}.png" for cell in cells), "dog/1.svg"]
    assert {row.label for path, row in rows.items() if path.startswith("cat")} == {"cat"}
    with Image.open(tmp_path / "out/files/cat/hero/01-02.png") as image:
        assert image.size == (CELL, CELL) and image.getpixel((16, 16)) == (45, 200, 30, 255)
    assert rows["cat/hero/01-02.png"].url == "folder:cat/hero.png#64,32"


def test_what_is_no_sheet_stays_whole(tmp_path):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    rows = cut(tmp_path, {"one.png": saved(noise, "PNG"), "text.png": b"text"}, "auto")
    assert [*rows] == ["one.png", "text.png"]


def test_a_sheet_that_has_no_such_cells_is_a_failed_row(tmp_path):
    files = {"a.png": saved(sheet_of(2, 1), "PNG"), "b.png": saved(Image.new("RGBA", (50, 50), "red"), "PNG")}
    rows = cut(tmp_path, files, "32x32")
    assert rows["b.png"].reason == "a sheet of 50 x 50 pixels has no cells of 32 x 32"
    assert {path for path, row in rows.items() if row.status == "ok"} == {"a/00-00.png", "a/00-01.png"}


def test_sheets_that_differ_in_their_endings_alone_keep_apart(tmp_path):
    sheet = sheet_of(2, 1)
    rows = cut(tmp_path, {"hero.png": saved(sheet, "PNG"), "hero.webp": saved(sheet, "WEBP", lossless=True)}, "32x32")
    cells = ("00-00.png", "00-01.png")
    assert {*rows} == {f"{folder}/{cell}" for folder in ("hero", "hero.webp") for cell in cells}


def test_a_source_of_which_no_cell_is_left_is_one_line(tmp_path):
    write(tmp_path / "mine", {"b.png": saved(Image.new("RGBA", (50, 50), "red"), "PNG")})
    with pytest.raises(UserError, match="sheet: 32x32 leaves no picture; of 1 files: 1 a sheet of 50 x 50 pixels has"):
        rows_of(site(tmp_path / "out"), FolderParams(path=str(tmp_path / "mine"), sheet="32x32"))


def test_cells_are_the_same_bytes_each_time(tmp_path):
    files = {"a.png": saved(sheet_of(2, 2), "PNG")}
    first, again = (cut(tmp_path / name, files, "32x32") for name in "ab")
    assert {path: row.sha256 for path, row in first.items()} == {path: row.sha256 for path, row in again.items()}
    with Image.open(io.BytesIO(files["a.png"])) as image:
        assert image.size == (64, 64)
    with pytest.raises(ValueError, match="sheet"):
        FolderParams(sheet="32")
