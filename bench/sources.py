"""The whole pipeline on 20,000 pictures and more, from three sources at once, one of them over HTTP.

    python -m bench.sources

Clones what is committed into a temporary folder and runs `dvc repro` there, all stages at full size
except for very short trainings, and shards from 10,000 pictures on: four frames of each animation of the
default package, and drawings made here, half of them in a folder, the others by their addresses from a
server on this machine.
Prints each stage's time, memory and metrics.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from PIL import Image, ImageDraw
from ruamel.yaml import YAML

from app.recipe import overlaid
from creatures.runtime.config import read_yaml
from stages.scrape.web.guard import LOOPBACK

ROOT = Path(__file__).parent.parent
LABELS, SIDE = 40, 96
SHORT = {
    "classifier": {"backbone": "resnet18", "epochs": 1},
    "pretrain": {"coarse_kimg": 2, "kimg": 1},
    "gan": {"kimg": 1, "handover": {"d_warmup_kimg": 0, "g_warmup_kimg": 0}, "snapshots": 1, "frames": 2},
    "pix2pix": {"kimg": 1, "snapshots": 1, "frames": 2},
}


def draw(rng: random.Random) -> Image.Image:
    """A figure of nine coloured ellipses on a transparent background, RGBA."""
    image = Image.new("RGBA", (SIDE, SIDE))
    pen = ImageDraw.Draw(image)
    for _ in range(9):
        x, y, width, height = (rng.randint(8, 40) for _ in range(4))
        colour = f"hsl({rng.randrange(360)}, 80%, {rng.randint(30, 70)}%)"
        pen.ellipse((x, y, x + width + 8, y + height + 8), fill=colour, outline="black")
    return image


def draw_all(folder: Path, count: int, seed: str) -> list[Path]:
    """Draw `count` PNGs into LABELS subfolders."""
    paths = [folder / f"made{i % LABELS}/{i}.png" for i in range(count)]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        draw(random.Random(f"{seed}/{path.name}")).save(path)
    return paths


@contextmanager
def served(folder: Path) -> Iterator[int]:
    """Serve a folder's files on this machine; yields the port."""
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(folder)]
    server = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        assert server.stdout
        yield int(server.stdout.readline().split("port ")[1].split()[0])
    finally:
        server.terminate()
        server.wait()


def main(
    frames: Annotated[int, typer.Option(min=1, help="of each animation of the package")] = 4,
    made: Annotated[int, typer.Option(min=2, help="drawings")] = 12_000,
    kept: Annotated[Path | None, typer.Option(help="where metrics/ is copied to")] = None,
) -> None:
    with TemporaryDirectory() as name:
        folder, web = Path(name, "checkout"), Path(name, "web")
        subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
        draw_all(folder / "data/own/drawings", made // 2, "folder")
        pictures = draw_all(web, made - made // 2, "web")
        with served(web) as port:
            rows = [f"http://127.0.0.1:{port}/{path.relative_to(web)},{path.parent.name}" for path in pictures]
            (folder / "data/own/list.csv").write_text("\n".join(["url,label", *rows]) + "\n")
            sources = [
                *read_yaml(ROOT / "params.yaml")["scrape"]["sources"],
                {"from": "folder", "path": "drawings"},
                {"from": "urls", "path": "list.csv", "label_column": "label", "licence_column": ""},
            ]
            scrape = {"sources": sources, "web": {"per_host": 64, "per_second": 0.0}}
            values = overlaid(read_yaml(ROOT / "params.yaml"), SHORT)
            values = overlaid(values, {"scrape": scrape, "clean": {"frames_per_gif": frames, "shards_past": 10_000}})
            with open(folder / "params.yaml", "w", encoding="utf-8") as file:
                YAML(typ="safe").dump(values, file)
            began = time.monotonic()
            environment = os.environ | {LOOPBACK: str(port)}
            code = subprocess.run([sys.executable, "-m", "dvc", "repro"], cwd=folder, env=environment).returncode
        for cost in sorted(folder.glob("runs/*/*/cost.jsonl"), key=os.path.getmtime):
            spent = json.loads(cost.read_text().splitlines()[-1])
            print(f"{spent['stage']}: {spent['seconds']:.0f} s, {spent['peak_mib_of_a_process']:,} MiB")
        for metrics in ("scrape", "clean", "evaluate"):
            if (folder / f"metrics/{metrics}.json").exists():
                print(metrics, json.dumps(json.loads((folder / f"metrics/{metrics}.json").read_text())))
        if kept:
            shutil.copytree(folder / "metrics", kept, dirs_exist_ok=True)
        print(f"dvc repro ended with {code} after {(time.monotonic() - began) / 60:.1f} minutes")
        sys.exit(code)


if __name__ == "__main__":
    typer.run(main)
