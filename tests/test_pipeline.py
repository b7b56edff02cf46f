"""The real dvc.yaml, end to end, on pictures that the test draws itself."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import dvc, ran, set_params

FIGURES = ["kid", "kid_std", "kid_floor", "kid_pretrained", "kid_test", "fd"]
FIGURES += ["precision", "recall", "density", "coverage", "memorised"]
KEYS = {  # keys near the end of the graph, and the stages that must run; tests/test_graph.py has all sections
    "gan.lr": (3e-4, ["gan", "evaluate"]),
    "edges.canny": ([40, 120], ["edges", "pix2pix"]),
}


@pytest.fixture(scope="module")
def checkout(tiny_checkout_factory) -> Path:
    """A copy of the project with tiny parameters, after one whole run."""
    folder = tiny_checkout_factory()
    first = ran(dvc(folder, "repro"))
    assert set(first) == {
        "scrape",
        "clean",
        "edges",
        "classifier",
        "pretrain",
        "gmm",
        "gan",
        "evaluate",
        "pix2pix",
        "names",
    }
    return folder


def test_nothing_runs_when_nothing_changed(checkout):
    result = dvc(checkout, "repro")
    assert ran(result) == []
    assert "up to date" in result.stdout


def test_every_figure_is_there_and_a_number(checkout):
    figures = json.loads((checkout / "metrics/evaluate.json").read_text())
    assert all(isinstance(figures[key + suffix], float) for key in FIGURES for suffix in ("", "_encoder"))
    colouring = json.loads((checkout / "metrics/pix2pix.json").read_text())
    for key in ("val_l1", "test_l1", "test_l1_inside", "baseline_l1_inside", "edge_agreement"):
        assert 0 <= colouring[key] <= 1
    edges = json.loads((checkout / "metrics/edges.json").read_text())
    assert [value for key, value in edges.items() if "empty" in key] == [0, 0]


def test_generate_draws_the_same_pictures_for_the_same_seed(checkout):
    for out in ("a", "b"):
        command = [sys.executable, "-m", "app", "generate", "--count", "5", "--seed", "3", "--out", f"samples/{out}"]
        subprocess.run(command, cwd=checkout, check=True, capture_output=True)
    names = sorted(p.name for p in (checkout / "samples/a").iterdir())
    assert names == ["000.png", "001.png", "002.png", "003.png", "004.png", "grid.png"]
    for name in names:
        assert (checkout / "samples/a" / name).read_bytes() == (checkout / "samples/b" / name).read_bytes()


def app(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "app", *arguments], cwd=checkout, capture_output=True, text=True)


COMMANDS = {
    "fuse.png": ["fuse", "03-creature", "07-creature", "--count", "4", "--rows", "2"],
    "like.png": ["like", "03-creature", "--count", "3"],
    "vary.png": ["vary", "data/own/01-creature/drawing.svg", "--count", "3"],
    "colour.png": ["colour", "data/own/01-creature/drawing.svg", "data/own/02-creature/drawing.svg", "--count", "2"],
    "walk.gif": ["walk", "--frames", "5", "--stops", "3", "--scale", "1"],
    "walk.mp4": ["walk", "--frames", "5", "--stops", "3"],
}


@pytest.mark.parametrize("out", COMMANDS)
def test_commands_draw_and_the_same_seed_draws_the_same(checkout, out):
    for folder in ("c", "d"):
        result = app(checkout, *COMMANDS[out], "--out", f"samples/{folder}/{out}")
        assert result.returncode == 0, result.stderr
    assert (checkout / "samples/c" / out).read_bytes() == (checkout / "samples/d" / out).read_bytes()
    if out == "fuse.png":
        with Image.open(
            checkout / "samples/c" / out
        ) as sheet:  # 4 x 2 pictures of 32 pixels, gaps of 2, twice as large
            assert sheet.size == (2 * (4 * 34 + 2), 2 * (2 * 34 + 2))
    if out == "walk.gif":
        with Image.open(checkout / "samples/c" / out) as film:
            assert film.n_frames == 5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fuse", "03-creature", "mew"], "fuse: 'mew' is no picture file, and no species of data/clean\n"),
        (["vary", "params.yaml"], "vary: params.yaml cannot be used: not a picture (unknown content)\n"),
        (["walk", "--out", "walk.avi"], "walk: walk.avi must end in .gif or .mp4\n"),
    ],
)
def test_commands_end_in_one_line_where_they_cannot_work(checkout, arguments, says):
    result = app(checkout, *arguments)
    assert (result.returncode, result.stderr) == (1, says)


CHANGES = {  # of what `clean` reads, and a command that follows
    "a veto": ("like", "05-creature"),
    "another background": ("colour", "data/own/01-creature/drawing.svg", "--like", "05-creature"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_pictures_cleaned_anew_are_not_used_with_networks_of_before(checkout, change):
    """Rows of the embeddings would be other pictures': another species would be drawn, in silence."""
    command = CHANGES[change]
    changed = [checkout / name for name in ("data/vetoes.txt", "params.yaml")]
    before = [path.read_text() for path in changed]
    if change == "a veto":
        changed[0].write_text(before[0] + "drop 01-creature/drawing.svg\n")
    else:
        set_params(checkout, {"clean.background": "#eeeeee"})
    try:
        assert ran(dvc(checkout, "repro", "-s", "clean")) == ["clean"]
        result = app(checkout, *command)
        assert (result.returncode, result.stdout) == (1, "") and result.stderr.count("\n") == 1
        assert "run dvc repro" in result.stderr
    finally:
        for path, text in zip(changed, before, strict=True):
            path.write_text(text)
    assert ran(dvc(checkout, "repro")) == []
    assert app(checkout, *command).returncode == 0


