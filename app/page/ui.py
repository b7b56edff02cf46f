"""The page's tabs, in Gradio."""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from app.page.limits import MOST_CREATURES, number, open_upload, whole
from app.page.studio import Studio
from stages.lib.params import UserError

SIDE = 256  # of a picture that is shown alone
SHOWN_PX = 128  # of pictures in a gallery
CANVAS = 512
SEVERAL = 8  # colourings at a time
STEPS = 9  # of the slider between two species
EXAMPLES = Path(__file__).parents[2] / "stages" / "pix2pix" / "drawings"
MOST_SEED = 2**31 - 1


def answers(function: Callable[..., Any]) -> Callable[..., Any]:
    """What goes wrong through a visitor's input, or for want of a model, becomes a message on the page."""

    @functools.wraps(function)
    def answer(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return answer


def shown(pictures: np.ndarray, side: int = SHOWN_PX) -> list[Image.Image]:
    """uint8, N x 3 x H x W, enlarged to be looked at."""
    return [Image.fromarray(p.transpose(1, 2, 0)).resize((side, side), Image.Resampling.BICUBIC) for p in pictures]


def build(studio: Studio) -> gr.Blocks:
    """The page; a tab whose model is missing says so in a sentence."""
    with gr.Blocks(title="New creatures", analytics_enabled=False) as page:
        gr.Markdown("# New creatures")
        for name, tab, needs in (
            ("Hatch", hatch, lambda: studio.explorer),
            ("Fuse", fuse, lambda: (studio.explorer, studio.pictures)),
            ("Colour", colour, lambda: studio.colourer),
        ):
            with gr.Tab(name):
                try:
                    needs()
                except UserError as error:
                    gr.Markdown(f"Not there yet: {error}.")
                else:
                    tab(studio)
    return page


def hatch(studio: Studio) -> None:
    embeddings = gr.State(None)
    with gr.Row():
        seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=MOST_SEED)
        count = gr.Slider(1, MOST_CREATURES, 24, step=1, label="How many")
        truncation = gr.Slider(0, 1.5, 0.8, step=0.05, label="Truncation: lower is more typical, higher more varied")
    button = gr.Button("Hatch", variant="primary")
    gallery = gr.Gallery(label="Click one", columns=8, height="auto", object_fit="contain", allow_preview=False)
    chosen = gr.State(None)
    with gr.Row():
        large = gr.Image(label="The one you clicked", height=SIDE, interactive=False)
        nearest = gr.Gallery(label="Real pictures nearest to it", columns=4, height=SIDE, allow_preview=False)
    about = gr.Markdown()
    more = gr.Button("More like this")

    @answers
    def draw(seed: Any, count: Any, truncation: Any) -> Any:
        seed, count = whole(seed, 0, MOST_SEED, "the seed"), whole(count, 1, MOST_CREATURES, "how many")
        pictures, found = studio.hatch(count, seed, number(truncation, 0, 2, "truncation"))
        return shown(pictures), found

    @answers
    def look(found: np.ndarray | None, seed: Any, event: gr.SelectData) -> Any:
        if found is None or not 0 <= event.index < len(found):
            raise UserError("hatch some first")
        embedding = found[event.index]
        real, names = studio.nearest(embedding)
        label = f"Number {event.index + 1} of seed {int(seed)}"
        drawn = shown(studio.explorer.draw(embedding[None]), SIDE)[0]
        return drawn, list(zip(shown(real), names, strict=True)), label, embedding

    @answers
    def others(embedding: np.ndarray | None, seed: Any, count: Any, truncation: Any) -> Any:
        if embedding is None:
            raise UserError("click one first")
        seed, count = whole(seed, 0, MOST_SEED, "the seed"), whole(count, 1, MOST_CREATURES, "how many")
        pictures, found = studio.more_like(embedding, count, seed, number(truncation, 0, 2, "truncation"))
        return shown(pictures), found

    asked = [seed, count, truncation]
    button.click(draw, asked, [gallery, embeddings], api_name="hatch")
    gallery.select(look, [embeddings, seed], [large, nearest, about, chosen], api_name=False)
    more.click(others, [chosen, *asked], [gallery, embeddings], api_name=False)


