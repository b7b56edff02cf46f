"""A picture set that tests draw themselves: kinds of little creatures."""

from __future__ import annotations

import random
from pathlib import Path

from PIL import Image, ImageDraw

LABELS = 12
PNGS = 4  # stills a label, beside one GIF and one SVG


def draw_tiny_set(folder: Path) -> None:
    """Draw LABELS kinds of creatures, the same on each call."""
    for label in range(LABELS):
        subfolder = folder / f"{label + 1:02}-creature"
        subfolder.mkdir(parents=True)
        kind = Kind(label)
        for number in range(PNGS):
            kind.draw(random.Random(f"{label}/{number}")).save(subfolder / f"still{number}.png")
        first, *others = [kind.draw(random.Random(f"{label}/gif{i}")) for i in range(3)]
        first.save(subfolder / "moving.gif", save_all=True, append_images=others, duration=100, loop=0, disposal=2)
        (subfolder / "drawing.svg").write_text(kind.svg(), encoding="utf-8")


class Kind:
    """A body, two ears, two eyes and feet, in the shape and colours of a label."""

    def __init__(self, label: int) -> None:
        rng = random.Random(label)
        self.width, self.height = rng.uniform(0.4, 0.7), rng.uniform(0.4, 0.6)
        self.ear, self.feet = rng.uniform(0.1, 0.25), rng.randint(2, 4)
        self.body = f"hsl({label * 360 // LABELS}, 80%, 55%)"
        self.accent = f"hsl({(label * 360 // LABELS + 150) % 360}, 70%, 40%)"

    def shapes(self, rng: random.Random) -> list[tuple[str, str, list[tuple[float, float]]]]:
        """(ellipse or polygon, colour, points) in units of the picture's side, from back to front."""
        w, h = self.width * rng.uniform(0.8, 1.1), self.height * rng.uniform(0.8, 1.1)
        x, y, look = rng.uniform(0.46, 0.54), rng.uniform(0.5, 0.6), rng.uniform(-0.06, 0.06)
        left, right, top = x - w / 2, x + w / 2, y - h / 2
        found = [
            ("polygon", self.accent, [(left, y), (left + w * 0.1, top - self.ear), (x, top + h * 0.1)]),
            ("polygon", self.accent, [(right, y), (right - w * 0.1, top - self.ear), (x, top + h * 0.1)]),
        ]
        for foot in range(self.feet):
            at = left + w * (foot + 1) / (self.feet + 1)
            found.append(("ellipse", self.accent, [(at - 0.06, y + h * 0.35), (at + 0.06, y + h * 0.6)]))
        found.append(("ellipse", self.body, [(left, top), (right, y + h / 2)]))
        for eye in (x - w * 0.2 + look, x + w * 0.2 + look):
            found.append(("ellipse", "white", [(eye - 0.05, y - 0.1), (eye + 0.05, y)]))
            found.append(("ellipse", "black", [(eye - 0.02, y - 0.07), (eye + 0.02, y - 0.03)]))
        return found

    def draw(self, rng: random.Random, side: int = 72) -> Image.Image:
        """RGBA on nothing, side x side."""
        image = Image.new("RGBA", (side, side))
        pen = ImageDraw.Draw(image)
        for shape, colour, points in self.shapes(rng):
            scaled = [(px * side, py * side) for px, py in points]
            getattr(pen, shape)(scaled, fill=colour, outline="black")
        return image

    def svg(self) -> str:
        parts = []
        for shape, colour, points in self.shapes(random.Random("svg")):
            look = f'fill="{colour}" stroke="black" stroke-width="1"'
            if shape == "polygon":
                parts.append(
                    f'<polygon points="{" ".join(f"{x * 100:.2f},{y * 100:.2f}" for x, y in points)}" {look}/>'
                )
            else:
                (x0, y0), (x1, y1) = points
                centre = f'cx="{50 * (x0 + x1):.2f}" cy="{50 * (y0 + y1):.2f}"'
                parts.append(f'<ellipse {centre} rx="{50 * (x1 - x0):.2f}" ry="{50 * (y1 - y0):.2f}" {look}/>')
        return f'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100">{"".join(parts)}</svg>'
