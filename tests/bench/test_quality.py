"""Recipes side by side, `bench.quality`, on a clock of the test's own: how fast the machine is decides nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import bench.quality
import bench.scores
import bench.workspace
from bench.quality import comparable_values, file_of, main, todo
from bench.scores import thumbnails
from creatures.data.pictures import Pictures, open_pictures
from creatures.metrics.scores import memorised
from creatures.runtime.config import read_yaml
from creatures.runtime.errors import UserError
from creatures.runtime.system import usable_cores
from stages.gan.train import train
from tests.support.checkouts import environment

JOBS = min(2, usable_cores())
TOO_FEW, ENOUGH = 0.03, 0.4  # minutes
LONG, SHORT = ({"classifier": seconds, "pretrain": 9, "gmm": 0.1} for seconds in (999, 0.2))


@pytest.fixture(scope="module")
def checkout(trained_checkout_factory) -> Path:
    folder = trained_checkout_factory()
    (folder / "mine.yaml").write_text("gan:\n  init: random\n  handover: {anchor: 0}\n")
    return folder


class Here:
    """Does at once and in this process what it is given, as a pool would elsewhere and later."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *_: object) -> None: ...

    def submit(self, work: Callable[..., Any], *args: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(work(*args))
        return future


def compare(
    monkeypatch: pytest.MonkeyPatch, checkout: Path, out: str, minutes: float, *recipes: str, **options: int
) -> str:
    """Run a comparison where a second passes whenever somebody looks at the clock; what it ends with."""
    seconds = iter(range(10**6))
    clock = SimpleNamespace(monotonic=lambda: float(next(seconds)))
    with monkeypatch.context() as patch:
        patch.chdir(checkout)
        patch.setenv("OMP_NUM_THREADS", "1")  # it sets it
        for module in (bench.quality, bench.workspace):
            patch.setattr(module, "time", clock)
        patch.setattr(bench.quality, "ProcessPoolExecutor", Here)
        patch.setattr(bench.quality.signal, "signal", lambda *_: None)
        try:
            main(list(recipes), minutes, 1, JOBS, out=Path(out), **{"pictures": 0, "points": 8} | options)
        except SystemExit as end:
            return str(end.code)
    return ""


@pytest.fixture(scope="module")
def took(checkout) -> Path:
    """The file of what the stages before the GAN took, after a comparison with time for no more than them."""
    with pytest.MonkeyPatch.context() as patch:
        late = compare(patch, checkout, "samples/q", TOO_FEW, "mine.yaml")
    assert late == f"quality: mine-{TOO_FEW:g} has no time left for its GAN: the stages before it took 2 s"
    (found,) = (checkout / "samples/q").glob("before-*/seconds.json")
    assert json.loads(found.read_text()) == {"classifier": 1, "pretrain": 1, "gmm": 1}
    return found


def started(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("quality: ")]


def test_recipes_are_compared_by_the_clock(checkout, took, monkeypatch, capfd):
    """The table has a line a recipe, and a comparison that is called again goes on after what is there."""
    # the stages' results, and what they took, are taken as they are; where it fails, the others go on
    took.write_text(json.dumps(LONG))
    for wanted in (["mine", "dcgan"], ["mine"], []):
        capfd.readouterr()
        end = compare(monkeypatch, checkout, "samples/q", ENOUGH, "mine.yaml", "dcgan")
        assert ("no time left" in end) == ("dcgan" in wanted)
        assert started(capfd.readouterr().out) == [f"quality: {name}, seed 0" for name in wanted]
        took.write_text(json.dumps(SHORT))
    lines = (checkout / "samples/q/results.jsonl").read_text().splitlines()
    runs = [json.loads(line) for line in lines]
    assert [found["recipe"] for found in runs] == ["dcgan", "mine"]
    assert [found["minutes_before_gan"] for found in runs] == [0, pytest.approx(0.3 / 60)]
    table = (checkout / "samples/q/table.md").read_text()
    for found in runs:
        assert found["threads"] == usable_cores() // JOBS
        assert found["kimg"] > 0 and 0 < found["minutes"] < ENOUGH
        assert [point["minutes"] for point in found["curve"]] == sorted(point["minutes"] for point in found["curve"])
        assert f"| `{found['recipe']}` | {found['minutes']:.1f} | {found['threads']} | 1 |" in table
        assert (checkout / f"samples/q/{found['recipe']}-{ENOUGH}.png").exists()


def test_without_minutes_a_recipe_trains_as_long_as_it_says(checkout, took, monkeypatch, capfd):
    def runs(kimg: float) -> list[float]:
        recipe = (checkout / "mine.yaml").read_text().replace("anchor: 0", "d_warmup_kimg: 0, g_warmup_kimg: 0")
        (checkout / "own.yaml").write_text(f"{recipe}  kimg: {kimg}\n")
        assert not compare(monkeypatch, checkout, "samples/q", 0, "own.yaml")
        lines = (checkout / "samples/q/results.jsonl").read_text().splitlines()
        return [run["kimg"] for run in map(json.loads, lines) if run["recipe"] == "own"]

    batch = read_yaml(checkout / "params.yaml")["gan"]["batch"] / 1000
    assert runs(3 * batch) == runs(3 * batch) == [pytest.approx(3 * batch)]
    assert runs(4 * batch) == [pytest.approx(3 * batch), pytest.approx(4 * batch)]
    assert (checkout / "samples/q/own.png").exists()


def test_a_run_with_few_pictures_is_trained_on_them_and_scored_on_the_others(checkout, monkeypatch):
    trained: list[list[int]] = []
    compared: list[int] = []

    def prdc(fake: np.ndarray, real: np.ndarray) -> dict[str, float | None]:
        compared.append(len(real))
        return {}

    def watched(stage: object, p: object, start: object, own: Pictures, *rest: object) -> object:
        trained.append([len(own.rows(split)) for split in ("train", "val", "test")])
        return train(stage, p, start, own, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(bench.quality, "train", watched)
    monkeypatch.setattr(bench.scores, "precision_recall_density_coverage", prdc)
    (checkout / "tiny.yaml").write_text("base: dcgan\ngan: {kimg: 0.032, batch: 16}\n")
    assert not compare(monkeypatch, checkout, "samples/q4", 0, "tiny.yaml", pictures=20, points=0)
    (run,) = map(json.loads, (checkout / "samples/q4/results.jsonl").read_text().splitlines())
    assert trained == [[18, 2, 0]] and run["curve"] == []
    (features,) = (checkout / "samples/q4").glob("real-lite1-*.npz")
    monkeypatch.chdir(checkout)
    others = len(bench.workspace.few_pictures(20, 0, Path("samples/q4"))[1].rows("test"))
    assert len(np.load(features)["test"]) == others and compared == [others]


def test_thumbnails_know_copies_without_fine_detail():
    train, unseen = np.random.default_rng(0).integers(0, 256, (2, 200, 3, 64, 64), np.uint8)
    soft = train[:50].reshape(50, 3, 32, 2, 32, 2).mean((3, 5)).repeat(2, 2).repeat(2, 3).round().astype(np.uint8)
    small = [thumbnails(images) for images in (soft, unseen, train)]
    assert memorised(*small) == 1 and memorised(small[1], small[1], small[2]) == pytest.approx(0.01, abs=0.005)


def test_a_workspace_has_what_its_stages_start_from(checkout, monkeypatch):
    """The default starts from the released networks; without them in the folder no stage of it would run."""
    (checkout / "models/kept").mkdir()
    monkeypatch.chdir(checkout)
    monkeypatch.setattr(bench.workspace, "_make", lambda folder, *_: (folder / "models").mkdir(parents=True) or {})
    started = comparable_values(file_of("mine.yaml"))
    started["gan"]["start"] = "kept"
    folder, _ = bench.workspace.workspace(started, Path("samples/q3"))
    assert (folder / "models/kept").samefile("models/kept")
    (checkout / "models/kept/classifier.safetensors").write_bytes(b"weights")
    started["classifier"]["start"] = "kept"
    other, _ = bench.workspace.workspace(started, Path("samples/q3"))
    (checkout / "models/kept/classifier.safetensors").write_bytes(b"other weights")
    assert len({folder, other, bench.workspace.workspace(started, Path("samples/q3"))[0]}) == 3


def test_few_pictures_are_other_ones_for_each_seed_and_the_rest_is_unseen(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    everything, trained = open_pictures(), []
    for seed in (0, 1, 0):
        folder, pictures = bench.workspace.few_pictures(20, seed, Path("samples/q"))
        own = open_pictures(folder / "data/clean")
        assert [len(own.rows(split)) for split in ("train", "val", "test")] == [18, 2, 0]
        chosen = np.concatenate([pictures.rows(split) for split in ("train", "val")])
        unseen = ~np.isin(source := everything.column("source"), source[chosen])  # no other frame of theirs
        assert len(chosen) == 20 and pictures.rows("test").tolist() == np.flatnonzero(unseen).tolist()
        assert np.array_equal(pictures.images, everything.images)
        for split in ("train", "val"):
            assert np.array_equal(own.images[own.rows(split)], everything.images[pictures.rows(split)])
        trained.append(pictures.rows("train").tolist())
    assert trained[0] == trained[2] != trained[1]
    with pytest.raises(UserError, match="--pictures 9999 is more than"):
        bench.workspace.few_pictures(9999, 0, Path("samples/q"))


def test_runs_with_few_pictures_are_not_those_with_all(checkout, monkeypatch, tmp_path):
    monkeypatch.chdir(checkout)
    results = tmp_path / "results.jsonl"
    ((_, _, key),) = todo([file_of("mine.yaml")], results, 1.0, 1, 1, 20)
    results.write_text(json.dumps(key) + "\n")
    assert not todo([file_of("mine.yaml")], results, 1.0, 1, 1, 20)
    assert todo([file_of("mine.yaml")], results, 1.0, 1, 1)
    results.write_text(json.dumps(key | {"set": "of other pictures"}) + "\n")
    assert todo([file_of("mine.yaml")], results, 1.0, 1, 1, 20)


def quality(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench.quality", *arguments]
    return subprocess.run(command, cwd=checkout, env=environment(), capture_output=True, text=True)


def test_a_run_is_a_process_and_its_failure_one_line(checkout, took):
    took.write_text(json.dumps(LONG))
    late = quality(checkout, "--jobs", str(JOBS), "--seeds", "1", "--out", "samples/q", "--minutes", "1", "mine.yaml")
    assert late.returncode == 1 and late.stdout == "quality: mine, seed 0\n"
    assert late.stderr.splitlines()[-1].startswith("quality: mine-1 has no time left for its GAN: the stages before it")


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ("stylegan", "quality: there is no recipe 'stylegan'; there are cpu, dcgan, dcgan-pokegen"),
        ("gpu-128", "quality: gpu-128 has its own pictures (clean, common); all must have the same"),
    ],
)
def test_a_comparison_that_cannot_be_made_ends_in_one_line(checkout, monkeypatch, recipe, says):
    assert compare(monkeypatch, checkout, "samples/q2", ENOUGH, recipe).startswith(says)
