"""The parts of the page, without a server."""

from __future__ import annotations

import os
import shutil
import socket
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image

from app.page.colour import Painted, taken
from app.page.fuse import fuse
from app.page.limits import open_upload
from app.page.parts import label_of
from app.page.serve import delete_older, serve
from app.page.studio import Studio
from app.page.ui import build
from app.page.uploads import DRAWINGS, Paper
from app.sprites import Style
from app.user_images import Drawing
from bench.page import png
from creatures.artifacts import MODELS
from creatures.data.pictures import Pictures
from creatures.runtime.errors import UserError
from tests.support.untrained import write_run


def disc() -> np.ndarray:
    """A red disc on white, uint8, 100 x 100 x 3."""
    rows, columns = np.mgrid[-50:50, -50:50]
    return np.where((rows**2 + columns**2 < 900)[..., None], np.uint8([200, 60, 40]), np.uint8(255))


def test_only_the_newest_drawings_wait(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    paper = Paper()
    for number in range(DRAWINGS + 5):
        for kind in ("background", "composite", "layer"):
            data = {"type": kind, "id": str(number), "index": "9" * 10}
            paper.accept_blobs(SimpleNamespace(data=data, files=[("file", png(disc()))]))
    assert list(paper.waiting) == [str(number) for number in range(5, DRAWINGS + 5)]
    assert {*tmp_path.iterdir()} == {*paper.waiting.values()}  # so that they are deleted like other uploads
    drawn = paper.preprocess(SimpleNamespace(id="7"))
    assert drawn.size == (100, 100)
    assert paper.preprocess(SimpleNamespace(id="7")) is None
    paper.waiting["8"].unlink()
    with pytest.raises(gr.Error, match="no longer here"):
        paper.preprocess(SimpleNamespace(id="8"))


def test_what_was_sent_is_deleted_and_what_is_the_page_s_own_is_not(tmp_path):
    for name in ("own", "old", "new"):
        (tmp_path / name).write_bytes(b"")
        os.utime(tmp_path / name, (0, 100 if name == "new" else 10))
    for name, age in (("empty", 10), ("full", 10), ("begun", 100)):
        (tmp_path / name).mkdir()
        if name == "full":
            (tmp_path / "full/new").write_bytes(b"")
        os.utime(tmp_path / name, (0, age))
    delete_older(tmp_path, {tmp_path / "own"}, 50)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["begun", "full", "new", "own"]


def test_phone_photos_are_upright_and_a_lost_file_is_one_line(tmp_path):
    photo = Image.new("RGB", (200, 100), "red")
    exif = photo.getexif()
    exif[274] = 6
    photo.save(tmp_path / "photo.jpg", exif=exif)
    assert open_upload(tmp_path / "photo.jpg").size == (100, 200)
    with pytest.raises(UserError, match="no longer here"):
        open_upload(tmp_path / "gone.png")


def test_a_tab_whose_models_are_missing_says_so_and_the_page_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = [block.value for block in build(Studio()).blocks.values() if type(block).__name__ == "Markdown"]
    assert texts[1:] == [
        "Not there yet: models/gan.safetensors is missing; run the stages before this one (dvc repro).",
        "Not there yet: models/gan.safetensors is missing; run the stages before this one (dvc repro).",
        "Not there yet: models/pix2pix.safetensors is missing; run the stages before this one (dvc repro).",
    ]


def test_the_page_works_with_released_networks_before_there_are_pictures(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_run()
    released = MODELS / "released"
    released.mkdir()
    for path in [path for path in MODELS.iterdir() if path.is_file()]:
        path.rename(released / path.name)
    shutil.rmtree("data")
    studio = Studio()
    page = build(studio)
    assert [b.value for b in page.blocks.values() if isinstance(b, gr.Markdown) and "Not there" in str(b.value)] == []
    shown = {b.label for b in page.blocks.values() if getattr(b, "visible", False) and getattr(b, "label", None)}
    assert {"How many", "First: a picture of your own", "Several colourings"} <= shown
    assert not {"First species", "In the colours of", "The real pictures nearest to it"} & shown
    picture = Image.fromarray(disc()).convert("RGBA")
    way, _ = studio.fuse(picture, picture.crop((20, 20, 70, 70)), 3)
    assert len(way) == 3 and len(studio.hatch(4, 0, 0.8)[0]) == 4
    with pytest.raises(UserError, match="or upload a picture"):
        label_of(studio, None)


def test_a_creature_that_is_steered_has_neither_address_nor_animation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_run()
    page = build(studio := Studio())
    steer = next(function for function in page.fns.values() if function.name == "steer")
    assert [box.elem_id for box in steer.outputs] == ["chosen", "about", "loop"]
    assert steer.fn(studio.hatch(1, 0, 0.8)[1][0], 1.0)[1:] == ("Changed by hand", "")


def test_files_of_colourings_have_the_size_that_was_chosen():
    outline = np.full((16, 16), 255, np.uint8)
    painted = Painted(Drawing(outline), np.zeros((2, 3, 16, 16), np.uint8), ink=False)
    sizes = {
        style: taken(painted, style)[0].shape[-1] for style in (Style(), Style(scale=4), Style(colours=8, scale=4))
    }
    assert sizes == {Style(): 16, Style(scale=4): 64, Style(colours=8, scale=4): 16}
    assert [taken(painted, style)[2].scale for style in sizes] == [1, 1, 4]


def test_pictures_without_labels_have_neighbours_and_a_page():
    studio, images = Studio(), np.stack([disc().transpose(2, 0, 1)] * 6)
    index = pa.table({"species": [""] * 6, "split": ["train"] * 6, "style": [""] * 6})
    studio.__dict__ |= {"pictures": Pictures(images, index), "names": {}, "embeddings": np.eye(6)}
    studio.encoder = lambda x: torch.zeros(1, 6)
    assert len(studio.nearest(images[0])[0]) == 4
    with gr.Blocks():
        fuse(studio)


@pytest.mark.parametrize("host", ["127.0.0.1", "192.0.2.1"])
def test_an_address_that_cannot_be_listened_on_is_said_at_once(host):
    with socket.create_server(("127.0.0.1", 0)) as busy, pytest.raises(UserError, match="cannot listen on"):
        serve(host, busy.getsockname()[1])
