"""The command line: what it says where it cannot work."""

import subprocess
import sys

from tests.closure import ROOT
from tests.conftest import environment


def app(cwd, *arguments):
    command = [sys.executable, "-m", "app", *arguments]
    env = environment() | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=env)


def test_without_models_it_says_what_to_do_in_one_line(tmp_path):
    result = app(tmp_path, "generate")
    assert result.returncode == 1
    assert result.stderr == (
        "generate: models/gan.safetensors is missing; run the stages before this one (dvc repro)\n"
    )
    assert not (tmp_path / "samples").exists()


def test_numbers_out_of_range_are_refused(tmp_path):
    for option, value in (("--count", "0"), ("--truncation", "-1"), ("--seed", "x")):
        result = app(tmp_path, "generate", option, value)
        assert result.returncode == 2
        assert option in result.stderr and "Traceback" not in result.stderr


def test_help_names_the_command_and_its_options(tmp_path):
    result = app(tmp_path, "generate", "--help")
    assert result.returncode == 0
    assert all(option in result.stdout for option in ("--count", "--seed", "--truncation", "--out"))
