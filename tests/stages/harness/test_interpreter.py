"""Which Python runs a stage: the one that has the project's packages, whether its environment is active or not."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkouts import dvc, environment, ran
from tests.support.deps import ROOT

SYSTEM = "/usr/bin:/bin"


def put_python(folder: Path, works: bool) -> Path:
    """A `python` in a folder: this one, or one without any package."""
    file = folder / "python"
    folder.mkdir(parents=True, exist_ok=True)
    quoted = "'" + sys.executable.replace("'", "'\\''") + "'"
    file.write_text(f'#!/bin/sh\nexport CALLED="$0"\nexec {quoted} {"" if works else "-I -S"} "$@"\n')
    file.chmod(0o755)
    return file


def called(root: Path, path: str) -> subprocess.CompletedProcess[str]:
    """Run the launcher where no Python is near above it: it writes the path of the `python` that was called."""
    tells = 'import os; print(os.environ["CALLED"])'
    shells = """sh -c 'sh "$0" -c "$1"; exit $?' "$0" "$1"; exit $?"""
    command = ["sh", "-c", shells, str(ROOT / "stages/python"), tells]
    env = environment() | {"PATH": path, "DVC_ROOT": str(root)}
    return subprocess.run(command, env=env, cwd=root, capture_output=True, text=True)


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_dvc_of_an_environment_that_is_not_active_runs_its_own_python(tiny_checkout, tmp_path, shell):
    bare = put_python(tmp_path / "bin", works=False)
    result = dvc(tiny_checkout, "repro", "names", env={"PATH": f"{bare.parent}:{SYSTEM}", "SHELL": shell})
    assert ran(result) == ["names"]


@pytest.mark.parametrize("active", [True, False])
def test_else_it_is_the_python_on_path_or_that_of_the_checkout(tmp_path, active):
    on_path = put_python(tmp_path / "bin", works=active)
    own = put_python(tmp_path / "a checkout/.venv/bin", works=True)
    result = called(tmp_path / "a checkout", f"{on_path.parent}:{SYSTEM}")
    assert (result.stdout.strip(), result.stderr) == (str(on_path if active else own), "")


def test_where_none_has_the_packages_a_line_says_what_to_do(tmp_path):
    bare = put_python(tmp_path / "bin", works=False)
    (tmp_path / "bin/python3").symlink_to(bare)
    result = called(tmp_path, f"{bare.parent}:{SYSTEM}")
    assert result.returncode == 1
    assert result.stderr == "stages/python: no Python here has the project's packages; run: make setup\n"
