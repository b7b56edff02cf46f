"""The notebook, from its first cell to its last, with tiny networks."""

from __future__ import annotations

import io
from base64 import b64decode

import nbformat
from nbclient import NotebookClient
from PIL import Image

from tests.support.checkouts import environment, set_params


def test_it_trains_on_a_dozen_pictures_and_shows_new_ones(tiny_checkout_factory, monkeypatch):
    checkout = tiny_checkout_factory()
    set_params(checkout, {"gan.kimg": 0.5})  # longer than the warm-up that `start` sets for few pictures
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(checkout / "examples/quickstart.ipynb", 4)
    nbformat.validate(notebook)
    settings = notebook.cells[1]
    assert 'RECIPE = "quick"' in settings.source
    settings.source = settings.source.replace("quick", "cpu", 1)  # the parameters of tests as they are
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": checkout / "examples"}}).execute()
    text = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "12 pictures" in text and "Ran experiment" in text
    shown = [output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    pictures = [Image.open(io.BytesIO(b64decode(data["image/png"]))) for data in shown if "image/png" in data]
    assert len(pictures) == 4 and all(len(picture.convert("RGB").getcolors(1 << 20)) > 50 for picture in pictures)
    assert any("image/gif" in data for data in shown)
