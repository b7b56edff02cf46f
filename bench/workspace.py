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

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
BEFORE = ("classifier", "pretrain", "gmm")


def workspace(values: dict[str, Any], out: Path) -> tuple[Path, dict[str, float]]:
    """A folder where the stages before the GAN have run, and the seconds each took.

    Recipes with the same parameters for those stages share it, and are charged its time each.
    """
    folder = workspace_folder(values, out)
    took = folder / "seconds.json"  # written last
    if took.exists():
        return folder, json.loads(took.read_text())
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data").mkdir(parents=True)
    (folder / "data/clean").symlink_to(Path("data/clean").resolve())
    with open(folder / "params.yaml", "w", encoding="utf-8") as file:
        YAML(typ="safe").dump(values, file)
    for name in ("stages", "dvc.yaml"):
        (folder / name).symlink_to(ROOT / name)
    seconds = {}
    for name in BEFORE:
        began = time.monotonic()
        subprocess.run([sys.executable, "-m", f"stages.{name}"], cwd=folder, check=True)
        seconds[name] = time.monotonic() - began
    took.write_text(json.dumps(seconds))
    return folder, seconds


def workspace_folder(values: dict[str, Any], out: Path) -> Path:
    """Named by all that the stages before the GAN depend on, and by the threads they may use."""
    code = [path for room in ("lib", *BEFORE) for path in sorted((ROOT / "stages" / room).rglob("*.py"))]
    digest = sha256(json.dumps({name: values[name] for name in ("common", *BEFORE)}, sort_keys=True).encode())
    for path in (Path("data/clean/index.parquet"), *code):
        digest.update(path.read_bytes())
    digest.update(os.environ.get("OMP_NUM_THREADS", "").encode())
    return out / f"before-{digest.hexdigest()[:12]}"
