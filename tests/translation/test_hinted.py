"""Palettes that agree with hints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from app.colour import colour
from creatures.translation.colouring import Colourer
from creatures.translation.hinted import held, hint_palette, merged, palette_for
from creatures.translation.hints import none, put
from creatures.translation.regions import regions_of
from creatures.translation.unet import UNet
from tests.support.untrained import write_run

RED, GREEN, BLUE = [1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]


def palette(*colours: list[float]) -> np.ndarray:
    """Three colours of equal shares, as many of them unused as are missing."""
    rows = np.zeros((3, 4), np.float32)
    for row, rgb in zip(rows, colours, strict=False):
        row[:] = (*rgb, 1 / len(colours))
    return rows


@pytest.fixture()
def outline() -> np.ndarray:
    """Two boxes, of 14 x 14 and 8 x 8 pixels inside."""
    lines = np.full((32, 32), 255, np.uint8)
    for start, side in ((1, 16), (20, 10)):
        lines[start : start + side, start : start + side] = 0
        lines[start + 1 : start + side - 1, start + 1 : start + side - 1] = 255
    return lines


@pytest.fixture()
def hints() -> np.ndarray:
    """A red point in the large box, a blue stroke in the small one."""
    found = none(32)
    put(found, np.array([[8, 8], [8, 8]]), np.array([255, 0, 0]), 2)
    put(found, np.array([[24, 25], [26, 25]]), np.array([0, 0, 255]), 2)
    return found


def test_colours_of_hints_cover_their_regions(hints, outline):
    found = hint_palette(hints, outline, 5)
    shares = {tuple(colour): share for *colour, share in found.tolist()}
    assert set(shares) == {tuple(RED), tuple(BLUE)}
    assert shares[tuple(RED)] > 2 * shares[tuple(BLUE)] and sum(shares.values()) == pytest.approx(1)
    alone = none(32)
    put(alone, np.array([[24, 25], [26, 25]]), np.array([0, 0, 255]), 2)
    assert hint_palette(alone, outline, 5)[0, 3] == pytest.approx(shares[tuple(BLUE)])


def test_colours_take_the_place_of_the_most_similar():
    dark_red, dull = [0.5, -1.0, -1.0], [0.2, -0.5, -0.5]
    own = np.float32([[*RED, 0.5]])
    found = merged(palette(dark_red, dull, GREEN), own)
    assert found[0].tolist() == [*RED, 0.5]
    assert found[1:, :3].tolist() == palette(dull, GREEN)[:2, :3].tolist()
    assert found[1:, 3] == pytest.approx([0.25, 0.25])
    alone = merged(palette(dull), own)
    assert alone[0].tolist() == [*RED, 0.5] and not alone[1:].any()


def test_palettes_are_chosen_among_those_with_such_colours(hints, outline):
    fitting = [palette(RED, BLUE, GREEN), palette(RED, BLUE)]
    palettes = np.stack([*[palette(GREEN)] * 8, *fitting])
    rng = np.random.default_rng(0)
    found = [palette_for(hints, outline, palettes, rng) for _ in range(20)]
    assert {tuple(row[:3]) for each in found for row in each if row[3] > 0} <= {tuple(RED), tuple(BLUE), tuple(GREEN)}
    with_green = [(each[:, :3] == GREEN).all(axis=1).any() for each in found]
    assert 0 < np.mean(with_green) < 1  # neither alone, and never one of those that are only green
    assert all((each[:2, :3] != GREEN).any(axis=1).all() for each in found)


def test_regions_keep_the_colours_of_their_hints_and_their_shading(hints, outline):
    shading = np.random.default_rng(0).integers(-20, 21, (1, 32, 32))
    picture = np.clip(np.array([120, 100, 110])[:, None, None] + shading, 0, 255).astype(np.uint8)
    found = held(picture, hints, outline)
    large, small = regions_of(outline) == 1, regions_of(outline) == 2
    assert np.median(found[:, small], axis=1).tolist() == [0, 0, 255]  # as far as 0 and 255 let it
    assert np.median(found[:, large], axis=1).tolist() == [255, 0, 0]
    assert np.array_equal(found[:, ~(large | small)], picture[:, ~(large | small)])
    hints[:3, hints[3] > 0] = (np.array([150, 90, 60]) / 127.5 - 1)[:, None]
    shifted = held(picture, hints, outline).astype(int) - picture
    assert np.ptp(shifted[:, small], axis=1).max() <= 1  # one shift, so the shading is as before


def test_of_several_hints_in_a_region_the_nearer_counts_for_more(outline):
    hints = none(32)
    put(hints, np.array([[4, 8], [4, 8]]), np.array([200, 60, 60]), 2)
    put(hints, np.array([[13, 8], [13, 8]]), np.array([60, 60, 200]), 2)
    row = held(np.full((3, 32, 32), 120, np.uint8), hints, outline)[0, 8, 3:15].astype(int)
    assert (np.diff(row) <= 0).all() and row[0] > 170 and row[-1] < 90


@pytest.mark.parametrize(("seed", "given"), [(None, False), (3, False), (3, True)])
def test_the_colourer_gives_the_network_a_palette_that_agrees_and_keeps_to_hints(seed, given, outline):
    """Only in the outline that has hints, and only if it is to follow them."""
    net, seen = UNet(32, 4, 3, hints=True).eval(), []
    paint = net.paint

    def watched(*inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen.append(inputs[2].numpy().copy())
        return paint(*inputs)

    net.paint = watched
    known = palette(GREEN, [0.5, -1.0, -1.0], [-1.0, -1.0, 0.5])
    colourer = Colourer(net, "none", "mixed", torch.from_numpy(known[None]))
    palettes, lines = np.stack([known] * 2) if given else None, np.stack([outline] * 2)
    put(red := none(32), np.array([[8, 8], [8, 8]]), np.array([255, 0, 0]), 2)
    both = np.stack([red, none(32)])
    found = colourer.colour(lines, seed, palettes, both)
    large = regions_of(outline) == 1
    assert np.abs(np.median(found[0][:, large], axis=1) - [255, 0, 0]).max() <= 1
    agreeing, other = ([tuple(row[:3]) for row in each if row[3] > 0] for each in seen[-1])
    assert tuple(RED) in agreeing and tuple(RED) not in other
    assert (tuple(GREEN) in agreeing) == (seed is not None)
    plain = colourer.colour(lines, seed, palettes, both, follow=False)
    assert np.array_equal(plain[1], found[1]) and not np.array_equal(plain[0], found[0])
    assert np.array_equal(seen[-1][0], seen[-1][1])


@pytest.mark.parametrize("like", ["", "kind-1"])
@pytest.mark.parametrize("width", [1, 9])
def test_drawings_with_strokes_are_coloured_and_a_speck_is_no_hint(tmp_path, monkeypatch, like, width):
    monkeypatch.chdir(tmp_path)
    write_run(hints=True)
    page = Image.new("RGB", (200, 200), "white")
    ImageDraw.Draw(page).ellipse((30, 30, 170, 170), outline="black", width=6)
    plain = drawn(page, like)
    ImageDraw.Draw(page).rectangle((100, 100, 99 + width, 99 + width), fill=(200, 30, 40))
    assert np.array_equal(drawn(page, like), plain) == (width == 1)


def drawn(page: Image.Image, like: str) -> np.ndarray:
    """The two colourings of a drawing."""
    page.save("page.png")
    _, folder = colour([Path("page.png")], "auto", 2, 0, like, Path("out.png"))
    return np.stack([np.asarray(Image.open(folder / f"00{number}.png")) for number in (1, 2)])
