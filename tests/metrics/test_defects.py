"""Defects that are drawn, and found."""

import numpy as np
import pytest

from creatures.metrics.defects import FREQUENCIES, defects, grid, grid_power, pieces_and_holes


def paper(count=1, side=32):
    return np.full((count, 3, side, side), 255, np.uint8)


@pytest.fixture()
def real():
    """Soft discs of several sizes and places."""
    rng, (y, x) = np.random.default_rng(0), np.mgrid[:32, :32]
    centres = rng.uniform(12, 20, (20, 2))
    radii = np.stack([np.hypot(y - cy, x - cx) for cy, cx in centres])
    values = 255 - 200 / (1 + np.exp(radii - rng.uniform(5, 9, (20, 1, 1))))
    return np.repeat(values[:, None], 3, axis=1).astype(np.uint8)


@pytest.mark.parametrize("down, across", FREQUENCIES)
def test_a_mesh_of_each_frequency_is_found_whatever_the_pictures_brightness(real, down, across):
    y, x = np.mgrid[:32, :32]
    mesh = 6 * np.cos(np.pi / 2 * (down * y + across * x))
    meshed = (real.astype(float) * 0.8 + 20 + mesh).round().astype(np.uint8)
    assert grid(real, real) == pytest.approx(1)
    assert grid(meshed, real) > 10
    assert np.argmax(grid_power(meshed) / grid_power(real)) == FREQUENCIES.index((down, across))


def test_grid_power_is_the_share_of_a_pure_wave():
    wave = (128 + 100 * np.cos(np.pi * np.arange(32))).astype(np.uint8)  # rows of period 2
    image = np.broadcast_to(wave[:, None], (1, 3, 32, 32))
    assert grid_power(image) == pytest.approx([1, 0, 0, 0, 0, 0, 0, 0], abs=1e-6)


def test_pictures_of_one_colour_have_no_grid(real):
    assert grid(paper(2), real) == 0


def test_pieces_are_joined_at_corners_and_specks_do_not_count():
    image = paper()[0]
    image[:, 4:8, 4:8] = 0
    image[:, 8:12, 8:12] = 0  # touches at a corner
    image[:, 20, 20:22] = 0  # two pixels
    assert pieces_and_holes(image)[0] == 1
    image[:, 20, 22] = 0
    assert pieces_and_holes(image)[0] == 2
    image[:] = 240  # as the ground, nearly
    assert pieces_and_holes(image) == (0, 0.0)


def test_holes_are_enclosed_ground_over_ink_on_any_ground():
    image = np.full((3, 32, 32), [[[0]], [[90]], [[200]]], np.uint8)
    image[0, 4:14, 4:14] = 255  # 100 pixels
    image[0, 6:8, 6:8] = 0  # less 4
    image[0, 13, 10] = 0  # a notch in the rim: open
    assert pieces_and_holes(image) == (1, pytest.approx(4 / 95))
    image[0, 7:15, 7] = 0  # a way out
    assert pieces_and_holes(image)[1] == 0


def test_defects_are_means_over_pictures(real):
    two = paper(2)
    two[:, :, 10:20, 10:20] = 0
    two[1, :, 2:4, 2:4] = 0
    found = defects(two, real)
    assert (found["one_piece"], found["holes"]) == (0.5, 0) and found["grid"] == grid(two, real)
