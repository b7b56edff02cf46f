"""Measurements of this pipeline on a GPU, in ten minutes: a JSON file and sheets of samples.

    python -m bench.gpu --out docs/gpu

- Pictures per second and memory of each training at several batch sizes, in bfloat16 and float16.
- Whether a repeated training, and one that was stopped and resumed, ends with the same bytes.
- What recipes reach in equal minutes: classifier, pretraining and GAN get fixed fractions of them and are as long as
  their speeds allow. KID, precision and the rest on EfficientNet-Lite1, visible defects, a sheet.

Pictures are first made in --sets, from `scrape`'s files by the recipe's own `clean`, and reused from there later:
FOLDER/<recipe>/data/clean, which may come from another machine. Without a GPU it measures the CPU.
"""

from __future__ import annotations

import contextlib
import gc
import json
import platform
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import torch
import typer

from app.recipe import overlaid, overlay_of
from bench.quality import file_of
from bench.scores import scores
from bench.trainings import MODULES, Trainings, Watch, apart, digest, precision
from bench.workspace import BEFORE, prepare_folder, run_stage
from creatures.artifacts import CLEAN, RAW, VETOES
from creatures.data.pictures import open_pictures
from creatures.data.sheets import save_sheet
from creatures.latents.sampler import load_sampler
from creatures.runtime.config import parse, read_yaml
from creatures.runtime.errors import UserError
from stages.evaluate.params import EvaluateParams

SHARES = {"classifier": 0.15, "pretrain": 0.2, "gan": 0.65}  # of a recipe's minutes
COARSE = 0.5  # of pretraining's pictures
SNAPSHOTS = {"snapshots": 4, "snapshot_samples": 400, "frames": 2}
STEPS = 20  # of a training that is repeated, and stopped halfway
RECIPES = ("gpu-64", "gpu-128", "gpu-256")


def values_of(recipe: str) -> dict[str, Any]:
    return overlaid(read_yaml("params.yaml"), overlay_of(file_of(recipe)))


def picture_set(recipe: str, sets: Path) -> Path:
    """A folder with the recipe's pictures in data/clean.

    Raises:
        UserError: there are none, and no files to make them from.
    """
    folder = sets / Path(recipe).stem
    prepare_folder(folder, values_of(recipe))
    if not (folder / CLEAN).exists():
        if not RAW.exists():
            raise UserError(f"{folder / CLEAN} and {RAW} are missing; run dvc repro scrape, or bring the former")
        for path in (RAW, VETOES):
            (folder / path).unlink(missing_ok=True)
            (folder / path).symlink_to(path.resolve())
        run_stage("clean", folder)
    return folder


def machine() -> dict[str, Any]:
    info: dict[str, Any] = {"torch": torch.__version__, "python": platform.python_version()}
    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        return info | {"device": card.name, "memory_mib": card.total_memory >> 20, "cuda": torch.version.cuda}
    return info | {"device": f"CPU, {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"}


def speeds(trainings: Trainings, batches: list[int], seconds: float) -> list[dict[str, Any]]:
    """Pictures per second and memory: a row for each training, precision and batch; None where memory is too small."""
    rows = []
    for name in MODULES:
        for kind in ("bf16", "fp16") if torch.cuda.is_available() else ("bf16", "no"):
            for batch in batches:
                row: dict[str, Any] = {"stage": name, "precision": kind, "batch": batch}
                try:
                    with precision(kind):
                        row["images_per_second"] = trainings.speed(name, batch, seconds)
                except torch.OutOfMemoryError:
                    row["images_per_second"] = None
                gc.collect()  # the networks are in reference cycles, and would count in the next row
                if torch.cuda.is_available():
                    row["memory_mib"] = torch.cuda.max_memory_allocated() >> 20
                    torch.cuda.empty_cache()
                    torch.cuda.reset_peak_memory_stats()
                print(json.dumps(row), flush=True)
                rows.append(row)
    return rows


