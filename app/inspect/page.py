"""The page as HTML: one self-contained file, except for pictures that a server provides."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from app.inspect.items import Items
from creatures.data.vetoes import read_vetoes
from creatures.decoding.unusable import BLANK, BOMB, NO_PICTURE, SMALL, UNDECODABLE
from creatures.runtime.atomic import atomic_file

UNUSABLE = (UNDECODABLE, NO_PICTURE, BOMB, BLANK, SMALL)  # whatever vetoes say
TEMPLATE = Path(__file__).with_name("page.html")


def render(items: Items, numbers: list[int] | None = None, thumbs: dict[int, str] | None = None) -> str:
    """Render the page.

    Args:
        numbers: which items are on it; None: all.
        thumbs: their pictures as data URIs; None: a server provides them, and takes vetoes.
    """
    data = {"items": items.records(numbers), "vetoes": read_vetoes(), "thumbs": thumbs, "unusable": UNUSABLE}
    text = json.dumps(data).replace("<", "\\u003c")  # a file's name must not end the script
    return TEMPLATE.read_text(encoding="utf-8").replace("{{data}}", text)


def write_html(path: Path, count: int) -> Path:
    """Write the page as one file, with at most `count` pictures of each reason."""
    page = render_still(Items(), count)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as part:
        part.write_text(page, encoding="utf-8")
    return path


def render_still(items: Items, count: int) -> str:
    """Render the page with its pictures in it, at most `count` of each reason."""
    numbers = items.evenly_spaced(count)
    originals = {original for number in numbers if (original := items.items[number].of) is not None}
    thumbs = {
        number: f"data:image/webp;base64,{base64.b64encode(webp).decode()}"
        for number in sorted({*numbers, *originals})
        if (webp := items.thumbnail(number))
    }
    return render(items, numbers, thumbs)
