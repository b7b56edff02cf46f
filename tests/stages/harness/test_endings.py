"""Stages that end early: were it otherwise, hours would be lost, or half a result would pass for a whole one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch

from creatures.runtime.signals import INTERRUPTED
from creatures.training.loop import Training
from stages.harness.stage import say_interrupted
from tests.stages.harness.test_stage import checkout, finish, start  # noqa: F401, checkout is a fixture
from tests.support.checkouts import hashes, stage
from tests.support.deps import ROOT


def worker(process: subprocess.Popen[str]) -> psutil.Process:
    """The first of the processes that a stage starts to work on pictures, once it is there."""
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            for child in psutil.Process(process.pid).children():
                if any(part in " ".join(child.cmdline()) for part in ("udf_worker", "spawn_main")):
                    return child
        time.sleep(0.01)
    raise AssertionError(process.communicate()[1])


# signals


@pytest.mark.parametrize("name", ["gan", "clean", "scrape"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stage_that_is_still_loading_its_libraries_ends_in_one_line(name, number):
    """`-X importtime` tells when: the first module that the stage itself imports."""
    command = [sys.executable, "-X", "importtime", "-m", f"stages.{name}"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    said = next(line for line in process.stderr if line.rstrip().endswith("numpy._core.multiarray"))
    process.send_signal(number)
    said = process.stderr.read()
    assert process.wait() == INTERRUPTED
    assert [line for line in said.splitlines() if not line.startswith("import time:")] == [f"{name}: interrupted"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("name", "out"), [("clean", "data/clean"), ("edges", "data/edges")])
def test_a_stage_with_processes_leaves_its_old_outputs_whole(scraped, name, out, number):
    before = hashes(scraped / out)
    process = stage(scraped, f"stages.{name}")
    worker(process)
    os.killpg(process.pid, number)  # as a terminal does
    code, said = finish(process)
    assert not code or (code, said) == (INTERRUPTED, f"{name}: interrupted\n")  # or it was done by then
    assert hashes(scraped / out) == before


def test_a_second_signal_ends_at_once(checkout):  # noqa: F811
    process = start(checkout, STUBBORN)
    assert process.stdout and process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "tidying\n"
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    code, said = finish(process)
    assert code not in (0, None) and said == "toy: interrupted\n" and time.monotonic() - began < 5


STUBBORN = """
try:
    print('ready', flush=True); time.sleep(30)
finally:
    print('tidying', flush=True); time.sleep(30)
"""


def test_an_interrupt_that_python_swallows_still_ends_it(checkout):  # noqa: F811
    slow = "class A:\n def __del__(self): print('ready', flush=True); time.sleep(30)\nA()"
    process = start(checkout, f"{slow}\ntime.sleep(30)")
    assert process.stdout and process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert finish(process) == (INTERRUPTED, "toy: interrupted\n")


def training(folder: Path) -> Training:
    """Of nine steps that change nothing."""
    toy = SimpleNamespace(name="toy", checkpoint_dir=folder / "ckpt", run_dir=folder / "runs")
    return Training(toy, 9, 2, 0, {"net": torch.nn.Linear(200, 9)})


def test_a_training_saves_after_the_step_under_way_and_says_so_once(tmp_path, capfd):
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    say_interrupted.cache_clear()
    try:
        with pytest.raises(KeyboardInterrupt), training(tmp_path) as run:
            for step in run:
                if step == 3:
                    os.kill(os.getpid(), signal.SIGINT)
                    time.sleep(0.01)
                    os.kill(os.getpid(), signal.SIGTERM)  # torchrun sends it after Ctrl-C
                    time.sleep(0.01)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert torch.load(tmp_path / "ckpt/checkpoint.pt", weights_only=True)["step"] == 4
    assert capfd.readouterr().err.count("toy: interrupted\n") == 1


def test_an_app_command_that_is_interrupted_says_so(tmp_path):
    for wait in (0.05, 0.4):
        process = subprocess.Popen(
            [sys.executable, "-c", APP], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout and process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert finish(process) == (130, "recipe: interrupted\n"), wait


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_training_that_nobody_listens_to_any_more_is_saved_when_it_is_interrupted(tmp_path, number):
    """As by Ctrl-C in `make run 2>&1 | tee log`, which ends `tee` too."""
    code = f"""
import os, sys
from pathlib import Path
from tests.stages.harness.test_endings import training
with training(Path({str(tmp_path)!r})) as run:
    for step in run:
        if step == 3:
            reads, writes = os.pipe()
            os.close(reads)
            os.dup2(writes, 1), os.dup2(writes, 2)
            os.kill(os.getpid(), {int(number)})
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True)
    assert torch.load(tmp_path / "ckpt/checkpoint.pt")["step"] == 4


APP = """
import sys, time
sys.argv = ["app", "recipe"]
from app import __main__ as it, recipe
def names():
    print("ready", flush=True)
    time.sleep(30)
recipe.names = names
it.main()
"""


# two at once


def test_a_stage_that_runs_twice_in_a_folder_says_so(checkout):  # noqa: F811
    first = start(checkout, "print('ready', flush=True); time.sleep(30)")
    assert first.stdout and first.stdout.readline() == "ready\n"
    try:
        said = "toy: another process is running toy here (.ckpt/toy.lock)\n"
        assert finish(start(checkout, "pass")) == (1, said)
    finally:
        first.kill()
        first.communicate()
    assert finish(start(checkout, "pass")) == (0, "")


# what the kernel kills


@pytest.mark.parametrize("name", ["clean", "edges"])
@pytest.mark.parametrize("wait", [0, 0.5])
def test_a_killed_process_of_a_stage_is_one_line(scraped, name, wait):
    process = stage(scraped, f"stages.{name}")
    child = worker(process)
    time.sleep(wait)
    with suppress(psutil.NoSuchProcess):
        child.kill()
    code, said = finish(process)
    if code:  # else it had done its part
        assert code == 1 and "was killed" in said and said.count("\n") == 1
