"""Recipes side by side: the same pictures, the same time on the clock for each.

    python -m bench.quality --minutes 20 --seeds 3 cpu dcgan-pokegen sngan

With --jobs 2 two runs are made at a time, each with half of the processor's cores.

A recipe's minutes include all that it needs: one that starts from a pretrained generator spends
a part of them on the classifier, pretraining and the mixture, and the rest on the GAN, including
the choice of its snapshot; only the scoring for the table is not included. How many pictures a
recipe sees follows from the speed of its first steps, so the minutes are met within a few per
cent if the machine keeps its speed; the table has the actual ones. (Embedding all pictures, a
quarter of a minute, is charged to pretraining, which a random generator with the mixture does
not pay.) Needs data/clean. Writes to --out: `results.jsonl`, a line per run, and, from all its
lines, `table.md`, `curve.tsv` and a sheet of samples per run. A run that is there already,
with the same pictures, parameters, minutes and threads, is not repeated, so that a long comparison can be
interrupted and resumed.

With --minutes 0 a recipe trains on as many pictures as it says, however long that takes.

With --pictures 50 a run has only 50 pictures, different ones for each seed, like a user who has few; it is scored
against all others, which its stages do not see.

Scored on EfficientNet-Lite1, which neither training nor the choice of a snapshot looks at.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import chdir, suppress
from hashlib import sha256
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer

from app.recipe import overlaid, overlay_of, recipe_file
from bench.clock import Clock, Enough
from bench.report import write_report
from bench.scores import METRIC_NETWORK, curve, real_features, scores
from bench.scratch import scratch
from bench.workspace import BEFORE, few_pictures, workspace
from creatures.artifacts import PICTURES
from creatures.data.pictures import Pictures, open_pictures
from creatures.data.provenance import digest_of
from creatures.data.sheets import save_sheet
from creatures.latents.sampler import Sampler
from creatures.nets.common.base import Generator
from creatures.nets.generators.registry import build_generator
from creatures.runtime.config import Common, parse, read_yaml
from creatures.runtime.errors import UserError
from creatures.runtime.system import usable_cores
from stages.evaluate.params import EvaluateParams
from stages.gan.build import Start, prepare
from stages.gan.params import GanParams
from stages.gan.score import Score, val_score
from stages.gan.train import train

CURVE_SAMPLES = 500
WARM_UP = 1 / 40  # of the minutes: for the steps that measure the speed
SET_BY_TIME = ("kimg", "frames")  # gan's parameters that the minutes determine

Watch = Callable[[Path, int, Generator], None]
Fit = Callable[[GanParams, Watch], tuple[Generator, Start, Score | None]]


class Kept:
    """Records the weights of the averaged generator during training, with seconds and step."""

    def __init__(self, before: float) -> None:
        self.began, self.before, self.points = time.monotonic(), before, []  # type: float, float, list[Any]

    def __call__(self, folder: Path, step: int, generator: Generator) -> None:
        seconds = self.before + time.monotonic() - self.began
        self.points.append((seconds, step, {k: v.clone() for k, v in generator.state_dict().items()}))


def file_of(recipe: str) -> Path:
    """A recipe's file, by its name or its path."""
    return Path(recipe) if recipe.endswith(".yaml") and Path(recipe).is_file() else recipe_file(recipe)


def comparable_values(file: Path) -> dict[str, Any]:
    """params.yaml with a recipe's changes. Raises UserError for a recipe with pictures of its own."""
    overlay = overlay_of(file)
    other = {"common", "scrape", "clean"} & set(overlay)
    if other:
        raise UserError(f"{file.stem} has its own pictures ({', '.join(sorted(other))}); all must have the same")
    return overlaid(read_yaml("params.yaml"), overlay)


def used(values: dict[str, Any], minutes: float) -> dict[str, Any]:
    """The parameters that a recipe's result depends on, except its length if the minutes set it."""
    before = BEFORE if values["gan"]["latent"] == "gmm" else ()
    params = {name: values[name] for name in ("common", *before, "gan", "evaluate")}
    if minutes:
        params["gan"] = {name: value for name, value in params["gan"].items() if name not in SET_BY_TIME}
    return params


