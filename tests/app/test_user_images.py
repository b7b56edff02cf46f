"""Drawings of one's own become outlines such as the network knows."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from app.user_hints import with_hints
from app.user_images import drawing_of, is_bare, is_thin, strokes, thickness
from creatures.decoding.svg import render
from creatures.runtime.errors import UserError
from creatures.translation.drawings import svg
from stages.pix2pix.score import agreement

MARGIN = 0.05


def drawing(px: int, width: float, name: str = "blob") -> Image.Image:
    """One of the project's drawings on white, RGBA, with lines of another width (of 64)."""
    text = svg(name, width)
    drawn = render(text.encode(), px)
    return Image.alpha_composite(Image.new("RGBA", drawn.size, "white"), drawn)


def near(found: np.ndarray, wanted: np.ndarray) -> float:
    """How well outlines agree, 0 to 1."""
    return agreement(np.repeat(found[None], 3, axis=0), wanted)


@pytest.mark.parametrize("width", [0.5, 1.5, 3.0])
@pytest.mark.parametrize("px", [64, 300, 1500])
@pytest.mark.parametrize("name", ["blob", "fox"])
def test_lines_of_any_width_and_size_come_out_as_outlines_do(px, width, name):
    found = drawing_of(drawing(px, width, name), 64, MARGIN).outline
    assert set(np.unique(found)) == {0, 255}
    assert 1 <= thickness(255 - found) <= 3
    assert near(found, drawing_of(drawing(512, 1.5, name), 64, MARGIN).outline) > 0.75
    assert (found[:2] == 255).all() and (found[:, -2:] == 255).all()  # the margin is left free


def test_chalk_on_a_board_a_transparent_sheet_and_a_shadow_are_the_same_drawing():
    drawn = drawing(400, 1.5)
    wanted = drawing_of(drawn, 64, MARGIN).outline
    board = ImageOps.invert(drawn.convert("RGB")).convert("RGBA")
    clear = Image.new("RGBA", drawn.size)
    clear.putalpha(ImageOps.invert(drawn.convert("L")))
    shade = np.linspace(255, 150, 400)[None, :, None].repeat(400, 0)
    shadow = Image.fromarray((np.asarray(drawn.convert("RGB")) * (shade / 255)).astype(np.uint8)).convert("RGBA")
    for other in (board, clear):
        assert near(drawing_of(other, 64, MARGIN).outline, wanted) > 0.95
    assert near(drawing_of(shadow, 64, 0.0, "drawing").outline, drawing_of(drawn, 64, 0.0, "drawing").outline) > 0.9


def test_lines_along_the_edges_of_a_drawing_are_lines():
    box = Image.new("RGBA", (300, 300), "white")
    ImageDraw.Draw(box).rectangle((60, 60, 240, 240), None, "black", 12)
    drawn = drawing_of(box, 64, MARGIN).outline == 0
    assert drawn[:, 20:44].any(1).nonzero()[0][[0, -1]].tolist() == [4, 59]  # 5 % of 64 is 3.2 px
    assert drawn[20:44].any(0).nonzero()[0][[0, -1]].tolist() == [4, 59]  # 5 % of 64 is 3.2 px
    assert drawn.any(1).sum() == drawn.any(0).sum() == 56


def test_a_picture_is_no_drawing_and_gets_its_edges_found():
    image = Image.new("RGBA", (200, 200), "white")
    ImageDraw.Draw(image).ellipse((40, 40, 160, 160), "orange", "black", 4)
    ImageDraw.Draw(image).ellipse((70, 80, 90, 100), "black")
    figure = image.crop((40, 40, 161, 161)).convert("RGB")
    assert is_thin(strokes(figure)) and not is_bare(figure, strokes(figure))
    found = drawing_of(image, 64, MARGIN).outline
    assert 0.02 < (found == 0).mean() < 0.3
    assert np.array_equal(found, drawing_of(image, 64, MARGIN, "picture").outline)


def test_a_yellow_pen_draws_too_and_a_white_one_on_nothing():
    yellow = Image.new("RGBA", (100, 100), "white")
    ImageDraw.Draw(yellow).ellipse((20, 20, 80, 80), None, "yellow", 3)
    assert (drawing_of(yellow, 64, MARGIN, "drawing").outline == 0).any()
    white = Image.new("RGBA", (100, 100))
    ImageDraw.Draw(white).ellipse((20, 20, 80, 80), None, "white", 3)
    black = Image.new("RGBA", (100, 100))
    ImageDraw.Draw(black).ellipse((20, 20, 80, 80), None, "black", 3)
    np.testing.assert_array_equal(drawing_of(white, 64, MARGIN).outline, drawing_of(black, 64, MARGIN).outline)


