"""Other systems than Linux, and containers."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from creatures.decoding import draw
from creatures.runtime import system
from tests.support.checkouts import environment, hashes
from tests.support.deps import ROOT

ELSEWHERE = """
import builtins, os, signal

for module, name in ((os, "sched_getaffinity"), (os, "sched_setaffinity"), (os, "waitid"), (os, "posix_fallocate"),
                     (signal, "pthread_sigmask"), (signal, "pthread_kill")):
    delattr(module, name)
imported = builtins.__import__

def import_here(name, globals=None, *others, **named):
    package = str((globals or {}).get("__name__")).split(".")[0]
    if name in ("resource", "fcntl") and package in ("creatures", "stages", "app"):
        raise ImportError(name)
    return imported(name, globals, *others, **named)

builtins.__import__ = import_here
"""


def test_stages_make_the_same_without_what_only_linux_has(scraped, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(ELSEWHERE)
    made = []
    for extra in ({}, {"PYTHONPATH": str(tmp_path)}):
        for name in ("clean", "edges"):
            command = [sys.executable, "-m", f"stages.{name}"]
            result = subprocess.run(command, cwd=scraped, env=environment() | extra, capture_output=True, text=True)
            assert result.returncode == 0, result.stderr
        made.append(hashes(scraped / "data/clean") | hashes(scraped / "data/edges"))
    assert made[0] == made[1] and len(made[0]) == 6


def test_drawings_are_drawn_by_processes_that_are_not_forked(monkeypatch):
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8" fill="red"/></svg>'
    forked = draw.draw(svg, 16)
    monkeypatch.setattr(draw, "_running", None)
    monkeypatch.setattr(draw, "sys", SimpleNamespace(platform="darwin"))
    assert draw.draw(svg, 16) == forked
    connection, child = draw._running
    assert isinstance(child, multiprocessing.context.SpawnProcess)
    child.terminate()
    child.join()  # a killed child that nobody waits for would end a later `clean` in this process
    connection.close()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinities")
@pytest.mark.parametrize(
    "limited",
    ["system.limit_threads(); print(torch.get_num_threads())", "finish('', lambda: str(torch.get_num_threads()))"],
    ids=["in a stage", "in a command"],
)
def test_cores_are_those_that_the_process_may_use(limited):
    code = ONE_CORE + limited
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["1", "1"]


ONE_CORE = """
import os, torch
from app.cli import finish
from creatures.runtime import system

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
torch.set_num_threads(3)
print(system.usable_cores())
"""


def test_memory_is_told_where_there_is_no_module_for_it(monkeypatch):
    peak = system.peak_memory_mib()
    monkeypatch.setattr(system, "resource", None)
    system.limit_memory(1)  # does nothing
    assert 20 < system.peak_memory_mib() <= peak