def todo(
    files: list[Path], results: Path, minutes: float, seeds: int, threads: int, pictures: int = 0
) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Name, parameters and key of each run that `results` lacks, seed by seed."""
    if len({file.stem for file in files}) < len(files):
        raise UserError("two recipes have the same name")
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    done = [json.loads(line) for line in lines]
    runs = []
    for seed, file in product(range(seeds), files):
        values = comparable_values(file)
        params = sha256(json.dumps(used(values, minutes), sort_keys=True).encode()).hexdigest()[:12]
        for name, model in (("common", Common), ("gan", GanParams), ("evaluate", EvaluateParams)):
            parse(name, values[name], model)
        key = {"recipe": file.stem, "seed": seed, "asked": minutes, "threads": threads, "params": params}
        key |= {"pictures": pictures, "set": digest_of(PICTURES)}
        if not any(key.items() <= ({"pictures": 0, "set": key["set"]} | row).items() for row in done):
            values["common"]["seed"] = seed
            runs.append((file.stem, values, key))
    return runs


def run(
    recipe: str, values: dict[str, Any], minutes: float, out: Path, few: int = 0, points: int = 8
) -> dict[str, Any]:
    """Train one recipe, score it and write its sheet of samples.

    Args:
        few: number of pictures that it may use; 0: all, in their splits.
        points: of the curve of its KID; 0: none.
    """
    seed = values["common"]["seed"]
    print(f"quality: {recipe}, seed {seed}{f', {few} pictures' if few else ''}", flush=True)
    numbers = [f"{number:g}" for number in (few, minutes) if number]
    name = "-".join([recipe, *numbers, *([f"seed{seed}"] if seed else [])])
    if not few:
        return _run(name, values, minutes, out, points)
    out, (workdir, others) = out.resolve(), few_pictures(few, seed, out)
    with chdir(workdir):
        return _run(name, values, minutes, out, points, others)


def _run(
    name: str, values: dict[str, Any], minutes: float, out: Path, points: int, others: Pictures | None = None
) -> dict[str, Any]:
    """Train on the pictures of this folder; score against its `val`, or against `test` of the `others`."""
    own = open_pictures()
    pictures, against = (others, "test") if others else (own, "val")
    common, p = parse("common", values["common"], Common), parse("gan", values["gan"], GanParams)
    evaluate, seed = parse("evaluate", values["evaluate"], EvaluateParams), common.seed
    folder, before = Path(), 0.0
    if p.latent == "gmm":
        folder, seconds = workspace(values, out)
        before = sum(seconds[stage] for stage in BEFORE if stage != "pretrain" or p.init == "pretrained")
    if before > minutes * 60 > 0:
        raise UserError(f"{name} has no time left for its GAN: the stages before it took {before:.0f} s")

    def fit(p: GanParams, watch: Watch) -> tuple[Generator, Start, Score | None]:
        start = prepare(p, common, own, folder)
        score = val_score(own, start.latent, p.snapshot_samples, seed) if p.snapshots else None
        with scratch(name) as stage:
            try:
                return train(stage, p, start, own, seed, watch, score)[0], start, score
            except Enough:
                return start.net_g, start, score

    kimg = affordable(name, p, fit, minutes * 60, before) if minutes else p.kimg
    lengths = {"kimg": kimg, "frames": max(2, points + 1)}
    net, start, _ = fit(parse("gan", values["gan"] | lengths, GanParams), recorder := Kept(before))
    seconds, step, _ = recorder.points[-1]
    sampler = Sampler(net, start.latent)
    save_sheet(out / f"{name}.png", sampler.sample(64, seed + 1), columns=16)
    metrics = scores(sampler, pictures, seed, evaluate, out, against)
    real = real_features(METRIC_NETWORK, pictures, evaluate.reference, out)[against]
    count, kept = min(CURVE_SAMPLES, evaluate.samples), recorder.points if points else []
    return {
        "minutes": seconds / 60,
        "minutes_before_gan": before / 60,
        "kimg": step * p.batch / 1000,
        **metrics,
        "curve": curve(build_generator(start.architecture), kept, start.latent, seed, count, real),
    }


def affordable(name: str, p: GanParams, fit: Fit, seconds: float, before: float) -> float:
    """Thousands of pictures to train on in what is left of these seconds after those `before` the GAN.

    Raises:
        UserError: nothing is left.
    """
    steps = 100_000  # more than enough
    handover = p.handover.model_copy(update={"d_warmup_kimg": 0.0, "g_warmup_kimg": 0.0})
    many = {"kimg": steps * p.batch / 1000, "frames": steps + 1, "handover": handover}
    clock = Clock(seconds * WARM_UP)
    net, _, score = fit(p.model_copy(update=many), lambda *_: clock.tick())
    left = seconds - before - clock.set_up
    if score:
        began = time.monotonic()
        score(net.eval())
        left -= p.snapshots * (time.monotonic() - began)
    kimg = left / clock.per_step * p.batch / 1000
    if kimg <= p.handover.d_warmup_kimg + p.handover.g_warmup_kimg:
        raise UserError(f"{name} has no time left for its GAN: what comes before it took {seconds - left:.0f} s")
    return kimg


def attempt(*args: Any) -> dict[str, Any] | UserError:
    """A run's result, or its error, so that the other runs continue."""
    try:
        return run(*args)
    except UserError as error:
        return error


