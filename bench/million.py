"""Whether scrape and clean take as long for each of a million pictures as of a hundred thousand.

    python -m bench.million [--jpeg SIDE] [COUNT ...]

For each count, draws so many small PNGs (or JPEGs of that side), no two alike, into a tar, runs both stages on it in a
temporary folder, and prints seconds, microseconds a picture and the peak memory of all processes
together. A million takes 20 GB of disk in TMPDIR.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from bench.frames import ROOT, run_stage

COUNTS = (100_000, 1_000_000)
BLOCKS, PX = 6, 24  # blocks of colour in a row, and the picture's side
LABELS = 1000


def draw(path: Path, count: int, jpeg: int) -> None:
    """Write a tar of PNGs, or of JPEGs of side `jpeg` if it is not 0, with a folder per label."""
    random = np.random.default_rng(0)
    with tarfile.open(path, "w") as tar:
        for number in range(count):
            blocks = Image.fromarray(random.integers(0, 256, (BLOCKS, BLOCKS, 3), np.uint8))
            data = io.BytesIO()
            if jpeg:
                blocks.resize((jpeg, jpeg), Image.Resampling.BICUBIC).save(data, "JPEG", quality=85)
            else:
                blocks.resize((PX, PX), Image.Resampling.NEAREST).save(data, "PNG", compress_level=1)
            member = tarfile.TarInfo(f"{number % LABELS:03}/{number:08}.{'jpg' if jpeg else 'png'}")
            member.size = len(data.getvalue())
            data.seek(0)
            tar.addfile(member, data)


def measure(count: int, jpeg: int) -> None:
    """Print the time and memory that `count` pictures take."""
    from ruamel.yaml import YAML

    with TemporaryDirectory() as name:
        folder = Path(name)
        for name in ("creatures", "stages"):
            shutil.copytree(ROOT / name, folder / name)
        shutil.copy(ROOT / "dvc.yaml", folder)
        (folder / "data" / "own").mkdir(parents=True)
        shutil.copy(ROOT / "data" / "vetoes.txt", folder / "data")
        draw(folder / "data" / "own" / "made.tar", count, jpeg)
        params = YAML().load((ROOT / "params.yaml").read_text())
        params["scrape"]["sources"] = [{"from": "archive", "path": "made.tar"}]
        YAML().dump(params, folder / "params.yaml")
        costs = {stage: run_stage(stage, folder) for stage in ("scrape", "clean")}
        metrics = json.loads((folder / "metrics" / "clean.json").read_text())
    for stage, (seconds, peak) in costs.items():
        print(
            f"{count:,} pictures, {stage}: {seconds:.1f} s, {1e6 * seconds / count:.0f} µs a picture, "
            f"peak memory {peak / 2**20:,.0f} MiB"
        )
    print(f"{metrics['pictures']:,} kept; dropped: {json.dumps(metrics['drops'])}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", nargs="*", type=int, metavar="COUNT", default=COUNTS)
    parser.add_argument("--jpeg", type=int, default=0, metavar="SIDE", help="JPEGs of so many pixels instead")
    args = parser.parse_args()
    for count in args.counts:
        measure(count, args.jpeg)


if __name__ == "__main__":
    main()