@pytest.mark.parametrize("colour", ["white", "black", "#00000000"])
def test_an_empty_sheet_is_refused(colour):
    with pytest.raises(UserError, match="nothing to colour"):
        drawing_of(Image.new("RGBA", (100, 80), colour), 64, MARGIN)


def test_coloured_strokes_in_a_drawing_are_hints_where_they_are_and_black_ones_lines():
    sheet = Image.new("RGBA", (400, 400), "white")
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((50, 100, 350, 250), None, "black", 8)
    pen.line((200, 100, 200, 250), "black", 8)
    bare = sheet.copy()
    pen.line((250, 170, 320, 170), (40, 90, 220), 16)
    found = with_hints(sheet, 64, MARGIN, "auto")
    assert found is not None
    outline, hints = found.outline, found.hints
    assert hints is not None
    assert np.array_equal(outline, drawing_of(bare, 64, MARGIN).outline)
    rows, columns = np.nonzero(hints[3])
    middle = 32 + (np.array([170, 285]) - (175, 200)) * 64 * (1 - 2 * MARGIN) / 304  # the drawing is 304 wide
    assert np.abs(np.array([rows.mean(), columns.mean()]) - middle).max() < 1
    assert 30 < len(rows) < 60 and set(outline[rows, columns]) == {255}
    assert np.abs((hints[:3, rows, columns] + 1) * 127.5 - np.reshape((40, 90, 220), (3, 1))).max() <= 1.5


@pytest.mark.parametrize(("side", "width"), [(200, 1), (1000, 2), (1000, 8)])
def test_thin_coloured_strokes_are_hints_too(side, width):
    sheet = Image.new("RGBA", (side, side), "white")
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((side // 8, side // 4, side * 7 // 8, side * 3 // 4), None, "black", 8)
    pen.line((side // 4, side // 2, side // 2, side // 2), "red", width)
    found = with_hints(sheet, 64, MARGIN, "auto")
    assert found is not None and found.hints is not None
    rows, columns = np.nonzero(found.hints[3])
    assert 15 < np.ptp(columns) < 23 and np.ptp(rows) <= 3  # a third of 57.6 pixels long
    assert np.abs((found.hints[:3, rows, columns] + 1) * 127.5 - np.reshape((255, 0, 0), (3, 1))).max() <= 1


def test_a_small_picture_on_a_large_sheet_and_one_with_pale_colours_have_no_hints():
    picture = Image.new("RGBA", (400, 400), "white")
    ImageDraw.Draw(picture).ellipse((150, 150, 250, 250), "orange", "black", 4)
    assert with_hints(picture, 64, MARGIN, "auto") is None
    pale = Image.new("RGBA", (400, 400), "white")
    ImageDraw.Draw(pale).ellipse((50, 50, 350, 350), (200, 170, 165), "black", 8)
    ImageDraw.Draw(pale).ellipse((150, 150, 190, 190), "red", "black", 8)
    assert with_hints(pale, 64, MARGIN, "auto") is None
    assert with_hints(picture, 64, MARGIN, "drawing") is not None


def test_a_coloured_pen_alone_and_a_picture_have_no_hints():
    blue = Image.new("RGBA", (100, 100), "white")
    ImageDraw.Draw(blue).ellipse((20, 20, 80, 80), None, "blue", 3)
    picture = Image.new("RGBA", (200, 200), "white")
    ImageDraw.Draw(picture).ellipse((20, 20, 180, 180), "orange", "black", 4)
    assert with_hints(blue, 64, MARGIN, "auto") is None
    assert with_hints(picture, 64, MARGIN, "auto") is None
    assert with_hints(picture, 64, MARGIN, "drawing") is not None


def test_ink_has_the_drawing_s_own_lines_at_any_size_and_edges_of_a_picture_have_none():
    drawn = drawing_of(drawing(400, 1.5), 64, MARGIN)
    ink = drawn.ink(256)
    assert ink is not None and ink.shape == (256, 256) and 0 < ((ink > 0.1) & (ink < 0.9)).mean() < 0.05
    small = np.where(ink.reshape(64, 4, 64, 4).mean((1, 3)) > 0.4, np.uint8(0), np.uint8(255))
    assert near(small, drawn.outline) > 0.95
    picture = Image.new("RGBA", (200, 200), "white")
    ImageDraw.Draw(picture).ellipse((40, 40, 160, 160), "orange", "black", 4)
    assert drawing_of(picture, 64, MARGIN).ink(256) is None