def repeated(trainings: Trainings, steps: int) -> list[dict[str, Any]]:
    """Whether a training, repeated, or stopped halfway and resumed, ends with the same bytes; else how far apart."""
    rows = []
    for name in MODULES:
        with TemporaryDirectory() as folder:
            once, again = (trainings.fit(name, Path(folder, run), steps=steps) for run in ("once", "again"))
            with contextlib.suppress(KeyboardInterrupt):
                trainings.fit(name, Path(folder, "stopped"), steps=steps, watch=Watch(stop=steps // 2))
            stopped = trainings.fit(name, Path(folder, "stopped"), steps=steps)
        row = {"stage": name, "again": digest(again) == digest(once), "stopped": digest(stopped) == digest(once)}
        row |= {"again_apart": apart(again, once), "stopped_apart": apart(stopped, once)}
        print(json.dumps(row), flush=True)
        rows.append(row)
    return rows


def lengths(values: dict[str, Any], trainings: Trainings, minutes: float, count: int, seconds: float) -> None:
    """Set the lengths of a recipe's trainings to fill `minutes`, at the speeds measured here.

    Args:
        count: number of pictures to train on.
    """
    thousands = {}
    for name, part in SHARES.items():
        thousands[name] = part * minutes * 60 * trainings.speed(name, 0, seconds) / 1000
    values["classifier"]["epochs"] = max(1, round(1000 * thousands["classifier"] / count))
    values["pretrain"] |= {"coarse_kimg": COARSE * thousands["pretrain"], "kimg": (1 - COARSE) * thousands["pretrain"]}
    gan, kimg = values["gan"] | SNAPSHOTS, thousands["gan"]
    warmup = {name: min(gan["handover"][name], kimg / 10) for name in ("d_warmup_kimg", "g_warmup_kimg")}
    values["gan"] = gan | {"kimg": kimg, "handover": gan["handover"] | warmup}


def run_recipe(recipe: str, folder: Path, minutes: float, seconds: float, out: Path) -> dict[str, Any]:
    """Train a recipe for `minutes`, and score it."""
    name, values = Path(recipe).stem, values_of(recipe)
    for section in SHARES:
        values[section]["start"] = "none"
    pictures = open_pictures(folder / CLEAN)
    lengths(values, Trainings(values, pictures), minutes, len(pictures.rows("train")), seconds)
    (folder / "models/none").touch()
    prepare_folder(folder, values)
    took = {stage: run_stage(stage, folder) for stage in (*BEFORE, "gan")}
    out = out.resolve()
    with contextlib.chdir(folder):
        sampler, p = load_sampler(), parse("evaluate", values["evaluate"], EvaluateParams)
        metrics = scores(sampler, pictures, values["common"]["seed"], p, Path())
        save_sheet(out / f"{name}.png", sampler.sample(64, values["common"]["seed"] + 1), columns=8)
    kimg = {"gan": values["gan"]["kimg"], "pretrain": values["pretrain"]["kimg"]}
    row = {"recipe": name, "minutes": sum(took.values()) / 60, "kimg": kimg, "seconds": took, **metrics}
    print(json.dumps(row), flush=True)
    return row


def main(
    recipes: Annotated[list[str] | None, typer.Argument(help="Names or files; the three for GPUs.")] = None,
    minutes: Annotated[float, typer.Option(min=0.001, help="For each recipe.")] = 2.0,
    seconds: Annotated[float, typer.Option(min=0.001, help="For each speed.")] = 2.0,
    batches: Annotated[str, typer.Option(help="Whose speed is measured.")] = "16,64,256",
    sets: Annotated[Path, typer.Option(help="Folder for the recipes' pictures.")] = Path("samples/gpu"),
    out: Annotated[Path, typer.Option(help="Folder for what comes out.")] = Path("samples/gpu"),
) -> None:
    names = recipes or list(RECIPES)
    out.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"machine": machine()}
    print(json.dumps(results["machine"]), flush=True)

    def save(**rows: Any) -> None:
        results.update(rows)
        (out / "gpu.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")

    try:
        sizes = [int(batch) for batch in batches.split(",")]
        folders = {recipe: picture_set(recipe, sets) for recipe in names}
        first = Trainings(values_of(names[0]), open_pictures(folders[names[0]] / CLEAN))
        save(speeds=speeds(first, sizes, seconds))
        save(repeated=repeated(first, STEPS))
        for recipe, folder in folders.items():
            row = run_recipe(recipe, folder, minutes, seconds, out)
            save(recipes=[*results.get("recipes", []), row])
    except (UserError, ValueError) as error:
        sys.exit(f"gpu: {error}")


if __name__ == "__main__":
    typer.run(main)
