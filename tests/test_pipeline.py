"""The real dvc.yaml, end to end, on pictures that the test draws itself."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import dvc, dvc_command, environment, git, set_params

RAN = re.compile(r"^Running stage '(\w+)'", re.MULTILINE)
TRAINED = ("models/gan.safetensors", "metrics/gan.json", "metrics/gan/history.tsv", "metrics/gan/training.gif")
FIGURES = ["kid", "kid_std", "kid_floor", "kid_pretrained", "kid_test", "fd"]
FIGURES += ["precision", "recall", "density", "coverage", "memorised"]
KEYS = {  # keys near the end of the graph, and the stages that must run; tests/test_graph.py has all sections
    "gan.lr": (3e-4, ["gan", "evaluate"]),
    "edges.canny": ([40, 120], ["edges"]),
}


def ran(result: subprocess.CompletedProcess) -> list[str]:
    assert result.returncode == 0, result.stdout + result.stderr
    return RAN.findall(result.stdout)


def hashes(checkout: Path) -> dict[str, str]:
    return {name: hashlib.sha256((checkout / name).read_bytes()).hexdigest() for name in TRAINED}


@pytest.fixture(scope="module")
def checkout(tiny_checkout_factory) -> Path:
    """A copy of the project with tiny parameters, after one whole run."""
    folder = tiny_checkout_factory()
    first = ran(dvc(folder, "repro"))
    assert set(first) == {"scrape", "clean", "edges", "classifier", "pretrain", "gmm", "gan", "evaluate"}
    return folder


def test_nothing_runs_when_nothing_changed(checkout):
    result = dvc(checkout, "repro")
    assert ran(result) == []
    assert "up to date" in result.stdout


def test_every_figure_is_there_and_a_number(checkout):
    figures = json.loads((checkout / "metrics/evaluate.json").read_text())
    assert all(isinstance(figures[key + suffix], float) for key in FIGURES for suffix in ("", "_encoder"))
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
    assert len(ran(dvc(checkout, "repro", "-f"))) == 8
    assert (checkout / "dvc.lock").read_bytes() == lock


def test_a_stage_killed_at_any_moment_goes_on_and_ends_with_the_same_bytes(checkout):
    before = (checkout / "params.yaml").read_text()
    set_params(checkout, {"gan.kimg": 0.8})
    try:
        assert "gan" in ran(dvc(checkout, "repro", "gan"))
        whole = hashes(checkout)
        kill_while_training(checkout, "repro", "-f", "-s", "gan")
        result = dvc(checkout, "repro", "-f", "-s", "gan")
        assert "going on at step" in result.stdout, result.stdout + result.stderr
        assert hashes(checkout) == whole
        assert not list((checkout / ".ckpt" / "gan").glob("*/checkpoint.pt"))
    finally:
        (checkout / "params.yaml").write_text(before)
        dvc(checkout, "repro")


def test_an_experiment_killed_in_its_temporary_folder_goes_on_too(checkout):
    # the temporary folder holds what git tracks, so the pictures are named by their absolute path
    pictures = f"scrape.folder.path={checkout / 'data/own'}"
    arguments = ("exp", "run", "--temp", "--name", "resumed", "-S", pictures, "-S", "gan.kimg=0.9")
    kill_while_training(checkout, *arguments)
    result = dvc(checkout, *arguments)
    assert "going on at step" in result.stdout, result.stdout + result.stderr

    ref = git(checkout, "for-each-ref", "--format=%(refname)", "refs/exps").split()
    resumed = next(git(checkout, "show", f"{name}:dvc.lock") for name in ref if name.endswith("/resumed"))
    before = (checkout / "params.yaml").read_text()
    set_params(checkout, {"gan.kimg": 0.9})
    try:
        assert ran(dvc(checkout, "repro", "-f", "-s", "gan")) == ["gan"]
        assert model_hash(resumed) == model_hash((checkout / "dvc.lock").read_text())
    finally:
        (checkout / "params.yaml").write_text(before)


def model_hash(lock: str) -> str:
    """The MD5 of models/gan.safetensors as the stage `gan` made it, out of a dvc.lock."""
    from ruamel.yaml import YAML

    outs = YAML(typ="safe").load(lock)["stages"]["gan"]["outs"]
    return next(out["md5"] for out in outs if out["path"] == "models/gan.safetensors")


def kill_while_training(checkout: Path, *arguments: str) -> None:
    """Start DVC, wait for a checkpoint of `gan`, and SIGKILL everything that was started."""
    env = environment() | {"CHECKPOINT_SECONDS": "0"}
    process = subprocess.Popen(
        [*dvc_command(), *arguments],
        cwd=checkout,
        env=env,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not list((checkout / ".ckpt" / "gan").glob("*/checkpoint.pt")):
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline, "no checkpoint in two minutes"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
