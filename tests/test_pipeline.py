"""The real dvc.yaml, end to end, on pictures that the test draws itself."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import dvc, ran, set_params

FIGURES = ["kid", "kid_std", "kid_floor", "kid_pretrained", "kid_test", "fd"]
FIGURES += ["precision", "recall", "density", "coverage", "memorised"]
KEYS = {  # keys near the end of the graph, and the stages that must run; tests/test_graph.py has all sections
    "gan.lr": (3e-4, ["gan", "evaluate"]),
    "edges.canny": ([40, 120], ["edges"]),
}


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
