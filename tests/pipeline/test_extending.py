"""The changes in docs/extending.md, each applied to a copy of the project, where its test is run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest

from tests.support.checkouts import environment, make_checkout
from tests.support.deps import ROOT

TEXT = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
CHANGES = dict(re.findall(r"^## ([^\n]+)\n.*?^```diff\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE))

RULES = [
    f"tests/pipeline/test_architecture.py::{name}"
    for name in (
        "test_dependencies_are_as_written_by_make_deps",
        "test_every_section_has_a_stage_and_every_stage_a_section",
    )
]


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_applies_and_its_test_passes(name, tmp_path, tiny_set):
    folder, diff = make_checkout(tmp_path / "copy", tiny_set), CHANGES[name]
    shutil.copy2(ROOT / "params.yaml", folder)
    applied = subprocess.run(["git", "apply", "-C1", "-"], cwd=folder, input=diff, capture_output=True, text=True)
    assert applied.returncode == 0, applied.stderr
    tests = re.findall(r"^\+\+\+ b/(tests/.*test_\w+\.py)$", diff, re.MULTILINE)
    assert tests
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, *RULES]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
