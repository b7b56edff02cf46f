"""Pictures to take away, as the command line writes them: sprites, sheets, single files in a zip."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any

import gradio as gr
import numpy as np

from app.page.limits import whole
from app.page.parts import answers
from app.pictures import Form, write_pictures
from app.sprites import Style
from creatures.runtime.errors import UserError

BACKGROUNDS = {"as painted": (False, False), "cut away": (True, False), "cut away, enclosed too": (True, True)}
MOST_COLOURS = 64  # of a sprite's palette
MOST_SCALE = 8
COLUMNS = 8  # of the sheets

# pictures, uint8 N x 3 x H x W, what is noted in the file of each, or None, and the style to write them in
Taken = tuple[np.ndarray, list[dict[str, Any]] | None, Style]


def files_box(kept: gr.State, taken: Callable[[Any, Style], Taken]) -> None:
    """Fill a closed panel with options and a button that packs pictures.

    Args:
        kept: what the tab remembers of its last pictures; None before the first.
        taken: the pictures in it, for a style that was chosen.
    """
    with gr.Accordion("Take them away as files", open=False):
        with gr.Row():
            background = gr.Radio(list(BACKGROUNDS), value="as painted", label="Background")
            colours = gr.Slider(
                0, MOST_COLOURS, 0, step=1, label="Colours of a sprite", info="0: no sprites; else hard edges"
            )
            scale = gr.Slider(1, MOST_SCALE, 1, step=1, label="Enlarged")
        button = gr.Button("Make a zip")
        packed = gr.File(label="The zip", interactive=False, elem_classes="packed")

    @answers
    def pack(kept: Any, background: Any, colours: Any, scale: Any) -> str:
        if kept is None:
            raise UserError("there are no pictures yet")
        if background not in BACKGROUNDS:
            raise UserError(f"background must be one of {', '.join(BACKGROUNDS)}")
        colours = whole(colours, 0, MOST_COLOURS, "the number of colours")
        scale = whole(scale, 1, MOST_SCALE, "the enlargement")
        transparent, holes = BACKGROUNDS[background]
        return zipped(*taken(kept, Style(transparent or colours > 0, holes, colours, scale)))

    button.click(pack, [kept, background, colours, scale], packed, api_visibility="private")


def zipped(pictures: np.ndarray, about: list[dict[str, Any]] | None, style: Style) -> str:
    """Write pictures, a sheet of them and a sprite sheet with a table of its cells to a zip; return its path."""
    columns = min(COLUMNS, len(pictures))
    form = Form(style, (columns, -(-len(pictures) // columns)))
    packed = Path(mkdtemp(dir=os.environ["GRADIO_TEMP_DIR"])) / "creatures.zip"
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_pictures(folder, pictures, form, folder / "all.png", columns, about=about)
        with zipfile.ZipFile(packed, "w") as archive:
            for path in sorted(folder.iterdir()):
                archive.write(path, path.name)
    return str(packed)
