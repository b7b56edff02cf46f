"""The tab to draw on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from app.colour import finished
from app.page.files import Taken, files_box
from app.page.limits import MOST_SEED, whole
from app.page.parts import LARGE_PX, QUICK, SMALL_PX, answers, label_of, picture_box, seed_box, shown
from app.page.studio import Studio
from app.page.uploads import Paper, opened
from app.sprites import Style
from app.user_images import Drawing
from creatures.runtime.errors import UserError
from creatures.translation.drawings import drawings
from creatures.translation.hints import over
from creatures.translation.palette import palette_of

HINTS = ("#d03030", "#f08a24", "#f5d547", "#4caf50", "#2f7fd8", "#8e4ec6", "#f19ab4", "#8a5a33")  # colours of pens
PEN = 8  # pixels
CANVAS = 512
FRAME = 60  # of the editor around it
# run when the tab is opened: the editor needs the pen to be selected first
TAKE_PEN = """() => {
    const timer = setInterval(() => {
        const pen = document.querySelector("#paper button[aria-label=Brush]");
        if (pen) { pen.click(); clearInterval(timer); }
    }, 100);
}"""
SEVERAL = 8  # colourings at a time
ANY = "any, by the seed"


def colour(studio: Studio) -> None:
    """Fill the tab: a sheet of paper whose drawing is coloured after every stroke."""
    examples = [Image.fromarray(drawing).resize((CANVAS, CANVAS)) for drawing in drawings(CANVAS)]
    if studio.colourer.net.hints:
        gr.Markdown("Black strokes are lines; coloured ones say which colour goes where.")
    with gr.Row():
        paper = paper_box(studio.colourer.net.hints)
        with gr.Column():
            coloured = picture_box("Coloured", height=LARGE_PX, elem_id="coloured")
            lines = picture_box("What the network sees", height=SMALL_PX)
    with gr.Row():
        like = gr.Dropdown(
            [ANY, *studio.species],
            value=ANY,
            label="In the colours of",
            filterable=True,
            allow_custom_value=True,
            visible=bool(studio.species),
        )
        seed = seed_box()
        ink = gr.Checkbox(True, label="Lines on top", info="Of drawings")
    with gr.Row():
        load = gr.UploadButton("Load a drawing, picture or photo", file_types=["image"])
        button = gr.Button("Several colourings", variant="primary")
    several = gr.Gallery(
        label="Several colourings",
        columns=SEVERAL,
        height=LARGE_PX,
        object_fit="contain",
        allow_preview=False,
        format="png",
        elem_id="several",
    )
    painted = gr.State(None)
    files_box(painted, taken)
    begin = examples_gallery(examples)

    def colourings(sheet: Any, like: Any, seed: Any, ink: Any, count: int) -> Painted:
        if sheet is None:
            raise UserError("draw something first")
        drawing, species = studio.drawing(sheet), "" if like == ANY else label_of(studio, like)
        seed = whole(seed, 0, MOST_SEED, "the seed")
        return Painted(drawing, studio.colour(drawing, count, seed, species), ink is True)

    @answers
    def paint(sheet: Any, like: Any, seed: Any, ink: Any) -> Any:
        if sheet is None or is_blank(sheet):
            return None, None
        painted = colourings(sheet, like, seed, ink, 1)
        outline, (picture,) = over(painted.drawing.outline, painted.drawing.hints), painted.at(LARGE_PX)
        lines = Image.fromarray(outline.transpose(1, 2, 0)).resize((SMALL_PX, SMALL_PX), Image.Resampling.NEAREST)
        return Image.fromarray(picture.transpose(1, 2, 0)), lines

    @answers
    def paint_several(sheet: Any, like: Any, seed: Any, ink: Any) -> Any:
        painted = colourings(sheet, like, seed, ink, SEVERAL)
        return shown(painted.at(LARGE_PX)), painted

    @answers
    def take(event: gr.SelectData) -> Image.Image:
        if not 0 <= event.index < len(examples):
            raise UserError("there is no such drawing")
        return examples[event.index]

    @answers
    def put(path: str) -> Image.Image:
        sheet, image = Image.new("RGBA", (CANVAS, CANVAS), "white"), opened(path)
        image.thumbnail(sheet.size)
        sheet.alpha_composite(image, ((CANVAS - image.width) // 2, (CANVAS - image.height) // 2))
        return sheet.convert("RGB")

    @answers
    def take_pens(like: Any) -> Any:
        """Give the pens the colours of a species."""
        own = [] if like == ANY else colours_of(studio.picture(label_of(studio, like)))
        return gr.update(brush=pens(own or HINTS))

    if studio.colourer.net.hints:
        like.change(take_pens, like, paper, api_visibility="private", show_progress="hidden")
    inputs = [paper, like, seed, ink]
    outputs, quick = [coloured, lines], {"show_progress": "hidden", "concurrency_id": QUICK}
    changed = [paper.change, like.change, seed.change, ink.change]
    gr.on(changed, paint, inputs, outputs, api_name="colour", trigger_mode="always_last", **quick)
    button.click(paint_several, inputs, [several, painted], api_name="colourings")
    for placed in (
        load.upload(put, load, paper, api_visibility="private"),
        begin.select(take, None, paper, api_visibility="private", trigger_mode="multiple"),
    ):  # only strokes make the editor report a change
        placed.success(paint, inputs, outputs, api_visibility="private", **quick)


@dataclass(frozen=True)
class Painted:
    """A drawing and its colourings.

    Attributes:
        pictures: uint8 N x 3 x H x W, as the network painted them.
        ink: whether the drawing's lines are to be on top.
    """

    drawing: Drawing
    pictures: np.ndarray
    ink: bool

    def at(self, side: int) -> np.ndarray:
        """The finished colourings, uint8 N x 3 x side x side."""
        return np.stack([finished(self.drawing, picture, side, self.ink) for picture in self.pictures])


def taken(painted: Painted, style: Style) -> Taken:
    """Colourings for files; those that are to be sprites are enlarged by what writes them."""
    px = painted.pictures.shape[-1]
    if style.colours:
        return painted.at(px), None, style
    return painted.at(px * style.scale), None, replace(style, scale=1)


def colours_of(picture: np.ndarray) -> list[str]:
    """The colours of a picture, uint8 3 x H x W, as CSS has them."""
    found = palette_of(picture, len(HINTS))
    levels = np.rint((found[found[:, 3] > 0, :3] + 1) * 127.5).astype(np.uint8)
    return [f"#{bytes(rgb).hex()}" for rgb in levels]


def paper_box(hints: bool) -> Paper:
    """An empty sheet with a black pen and an eraser; with `hints` also pens of any colour."""
    return Paper(
        label="Draw here",
        height=CANVAS + FRAME,
        canvas_size=(CANVAS, CANVAS),
        brush=pens(HINTS if hints else ()),
        eraser=gr.Eraser(default_size=30),
        layers=False,
        transforms=(),
        sources=(),
        format="png",
        elem_id="paper",
    )


def pens(colours: Sequence[str]) -> gr.Brush:
    """A black pen, and pens of some colours and of any other, if there are some."""
    return gr.Brush(
        default_size=PEN,
        colors=["#000000", *colours],
        default_color="#000000",
        color_mode="defaults" if colours else "fixed",
    )


def examples_gallery(examples: list[Image.Image]) -> gr.Gallery:
    """Drawings to begin with, in one row."""
    return gr.Gallery(
        [example.resize((SMALL_PX, SMALL_PX)) for example in examples],
        label="Drawings to begin with: click one",
        columns=len(examples),
        height=LARGE_PX,
        object_fit="contain",
        allow_preview=False,
        elem_id="examples",
    )


def is_blank(image: Image.Image) -> bool:
    """Whether a sheet has only one colour."""
    return bool(np.ptp(np.asarray(image), axis=(0, 1)).max() == 0)
