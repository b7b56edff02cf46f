"""What a stage runs in: were it wrong, DVC would record results as made by what did not make them."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stages.harness.stage import INTERRUPTED, Stage
from tests.support.deps import ROOT

DVC_YAML = """\
stages:
  toy:
    cmd: python toy.py
    params: [common, toy]
    deps: [toy.py, data/in, '${toy.path}']
    metrics: [{metrics/toy.json: {cache: false}}]
"""
PARAMS = "common: {image_px: 64, seed: 0}\ntoy: {rate: 1.0, path: data/more}\nother: {rate: 1.0}\n"
TOY = """\
import sys, time
from pathlib import Path
from creatures.runtime.errors import UserError
from stages.harness.stage import run

def main(stage):
    exec(sys.argv[1])
    stage.write_metrics({"share": 1 / 3})

run("toy", main)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A project of one stage, `toy`, that runs the code it is given."""
    folder = tmp_path / "first"
    for name, text in {
        ".dvcignore": (ROOT / ".dvcignore").read_text(),
        "dvc.yaml": DVC_YAML,
        "params.yaml": PARAMS,
        "toy.py": TOY,
        "data/in/a.txt": "a",
        "data/in/b.txt": "b",
        "data/more": "c",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def start(checkout: Path, code: str) -> subprocess.Popen[str]:
    env = {key: value for key, value in os.environ.items() if key != "DVC_ROOT"} | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "toy.py", code],
        cwd=checkout,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, errors = process.communicate(timeout=600)
    return process.returncode, errors


def fingerprint(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(checkout)
    return Stage("toy").fingerprint


def test_a_run_writes_figures_and_what_it_cost(checkout):
    assert finish(start(checkout, "pass")) == (0, "")
    assert json.loads((checkout / "metrics/toy.json").read_text()) == {"share": 0.333333}
    (cost,) = (checkout / "runs/toy").rglob("cost.jsonl")
    assert {"stage", "seconds", "peak_mib_of_a_process"} <= set(json.loads(cost.read_text()))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("params.yaml", PARAMS.replace("rate: 1.0, path", "rate: 2.0, path")),
        ("toy.py", TOY + "# edited\n"),
        ("data/in/a.txt", "edited"),
        ("data/in/new.txt", "added"),
        ("data/more", "edited"),
    ],
)
def test_an_edit_during_a_run_is_not_recorded(checkout, file, text):
    """DVC takes the hashes of code and parameters after the command has ended."""
    code, errors = finish(start(checkout, f"Path({file!r}).write_text({text!r})"))
    assert code == 1
    assert errors == "toy: code, parameters or inputs changed while this ran; nothing was recorded, run it again\n"


def test_an_edit_of_another_section_does_not_matter(checkout):
    text = PARAMS.replace("other: {rate: 1.0}", "other: {rate: 2.0}")
    assert finish(start(checkout, f"Path('params.yaml').write_text({text!r})")) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_does_not_count_as_done(checkout, number):
    """DVC records an exit code of 0 as a result."""
    process = start(checkout, "print('ready', flush=True); time.sleep(600)")
    assert process.stdout and process.stdout.readline() == "ready\n"
    process.send_signal(number)
    assert finish(process) == (INTERRUPTED, "toy: interrupted\n")
    assert INTERRUPTED == 75
    assert not (checkout / "metrics/toy.json").exists()


def test_a_mistake_of_the_user_is_one_line(checkout):
    assert finish(start(checkout, "raise UserError('no pictures there')")) == (1, "toy: no pictures there\n")


def test_a_mistake_of_ours_keeps_its_trace(checkout):
    code, errors = finish(start(checkout, "1 / 0"))
    assert code == 1 and "ZeroDivisionError" in errors and "Traceback" in errors


def test_a_missing_input_says_what_to_run(checkout):
    said = "toy: toy.path is 'data/more': there is no data/more\n"
    (checkout / "data/more").unlink()
    assert finish(start(checkout, "pass")) == (1, said)
    (checkout / "dvc.yaml").write_text((checkout / "dvc.yaml").read_text().replace("'${toy.path}'", "data/more"))
    said = "toy: cannot read data/more; run the stages before this one (dvc repro)\n"
    assert finish(start(checkout, "pass")) == (1, said)


def test_fingerprint_is_the_same_in_a_copy(checkout, tmp_path, monkeypatch):
    """Queued and temporary experiments find their checkpoint by it."""
    shutil.copytree(checkout, tmp_path / "second")
    assert fingerprint(checkout, monkeypatch) == fingerprint(tmp_path / "second", monkeypatch)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("params.yaml", "rate: 1.0, path", "rate: 1.5, path"),
        ("params.yaml", "seed: 0", "seed: 1"),
        ("dvc.yaml", "python toy.py", "python -O toy.py"),
        ("toy.py", "1 / 3", "1 / 4"),
        ("data/in/b.txt", "b", "B"),
        ("data/more", "c", "C"),
    ],
)
def test_fingerprint_changes_with_all_that_makes_the_result(checkout, monkeypatch, file, old, new):
    """Otherwise a run with new values would go on from the checkpoint of old ones."""
    before = fingerprint(checkout, monkeypatch)
    path = checkout / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    assert fingerprint(checkout, monkeypatch) != before


def test_fingerprint_changes_with_the_name_of_an_input(checkout, monkeypatch):
    before = fingerprint(checkout, monkeypatch)
    (checkout / "data/in/a.txt").rename(checkout / "data/in/c.txt")
    assert fingerprint(checkout, monkeypatch) != before


@pytest.mark.parametrize(
    ("old", "new"), [("other: {rate: 1.0}", "other: {rate: 2.0}"), ("rate: 1.0, path", "rate: 1.0,   path")]
)
def test_fingerprint_stays_where_nothing_of_the_stage_changes(checkout, monkeypatch, old, new):
    before = fingerprint(checkout, monkeypatch)
    (checkout / "params.yaml").write_text(PARAMS.replace(old, new))
    assert fingerprint(checkout, monkeypatch) == before


def test_checkpoints_lie_in_the_checkout_that_dvc_was_called_in(checkout, tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "original"))
    key = fingerprint(checkout, monkeypatch)[:16]
    assert Stage("toy").checkpoint_dir == tmp_path / "original/.ckpt/toy" / key
    assert Stage("toy").run_dir == tmp_path / "original/runs/toy" / key


def test_figures_are_rounded_to_6_digits(tmp_path, monkeypatch):
    """Bytes that differ in the last digit of a float would rerun nothing, but fill the history."""
    monkeypatch.chdir(tmp_path)
    Stage("toy").write_metrics({"b": math.pi, "a": {"small": 1.23456789e-7, "large": 123456789.0}, "count": 123456789})
    text = (tmp_path / "metrics/toy.json").read_text()
    assert json.loads(text) == {"b": 3.14159, "a": {"small": 1.23457e-7, "large": 123457000.0}, "count": 123456789}
    assert list(json.loads(text)) == ["b", "a", "count"]


def test_a_figure_that_is_no_number_is_refused(tmp_path, monkeypatch):
    """NaN is no JSON; `dvc metrics` could not read it."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError):
        Stage("toy").write_metrics({"kid": math.nan})


def test_tables_have_a_column_for_every_key(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Stage("toy").write_table("history", [{"kimg": 1, "loss": 1 / 3}, {"kimg": 2, "kid": 0.5}])
    text = (tmp_path / "metrics/toy/history.tsv").read_text()
    assert text == "kimg\tloss\tkid\n1\t0.333333\t\n2\t\t0.5\n"


def test_bytecode_is_no_input(checkout, monkeypatch):
    """Python writes it into the folders of code that stages depend on, also while they run."""
    before = fingerprint(checkout, monkeypatch)
    (checkout / "data/in/__pycache__").mkdir()
    (checkout / "data/in/__pycache__/a.cpython-311.pyc").write_bytes(b"bytecode")
    assert fingerprint(checkout, monkeypatch) == before
