"""Curves in MLflow and Weights & Biases, which the environment asks for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mlflow
import pytest

from creatures.runtime.errors import UserError
from creatures.training.trackers import ENVIRONMENT, Trackers
from tests.support.checkouts import environment
from tests.support.deps import ROOT

RUN = """
from pathlib import Path
from types import SimpleNamespace
from creatures.training.log import Log

log = Log(SimpleNamespace(name="gan", run_dir=Path("runs")), 6, 2, 0)
log.row(3, {"loss_d": 2.5})
log.row(6, {"loss_d": 1.5})
log.close()
"""


def run(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: Weights & Biases starts a server."""
    return subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=folder,
        env=environment() | {"PYTHONPATH": str(ROOT), "WANDB_MODE": "offline"} | settings,
        capture_output=True,
        text=True,
    )


@pytest.fixture()
def folder(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "params.yaml").write_text("common: {seed: 7}\ngan: {lr: 4e-4, penalties: {mesh: 0.3}}\n")
    return tmp_path


def test_curves_and_parameters_are_there(folder):
    done = run(folder, **{ENVIRONMENT: "mlflow, wandb"})
    assert done.returncode == 0, done.stderr
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    experiment = client.get_experiment_by_name("creatures")
    (found,) = client.search_runs([experiment.experiment_id])
    assert found.info.run_name == "gan" and found.info.status == "FINISHED"
    assert found.data.params == {"common.seed": "7", "gan.lr": "0.0004", "gan.penalties.mesh": "0.3"}
    curve = client.get_metric_history(found.info.run_id, "loss_d")
    assert [(point.step, point.value) for point in curve] == [(3, 2.5), (6, 1.5)]
    (written,) = (folder / "runs/wandb").glob("offline-run-*/*.wandb")
    assert b"loss_d" in written.read_bytes() and b"gan.penalties.mesh" in written.read_bytes()


def test_training_continues_without_its_tracker(folder):
    done = run(folder, **{ENVIRONMENT: "mlflow"}, MLFLOW_TRACKING_URI="nonsense://server")
    assert done.returncode == 0
    assert [line for line in done.stderr.splitlines() if line.startswith("gan: no more curves in mlflow: ")]


def test_nothing_is_written_unless_asked_for(folder):
    assert run(folder, **{ENVIRONMENT: ""}).returncode == 0
    assert {path.name for path in folder.iterdir()} == {"params.yaml", "runs"}
    assert {path.name for path in (folder / "runs").iterdir()} <= {"tensorboard", "dvclive"}


@pytest.mark.parametrize("name, line", [("mlfow", "'mlfow' is none of mlflow, wandb"), ("wandb", "is not installed")])
def test_what_cannot_be_had_is_said_before_training(tmp_path, monkeypatch, name, line):
    monkeypatch.setenv(ENVIRONMENT, name)
    monkeypatch.setattr("creatures.training.trackers.find_spec", lambda name: None)
    with pytest.raises(UserError, match=line):
        Trackers("gan", tmp_path)
