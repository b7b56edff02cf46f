"""The real dvc.yaml, end to end, on pictures that the test draws itself."""

import json
from pathlib import Path

import pytest

from tests.support.checkouts import dvc, ran, set_params

FIGURES = ["kid", "kid_std", "kid_floor", "kid_pretrained", "kid_test", "fd"]
FIGURES += ["precision", "recall", "density", "coverage", "memorised"]
KEYS = {  # keys near the end of the graph, and the stages that must run; tests/pipeline/test_graph.py has all sections
    "gan.lr": (5e-4, ["gan", "evaluate"]),
    "edges.canny": ([40, 120], ["edges", "pix2pix"]),
}


@pytest.fixture(scope="module")
def checkout(trained_checkout_factory) -> Path:
    return trained_checkout_factory()


def test_nothing_runs_when_nothing_changed(checkout):
    result = dvc(checkout, "repro")
    assert ran(result) == []
    assert "up to date" in result.stdout


def test_every_figure_is_there_and_a_number(checkout):
    metrics = json.loads((checkout / "metrics/evaluate.json").read_text())
    assert all(isinstance(metrics[key + suffix], float) for key in FIGURES for suffix in ("", "_encoder"))
    colouring = json.loads((checkout / "metrics/pix2pix.json").read_text())
    for key in ("val_l1", "test_l1", "test_l1_inside", "baseline_l1_inside", "edge_agreement"):
        assert 0 <= colouring[key] <= 1
    edges = json.loads((checkout / "metrics/edges.json").read_text())
    assert [value for key, value in edges.items() if "empty" in key] == [0, 0]


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