def fuse(studio: Studio) -> None:
    names = list(studio.species())
    with gr.Row():
        sides = []
        for label, value in (("First", names[0]), ("Second", names[min(1, len(names) - 1)])):
            with gr.Column():
                species = gr.Dropdown(names, value=value, label=f"{label} species", filterable=True)
                upload = gr.Image(label="or a picture of your own", type="filepath", sources=["upload"], height=SIDE)
                sides += [species, upload]
    button = gr.Button("Fuse", variant="primary")
    way = gr.State(None)
    with gr.Row():
        between = gr.Image(label="Between them", height=SIDE, interactive=False)
        film = gr.HTML()
    slider = gr.Slider(0, STEPS - 1, STEPS // 2, step=1, label="From the first to the second")

    def chosen(name: Any, upload: str | None) -> str | Image.Image:
        if upload:
            return open_upload(upload)
        species = studio.species()
        if name not in species:
            raise UserError(f"there is no species {name!r}")
        return species[name]

    @answers
    def mix(first: Any, first_file: Any, second: Any, second_file: Any, at: Any) -> Any:
        pictures = shown(studio.fuse(chosen(first, first_file), chosen(second, second_file), STEPS), SIDE)
        return pictures[whole(at, 0, STEPS - 1, "the slider")], animated([*pictures, *pictures[-2:0:-1]]), pictures

    @answers
    def slide(pictures: Any, at: Any) -> Any:
        return pictures[whole(at, 0, STEPS - 1, "the slider")] if pictures else None

    button.click(mix, [*sides, slider], [between, film, way], api_name="fuse")
    slider.change(slide, [way, slider], between, api_name=False, show_progress="hidden")


def animated(frames: list[Image.Image]) -> str:
    """A looping GIF as an element of a page: no file is kept."""
    kept = io.BytesIO()
    frames[0].save(kept, "gif", save_all=True, append_images=frames[1:], duration=120, loop=0)
    return (
        f'<img alt="The way there and back" src="data:image/gif;base64,{base64.b64encode(kept.getvalue()).decode()}">'
    )


def colour(studio: Studio) -> None:
    with gr.Row():
        paper = gr.ImageEditor(
            label="Draw here: pen, eraser, undo, or load a picture or photo",
            type="pil",
            image_mode="RGBA",
            canvas_size=(CANVAS, CANVAS),
            brush=gr.Brush(default_size=10, colors=["#000000"], default_color="#000000", color_mode="fixed"),
            eraser=gr.Eraser(default_size=24),
            layers=False,
            transforms=(),
            sources=("upload",),
            elem_id="paper",
        )
        with gr.Column():
            coloured = gr.Image(
                label="Coloured", interactive=False, format="png", height=CANVAS // 2, elem_id="coloured"
            )
            lines = gr.Image(label="What the network sees", interactive=False, height=SHOWN_PX)
    with gr.Row():
        seed = gr.Number(0, label="Seed", precision=0, minimum=0, maximum=MOST_SEED)
        button = gr.Button("Several colourings", variant="primary")
    several = gr.Gallery(label="Several colourings", columns=8, height="auto", allow_preview=False)
    gr.Examples([[str(file)] for file in sorted(EXAMPLES.glob("*.png"))], [paper], label="Drawings to begin with")

    def outline_of(drawn: Any) -> np.ndarray:
        image = drawn.get("composite") if isinstance(drawn, dict) else None
        if not isinstance(image, Image.Image):
            raise UserError("draw something first")
        return studio.outline(image)

    @answers
    def paint(drawn: Any, seed: Any) -> Any:
        if not isinstance(drawn, dict) or is_empty(drawn.get("composite")):
            return None, None
        outline = outline_of(drawn)
        picture = studio.colour(outline, 1, whole(seed, 0, MOST_SEED, "the seed"))
        return shown(picture, CANVAS // 2)[0], Image.fromarray(outline)

    @answers
    def paint_several(drawn: Any, seed: Any) -> Any:
        return shown(studio.colour(outline_of(drawn), SEVERAL, whole(seed, 0, MOST_SEED, "the seed")))

    paper.change(
        paint, [paper, seed], [coloured, lines], api_name="colour", show_progress="hidden", trigger_mode="always_last"
    )
    button.click(paint_several, [paper, seed], several, api_name="colourings")


def is_empty(image: Any) -> bool:
    """Whether there is nothing on a sheet."""
    return not isinstance(image, Image.Image) or image.convert("RGBA").getextrema()[3][1] == 0
