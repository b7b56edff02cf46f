"""Recipes side by side: the same pictures, the same time on the clock for each.

    python -m bench.quality --minutes 20 --seeds 3 cpu dcgan-pokegen sngan

What a recipe needs is counted in: one that starts from a pretrained generator spends a part
of its minutes on the classifier, pretraining and the mixture, and what is left on the GAN.
What is measured (before, between and after) is not. Needs data/clean. Writes to --out:
`results.jsonl`, a line a run, and, from all its lines, `table.md`, `curve.tsv` and a sheet of
samples a recipe. A run that is there already is not made again, so that a long comparison
can be cut off and go on.

Scored on EfficientNet-Lite1, which neither training nor the choice of a snapshot looks at.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from ruamel.yaml import YAML

from app.recipe import FOLDER as RECIPES
from app.recipe import names
from bench.report import write_report
from stages.gan.build import build, new_architecture
from stages.gan.params import GanParams
from stages.gan.score import val_score
from stages.gan.train import train
from stages.lib.mixture import load_mixture
from stages.lib.nets.base import Generator
from stages.lib.nets.efficientnet_lite import EfficientNetLite
from stages.lib.nets.generators import build_generator
from stages.lib.params import Common, parse, read_yaml
from stages.lib.pictures import Pictures, open_pictures
from stages.lib.sampling import Latent, Sampler
from stages.lib.scores.features import features
from stages.lib.scores.figures import kid, memorised, precision_recall_density_coverage
from stages.lib.sheets import save_sheet, spread
from stages.lib.weights import load_weights

BEFORE = ("classifier", "pretrain", "gmm")
JUDGE, BESIDE = 1, 2  # EfficientNet-Lite's variants
POINTS = 8  # of the curve
SAMPLES, CURVE_SAMPLES, REFERENCE = 2000, 500, 10_000
WARM_UP_STEPS = 12


@dataclass(frozen=True)
class Scratch:
    """Where a run that is no stage of the pipeline keeps its files."""

    name: str
    checkpoint_dir: Path
    run_dir: Path


class Watch:
    """Keeps the weights of the averaged generator as it learns, and when that was."""

    def __init__(self, before: float) -> None:
        self.began, self.before, self.kept = time.monotonic(), before, []  # type: float, float, list[Any]

    def __call__(self, folder: Path, step: int, generator: Generator) -> None:
        seconds = self.before + time.monotonic() - self.began
        self.kept.append((seconds, step, {k: v.clone() for k, v in generator.state_dict().items()}))


def overlaid(values: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    """Nested dictionaries, with the values of the second where it has them."""
    found = dict(values)
    for key, value in overlay.items():
        deep = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = overlaid(found[key], value) if deep else value
    return found


def workspace(values: dict[str, Any], out: Path) -> tuple[Path, float]:
    """A folder where the stages before the GAN have run, and the seconds they took.

    Recipes with the same parameters for those stages share it, and are charged its time each.
    """
    wanted = {name: values[name] for name in ("common", *BEFORE)}
    text = json.dumps(wanted, sort_keys=True)
    for folder in sorted(out.glob("before-*")):
        if (folder / "wanted.json").exists() and (folder / "wanted.json").read_text() == text:
            return folder, json.loads((folder / "seconds.json").read_text())
    folder = out / f"before-{len(list(out.glob('before-*')))}"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    (folder / "data/clean").symlink_to(Path("data/clean").resolve())
    with open(folder / "params.yaml", "w", encoding="utf-8") as file:
        YAML(typ="safe").dump(values, file)
    root = Path(__file__).parents[1]
    for name in ("stages", "dvc.yaml"):
        (folder / name).symlink_to(root / name)
    began = time.monotonic()
    for name in BEFORE:
        subprocess.run([sys.executable, "-m", f"stages.{name}"], cwd=folder, check=True)
    seconds = time.monotonic() - began
    (folder / "seconds.json").write_text(json.dumps(seconds))
    (folder / "wanted.json").write_text(text)
    return folder, seconds


def run(recipe: str, seed: int, minutes: float, pictures: Pictures, out: Path) -> dict[str, Any]:
    """Train one recipe and score it; also writes its sheet of samples."""
    values = overlaid(read_yaml("params.yaml"), read_yaml(RECIPES / f"{recipe}.yaml"))
    values["common"]["seed"] = seed
    common, p = parse("common", values["common"], Common), parse("gan", values["gan"], GanParams)
    if common.image_px != pictures.image_px:
        raise typer.BadParameter(f"{recipe} is for pictures of {common.image_px} pixels, data/clean has others")
    before, weights, mixture, embeddings = 0.0, None, None, None
    latent = Latent(p.z_dim)
    if p.latent == "gmm":
        folder, before = workspace(values, out)
        mixture, embeddings = load_mixture(folder / "models/gmm.npz"), np.load(folder / "data/embeddings.npy")
        latent = Latent(mixture.embedding_dim, mixture)
    architecture = new_architecture(p, latent.length, common.image_px)
    if p.init == "pretrained":
        weights, header = load_weights(folder / "models/pretrain.safetensors")
        architecture = header["architecture"] | {"msg": p.msg}

    def fit(p: GanParams, points: int) -> tuple[Generator, Watch]:
        nets = build(p, architecture, weights, 0, seed)
        score = val_score(pictures, latent, p.snapshot_samples, seed) if p.snapshots else None
        scratch, watch = Scratch(recipe, out / "scratch/ckpt", out / "scratch/runs"), Watch(before)
        shutil.rmtree(out / "scratch", ignore_errors=True)
        timed = p.model_copy(update={"frames": points})
        return train(scratch, timed, *nets, latent, pictures, embeddings, None, seed, watch, score)[0], watch

    left = minutes * 60 - before
    if left <= 0:
        raise typer.BadParameter(f"{recipe} has no time left for its GAN: the stages before it took {before:.0f} s")
    short = {"kimg": WARM_UP_STEPS * p.batch / 1000, "snapshots": 0, "alone_kimg": 0.0, "ramp_kimg": 0.0}
    times = [seconds for seconds, *_ in fit(p.model_copy(update=short), WARM_UP_STEPS + 1)[1].kept]
    step_seconds = (times[-1] - times[2]) / (len(times) - 3)  # the first steps load and compile
    net, watch = fit(p.model_copy(update={"kimg": left / step_seconds * p.batch / 1000}), POINTS + 1)
    seconds = watch.kept[-1][0]
    return {
        "recipe": recipe,
        "seed": seed,
        "minutes": seconds / 60,
        "minutes_before_gan": before / 60,
        "kimg": watch.kept[-1][1] * p.batch / 1000,
        **scores(net, latent, pictures, seed, out / f"{recipe}-{seed}.png"),
        "curve": curve(build_generator(architecture), watch, latent, pictures, seed),
    }


def scores(net: Generator, latent: Latent, pictures: Pictures, seed: int, sheet: Path) -> dict[str, float]:
    """All figures of one generator, on the judging network, and KID on the one beside it."""
    drawn = Sampler(net, latent).sample(SAMPLES, seed + 1)
    save_sheet(sheet, drawn[:64], columns=16)
    found: dict[str, float] = {}
    for variant in (JUDGE, BESIDE):
        judge = EfficientNetLite(variant)
        fake = features(judge, drawn)
        real = {
            s: features(judge, pictures.images[spread(pictures.rows(s), REFERENCE)]) for s in ("train", "val", "test")
        }
        found[f"kid_lite{variant}"], found[f"kid_std_lite{variant}"] = kid(fake, real["val"])
        if variant == JUDGE:
            found |= precision_recall_density_coverage(fake, real["train"])
            found["memorised"] = memorised(fake, real["test"], real["train"])
    return found


def curve(net: Generator, watch: Watch, latent: Latent, pictures: Pictures, seed: int) -> list[dict[str, float]]:
    """KID on the judging network as training went on."""
    judge = EfficientNetLite(JUDGE)
    real = features(judge, pictures.images[pictures.rows("val")])
    rows = []
    for seconds, _, weights in watch.kept:
        net.load_state_dict(weights)
        net.eval().to(memory_format=torch.channels_last)
        found = kid(features(judge, Sampler(net, latent).sample(CURVE_SAMPLES, seed + 1)), real)[0]
        rows.append({"minutes": seconds / 60, "kid_lite1": found})
    return rows


def main(
    recipes: Annotated[list[str], typer.Argument(help="Files of recipes/, without their endings.")],
    minutes: Annotated[float, typer.Option(min=0.01, help="For all that a recipe needs.")] = 20,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each recipe.")] = 3,
    out: Annotated[Path, typer.Option(help="Folder for what comes out.")] = Path("samples/quality"),
) -> None:
    for recipe in recipes:
        if recipe not in names():
            raise typer.BadParameter(f"there is no recipe {recipe!r}; there are {', '.join(names())}")
    out.mkdir(parents=True, exist_ok=True)
    results = out / "results.jsonl"
    pictures = open_pictures()
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    done = {(found["recipe"], found["seed"], found["asked"]) for found in map(json.loads, lines)}
    for seed in range(seeds):
        for recipe in recipes:
            if (recipe, seed, minutes) in done:
                continue
            print(f"quality: {recipe}, seed {seed}", flush=True)
            found = run(recipe, seed, minutes, pictures, out) | {"asked": minutes}
            with open(results, "a", encoding="utf-8") as file:
                file.write(json.dumps(found) + "\n")
                file.flush()
                os.fsync(file.fileno())
            print(json.dumps({k: v for k, v in found.items() if k != "curve"}), flush=True)
            write_report(results, out)
    write_report(results, out)


if __name__ == "__main__":
    typer.run(main)
