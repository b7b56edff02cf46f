"""The page: its tabs, in Gradio."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from app.page.colour import TAKE_PEN, colour
from app.page.fuse import fuse
from app.page.hatch import hatch
from app.page.studio import Studio
from creatures.runtime.errors import UserError

Needs = Callable[[Studio], object]
Fill = Callable[[Studio, gr.Blocks], None]

# name, models it needs, function that fills it, JavaScript to run when it is opened
TABS: tuple[tuple[str, Needs, Fill, str | None], ...] = (
    ("Hatch", lambda studio: (studio.sampler, of_run(studio)), hatch, None),
    (
        "Fuse",
        lambda studio: (studio.explorer, studio.encoder, studio.species, of_run(studio)),
        lambda studio, _: fuse(studio),
        None,
    ),
    (
        "Colour",
        lambda studio: (studio.colourer, studio.margin, studio.species),
        lambda studio, _: colour(studio),
        TAKE_PEN,
    ),
)


def of_run(studio: Studio) -> object:
    """What is needed to show the real pictures nearest to a creature, if there are any."""
    return studio.knows_nearest and (studio.encoder, studio.pictures, studio.embeddings)


def build(studio: Studio) -> gr.Blocks:
    """Build the page; a tab whose models are missing says so in a sentence."""
    with gr.Blocks(title="New creatures", analytics_enabled=False) as page:
        gr.Markdown("# New creatures")
        for name, needs, fill, opened in TABS:
            with gr.Tab(name) as tab:
                try:
                    needs(studio)
                except UserError as error:
                    gr.Markdown(f"Not there yet: {error}.")
                else:
                    fill(studio, page)
                    if opened:
                        tab.select(None, js=opened, api_visibility="private")
    return page
