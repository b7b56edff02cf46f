"""Starting with one's own pictures: what is set in params.yaml, and how `dvc repro` is run and ended."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.check import check
from app.recipe import names, overlaid, overlay_of, recipe_file
from app.start import start, write_params
from creatures.runtime.config import flat, read_yaml
from creatures.runtime.errors import UserError
from tests.stages.clean.test_clean_stage import figure
from tests.support.checkouts import environment
from tests.support.deps import ROOT
from tests.support.pictures_zoo import write

BY_CLASS = {f"{kind}/{i}.png": figure(6 * place + i) for place, kind in enumerate(("cat", "dog")) for i in range(6)}


@pytest.fixture(autouse=True)
def checkout(tmp_path, monkeypatch) -> None:
    """Parameters of their own, in the working directory."""
    (tmp_path / "checkout").mkdir()
    monkeypatch.chdir(tmp_path / "checkout")
    shutil.copy(ROOT / "params.yaml", "params.yaml")


def test_starting_changes_what_must_be_and_shows_it(tmp_path, capsys):
    write(Path("mine"), BY_CLASS)
    before = Path("params.yaml").read_text(encoding="utf-8")
    assert start(Path("mine"), run=False) == 0
    after, said = Path("params.yaml").read_text(encoding="utf-8"), capsys.readouterr().out
    removed, added = ({*one.splitlines()} - {*other.splitlines()} for one, other in ((before, after), (after, before)))
    assert all(f"-{line}" in said for line in removed) and all(f"+{line}" in said for line in added)
    few = flat(overlay_of(recipe_file("few"))).values()
    assert len(added) <= 3 + sum(1 + len(value) if isinstance(value, list) else 1 for value in few)
    assert f"  own: {tmp_path}/checkout/mine" in {re.sub(r" +#.*", "", line) for line in added}
    assert check().lines[0] == "folder: 2 labels by folder (cat, dog)" and not check().params
    assert start(Path("mine"), run=False) == 0
    assert "params.yaml is so already" in capsys.readouterr().out


@pytest.mark.parametrize("recipe", names())
def test_every_value_can_be_written_into_params_yaml(recipe):
    before, overlay = read_yaml(Path("params.yaml")), overlay_of(recipe_file(recipe))
    write_params(flat({key: value for key, value in overlay.items() if key in before}))
    assert read_yaml(Path("params.yaml")) == {key: overlaid(before, overlay)[key] for key in before}


@pytest.mark.parametrize(
    ("changes", "section"),
    [
        ({"names": None}, "names"),
        ({"gan.penalties": None}, "gan.penalties"),
        ({"gan.augment": ["flip"]}, "gan.augment"),
    ],
)
def test_sections_that_are_missing_are_one_line_and_nothing_is_changed(changes, section):
    write_params(changes)
    before = Path("params.yaml").read_bytes()
    write(Path("mine"), BY_CLASS)
    with pytest.raises(UserError, match=rf"^params\.yaml: {section} must be a mapping, for {section}\.\w+ to be set$"):
        start(Path("mine"), run=False)
    assert Path("params.yaml").read_bytes() == before


SLOW = """
import signal, sys, time
from pathlib import Path

def save(*_):
    time.sleep(1)
    Path("saved").touch()
    sys.exit(75)

signal.signal(signal.SIGINT, save)
signal.signal(signal.SIGTERM, save)
print("begun", flush=True)
time.sleep(60)
"""


def repro(stage: str) -> subprocess.Popen[str]:
    """Begin `repro` of a pipeline with one stage, where there is no git, in a session of its own as in a terminal."""
    Path(".dvc").mkdir()
    Path(".dvc/config").write_text("[core]\n    analytics = false\n")
    Path("dvc.yaml").write_text(json.dumps({"stages": {"slow": {"cmd": stage}}}))
    command = [sys.executable, "-c", "import sys; from app.start import repro; sys.exit(repro())"]
    env = environment() | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, start_new_session=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_lets_the_stage_save_and_dvc_end(number):
    Path("slow.py").write_text(SLOW)
    process = repro("python slow.py")
    assert process.stdout and "begun\n" in process.stdout
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    assert process.wait() == 255  # DVC's, of a stage that failed
    assert Path("saved").exists() and not any(json.loads(Path(".dvc/tmp/rwlock").read_text()).values())


def test_starting_needs_no_git():
    process = repro("touch trained")
    process.communicate()
    assert process.returncode == 0 and Path("trained").exists()


def test_starting_with_nothing_changes_nothing():
    Path("mine").mkdir()
    with pytest.raises(UserError, match="no pictures there"):
        start(Path("mine"))
    assert Path("params.yaml").read_bytes() == (ROOT / "params.yaml").read_bytes()
