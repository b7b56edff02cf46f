"""Components shared by the tabs."""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Callable
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from app.page.limits import MOST_SEED
from app.page.studio import Studio
from creatures.runtime.errors import UserError

LARGE_PX = 256  # a picture that is shown alone
SMALL_PX = 128  # one of many
FRAME_MS = 100  # of animations
QUICK = "quick"  # queue of requests that do not wait for slower ones


def answers(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator that turns errors in a visitor's input into messages on the page."""

    @functools.wraps(function)
    def answer(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return answer


def shown(pictures: np.ndarray, side: int = SMALL_PX) -> list[Image.Image]:
    """Pictures, uint8, N x 3 x H x W, enlarged for display."""
    return [Image.fromarray(p.transpose(1, 2, 0)).resize((side, side), Image.Resampling.BICUBIC) for p in pictures]


def film(pictures: np.ndarray, label: str) -> str:
    """An HTML element with an endless animation of pictures, as an inline GIF: no file is kept."""
    frames, gif = shown(pictures, LARGE_PX), io.BytesIO()
    frames[0].save(gif, "gif", save_all=True, append_images=frames[1:], duration=FRAME_MS, loop=0)
    return f'<img alt="{label}" src="data:image/gif;base64,{base64.b64encode(gif.getvalue()).decode()}">'


def seed_box() -> gr.Number:
    return gr.Number(
        0, label="Seed", info="The same seed, the same pictures", precision=0, minimum=0, maximum=MOST_SEED
    )


def picture_box(label: str, **settings: Any) -> gr.Image:
    """A picture to look at and to download."""
    return gr.Image(label=label, interactive=False, format="png", buttons=["download", "fullscreen"], **settings)


def label_of(studio: Studio, name: Any) -> str:
    """The label of the species of a name on the page. Raises UserError if there is none."""
    if not name:
        raise UserError("choose a species, or upload a picture")
    if name not in studio.species:
        raise UserError(f"there is no species {name!r}")
    return studio.species[name]
