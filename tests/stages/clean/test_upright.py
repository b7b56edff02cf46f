"""What clean drops by cheap tests of the pixels, and what they leave alone."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from stages.clean.upright import TESTS, first_failed
from tests.stages.clean.test_clean_stage import run
from tests.stages.clean.test_unwanted import LOOSE, noise, reasons
from tests.support.drawn_creatures import Kind
from tests.support.pictures_zoo import saved


def creature(seed: int = 0, side: int = 72) -> Image.Image:
    return Kind(seed).draw(random.Random(seed), side)


def words() -> Image.Image:
    page = Image.new("RGB", (400, 300), "white")
    for line in range(12):
        ImageDraw.Draw(page).text((10, 10 + 24 * line), "it learns a new move at level thirty six", "black")
    return page


def beside(columns: int, rows: int, ground: str, lines: bool = False) -> Image.Image:
    sheet = Image.new("RGB", (90 * columns, 90 * rows), ground)
    for number in range(columns * rows):
        x, y = 90 * (number % columns), 90 * (number // columns)
        drawn = creature(number)
        sheet.paste(drawn, (x + 9, y + 9), drawn)
        if lines:
            ImageDraw.Draw(sheet).rectangle((x, y, x + 89, y + 89), None, "black", 2)
    return sheet


def framed(seed: int, side: int = 400) -> Image.Image:
    """A creature with room around it, RGBA."""
    frame, drawn = Image.new("RGBA", (side, side)), creature(seed, side * 3 // 5)
    frame.paste(drawn, (side // 5, side // 5))
    return frame


def marked(seed: int, ground: str, look: str) -> Image.Image:
    """A creature under words that are a quarter opaque."""
    mask = Image.new("L", (400, 400))
    pen = ImageDraw.Draw(mask)
    if look == "tiled":
        for line in range(8):
            for column in range(4):
                pen.text((120 * column - 60 * (line % 2), 10 + 50 * line), "do not copy", 64, font_size=18)
    else:
        pen.text((200, 200), "SAMPLES", 64, font_size=80, anchor="mm")
    picture = Image.new("RGB", (400, 400), ground)
    drawn = framed(seed)
    picture.paste(drawn, mask=drawn)
    picture.paste("black" if ground == "white" else "white", (0, 0), mask.rotate(30))
    return picture


ODD = {
    "photo": [noise(1), noise(2, 400)],
    "text": [words(), words().point(lambda level: 255 - level)],
    "collage": [beside(2, 1, "white"), beside(3, 3, "black"), beside(2, 2, "wheat", lines=True)],
    "watermark": [marked(30, "white", "tiled"), marked(31, "darkslateblue", "tiled"), marked(32, "white", "large")],
}


@pytest.mark.parametrize("name", TESTS)
def test_each_test_finds_its_kind_and_leaves_creatures_alone(name):
    for image in ODD[name]:
        assert list(TESTS)[first_failed(image.convert("RGBA"), (255, 255, 255), [name]) - 1] == name
    for seed in range(12):
        assert first_failed(creature(seed, 40 + 40 * seed), (255, 255, 255), [name]) == 0


def test_jpeg_artefacts_and_a_painted_sky_are_no_photograph():
    sky = np.linspace(90, 230, 400)[:, None, None].repeat(400, 1).repeat(3, 2).astype(np.uint8)
    scene, drawn = Image.fromarray(sky), creature(3, 400)
    scene.paste(drawn, mask=drawn)
    picture = Image.open(io.BytesIO(saved(scene, "JPEG", quality=80))).convert("RGBA")
    assert first_failed(picture, (255, 255, 255), list(TESTS)) == 0


@pytest.mark.parametrize("soft", [0, 4, 10])
def test_a_shadow_and_what_jpeg_leaves_around_a_figure_are_no_watermark(soft):
    for seed in range(4):
        picture, shade, drawn = Image.new("RGB", (400, 400), "wheat"), Image.new("L", (400, 400)), framed(seed)
        shade.paste(drawn.getchannel("A").point(lambda level: level // 3), (14, 14))
        picture.paste("black", (0, 0), shade.filter(ImageFilter.GaussianBlur(soft)))
        picture.paste(drawn, mask=drawn)
        for image in (picture, Image.open(io.BytesIO(saved(picture, "JPEG", quality=75)))):
            assert first_failed(image.convert("RGBA"), (255, 255, 255), ["watermark"]) == 0


def test_grain_on_a_plain_ground_is_no_watermark():
    for grain in (2, 5, 8):
        picture, drawn = Image.new("RGB", (400, 400), "lavender"), framed(3)
        picture.paste(drawn, mask=drawn)
        grainy = np.asarray(picture) + np.random.default_rng(0).normal(0, grain, (400, 400, 3))
        image = Image.fromarray(grainy.clip(0, 255).astype(np.uint8)).convert("RGBA")
        assert first_failed(image, (255, 255, 255), ["watermark"]) == 0


def test_a_watermark_is_found_in_a_jpeg_too():
    picture = Image.open(io.BytesIO(saved(marked(30, "white", "tiled"), "JPEG", quality=80))).convert("RGBA")
    assert first_failed(picture, (255, 255, 255), list(TESTS)) == list(TESTS).index("watermark") + 1


def test_odd_pictures_are_dropped_where_asked_each_with_its_reason_and_on_the_sheet(tmp_path, monkeypatch):
    files = {f"{name}/{i}.png": saved(image, "PNG") for name, images in ODD.items() for i, image in enumerate(images)}
    files |= {f"good/{seed}.png": saved(creature(seed), "PNG") for seed in range(12)}
    assert run(tmp_path, monkeypatch, files, LOOSE)["dropped"] == 0
    blank = Path("metrics/clean/dropped.png").read_bytes()
    drops = run(tmp_path, monkeypatch, {}, f"upright: [photo, text, watermark], {LOOSE}")["drops"]
    assert (drops["photo"], drops["text"], drops["collage"], drops["watermark"]) == (2, 2, 0, 3)
    assert reasons() == {path: path.split("/")[0] for path in files if not path.startswith(("collage", "good"))}
    assert Path("metrics/clean/dropped.png").read_bytes() != blank
