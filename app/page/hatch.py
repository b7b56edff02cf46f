"""The tab with new creatures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from app.explore import directions
from app.generate import Address
from app.networks import generator_file
from app.page.files import files_box
from app.page.limits import MOST_CREATURES, MOST_SEED, MOST_TIMES, number, whole
from app.page.parts import LARGE_PX, answers, picture_box, seed_box, shown
from app.page.studio import NEIGHBOURS, Studio
from creatures.runtime.errors import UserError

MOST_STEER = 4  # standard deviations


@dataclass(frozen=True)
class Batch:
    """The creatures on the page.

    Attributes:
        pictures: uint8, N x 3 x H x W.
        z: float32, N x Z.
        said: what a visitor is told about each.
        addresses: of those that were drawn at random; else none.
    """

    pictures: np.ndarray
    z: np.ndarray
    said: list[str]
    addresses: Sequence[Address] = ()


def said(address: Address) -> str:
    """An address in words."""
    return f"Number {address.number} of seed {address.seed}, truncation {address.truncation:g}"


def hatch(studio: Studio) -> None:
    """Fill the tab: a grid of creatures; a click shows one large, with its nearest real pictures, to be varied."""
    with gr.Row():
        seed = seed_box()
        count = gr.Slider(1, MOST_CREATURES, 24, step=1, label="How many")
        truncation = gr.Slider(0, 1.5, 0.8, step=0.05, label="Truncation", info="Low: typical; high: varied")
        times = gr.Slider(1, MOST_TIMES, 1, step=1, label="Best of", info="So many times as many are drawn")
    button = gr.Button("Hatch", variant="primary")
    gallery = gr.Gallery(
        label="Click one",
        columns=8,
        height="auto",
        object_fit="contain",
        allow_preview=False,
        format="png",
        elem_id="hatched",
    )
    with gr.Row():
        large = picture_box("The one you clicked", height=LARGE_PX, elem_id="chosen")
        nearest = gr.Gallery(
            label="The real pictures nearest to it",
            columns=NEIGHBOURS,
            height=LARGE_PX,
            allow_preview=False,
            format="png",
            elem_id="nearest",
        )
    about = gr.Markdown(elem_id="about")
    with gr.Row():
        sliders = [
            gr.Slider(-MOST_STEER, MOST_STEER, 0, step=0.25, label=label)
            for label in (directions(generator_file()) if studio.sampler.latent.mixture else [])
        ]
    more = gr.Button("More like this")
    batch, chosen = gr.State(None), gr.State(None)
    files_box(batch, lambda batch: (batch.pictures, [vars(address) for address in batch.addresses] or None))

    @answers
    def draw(seed: Any, count: Any, truncation: Any, times: Any) -> Any:
        seed, count = whole(seed, 0, MOST_SEED, "the seed"), whole(count, 1, MOST_CREATURES, "how many")
        truncation, times = number(truncation, 0, 2, "truncation"), whole(times, 1, MOST_TIMES, "best of")
        pictures, z, numbers = studio.hatch(count, seed, truncation, times)
        addresses = [Address(studio.network, seed, int(number), truncation) for number in numbers]
        return shown(pictures), Batch(pictures, z, [said(address) for address in addresses], addresses)

    @answers
    def look(batch: Batch | None, event: gr.SelectData) -> Any:
        if batch is None or not 0 <= event.index < len(batch.pictures):
            raise UserError("hatch some first")
        picture = batch.pictures[event.index]
        real, names = studio.nearest(picture)
        near = list(zip(shown(real), names, strict=True))
        return (
            shown(picture[None], LARGE_PX)[0],
            near,
            batch.said[event.index],
            batch.z[event.index],
            *[0] * len(sliders),
        )

    @answers
    def others(z: np.ndarray | None, seed: Any, count: Any, truncation: Any) -> Any:
        if z is None:
            raise UserError("click one first")
        seed, count = whole(seed, 0, MOST_SEED, "the seed"), whole(count, 1, MOST_CREATURES, "how many")
        pictures, z = studio.more_like(z, count, seed, number(truncation, 0, 2, "truncation"))
        lines = [f"Number {n} of those like the one before, seed {seed}" for n in range(len(pictures))]
        return shown(pictures), Batch(pictures, z, lines)

    @answers
    def steer(z: np.ndarray | None, *amounts: Any) -> Any:
        if z is None:
            raise UserError("click one first")
        checked = [number(amount, -MOST_STEER, MOST_STEER, "a direction") for amount in amounts]
        return shown(studio.explorer.draw(studio.explorer.steered(z, checked)[None]), LARGE_PX)[0]

    inputs = [seed, count, truncation]
    button.click(draw, [*inputs, times], [gallery, batch], api_name="hatch")
    gallery.select(look, [batch], [large, nearest, about, chosen, *sliders], api_visibility="private")
    more.click(others, [chosen, *inputs], [gallery, batch], api_visibility="private")
    for slider in sliders:
        slider.input(
            steer,
            [chosen, *sliders],
            large,
            api_visibility="private",
            show_progress="hidden",
            trigger_mode="always_last",
        )
