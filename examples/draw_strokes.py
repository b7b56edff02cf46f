"""Draw six creatures in black, with strokes in colours, for `app colour`: python examples/draw_strokes.py FOLDER"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw

from creatures.translation.drawings import DRAWINGS, drawings

SIDE, WIDTH = 512, 14  # pixels
BLUE, BROWN, GREEN, ORANGE = "#2f7fd8", "#8a5a33", "#4caf50", "#f08a24"
PINK, RED, YELLOW = "#f19ab4", "#d03030", "#f5d547"
# colour and ends, (x, y) and (x, y) in a square of 64
STROKES = {
    "bird": [(BLUE, 18, 47, 24, 48), (BLUE, 20, 30, 20, 36), (YELLOW, 30, 37, 37, 37), (ORANGE, 10, 22, 13, 22)],
    "blob": [
        (GREEN, 28, 50, 38, 50),
        (PINK, 17, 59, 20, 59),
        (PINK, 46, 59, 48, 59),
        (YELLOW, 7, 44, 9, 44),
        (YELLOW, 56, 45, 58, 45),
    ],
    "dragon": [(GREEN, 28, 52, 36, 52), (GREEN, 11, 21, 15, 21), (RED, 40, 19, 46, 16), (YELLOW, 24, 42, 24, 47)],
    "fish": [
        (BLUE, 36, 40, 44, 42),
        (YELLOW, 12, 36, 20, 38),
        (ORANGE, 36, 15, 41, 13),
        (ORANGE, 37, 50, 39, 52),
        (ORANGE, 59, 34, 61, 34),
    ],
    "flower": [
        (PINK, 26, 16, 27, 20),
        (PINK, 43, 16, 43, 19),
        (YELLOW, 35, 23, 38, 23),
        (GREEN, 20, 44, 26, 43),
        (GREEN, 46, 42, 52, 40),
        (GREEN, 36, 34, 36, 48),
        (BROWN, 32, 57, 42, 57),
    ],
    "fox": [(ORANGE, 26, 45, 34, 48), (YELLOW, 54, 36, 56, 39), (YELLOW, 27, 35, 30, 35)],
}

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for name, lines in zip(DRAWINGS, drawings(SIDE), strict=True):
    sheet = Image.fromarray(lines).convert("RGB")
    for colour, *ends in STROKES[name]:
        ImageDraw.Draw(sheet).line([SIDE // 64 * place for place in ends], fill=colour, width=WIDTH)
    sheet.save(folder / f"{name}.png")
