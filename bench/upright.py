"""How often the tests of `clean.upright` find what they are for, and how often they take a good picture for it.

    python -m bench.upright [--raw data/raw] [--photos FOLDER] [--count 200]

Good ones: every file of data/raw, as it is, and `count` of them, 400 pixels large, as JPEGs and before a painted
sky. To find: parts of photographs of 400 pixels and more (of installed packages, and of a folder of yours), pages
of text in matplotlib's fonts, and the files of data/raw beside each other, with and without lines and panels.
"""

from __future__ import annotations

import argparse
import io
import random
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image, ImageDraw, ImageFont

from stages.clean.upright import TESTS, first_failed
from stages.lib.reading.files import open_file
from stages.lib.reading.unusable import Unusable

PHOTOS = {
    "gradio": ("media_assets/images/cheetah.jpg", "media_assets/images/tower.jpg"),
    "sklearn": ("datasets/images/china.jpg", "datasets/images/flower.jpg"),
    "matplotlib": ("mpl-data/sample_data/grace_hopper.jpg",),
}
GRIDS = ((2, 1), (1, 2), (3, 1), (2, 2), (3, 2), (3, 3), (4, 4))
WORDS = "a creature of water grass or fire that learns new moves at level thirty six when it holds its stone"
WHITE = (255, 255, 255)


def within(package: str, path: str = "") -> Path:
    spec = find_spec(package)
    assert spec is not None and spec.origin
    return Path(spec.origin).parent / path


def good(raw: Path) -> Iterator[Image.Image]:
    for row in pq.read_table(raw / "manifest.parquet").to_pylist():
        try:
            if row["status"] == "ok":
                yield open_file(raw / "files" / row["path"], 64)
        except Unusable:
            continue


def jpeg(image: Image.Image, quality: int = 80) -> Image.Image:
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=quality)
    return Image.open(out).convert("RGBA")


def large(image: Image.Image) -> Image.Image:
    return image.resize([max(1, round(400 * side / max(image.size))) for side in image.size])


def on(image: Image.Image, ground: Image.Image) -> Image.Image:
    ground.paste(image, mask=image)
    return ground


def sky(image: Image.Image, rng: random.Random) -> Image.Image:
    """A figure before two colours that fade into each other."""
    ends = np.array([[rng.randint(60, 255) for _ in range(3)] for _ in range(2)])[:, None].astype(np.uint8)
    return jpeg(on(image, Image.fromarray(ends).resize(image.size, Image.Resampling.BILINEAR)))


def part(image: Image.Image, rng: random.Random) -> Image.Image:
    share = rng.uniform(0.7, 1)
    x, y = (rng.uniform(0, 1 - share) * side for side in image.size)
    box = (x, y, x + share * image.width, y + share * image.height)
    return image.crop(tuple(map(round, box)))


def page(rng: random.Random, fonts: list[Path]) -> Image.Image:
    px, colours = rng.randint(14, 48), rng.sample(["white", "black", "wheat", "maroon"], 2)
    if set(colours) in ({"white", "wheat"}, {"black", "maroon"}):
        colours = ["white", "black"]
    image = Image.new("RGBA", (rng.randint(300, 900), rng.randint(250, 900)), colours[0])
    font, pen = ImageFont.truetype(rng.choice(fonts), px), ImageDraw.Draw(image)
    for top in range(px, image.height - 2 * px, round(1.3 * px)):
        line = " ".join(rng.choices(WORDS.split(), k=60))
        while pen.textlength(line, font) > image.width - 2 * px:
            line = line.rpartition(" ")[0]
        pen.text((px, top), line, colours[1], font)
    return image


def beside(images: list[Image.Image], rng: random.Random) -> Image.Image:
    (columns, rows), cell = rng.choice(GRIDS), rng.randint(90, 220)
    look, sheet = rng.choice(["plain", "lines", "panels"]), (columns * cell, rows * cell)
    result = Image.new("RGBA", sheet, rng.choice(["white", "white", "lavender", "#14141e"]))
    pen = ImageDraw.Draw(result)
    for x in range(0, sheet[0], cell):
        for y in range(0, sheet[1], cell):
            colour = tuple(rng.randint(60, 255) for _ in range(3)) if look == "panels" else None
            outline = "black" if look == "lines" else None
            pen.rectangle((x, y, x + cell - 1, y + cell - 1), colour, outline, 2)
            image = rng.choice(images)
            figure = image.crop(image.getchannel("A").getbbox())
            figure = figure.resize([max(1, round(side * 0.85 * cell / max(figure.size))) for side in figure.size])
            result.paste(figure, (x + (cell - figure.width) // 2, y + (cell - figure.height) // 2), figure)
    return jpeg(result)


def tell(kind: str, images: Iterable[Image.Image]) -> None:
    found = np.array([[first_failed(image, WHITE, [name]) > 0 for name in TESTS] for image in images])
    shares = ", ".join(f"{name} {share:.1%}" for name, share in zip(TESTS, found.mean(axis=0), strict=True))
    print(f"{kind}, {len(found):,}: {shares}; any {found.any(axis=1).mean():.1%}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--raw", type=Path, default=Path("data/raw"))
    parser.add_argument("--photos", type=Path, help="a folder of more of them")
    parser.add_argument("--count", type=int, default=200, help="made examples of each kind")
    args = parser.parse_args()
    rng = random.Random(0)

    art = list(good(args.raw))
    some = [large(image) for image in rng.sample(art, min(args.count, len(art))) if image.getchannel("A").getbbox()]
    paths = [within(package, name) for package, names in PHOTOS.items() for name in names]
    paths += sorted(args.photos.iterdir()) if args.photos else []
    photos = [photo for path in paths if max((photo := Image.open(path).convert("RGBA")).size) >= 400]
    fonts = sorted(within("matplotlib", "mpl-data/fonts/ttf").glob("DejaVu*.ttf"))

    tell("as they are", art)
    tell("as JPEG", (jpeg(on(image, Image.new("RGBA", image.size, WHITE)), 75) for image in some))
    tell("before a sky", (sky(image, rng) for image in some))
    tell("photographs", (part(photo, rng) for photo in photos for _ in range(args.count // len(photos))))
    tell("pages of text", (page(rng, fonts) for _ in range(args.count)))
    tell("collages", (beside(some, rng) for _ in range(args.count)))


if __name__ == "__main__":
    main()