def bench(checkout: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"bench.{name}", *arguments]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True)


def test_recipes_are_compared_by_the_clock(checkout):
    """The table has a line a recipe, and a comparison that is called again goes on after what is there."""
    (checkout / "mine.yaml").write_text("gan:\n  init: random\n  anchor: 0\n")
    jobs = min(2, os.cpu_count())
    some = ["--jobs", str(jobs), "--seeds", "1", "--out", "samples/q", "--minutes"]
    late = bench(checkout, "quality", *some, "0.01", "mine.yaml")
    assert late.returncode == 1
    assert late.stderr.splitlines()[-1].startswith("quality: mine has no time left for its GAN: the stages before it")
    # its stages have run, and other comparisons take them and what they took as they are; where it
    # fails, the others go on
    (took,) = (checkout / "samples/q").glob("before-*/seconds.json")
    took.write_text('{"classifier": 999, "pretrain": 9, "gmm": 0.1}')
    for wanted in (["dcgan", "mine"], ["mine"], []):
        result = bench(checkout, "quality", *some, "0.1", "mine.yaml", "dcgan")
        assert result.returncode == (1 if "dcgan" in wanted else 0), result.stderr
        made = sorted(line for line in result.stdout.splitlines() if line.startswith("quality"))
        assert made == [f"quality: {name}, seed 0" for name in wanted]
        took.write_text('{"classifier": 0.2, "pretrain": 9, "gmm": 0.1}')
    lines = (checkout / "samples/q/results.jsonl").read_text().splitlines()
    runs = [json.loads(line) for line in lines]
    assert [found["recipe"] for found in runs] == ["dcgan", "mine"]
    assert [found["minutes_before_gan"] for found in runs] == [0, pytest.approx(0.3 / 60)]
    table = (checkout / "samples/q/table.md").read_text()
    for found in runs:
        assert found["threads"] == os.cpu_count() // jobs
        assert found["kimg"] > 0 and 0 < found["minutes"] < 2
        assert [point["minutes"] for point in found["curve"]] == sorted(point["minutes"] for point in found["curve"])
        assert f"| `{found['recipe']}` | {found['minutes']:.1f} | {found['threads']} | 1 |" in table
        assert (checkout / f"samples/q/{found['recipe']}-0.1.png").exists()


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ("stylegan", "quality: there is no recipe 'stylegan'; there are cpu, dcgan, dcgan-pokegen"),
        ("gpu-128", "quality: gpu-128 has its own pictures (clean, common); all must have the same"),
    ],
)
def test_a_comparison_that_cannot_be_made_ends_in_one_line(checkout, recipe, says):
    result = bench(checkout, "quality", "--out", "samples/q2", recipe)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(says)


def test_a_step_is_taken_apart(checkout):
    result = bench(checkout, "step", "--steps", "3")
    assert result.returncode == 0, result.stderr
    parts = dict(re.findall(r"^(.*?) +[\d.]+ ms +([\d.]+)%$", result.stdout, re.MULTILINE))
    assert {"generator, forward", "discriminator, forward", "backward", "augmentation", "everything else"} <= set(parts)
    assert sum(map(float, parts.values())) == pytest.approx(100, abs=1)
    alone = re.search(r"convolutions alone: [\d.]+ ms, ([\d.]+)% of the step", result.stdout)
    assert alone and float(alone[1]) > 0


@pytest.mark.parametrize("key", KEYS)
def test_a_key_reruns_its_stage_and_those_after_it_and_going_back_runs_nothing(checkout, key):
    value, wanted = KEYS[key]
    lock, before = (checkout / "dvc.lock").read_bytes(), (checkout / "params.yaml").read_text()
    set_params(checkout, {key: value})
    try:
        assert sorted(ran(dvc(checkout, "repro"))) == sorted(wanted)
    finally:
        (checkout / "params.yaml").write_text(before)
    assert ran(dvc(checkout, "repro")) == []
    assert (checkout / "dvc.lock").read_bytes() == lock


def test_run_again_from_nothing_makes_the_same_bytes(checkout):
    lock = (checkout / "dvc.lock").read_bytes()
    assert len(ran(dvc(checkout, "repro", "-f"))) == 10
    assert (checkout / "dvc.lock").read_bytes() == lock
