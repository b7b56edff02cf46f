"""A plain DCGAN in the same time on the same pictures: what the pipeline must beat.

    python -m bench.baseline --minutes 15

Random weights, z ~ N(0, I), binary cross-entropy, no augmentation; A. Radford et al.'s
learning rate and betas. Needs data/clean, and prints KID as metrics/evaluate.json has it.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from stages.gan.params import GanParams
from stages.gan.train import train
from stages.lib.nets.efficientnet_lite import EfficientNetLite
from stages.lib.params import Common, parse, read_yaml
from stages.lib.pictures import open_pictures
from stages.lib.sampling import Latent, Sampler
from stages.lib.scores.features import features
from stages.lib.scores.figures import kid
from stages.lib.sheets import save_sheet

PLAIN = {
    "init": "random",
    "latent": "normal",
    "generator": "dcgan",
    "generator_width": 64,
    "z_dim": 100,
    "discriminator": "dcgan",
    "discriminator_width": 64,
    "loss": "bce",
    "augment": [],
    "lr": 2e-4,
    "d_lr": 2e-4,
    "betas": [0.5, 0.999],
    "alone_kimg": 0.0,
    "ramp_kimg": 0.0,
    "anchor": 0.0,
}
WARM_UP_KIMG = 1.0
SAMPLES = 2000


@dataclass(frozen=True)
class Scratch:
    """Where a run that is no stage of the pipeline keeps its files."""

    name: str
    checkpoint_dir: Path
    run_dir: Path


def main(
    minutes: Annotated[float, typer.Option(min=0.1, help="Time for its training.")] = 15,
    speed: Annotated[float, typer.Option(min=0, help="Its images/s; 0: measured first. For a busy machine.")] = 0,
    out: Annotated[Path, typer.Option(help="Folder for the samples and figures.")] = Path("samples/baseline"),
) -> None:
    values = read_yaml("params.yaml")
    common = parse("common", values["common"], Common)
    pictures = open_pictures()

    def run(kimg: float) -> tuple[Sampler, float]:
        p = parse("gan", values["gan"] | PLAIN | {"kimg": kimg}, GanParams)
        architecture = {"name": "dcgan", "z_dim": p.z_dim, "image_px": common.image_px, "width": p.generator_width}
        latent = Latent(p.z_dim)
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            scratch = Scratch("baseline", Path(folder) / "ckpt", Path(folder) / "runs")
            net, _ = train(scratch, p, architecture, None, latent, pictures, None, common.seed)
        return Sampler(net, latent), time.monotonic() - began

    if not speed:
        run(WARM_UP_KIMG / 4)  # what is loaded and compiled once
        speed = 1000 * WARM_UP_KIMG / run(WARM_UP_KIMG)[1]
        print(f"baseline: {speed:.1f} images/s", flush=True)
    kimg = minutes * 60 * speed / 1000
    sampler, seconds = run(kimg)
    drawn = sampler.sample(SAMPLES, common.seed + 1)
    lite2 = EfficientNetLite(2)
    mean, deviation = kid(features(lite2, drawn), features(lite2, pictures.images[pictures.rows("val")]))
    save_sheet(out / "samples.png", drawn[:64], columns=16)
    figures = {"kid": mean, "kid_std": deviation, "kimg": kimg, "minutes": seconds / 60}
    (out / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures))


if __name__ == "__main__":
    typer.run(main)
