"""Train on one's own pictures: write what fits them into params.yaml, and run everything."""

from __future__ import annotations

import difflib
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from app.check import check
from creatures.runtime.atomic import atomic_file

PARAMS = Path("params.yaml")


def start(place: Path, run: bool = True) -> int:
    """Look at a folder or an archive, change params.yaml so that it is trained on, show what changed, and run
    `dvc repro`.

    Returns:
        The exit status of `dvc repro`, 0 if it is not run.

    Raises:
        UserError: the pictures cannot be used; params.yaml is as before.
    """
    report = check(place)
    print("\n".join(report.lines))
    before = PARAMS.read_text(encoding="utf-8")
    write_params(report.params)
    after = PARAMS.read_text(encoding="utf-8")
    diff = difflib.unified_diff(before.splitlines(), after.splitlines(), "params.yaml", "params.yaml", n=0, lineterm="")
    print("\n".join(diff) or "params.yaml is so already", flush=True)
    return subprocess.run([sys.executable, "-m", "dvc", "repro"]).returncode if run else 0


def write_params(params: dict[str, Any]) -> None:
    """Change values of params.yaml, by dotted key; comments stay."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    document = yaml.load(PARAMS.read_text(encoding="utf-8"))
    for dotted, value in params.items():
        *sections, key = dotted.split(".")
        parent = document
        for section in sections:
            parent = parent[section]
        parent[key] = value
    with atomic_file(PARAMS) as part, open(part, "w", encoding="utf-8") as out:
        yaml.dump(document, out)
