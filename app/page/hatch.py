"""The tab with new creatures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from app.directions import directions
from app.generate import Address
from app.networks import generator_file
from app.page.files import files_box
from app.page.limits import MOST_CREATURES, MOST_SEED, MOST_TIMES, number, whole
from app.page.parts import LARGE_PX, QUICK, answers, film, picture_box, seed_box, shown
from app.page.studio import NEIGHBOURS, Studio
from creatures.runtime.errors import UserError

MOST_TRUNCATION = 1.5
MOST_STEER = 4  # standard deviations
FRAMES = 32  # of an animation
# run when a creature was chosen, with what is said of it: its link becomes the page's address
TO_URL = r"""said => history.replaceState(null, "", said.match(/\?seed=[^)]*/)?.[0] ?? location.pathname)"""


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
    """An address in words, with a link to it."""
    seed, number, truncation = address.seed, address.number, f"{address.truncation:g}"
    link = f"?seed={seed}&number={number}&truncation={truncation}"
    return f"Number {number} of seed {seed}, truncation {truncation} ([link]({link}))"


def address_of(query: Mapping[str, str]) -> tuple[int, int, float]:
    """The seed, number and truncation in an address's query. Raises UserError."""
    try:
        seed, index, truncation = int(query["seed"]), int(query.get("number", 0)), float(query.get("truncation", 0.8))
    except ValueError:
        raise UserError("the page's address names no creature") from None
    return (
        whole(seed, 0, MOST_SEED, "the seed"),
        whole(index, 0, MOST_SEED, "the number"),
        number(truncation, 0, MOST_TRUNCATION, "truncation"),
    )


def hatch(studio: Studio, page: gr.Blocks) -> None:
    """Fill the tab: a grid of creatures; a click shows one large, with its nearest real pictures, to be varied."""
    with gr.Row():
        seed = seed_box()
        count = gr.Slider(1, MOST_CREATURES, 24, step=1, label="How many")
        truncation = gr.Slider(
            0, MOST_TRUNCATION, 0.8, step=0.05, label="Truncation", info="Low: typical; high: varied"
        )
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
            visible=studio.knows_nearest,
        )
    about = gr.Markdown(elem_id="about")
    with gr.Row():
        sliders = [
            gr.Slider(-MOST_STEER, MOST_STEER, 0, step=0.25, label=label)
            for label in (directions(generator_file(), studio.explorer) if studio.sampler.latent.mixture else [])
        ]
    with gr.Row():
        more = gr.Button("More like this")
        animate = gr.Button("Animate")
    loop = gr.HTML(elem_id="loop")
    batch, chosen = gr.State(None), gr.State(None)
    chosen_boxes = [large, nearest, about, chosen, loop, *sliders]
    files_box(
        batch, lambda batch, style: (batch.pictures, [vars(address) for address in batch.addresses] or None, style)
    )

    def drawn(seed: int, numbers: Iterable[int], truncation: float, pictures: np.ndarray, z: np.ndarray) -> Batch:
        addresses = [Address(studio.network, seed, int(number), truncation) for number in numbers]
        return Batch(pictures, z, [said(address) for address in addresses], addresses)

    def enlarged(batch: Batch, index: int) -> tuple[Any, ...]:
        """What is shown of the chosen one: see `chosen_boxes`."""
        picture = batch.pictures[index]
        near: list[tuple[Any, str]] = []
        if studio.knows_nearest:
            real, names = studio.nearest(picture)
            near = list(zip(shown(real), names, strict=True))
        return shown(picture[None], LARGE_PX)[0], near, batch.said[index], batch.z[index], "", *[0] * len(sliders)

    @answers
    def draw(seed: Any, count: Any, truncation: Any, times: Any) -> Any:
        seed, count = whole(seed, 0, MOST_SEED, "the seed"), whole(count, 1, MOST_CREATURES, "how many")
        truncation, times = number(truncation, 0, MOST_TRUNCATION, "truncation"), whole(times, 1, MOST_TIMES, "best of")
        pictures, z, numbers = studio.hatch(count, seed, truncation, times)
        return shown(pictures), drawn(seed, numbers, truncation, pictures, z)

    @answers
    def arrive(request: gr.Request) -> Any:
        """Draw the creature that the page's address names."""
        if "seed" not in request.query_params:
            return [gr.skip()] * (4 + len(chosen_boxes))
        seed, index, truncation = address_of(request.query_params)
        pictures, z = studio.numbered(seed, index, truncation)
        batch = drawn(seed, [index], truncation, pictures, z)
        return seed, truncation, shown(pictures), batch, *enlarged(batch, 0)

    @answers
    def look(batch: Batch | None, event: gr.SelectData) -> Any:
        if batch is None or not 0 <= event.index < len(batch.pictures):
            raise UserError("hatch some first")
        return enlarged(batch, event.index)

    def steered(z: np.ndarray | None, amounts: Sequence[Any]) -> np.ndarray:
        """The z, float32 (Z,), of the creature that is shown large."""
        if z is None:
            raise UserError("click one first")
        checked = [number(amount, -MOST_STEER, MOST_STEER, "a direction") for amount in amounts]
        return studio.explorer.steered(z, checked) if checked else z

    @answers
    def others(z: np.ndarray | None, seed: Any, count: Any, truncation: Any, *amounts: Any) -> Any:
        z = steered(z, amounts)
        seed, count = whole(seed, 0, MOST_SEED, "the seed"), whole(count, 1, MOST_CREATURES, "how many")
        pictures, z = studio.more_like(z, count, seed, number(truncation, 0, MOST_TRUNCATION, "truncation"))
        lines = [f"Number {n} of those like the one before, seed {seed}" for n in range(len(pictures))]
        return shown(pictures), Batch(pictures, z, lines)

    @answers
    def steer(z: np.ndarray | None, *amounts: Any) -> Any:
        picture = shown(studio.explorer.draw(steered(z, amounts)[None]), LARGE_PX)[0]
        return picture, "Changed by hand", ""  # neither the other one's address nor its animation

    @answers
    def loop_of(z: np.ndarray | None, seed: Any, *amounts: Any) -> Any:
        frames = studio.loop(steered(z, amounts), FRAMES, whole(seed, 0, MOST_SEED, "the seed"), 1.0)
        return film(frames, "A loop through creatures like it")

    inputs = [seed, count, truncation]
    button.click(draw, [*inputs, times], [gallery, batch], api_name="hatch")
    said_to_url: dict[str, Any] = {"inputs": about, "js": TO_URL, "api_visibility": "private"}
    gallery.select(look, [batch], chosen_boxes, api_visibility="private", trigger_mode="multiple").success(
        None, **said_to_url
    )
    page.load(
        arrive,
        None,
        [seed, truncation, gallery, batch, *chosen_boxes],
        api_visibility="private",
        show_progress="hidden",
        concurrency_id=QUICK,
    )
    animate.click(loop_of, [chosen, seed, *sliders], loop, api_visibility="private")
    more.click(others, [chosen, *inputs, *sliders], [gallery, batch], api_visibility="private")
    for slider in sliders:
        slider.input(
            steer,
            [chosen, *sliders],
            [large, about, loop],
            api_visibility="private",
            show_progress="hidden",
            trigger_mode="always_last",
        ).success(None, **said_to_url)
