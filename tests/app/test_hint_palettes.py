"""Palettes that go with hints."""

from __future__ import annotations

import numpy as np
import pytest

from app.hint_palettes import hint_colours, palettes_for, with_colours
from creatures.translation.hints import none, put

RED, GREEN, BLUE = ([1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0])


def palette(*colours: list[float]) -> np.ndarray:
    """Three colours, as many of them unused as are missing."""
    rows = np.zeros((3, 4), np.float32)
    for row, colour in zip(rows, colours, strict=False):
        row[:] = (*colour, 1 / len(colours))
    return rows


@pytest.fixture()
def hints() -> np.ndarray:
    """A long stroke in red, a short one in blue."""
    found = none(32)
    put(found, np.array([[2, 4], [28, 4]]), np.array([255, 0, 0]), 3)
    put(found, np.array([[2, 20], [8, 20]]), np.array([0, 0, 255]), 3)
    return found


def test_the_colours_of_hints_come_by_size(hints):
    assert hint_colours(hints, 5).tolist() == [RED, BLUE]
    assert hint_colours(hints, 1).shape == (1, 3)


def test_each_colour_takes_the_place_of_the_nearest():
    dark_red, dull = [0.5, -1.0, -1.0], [0.2, -0.5, -0.5]
    given = palette(dark_red, dull, GREEN)
    found = with_colours(given, np.array([RED, BLUE]))
    assert found[:, :3].tolist() == [RED, BLUE, GREEN] and np.array_equal(found[:, 3], given[:, 3])
    one = with_colours(palette(dull), np.array([RED, BLUE]))
    assert one[0, :3].tolist() == RED and not one[1:].any()  # what is unused stays so


def test_palettes_are_chosen_among_those_with_such_colours(hints):
    greens, fitting = [palette(GREEN)] * 8, [palette(RED, BLUE, GREEN), palette(RED, BLUE)]
    found = palettes_for(hints, np.stack([*greens, *fitting]), 20, seed=0)
    assert np.array_equal(found, palettes_for(hints, np.stack([*greens, *fitting]), 20, seed=0))
    assert {tuple(each.ravel()) for each in found} == {tuple(each.ravel()) for each in fitting}
