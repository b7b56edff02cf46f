"""Components that take pictures from visitors. Uploads are decoded only by `open_upload`, no other files are read,
no addresses are fetched, whatever the component, and what is kept is bounded.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import gradio as gr
from gradio.blocks import Block
from gradio.components.base import server
from gradio.components.image_editor import AcceptBlobs
from PIL import Image

from app.page.limits import open_upload
from creatures.runtime.errors import UserError

DRAWINGS = 200  # kept until they are requested; the oldest are dropped first


async def only_sent(self: Any, url_or_file_path: str | Path | None) -> str | None:
    """Replaces a method of Gradio that would also fetch URLs."""
    return str(here(url_or_file_path)) if url_or_file_path else None


Block.async_move_resource_to_block_cache = only_sent  # type: ignore[method-assign]  # any may be sent a file


class Upload(gr.Image):
    """An uploaded picture, RGBA, or None."""

    is_template = True  # to the page it is a gr.Image; an __init__ of its own would hide its settings

    def preprocess(self, payload: Any) -> Any:
        return None if payload is None else opened(payload.path)


class Paper(gr.ImageEditor):
    """A sheet to draw on: the drawing on white, RGB, or None."""

    is_template = True

    @cached_property
    def waiting(self) -> dict[str, Path]:
        """Files of the drawings that were sent and not yet requested, by their ids."""
        return {}

    @server
    def accept_blobs(self, data: AcceptBlobs) -> None:
        """Keep a drawing as a file like other uploads, which are deleted when they are old: not all are requested."""
        if data.data["type"] == "composite":
            path = Path(os.environ["GRADIO_TEMP_DIR"]) / f"{uuid4().hex}.png"
            path.write_bytes(data.files[0][1])
            self.waiting[data.data["id"]] = path
            while len(self.waiting) > DRAWINGS:
                self.waiting.pop(next(iter(self.waiting))).unlink(missing_ok=True)

    def preprocess(self, payload: Any) -> Any:
        if payload is None:
            return None
        if payload.id is not None:
            source = self.waiting.pop(payload.id, None)
        else:
            source = payload.composite and payload.composite.path
        if source is None:
            return None
        image = opened(str(source))
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def opened(path: str) -> Image.Image:
    """Open an upload as RGBA; errors become messages on the page."""
    try:
        return open_upload(here(path))
    except UserError as error:
        raise gr.Error(str(error), print_exception=False) from None


def here(path: str | Path) -> Path:
    """Path of an uploaded file; refuses URLs and other files of this machine."""
    resolved = Path(path).resolve()
    if not resolved.is_relative_to(Path(os.environ["GRADIO_TEMP_DIR"]).resolve()):
        raise gr.Error("this file was not sent to this page", print_exception=False)
    return resolved