def end(processes: list[psutil.Process], how: Callable[[psutil.Process], None]) -> None:
    """End those of these processes that still run."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            how(process)


def main(
    recipes: Annotated[list[str], typer.Argument(help="Names of recipes, or paths of such files.")],
    minutes: Annotated[float, typer.Option(min=0, help="For all that a recipe needs; 0: as many as it takes.")] = 20,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each recipe.")] = 3,
    jobs: Annotated[int, typer.Option(min=1, help="Runs at a time; they share the cores evenly.")] = 1,
    pictures: Annotated[int, typer.Option(min=0, help="That each run may have; 0: all.")] = 0,
    points: Annotated[int, typer.Option(min=0, help="Of each run's curve of KID; 0: no curve, which is sooner.")] = 8,
    out: Annotated[Path, typer.Option(help="Folder for what comes out.")] = Path("samples/quality"),
) -> None:
    out.mkdir(parents=True, exist_ok=True)
    results, cores, failed = out / "results.jsonl", usable_cores(), []
    try:
        if jobs > cores:
            raise UserError(f"--jobs {jobs} is more than the {cores} cores there are")
        own = open_pictures()
        if not pictures and not len(own.rows("test")):
            raise UserError("there are no test pictures to score with; raise clean.test_share")
        runs = todo([file_of(recipe) for recipe in recipes], results, minutes, seeds, cores // jobs, pictures)
    except UserError as error:
        sys.exit(f"quality: {error}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.environ["OMP_NUM_THREADS"] = str(cores // jobs)  # each run is a new process, which loads torch itself
    with ProcessPoolExecutor(jobs, get_context("spawn"), max_tasks_per_child=1) as pool:
        running = {
            pool.submit(attempt, name, values, minutes, out, pictures, points): key for name, values, key in runs
        }
        try:
            for future in as_completed(running):
                result = future.result()
                if isinstance(result, UserError):
                    failed.append(str(result))
                    continue
                result = running[future] | result
                with open(results, "a", encoding="utf-8") as log:
                    log.write(json.dumps(result) + "\n")
                    log.flush()
                    os.fsync(log.fileno())
                print(json.dumps({k: v for k, v in result.items() if k != "curve"}), flush=True)
                write_report(results, out)
        except KeyboardInterrupt:
            children = psutil.Process().children(recursive=True)
            end(children, psutil.Process.terminate)
            psutil.wait_procs(children, timeout=5)
            end(psutil.Process().children(recursive=True), psutil.Process.kill)  # and workers started in their place
            os._exit(130)  # the pool may wait for workers that are gone
    if failed:
        sys.exit("\n".join(f"quality: {line}" for line in failed))
    write_report(results, out)


if __name__ == "__main__":
    typer.run(main)
