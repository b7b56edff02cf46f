"""Checkouts that are not as usual: without git, without a connection to the server of names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from creatures.runtime.config import changed, read_yaml
from tests.support import checkouts
from tests.support.checkouts import dvc, environment, git, make_checkout, ran, set_params
from tests.support.deps import ROOT

LAST = "could not be fetched"
PIPELINE = """\
stages:
  names: {cmd: "echo '{}' > data/names.json", outs: [data/names.json]}
  train: {cmd: touch trained, outs: [trained]}
"""


@pytest.fixture
def unpacked(tmp_path) -> Path:
    """What `make run` needs, in a folder that git knows nothing of; two stages that take no time."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt", ".dvc/config", ".dvcignore"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "data").mkdir()
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/installed").touch()
    return tmp_path


def make_run(folder: Path) -> subprocess.CompletedProcess[str]:
    made = subprocess.run(["make", "run"], cwd=folder, env=environment(), capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    return made


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
def test_it_runs_where_it_was_unpacked_from_a_zip_and_in_the_repository_that_is_made_of_it(unpacked):
    make_run(unpacked)
    assert (unpacked / "trained").exists()
    assert dvc(unpacked, "repro").returncode == 0  # from now on by itself too
    git(unpacked, "init", "--quiet")
    git(unpacked, "commit", "--quiet", "--allow-empty", "--message=Begin")
    make_run(unpacked)
    assert "no_scm" not in (unpacked / ".dvc/config.local").read_text()
    assert dvc(unpacked, "exp", "list").returncode == 0


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
def test_set_up_installs_for_cpus_and_without_extras_if_told_so(unpacked):
    (unpacked / ".venv/installed").unlink()

    def installs(*options: str) -> str:
        command = ["make", "--dry-run", "setup", *options]
        said = subprocess.run(command, cwd=unpacked, env=environment(), capture_output=True, text=True).stdout
        return said.replace("\\\n", " ")

    assert "-e '.[dev]'" in installs() and "--extra-index-url" not in installs()
    told = installs("INDEX=https://example.org/cpu", "EXTRAS=")
    assert "--extra-index-url https://example.org/cpu -e '.'" in told and "dev" not in told.split("pip install")[1]


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
def test_a_wrong_parameter_ends_a_run_before_any_stage(unpacked):
    values = changed(read_yaml(ROOT / "params.yaml"), {"gan.loss": "nss"})
    (unpacked / "params.yaml").write_text(json.dumps(values))
    done = subprocess.run(["make", "run"], cwd=unpacked, env=environment(), capture_output=True, text=True)
    assert done.returncode and "params.yaml: gan.loss is 'nss': must be one of " in done.stderr
    assert not (unpacked / "data/names.json").exists()


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
def test_names_that_could_not_be_fetched_are_tried_again_by_the_next_run(unpacked):
    make_run(unpacked)
    assert make_run(unpacked).stdout.count("Running stage") == 0
    (unpacked / "data/names.json").unlink()
    (unpacked / "data/names.json").write_text(json.dumps({"": LAST}, indent=0))
    assert dvc(unpacked, "commit", "--force").returncode == 0
    assert make_run(unpacked).stdout.count("Running stage 'names'") == 1
    assert json.loads((unpacked / "data/names.json").read_text()) == {}


def test_tests_find_their_files_without_git(tmp_path, tiny_set, monkeypatch):
    usual, zipped = make_checkout(tmp_path / "usual", tiny_set), tmp_path / "zipped"
    shutil.copytree(usual, zipped)
    shutil.rmtree(zipped / ".git")
    (zipped / "models/gan.safetensors").write_text("ignored by git")
    monkeypatch.setattr(checkouts, "ROOT", zipped)
    again = make_checkout(tmp_path / "again", tiny_set)
    assert git(again, "ls-files") == git(usual, "ls-files") and not (again / "models/gan.safetensors").exists()


def test_the_pipeline_goes_on_without_names_and_fetches_them_later(tiny_checkout, npm):
    """With the real DVC, which takes what a stage has written as done."""
    env = {"PATH": f"{npm(code='ENOTFOUND').with_name('bin')}{os.pathsep}{environment()['PATH']}"}
    set_params(tiny_checkout, {"names.package": "pokemon"})
    offline = dvc(tiny_checkout, "repro", "names", env=env)
    assert ran(offline) == ["names"]
    assert "species have no names; when there is a connection, dvc repro -f -s names" in offline.stderr
    npm([("package/data/en.json", b'["Bulbasaur"]')])
    assert ran(dvc(tiny_checkout, "repro", "-f", "-s", "names", env=env)) == ["names"]
    assert ran(dvc(tiny_checkout, "repro", "names", env=env)) == []
    assert json.loads((tiny_checkout / "data/names.json").read_text()) == {"1": "Bulbasaur"}
    set_params(tiny_checkout, {"names.version": "3.3.0"})
    assert ran(dvc(tiny_checkout, "repro", "names", env=env)) == ["names"]
    set_params(tiny_checkout, {"names.version": "3.3.1"})
    assert ran(dvc(tiny_checkout, "repro", "names", env=env)) == []  # as it was, from DVC's cache
    assert json.loads((tiny_checkout / "data/names.json").read_text()) == {"1": "Bulbasaur"}
