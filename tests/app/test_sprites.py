"""Sprites: no trace of the background at any edge, palettes of the size asked for, sheets with tables of cells."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from app.pictures import Form, write_pictures, write_sheet
from app.sprites import Style
from creatures.decoding.matting import cut_background
from creatures.runtime.errors import UserError

BACKGROUNDS = ((0, 0, 0), (255, 0, 255), (0, 255, 0))
FINE = 8  # pixels that figures are drawn with, for one


def figure(seed: int, soft: float) -> tuple[np.ndarray, np.ndarray]:
    """A drawn figure: its colours times its opacity, float 64 x 64 x 3, and its opacity, float 64 x 64.

    Args:
        soft: standard deviation, in pixels, of a blur of its edges.
    """
    rng, side = np.random.default_rng(seed), 64 * FINE
    colours, opacity = np.zeros((side, side, 3), np.uint8), np.zeros((side, side), np.uint8)
    for _ in range(4):
        centre, axes = ([int(x) for x in rng.integers(*span, 2)] for span in ((192, 320), (40, 110)))
        colour, angle = [int(x) for x in rng.integers(0, 200, 3)], int(rng.integers(0, 180))
        for canvas, fill, line in ((colours, colour, (20, 20, 20)), (opacity, 255, 255)):
            cv2.ellipse(canvas, centre, axes, angle, 0, 360, fill, -1)
            cv2.ellipse(canvas, centre, axes, angle, 0, 360, line, 20)
    planes = [colours * (opacity[..., None] / 255.0), opacity / 255.0]
    if soft:
        planes = [cv2.GaussianBlur(plane, (0, 0), FINE * soft) for plane in planes]
    small, alpha = (cv2.resize(plane, (64, 64), interpolation=cv2.INTER_AREA) for plane in planes)
    return small, alpha


@pytest.mark.parametrize(("soft", "worst", "mean"), [(0.0, 20, 2), (0.5, 32, 5)])
@pytest.mark.parametrize("white", [(255, 255, 255), (120, 200, 250)])
def test_no_trace_of_the_ground_is_left_at_edges(soft, worst, mean, white):
    deviations = []
    for seed in range(20):
        colours, alpha = figure(seed, soft)
        drawn = (colours + np.array(white) * (1 - alpha[..., None])).round().clip(0, 255).astype(np.uint8)
        cut = cut_background(drawn, holes=True).astype(float)
        opacity = cut[..., 3:] / 255
        for background in BACKGROUNDS:
            wanted = colours + np.array(background) * (1 - alpha[..., None])
            found = cut[..., :3] * opacity + np.array(background) * (1 - opacity)
            deviations.append(np.abs(wanted - found).max(axis=2)[(alpha > 0.02) & (alpha < 0.98)])
    if white == (255, 255, 255):
        assert max(d.max() for d in deviations) <= worst
    assert np.mean([d.mean() for d in deviations]) <= mean + 2 * (white != (255, 255, 255))


def ring() -> np.ndarray:
    """A dark ring on white, uint8 3 x 64 x 64."""
    picture = np.full((64, 64, 3), 255, np.uint8)
    cv2.circle(picture, (32, 32), 20, (40, 60, 120), 6)
    return picture.transpose(2, 0, 1)


def test_enclosed_ground_stays_unless_it_is_to_go():
    inside = [np.asarray(Style(True, holes).apply(ring()))[32, 32].tolist() for holes in (False, True)]
    assert inside == [[255, 255, 255, 255], [0, 0, 0, 0]]
    assert np.asarray(Style(True).apply(ring()))[0, 0].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("colours", [2, 6, 200])
def test_a_palette_has_at_most_so_many_colours_and_edges_are_hard(tmp_path, colours):
    colours_of, alpha = figure(3, 0.5)
    drawn = (colours_of + 255 * (1 - alpha[..., None])).round().clip(0, 255).astype(np.uint8).transpose(2, 0, 1)
    Style(True, colours=colours).apply(drawn).save(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"
        pixels = np.asarray(image.convert("RGBA")).reshape(-1, 4)
    assert {*pixels[:, 3].tolist()} == {0, 255}
    assert 1 < len(np.unique(pixels[pixels[:, 3] > 0], axis=0)) <= colours


def test_a_blank_picture_has_no_palette_to_make():
    image = Style(True, colours=4).apply(np.full((3, 8, 8), 200, np.uint8))
    assert np.asarray(image.convert("RGBA"))[..., 3].max() == 0


def test_enlarged_sprites_keep_their_pixels():
    small, large = (np.asarray(Style(True, colours=3, scale=scale).apply(ring()).convert("RGBA")) for scale in (1, 3))
    np.testing.assert_array_equal(large[1::3, 1::3], small)
    assert Style(scale=2).apply(ring()).size == (128, 128)


def test_sprite_sheets_name_their_cells(tmp_path):
    images = np.stack([np.full((3, 8, 8), 30 * number, np.uint8) for number in range(7)])
    sheet = tmp_path / "grid.png"
    write_pictures(tmp_path, images, Form(cells=(2, 2)), sheet, columns=3)
    found = {}
    for page in (0, 1):
        table = json.loads((tmp_path / f"sheet-{page}.json").read_text())
        with Image.open(tmp_path / table["meta"]["image"]) as image:
            assert image.size == (16, 16) == tuple(table["meta"]["size"].values())
            for name, cell in table["frames"].items():
                x, y, w, h = cell["frame"].values()
                found[name] = image.crop((x, y, x + w, y + h)).getcolors()
    assert found == {f"{n:03}.png": [(64, (30 * n,) * 3 + (255,))] for n in range(7)}
    write_pictures(tmp_path, images[:2], Form(), sheet, columns=3)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000.png", "001.png", "grid.png"]


def test_sheets_have_their_pictures_beside_them(tmp_path):
    images = np.stack([ring()] * 3)
    sheet, folder = write_sheet(images, 2, tmp_path / "fuse.png", Form(Style(True)))
    assert folder == tmp_path / "fuse" and len(list(folder.iterdir())) == 3
    with Image.open(sheet) as image:
        assert image.mode == "RGBA" and image.getpixel((0, 0))[3] == 0


@pytest.mark.parametrize("name", ["fuse.png", "fuse/001.png"])
def test_pictures_never_replace_those_they_are_made_of(tmp_path, name):
    images = np.stack([ring()] * 3)
    write_sheet(images, 2, tmp_path / "fuse.png")
    before = (tmp_path / name).read_bytes()
    with pytest.raises(UserError, match="would be replaced: choose another --out"):
        write_sheet(images[:1] // 2, 2, tmp_path / "fuse.png", made_of=["25", str(tmp_path / name)])
    assert (tmp_path / name).read_bytes() == before and len([*(tmp_path / "fuse").iterdir()]) == 3
    write_sheet(images[:1], 2, tmp_path / "other.png", made_of=[str(tmp_path / name)])


@pytest.mark.parametrize("seed", [287, 692])
def test_edge_pixels_in_corners_are_unmixed_too(seed):
    """Where the way to the rim turns, or is reached across a corner alone."""
    colours, alpha = figure(seed, 0.0)
    drawn = (colours + 255 * (1 - alpha[..., None])).round().clip(0, 255).astype(np.uint8)
    opacity = cut_background(drawn, holes=True)[..., 3] / 255
    assert np.abs(opacity - alpha).max() < 0.2
