"""What the tabs share."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from app.page.limits import MOST_SEED, open_upload
from app.page.studio import Studio
from stages.lib.params import UserError

LARGE_PX = 256  # a picture that is shown alone
SMALL_PX = 128  # one of many


class Upload(gr.Image):
    """A picture of one's own: the path of its file, which nothing has decoded before `open_upload` looks at it."""

    is_template = True  # to the page it is a gr.Image

    def __init__(self, label: str) -> None:
        super().__init__(label=label, type="filepath", sources=["upload"], height=SMALL_PX)

    def preprocess(self, payload: Any) -> str | None:
        return None if payload is None else was_sent(payload.path)


class Paper(gr.ImageEditor):
    """A sheet to draw on; the drawing as a PIL picture, None if there is none."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        for file in (payload.background, payload.composite, *payload.layers) if payload else ():
            if file is not None:
                was_sent(file.path)
        try:
            drawn = super().preprocess(payload)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            raise gr.Error("this is no picture that can be read, or it is too large", print_exception=False) from None
        return drawn and drawn["composite"]


def was_sent(path: str) -> str:
    """The path of a file that a visitor has sent: not of any other of this machine's."""
    if not Path(path).resolve().is_relative_to(Path(os.environ["GRADIO_TEMP_DIR"]).resolve()):
        raise gr.Error("this file was not sent to this page", print_exception=False)
    return path


def answers(function: Callable[..., Any]) -> Callable[..., Any]:
    """What goes wrong through a visitor's input becomes a message on the page."""

    @functools.wraps(function)
    def answer(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return answer


def shown(pictures: np.ndarray, side: int = SMALL_PX) -> list[Image.Image]:
    """uint8, N x 3 x H x W, enlarged to be looked at."""
    return [Image.fromarray(p.transpose(1, 2, 0)).resize((side, side), Image.Resampling.BICUBIC) for p in pictures]


def seed_box() -> gr.Number:
    return gr.Number(
        0, label="Seed", info="The same seed, the same pictures", precision=0, minimum=0, maximum=MOST_SEED
    )


def picture_box(label: str, **settings: Any) -> gr.Image:
    """A picture to look at and to keep."""
    return gr.Image(label=label, interactive=False, format="png", buttons=["download", "fullscreen"], **settings)


def species_or_upload(studio: Studio, name: Any, upload: str | None) -> str | Image.Image:
    """What was chosen: an upload, or else the label of the species of that name.

    Raises:
        UserError: it is neither.
    """
    if upload:
        return open_upload(upload)
    labels = studio.species()
    if name not in labels:
        raise UserError(f"there is no species {name!r}")
    return labels[name]
