"""Outlines are what pix2pix learns from: an empty or open one teaches it nothing."""

from __future__ import annotations

import numpy as np
import pytest

from creatures.runtime.config import parse
from creatures.runtime.errors import UserError
from stages.edges.params import EdgesParams
from stages.edges.trace import CHUNK, trace

AUTO = {"canny": "auto", "sketch_level": "auto", "sketch_epsilon": "auto"}


def test_files_hold_every_picture_in_order(tmp_path):
    """Row i of an outline belongs to row i of images.npy, whatever the chunks."""
    images = np.full((CHUNK + 3, 3, 16, 16), 255, np.uint8)
    levels = np.arange(len(images)) % 200
    images[:, :, 4:12, 4:12] = levels[:, None, None, None]
    np.save(tmp_path / "images.npy", images)
    shares = trace(tmp_path, tmp_path / "edges", {"first": _darkest})
    written = np.load(tmp_path / "edges/first.npy")
    assert written.dtype == np.uint8 and np.array_equal(written[:, 0, 0], levels)
    assert np.array_equal(shares["first"] > 0, levels == 0)


def _darkest(image: np.ndarray) -> np.ndarray:
    return np.full(image.shape[:2], image.min(), np.uint8)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("canny", [200, 100]),
        ("canny", [5]),
        ("canny", "on"),
        ("canny", [True, 5]),
        ("sketch_level", 256),
        ("sketch_level", True),
        ("sketch_epsilon", 0.0),
        ("sketch_epsilon", 2),
    ],
)
def test_impossible_settings_are_named(key, value):
    with pytest.raises(UserError) as error:
        parse("edges", AUTO | {key: value}, EdgesParams)
    assert f"edges.{key} is {value!r}: must be auto or" in str(error.value)


def test_fixed_settings_are_accepted():
    fixed = {"canny": [100, 200], "sketch_level": 220, "sketch_epsilon": 0.01}
    assert parse("edges", fixed, EdgesParams).model_dump() == fixed
