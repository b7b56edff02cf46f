"""Runs that are killed go on where they were and end with the same bytes."""

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch

from tests.support.checkouts import dvc, dvc_command, environment, git, ran, set_params

TRAINED = ("models/gan.safetensors", "metrics/gan.json", "metrics/gan/history.tsv", "metrics/gan/training.gif")


@pytest.fixture(scope="module")
def checkout(trained_checkout_factory) -> Path:
    return trained_checkout_factory()


def hashes(checkout: Path) -> dict[str, str]:
    return {name: hashlib.sha256((checkout / name).read_bytes()).hexdigest() for name in TRAINED}


def test_a_stage_killed_at_any_moment_goes_on_and_ends_with_the_same_bytes(checkout):
    before = (checkout / "params.yaml").read_text()
    set_params(checkout, {"gan.kimg": 0.8, "gan.augment.p": 0.0, "gan.augment.target": 0.3, "gan.augment.kimg": 1})
    try:
        assert ran(dvc(checkout, "repro", "gan")) == ["gan"]
        whole = hashes(checkout)
        kill_while_training(checkout, "repro", "-f", "-s", "gan", after=60)  # when a snapshot has been scored
        result = dvc(checkout, "repro", "-f", "-s", "gan")
        assert "going on at step" in result.stdout, result.stdout + result.stderr
        assert hashes(checkout) == whole
        assert not list((checkout / ".ckpt" / "gan").glob("*/checkpoint.pt"))
    finally:
        (checkout / "params.yaml").write_text(before)


def test_an_experiment_killed_in_its_temporary_folder_goes_on_too(checkout):
    # the temporary folder holds what git tracks, so the pictures are named by their absolute path
    pictures = f"scrape.own={checkout / 'data/own'}"
    arguments = ("exp", "run", "--temp", "--name", "resumed", "-S", pictures, "-S", "gan.kimg=0.9", "gan")
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


def test_a_killed_process_of_two_ends_the_run_in_one_line_and_it_goes_on(checkout):
    before = (checkout / "params.yaml").read_text()
    set_params(checkout, {"gan.kimg": 0.8})
    settings = {"cwd": checkout, "env": environment() | {"PROCESSES": "2", "CHECKPOINT_SECONDS": "0"}, "text": True}
    command = [sys.executable, "-m", "stages.gan"]
    try:
        run = subprocess.Popen(command, **settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        wait_for_checkpoint(checkout, run, after=20)
        ranks = {child.environ().get("RANK"): child for child in psutil.Process(run.pid).children(recursive=True)}
        ranks["1"].kill()
        _, said = run.communicate(timeout=600)
        assert run.returncode not in (0, None)
        assert "gan: another process of this training has ended" in said and "Traceback" not in said

        again = subprocess.run(command, **settings, capture_output=True)
        assert again.returncode == 0, again.stderr
        assert again.stdout.count("going on at step") == 1
        rows = (checkout / "metrics/gan/history.tsv").read_text().splitlines()[1:]
        steps = [int(row.split("\t")[0]) for row in rows]
        assert steps == sorted(steps) and steps[-1] == 100
        assert not list((checkout / ".ckpt" / "gan").glob("*/checkpoint.pt"))
    finally:
        (checkout / "params.yaml").write_text(before)


def model_hash(lock: str) -> str:
    """The MD5 of models/gan.safetensors as the stage `gan` made it, out of a dvc.lock."""
    from ruamel.yaml import YAML

    outs = YAML(typ="safe").load(lock)["stages"]["gan"]["outs"]
    return next(out["md5"] for out in outs if out["path"] == "models/gan.safetensors")


def kill_while_training(checkout: Path, *arguments: str, after: int = 1) -> None:
    """Start DVC, wait for a checkpoint of `gan` at step `after` or later, and SIGKILL everything that was started."""
    env = environment() | {"CHECKPOINT_SECONDS": "0"}
    process = subprocess.Popen(
        [*dvc_command(), *arguments],
        cwd=checkout,
        env=env,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for_checkpoint(checkout, process, after)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for_checkpoint(checkout: Path, process: subprocess.Popen, after: int) -> None:
    """Of `gan`, at step `after` or later."""
    deadline = time.monotonic() + 600
    while latest_step(checkout) < after:
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < deadline, "no checkpoint in ten minutes"
        time.sleep(0.02)


def latest_step(checkout: Path) -> int:
    """Of the checkpoint of `gan`; 0 if there is none."""
    for file in (checkout / ".ckpt" / "gan").glob("*/checkpoint.pt"):
        with contextlib.suppress(FileNotFoundError):
            return torch.load(file, weights_only=True)["step"]
    return 0
