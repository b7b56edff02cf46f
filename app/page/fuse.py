"""The tab that interpolates between two creatures."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from app.page.files import files_box
from app.page.limits import whole
from app.page.parts import LARGE_PX, SMALL_PX, answers, film, label_of, picture_box, shown
from app.page.studio import Studio
from app.page.uploads import Upload

STEPS = 9  # from one to the other


def fuse(studio: Studio) -> None:
    """Fill the tab: two species or pictures, a slider between them, an animation."""
    names, sides, show = list(studio.species), [], answers(lambda name: portrait(studio, name))
    begin = (names[0], names[len(names) // 2]) if names else (None, None)
    with gr.Row():
        for label, value in zip(("First", "Second"), begin, strict=True):
            with gr.Column():
                species = gr.Dropdown(
                    names,
                    value=value,
                    label=f"{label} species",
                    filterable=True,
                    allow_custom_value=True,
                    visible=bool(names),
                )
                with gr.Row():
                    picture = picture_box(
                        label,
                        value=portrait(studio, value) if value else None,
                        height=SMALL_PX,
                        visible=bool(names),
                    )
                    own = "… or your own" if names else f"{label}: a picture of your own"
                    upload = Upload(label=own, sources=["upload"], height=SMALL_PX)
                sides += [species, upload]
            species.input(lambda: None, None, upload, api_visibility="private", show_progress="hidden")
            species.change(show, species, picture, api_visibility="private", show_progress="hidden")
    button = gr.Button("Fuse", variant="primary")
    path = gr.State(None)
    with gr.Row():
        between = picture_box("Between them", height=LARGE_PX, elem_id="between")
        way = gr.HTML(elem_id="film")
        mixed = gr.Gallery(
            label="The shape of one, the colours of the other",
            columns=2,
            height=LARGE_PX,
            allow_preview=False,
            format="png",
            elem_id="mixed",
            visible=studio.can_mix,
        )
    slider = gr.Slider(0, STEPS - 1, STEPS // 2, step=1, label="From the first to the second")

    files_box(path, lambda pictures, style: (pictures, None, style))

    @answers
    def mix(first: Any, first_file: Any, second: Any, second_file: Any, at: Any) -> Any:
        at = whole(at, 0, STEPS - 1, "the place between them")
        start, end = first_file or label_of(studio, first), second_file or label_of(studio, second)
        pictures, others = studio.fuse(start, end, STEPS)
        there_and_back = np.concatenate([pictures, pictures[-2:0:-1]])
        return (
            shown(pictures[at, None], LARGE_PX)[0],
            film(there_and_back, "The way there and back"),
            shown(others),
            np.concatenate([pictures, others]),
        )

    @answers
    def slide(pictures: np.ndarray | None, at: Any) -> Any:
        at = whole(at, 0, STEPS - 1, "the place between them")
        return None if pictures is None else shown(pictures[at, None], LARGE_PX)[0]

    button.click(mix, [*sides, slider], [between, way, mixed, path], api_name="fuse")
    slider.change(slide, [path, slider], between, api_visibility="private", show_progress="hidden")


def portrait(studio: Studio, name: Any) -> Image.Image:
    """The picture of a species."""
    return shown(studio.picture(label_of(studio, name))[None])[0]
