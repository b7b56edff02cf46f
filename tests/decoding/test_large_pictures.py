"""Pictures near the limit of pixels: one of them must not take all memory, and with it the stage or the server."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from creatures.decoding import foreground
from creatures.decoding.foreground import cut_out, smooth
from creatures.decoding.raster import MAX_PIXELS
from creatures.runtime.config import parse, read_yaml
from stages.clean.params import CleanParams
from tests.support.deps import ROOT

WHITE = (255, 255, 255)
ROOM = 1_600_000_000  # bytes of address space beside what the libraries take
DECODE = """
import resource, sys
sys.path.insert(0, {root!r})
from tests.decoding.test_large_pictures import PARAMS
from stages.clean.decode import decode_file
with open("/proc/self/statm") as file:
    used = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + {room}, used + {room}))
found = decode_file({path!r}, PARAMS, 64)
print(len(found["frame"]), found["dropped"])
"""
PARAMS = parse("clean", read_yaml(ROOT / "params.yaml")["clean"], CleanParams)


def drawn(width: int, height: int, mode: str) -> Image.Image:
    """A box on white, or on nothing."""
    image = Image.new(mode, (width, height), 0 if mode == "RGBA" else "white")
    image.paste("red", (width // 8, height // 8, width - width // 8, height - height // 8))
    return image


@pytest.mark.parametrize(
    ("name", "size", "mode"),
    [
        ("wide.png", (60_000, 600), "RGB"),
        ("tall.png", (600, 60_000), "RGBA"),
        ("square.png", (7_999, 7_999), "RGBA"),
        ("opaque.jpg", (7_999, 7_999), "RGB"),
        ("grey16.png", (7_999, 7_999), "I;16"),
        ("line.gif", (60_000, 40), "P"),
    ],
)
def test_the_largest_pictures_need_a_bounded_memory(tmp_path, name, size, mode):
    assert size[0] * size[1] <= MAX_PIXELS
    path = tmp_path / name
    if mode == "I;16":
        grey = np.full(size, 65535, np.uint16)
        grey[100:-100, 100:-100] = 9999
        Image.fromarray(grey).save(path, compress_level=1)
    else:
        options = {"compress_level": 1} if path.suffix == ".png" else {}
        drawn(*size, "RGB" if mode == "P" else mode).save(path, **options)
    code = DECODE.format(root=str(ROOT), room=ROOM, path=str(path))
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.stdout == "1 []\n", result.stderr


@pytest.mark.parametrize("size", [(3000, 300), (300, 3000), (2000, 2000), (2999, 1)])
def test_a_figure_too_long_for_a_square_looks_as_it_would_on_one(monkeypatch, size):
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 255, (4, 4, 3), np.uint8)).resize(size)
    wanted = np.asarray(smooth(picture, WHITE, 64, 0.05)).astype(int)
    monkeypatch.setattr(foreground, "MOST_PIXELS", 1_000)
    found = np.asarray(smooth(picture, WHITE, 64, 0.05)).astype(int)
    assert found.shape == wanted.shape and np.abs(found - wanted).mean() < 3


@pytest.mark.parametrize("size", [(50, 3000), (3000, 50), (37, 41)])
def test_strips_find_the_box_that_the_whole_has(monkeypatch, size):
    image = Image.new("RGB", size, "white")
    image.paste("red", (7, 11, 30, 33))
    monkeypatch.setattr(foreground, "STRIP_PIXELS", 100)
    assert cut_out(image.convert("RGBA"), WHITE, 1)[0].size == (23, 22)


def test_outlines_of_very_long_drawings_are_bounded_too():
    from app.user_images import drawing_of

    image = Image.new("RGBA", (60_000, 300), "white")
    image.paste("black", (50, 100, 59_000, 180))
    assert drawing_of(image, 64, 0.05).outline.shape == (64, 64)
