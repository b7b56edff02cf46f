"""Parts that the tabs share."""

from __future__ import annotations

import functools
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
QUICK = "quick"  # queue of answers that do not wait for slower ones


def answers(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn errors through a visitor's input into messages on the page."""

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


def label_of(studio: Studio, name: Any) -> str:
    """The label of the species that is called so. Raises UserError if there is none."""
    if name not in studio.species:
        raise UserError(f"there is no species {name!r}")
    return studio.species[name]
