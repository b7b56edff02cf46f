"""Line drawings made by hand for this project; they are in no data set."""

from __future__ import annotations

import numpy as np
from PIL import Image

from creatures.decoding.svg import render

LINE_PX = 1.5  # in a square of 64
INK = 160  # grey levels below it are lines

# SVG paths in a square of 64
DRAWINGS = {
    "bird": (
        "M24 13c-6 1-9 7-7 13c-6 3-9 9-8 15c1 8 8 13 17 13c10 0 18-4 20-13l11-6c-5-1-9-2-13 0c-4-5-9-7-14-8c3-6"
        " 1-13-6-14z "
        "M17 19l-9 3l9 4 M23 19a1.5 1.5 0 1 0 .1 0z M26 33c5 1 11 2 16 6c-4 6-11 7-16 5c-3-3-3-8 0-11z "
        "M24 54v6l-4 1 M24 60l3 1 M33 54v6l-4 1 M33 60l3 1"
    ),
    "blob": (
        "M12 44c-4-12 2-24 10-27c-2-5-1-10 2-12c3 2 5 6 5 10c3-1 6-1 9 0c1-4 4-8 7-9c2 3 2 8-1 12c8 5 12 15 8 26c-3"
        " 9-11 13-20 13s-17-4-20-13z "
        "M24 30a2.5 3 0 1 0 .1 0z M40 30a2.5 3 0 1 0 .1 0z "
        "M27 41c3 4 8 4 11 0 M18 56c-4 1-5 4-2 5h8 M46 56c4 1 5 4 2 5h-8 M12 42c-5 0-8 2-8 5c3 2 6 1 8-1 M52 42c4-1"
        " 8 1 8 4c-2 3-6 2-8 0"
    ),
    "dragon": (
        "M13 17c1-6 8-9 14-7c6 2 8 8 6 13c7 3 11 10 10 18c5 3 10 2 14-3c2 8-5 14-15 13c-5 6-15 8-23"
        " 4c-6-4-7-12-3-19c-2-3-2-6-1-9c-4 1-8-1-8-4c2-3 4-5 6-6z "
        "M18 16a1.4 1.4 0 1 0 .1 0z "
        "M24 10l-2-6l6 5l3-5l1 8 M33 25c5-8 12-13 20-13c-3 4-2 8 0 11c-4 0-7 2-9 6 M22 34c-3 6-2 12 3 15c5-1 8-6"
        " 7-12 M19 56v5h6 M34 56v5h6 M16 36l-7 3l6 4"
    ),
    "fish": (
        "M8 33c5-11 17-17 29-14c6 2 10 5 13 9c3-5 7-8 11-8c-2 5-3 9-2 13c1 5 2 8 3 12c-5 0-9-3-12-7c-5 7-13 11-22"
        " 10c-9-1-17-6-20-15z "
        "M18 28a2.5 2.5 0 1 0 .1 0z "
        "M27 23c3 7 3 14-1 21 M33 19c0-5 5-9 12-9c-2 4-1 8 0 12 M32 47c1 5 5 8 10 8c-2-3-2-7-1-10 M33 31c3-2 8-2 11"
        " 1c-3 3-8 4-11 2 M9 35c3 2 6 2 9 1"
    ),
    "flower": (
        "M32 24c-5-1-9-5-8-10c1-4 5-6 8-3c2-6 9-6 10-1c5-1 8 4 5 8c5 3 3 9-2 9c1 5-6 7-9 3c-3 4-9 2-9-2c-5 0-8-6-4-9"
        " M35 14a6 6 0 1 0 .1 0z "
        "M33 19a1 1 0 1 0 .1 0z M38 19a1 1 0 1 0 .1 0z "
        "M34 23c1 1 3 1 4 0 M34 30c-1 7-1 14 1 22 M38 29c0 8 0 15 1 22 M35 40c-6-6-15-5-20 2c6 5 15 5 20 2 M39"
        " 40c5-6 12-6 17-1c-4 6-12 7-17 4 M27 52c5-3 14-3 20 0c2 4-3 8-10 8s-12-4-10-8z"
    ),
    "fox": (
        "M14 22l-2-14l9 7c4-1 8-1 11 0l9-7l-1 14c3 4 2 9-2 12c3 2 5 5 6 8c5-1 9-5 9-11c6 4 6 14 1 19c-3 3-8 4-11"
        " 2v8h-6v-6c-4 1-9 1-12 0v6h-6l-1-11c-2-5-1-11 2-15c-4-3-7-7-6-12z "
        "M21 23a1.6 2 0 1 0 .1 0z M33 23a1.6 2 0 1 0 .1 0z M25 29h4l-2 2z "
        "M27 31c-1 3-4 3-5 1 M27 31c1 3 4 3 5 1 M22 37c2 5 8 5 11 0 M47 43c3 1 6 0 8-2"
    ),
}


def svg(name: str, line_px: float = LINE_PX) -> str:
    """The drawing of that name in DRAWINGS as SVG."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><path fill="none" stroke="black" '
        f'stroke-width="{line_px}" stroke-linecap="round" stroke-linejoin="round" d="{DRAWINGS[name]}"/></svg>'
    )


def drawings(px: int) -> np.ndarray:
    """All DRAWINGS: uint8 N x px x px, 0 on lines, 255 elsewhere."""
    outlines = []
    for name in DRAWINGS:
        image = render(svg(name).encode(), px)
        grey = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("L")
        outlines.append(np.where(np.asarray(grey) < INK, np.uint8(0), np.uint8(255)))
    return np.stack(outlines)
