"""The page: its tabs, in Gradio."""

from __future__ import annotations

from collections.abc import Callable

import gradio as gr

from app.page.colour import colour
from app.page.fuse import fuse
from app.page.hatch import hatch
from app.page.studio import Studio
from stages.lib.params import UserError

# name, what it needs, what fills it
TABS: tuple[tuple[str, Callable[[Studio], object], Callable[[Studio, gr.Tab], None]], ...] = (
    ("Hatch", lambda studio: (studio.sampler, studio.encoder, studio.pictures, studio.embeddings), hatch),
    ("Fuse", lambda studio: (studio.explorer, studio.encoder, studio.pictures, studio.embeddings), fuse),
    ("Colour", lambda studio: (studio.colourer, studio.pictures), colour),
)


def build(studio: Studio) -> gr.Blocks:
    """The page; a tab whose models are missing says so in a sentence."""
    with gr.Blocks(title="New creatures", analytics_enabled=False) as page:
        gr.Markdown("# New creatures")
        for name, needs, fill in TABS:
            with gr.Tab(name) as tab:
                try:
                    needs(studio)
                except UserError as error:
                    gr.Markdown(f"Not there yet: {error}.")
                else:
                    fill(studio, tab)
    return page
