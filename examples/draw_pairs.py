"""Draw pairs to learn a translation from, plans to lit balls: python examples/draw_pairs.py FOLDER [NUMBER]"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

folder, count, side = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 400, 64
rows, columns = np.mgrid[:side, :side]
for name in ("A", "B"):
    (folder / name).mkdir(parents=True, exist_ok=True)
for number in range(count):
    rng = np.random.default_rng(number)
    plan, lit = np.full((side, side, 3), 255.0), np.full((side, side, 3), 255.0)
    for _ in range(rng.integers(1, 4)):
        x, y, radius = *rng.uniform(16, 48, 2), rng.uniform(6, 14)
        colour, apart = rng.uniform(40, 220, 3), np.hypot(columns - x, rows - y)
        plan[apart < radius] = colour
        light = 1 - 0.7 * np.hypot(columns - x + radius / 3, rows - y + radius / 3) / radius
        lit[apart < radius] = (colour * light.clip(0.2, 1)[..., None] + 80 * (light.clip(0.7) - 0.7)[..., None])[
            apart < radius
        ]
    for name, picture in (("A", plan), ("B", lit)):
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / name / f"{number:04d}.png")
