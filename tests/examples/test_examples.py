"""The examples, as they are written."""

from __future__ import annotations

import random
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from app.user_hints import with_hints
from creatures.translation.pairs import read_pairs
from tests.support.checkouts import environment
from tests.support.deps import ROOT
from tests.support.drawn_creatures import Kind


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve creatures as PNG."""
    out = tmp_path_factory.mktemp("pictures")
    for number in range(12):
        page = Image.new("RGBA", (64, 64), "white")
        page.alpha_composite(Kind(number % 3).draw(random.Random(number), 64))
        page.save(out / f"{number}.png")
    return out


def run(name: str, *arguments: object) -> str:
    command = [sys.executable, f"examples/{name}.py", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=environment() | {"PYTHONPATH": "."}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_released_networks_draw(tmp_path):
    run("draw", tmp_path / "sheet.png")
    assert Image.open(tmp_path / "sheet.png").size == (530, 530)


def test_a_gan_trains_on_a_folder(folder, tmp_path):
    said = run("train_gan", folder, tmp_path / "sheet.png", 2)
    assert said.startswith("0 {'loss_d'") and Image.open(tmp_path / "sheet.png").size == (530, 530)


def test_a_folder_is_at_no_distance_from_itself(folder):
    said = run("score", folder, folder)
    assert "'precision': 1.0, 'recall': 1.0" in said and "'grid': 1.0" in said


def test_pairs_are_drawn_that_pix2pix_reads(tmp_path):
    run("draw_pairs", tmp_path / "balls", 8)
    pairs = read_pairs(tmp_path / "balls", 32)
    assert pairs.inputs.shape == pairs.pictures.images.shape == (8, 3, 32, 32)
    assert not np.array_equal(pairs.inputs, pairs.pictures.images)


def test_drawings_with_strokes_have_hints(tmp_path):
    run("draw_strokes", tmp_path / "drawn")
    for path in sorted((tmp_path / "drawn").iterdir()):
        found = with_hints(Image.open(path).convert("RGBA"), 64, 0.05, "auto")
        assert found is not None and 3 <= cv2.connectedComponents(found.hints[3].astype(np.uint8))[0] - 1 <= 7
    assert found is not None and path.stem == "fox"
