"""What a sweep found."""

import json
import subprocess
from types import SimpleNamespace

import cv2
import pandas
import pytest

import app.sweep
from app.sweep import Trial, differing, experiments, importances, report, study_of
from creatures.runtime.errors import UserError

HISTORY = pandas.DataFrame(
    {"step": [1, 2, 3], "kimg": [0.1, 0.2, 0.3], "l1": [3.0, 2.0, 1.0], "val_l1": [None, 0.2, 0.1]}
)


def trial(name: str, weight: float, rate: str, value: float) -> Trial:
    params = {"pix2pix.lambda_l1": weight, "pix2pix.loss": rate, "pix2pix.augment": ["flip"]}
    return Trial(name, f"rev-{name}", params, {"pix2pix.val_l1": value, "gan.kid": 1.0})


@pytest.fixture
def trials(monkeypatch) -> list[Trial]:
    found = [trial(f"small-{w:g}-{r}", w, r, w / 100) for w in (10.0, 50.0, 100.0) for r in ("hinge", "bce")]
    monkeypatch.setattr(app.sweep, "experiments", lambda: [*found, trial("other", 1.0, "wgan", 0.0)])
    monkeypatch.setattr(app.sweep, "history", lambda trial, stage: HISTORY)
    return found


def test_what_decides_the_figure_is_what_is_important(trials):
    varied = differing(trials)
    assert varied == ["pix2pix.lambda_l1", "pix2pix.loss"]
    rows = [line.split("|") for line in importances(study_of(trials, varied, "pix2pix.val_l1")).splitlines()[2:]]
    shares = {row[1].strip(): float(row[2]) for row in rows}
    assert shares["`pix2pix.lambda_l1`"] > 0.95 and shares["`pix2pix.loss`"] < 0.05


def test_a_report_has_the_best_first_and_pictures_of_all(trials, tmp_path):
    written = report("small", "pix2pix.val_l1", tmp_path / "out")
    names = ["table.md", "importance.md", "training.png", "validation.png", "parallel.png", "parallel.html"]
    assert [path.name for path in written] == names
    lines = written[0].read_text().splitlines()
    assert lines[0] == "| experiment | lambda_l1 | loss | val_l1 |" and len(lines) == 8
    assert lines[2].startswith("| `small-10-hinge` | 10.0 | hinge | 0.1 |")
    assert "other" not in written[0].read_text()
    for path in written[2:5]:
        assert cv2.imread(str(path)).std() > 5
    assert "lambda_l1" in written[5].read_text()


@pytest.mark.parametrize(("count", "message"), [(0, "there is none"), (1, "there is but one")])
def test_too_few_runs_are_one_line(trials, count, message, monkeypatch, tmp_path):
    monkeypatch.setattr(app.sweep, "experiments", lambda: trials[:count])
    with pytest.raises(UserError, match=message):
        report("small", "pix2pix.val_l1", tmp_path)


def test_runs_that_came_out_the_same_are_one_line(trials, monkeypatch, tmp_path):
    same = [trial("small-1", 1.0, "bce", 0.5), trial("small-2", 2.0, "bce", 0.5)]
    monkeypatch.setattr(app.sweep, "experiments", lambda: same)
    with pytest.raises(UserError, match="have the same"):
        report("small", "pix2pix.val_l1", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_stage_without_a_history_has_no_curves_nor_those_of_an_earlier_report(trials, monkeypatch, tmp_path):
    report("small", "pix2pix.val_l1", tmp_path)
    (tmp_path / "mine.png").touch()
    monkeypatch.setattr(app.sweep, "history", lambda trial, stage: None)
    names = {path.name for path in report("small", "pix2pix.val_l1", tmp_path)}
    assert names == {"table.md", "importance.md", "parallel.png", "parallel.html"}
    assert {path.name for path in tmp_path.iterdir()} == names | {"mine.png"}


def test_pictures_of_others_stay(trials, monkeypatch, tmp_path):
    monkeypatch.setattr(app.sweep, "history", lambda trial, stage: None)
    (tmp_path / "training.png").touch()
    report("small", "pix2pix.val_l1", tmp_path)
    assert (tmp_path / "training.png").exists()


def test_a_metric_that_a_run_lacks_is_left_empty_and_such_runs_are_not_ranked(trials, tmp_path):
    trials[0].metrics["pix2pix.val_l1"] = None
    for number, one in enumerate(trials):
        one.metrics["pix2pix.fid"] = number if number != 1 else None
    written = report("small", "pix2pix.val_l1", tmp_path)
    lines = written[0].read_text().splitlines()
    assert len(lines) == 7 and lines[2] == "| `small-10-bce` | 10.0 | bce | 0.1 |  |"


def test_experiments_are_read_as_dvc_lists_them(monkeypatch):
    data = {
        "params": {"params.yaml": {"data": {"pix2pix": {"lambda_l1": 10, "augment": ["flip"]}}}},
        "metrics": {"metrics/pix2pix.json": {"data": {"val_l1": 0.1, "own_palette": {"val_l1": 0.05}}}},
    }
    runs = [{"rev": "a" * 40, "name": "small-1", "data": data}, {"rev": "b" * 40, "name": "small-2", "data": None}]
    running = {"revs": [{"rev": "c" * 40, "name": "small-3", "data": data}], "executor": {"state": "running"}}
    listed = [{"experiments": None}, {"experiments": [{"revs": runs, "executor": None}, running]}]
    monkeypatch.setattr(
        subprocess, "run", lambda *a, **k: SimpleNamespace(returncode=0, stdout=json.dumps(listed), stderr="")
    )
    (found,) = experiments()
    assert (found.name, found.rev) == ("small-1", "a" * 40)
    assert found.params == {"pix2pix.lambda_l1": 10, "pix2pix.augment": ["flip"]}
    assert found.metrics == {"pix2pix.val_l1": 0.1, "pix2pix.own_palette.val_l1": 0.05}
