"""Folders where the stages before the GAN have run, for `bench.quality`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

from filelock import FileLock
from ruamel.yaml import YAML

from stages.lib.params import UserError
from stages.lib.provenance import digest_of

ROOT = Path(__file__).parents[1]
BEFORE = ("classifier", "pretrain", "gmm")


def workspace(values: dict[str, Any], out: Path) -> tuple[Path, dict[str, float]]:
    """A folder where the stages before the GAN have run, and the seconds each took.

    Named by all that those stages depend on, and the threads they may use. Recipes with the same
    parameters for them share it, and are charged its time each. The folders of models/ that they and
    the GAN start from are linked into it.
    """
    digest = code_digest("lib", *BEFORE)
    digest.update(json.dumps({name: values[name] for name in ("common", *BEFORE)}, sort_keys=True).encode())
    starts = {name: Path("models", values[name]["start"]) for name in (*BEFORE, "gan") if "start" in values[name]}
    for file in sorted(file for name in BEFORE if name in starts for file in starts[name].glob("*.safetensors")):
        digest.update(f"{file} {digest_of(file)}".encode())
    digest.update(os.environ.get("OMP_NUM_THREADS", "").encode())
    folder = out / f"before-{digest.hexdigest()[:12]}"
    took = folder / "seconds.json"  # written last
    with FileLock(f"{folder}.lock"):  # another run may be making it
        if not took.exists():
            took.write_text(json.dumps(_make(folder, values, set(starts.values()))))
        _link(folder, set(starts.values()))
    return folder, json.loads(took.read_text())


def _link(folder: Path, starts: set[Path]) -> None:
    for start in starts:
        if start.exists() and not (folder / start).exists():
            (folder / start).symlink_to(start.resolve())


def _make(folder: Path, values: dict[str, Any], starts: set[Path]) -> dict[str, float]:
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    (folder / "data/clean").symlink_to(Path("data/clean").resolve())
    with open(folder / "params.yaml", "w", encoding="utf-8") as file:
        YAML(typ="safe").dump(values, file)
    (folder / "models").mkdir()
    for name in ("stages", "dvc.yaml"):
        (folder / name).symlink_to(ROOT / name)
    _link(folder, starts)
    seconds = {}
    for name in BEFORE:
        began = time.monotonic()
        if subprocess.run([sys.executable, "-m", f"stages.{name}"], cwd=folder).returncode:
            raise UserError(f"{name} failed in {folder}")
        seconds[name] = time.monotonic() - began
    return seconds


def code_digest(*rooms: str) -> Any:
    """SHA-256, so far, of the pictures' index and of the code in some rooms of stages/."""
    digest = sha256(Path("data/clean/index.parquet").read_bytes())
    code = [path for room in rooms for path in sorted((ROOT / "stages" / room).rglob("*.py"))]
    for path in (ROOT / "stages/__init__.py", *code):
        digest.update(path.read_bytes())
    return digest
