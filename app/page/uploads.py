"""Components that take pictures from visitors. Nothing they send is decoded but by `open_upload`, no file is
read that they did not send, and what is kept is bounded.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components.base import server
from gradio.components.image_editor import AcceptBlobs, EditorDataBlobs
from PIL import Image

from app.page.limits import open_upload
from creatures.runtime.errors import UserError

DRAWINGS = 200  # that wait for their answer; the oldest go first


async def only_sent(self: Any, url_or_file_path: str | Path | None) -> str | None:
    """For Gradio's method of that use, which would fetch what an address names."""
    return str(here(url_or_file_path)) if url_or_file_path else None


class Upload(gr.Image):
    """A picture of one's own, RGBA, or None."""

    is_template = True  # to the page it is a gr.Image; an __init__ of its own would hide its settings

    async_move_resource_to_block_cache = only_sent

    def preprocess(self, payload: Any) -> Any:
        return None if payload is None else opened(payload.path)


class Paper(gr.ImageEditor):
    """A sheet to draw on: the drawing on white, RGB, or None."""

    is_template = True

    async_move_resource_to_block_cache = only_sent

    @server
    def accept_blobs(self, data: AcceptBlobs) -> None:
        """Keep a drawing until it is asked for, which not each of them is."""
        if data.data["type"] == "composite":
            drawn = EditorDataBlobs(background=None, layers=[], composite=data.files[0][1])
            self.blob_storage[data.data["id"]] = drawn
            while len(self.blob_storage) > DRAWINGS:
                self.blob_storage.pop(next(iter(self.blob_storage)), None)

    def preprocess(self, payload: Any) -> Any:
        if payload is None:
            return None
        if payload.id is not None:
            kept = self.blob_storage.pop(payload.id, None)
            drawn: Any = kept and kept.composite
        else:
            drawn = payload.composite and payload.composite.path
        if drawn is None:
            return None
        image = opened(drawn)
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def opened(sent: str | bytes) -> Image.Image:
    """Open an upload as RGBA; what cannot be read becomes a message on the page."""
    try:
        return open_upload(str(here(sent)) if isinstance(sent, str) else sent)
    except UserError as error:
        raise gr.Error(str(error), print_exception=False) from None


def here(path: str | Path) -> Path:
    """A file that a visitor has sent: no address, and no other file of this machine."""
    found = Path(path).resolve()
    if not found.is_relative_to(Path(os.environ["GRADIO_TEMP_DIR"]).resolve()):
        raise gr.Error("this file was not sent to this page", print_exception=False)
    return found
