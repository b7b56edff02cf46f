"""Train on one's own pictures: write what fits them into params.yaml, and run everything."""

from __future__ import annotations

import difflib
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from ruamel.yaml import YAML

from app.check import check
from creatures.runtime.atomic import atomic_file
from creatures.runtime.config import assign
from creatures.runtime.signals import on_signals

PARAMS = Path("params.yaml")
DVC = [sys.executable, "-m", "dvc"]
LOCAL = Path(".dvc/config.local")


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
    return repro() if run else 0


def repro() -> int:
    """Run `dvc repro` until it has ended, also if it is interrupted: a stage then saves what it has. Without git DVC is
    told so, as by `make run`.

    Returns:
        Its exit status.
    """
    told = LOCAL.is_file() and "no_scm" in LOCAL.read_text(encoding="utf-8")
    if Path(".git").exists() == told:
        subprocess.run([*DVC, "config", "--local", *(["--unset", "core.no_scm"] if told else ["core.no_scm", "true"])])
    on_signals(_pass_on)
    return subprocess.Popen([*DVC, "repro"]).wait()


def _pass_on(number: int, frame: object) -> None:
    """Pass SIGTERM on as SIGINT, which a terminal sends to all by itself: SIGTERM would end DVC and the stage's shell
    at once, and leave the stage and a lock behind.
    """
    if number == signal.SIGTERM:
        ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # as in the background of a script
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number if ignored else signal.SIGINT)


def write_params(params: dict[str, Any]) -> None:
    """Change values of params.yaml, by dotted key; comments stay.

    Raises:
        UserError: a section of it is missing.
    """
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    document = yaml.load(PARAMS.read_text(encoding="utf-8"))
    assign(document, params)
    with atomic_file(PARAMS) as part, open(part, "w", encoding="utf-8") as out:
        yaml.dump(document, out)
