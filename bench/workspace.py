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

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock
from ruamel.yaml import YAML

from creatures.artifacts import CLEAN, MODELS, PICTURES
from creatures.data.pictures import IMAGES, Pictures, open_pictures
from creatures.data.provenance import digest_of
from creatures.runtime.errors import UserError

ROOT = Path(__file__).parents[1]
BEFORE = ("classifier", "pretrain", "gmm")


def workspace(values: dict[str, Any], out: Path) -> tuple[Path, dict[str, float]]:
    """A folder where the stages before the GAN have run, and the seconds each took.

    Its name is a digest of all that those stages depend on, and of the threads they may use. Recipes with
    the same parameters for them share it, and each is charged its time. The folders of models/ that they
    and the GAN start from are linked into it.
    """
    digest = code_digest(*BEFORE)
    digest.update(json.dumps({name: values[name] for name in ("common", *BEFORE)}, sort_keys=True).encode())
    starts = {name: MODELS / values[name]["start"] for name in (*BEFORE, "gan") if "start" in values[name]}
    for file in sorted(file for name in BEFORE if name in starts for file in starts[name].glob("*.safetensors")):
        digest.update(f"{file} {digest_of(file)}".encode())
    digest.update(os.environ.get("OMP_NUM_THREADS", "").encode())
    folder = out / f"before-{digest.hexdigest()[:12]}"
    took = folder / "seconds.json"  # written last
    with FileLock(f"{folder}.lock"):  # another run may be creating it
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
    prepare_folder(folder, values)
    (folder / CLEAN).symlink_to(CLEAN.resolve())
    _link(folder, starts)
    return {name: run_stage(name, folder) for name in BEFORE}


def prepare_folder(folder: Path, values: dict[str, Any]) -> None:
    """Create a folder where stages can run with these parameters."""
    for name in ("data", "models"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    with open(folder / "params.yaml", "w", encoding="utf-8") as file:
        YAML(typ="safe").dump(values, file)
    for name in ("creatures", "stages", "dvc.yaml"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)


def run_stage(name: str, folder: Path) -> float:
    """Run a stage in such a folder; returns its seconds.

    Raises:
        UserError: it failed, and has printed why.
    """
    began = time.monotonic()
    if subprocess.run([sys.executable, "-m", f"stages.{name}"], cwd=folder).returncode:
        raise UserError(f"{name} failed in {folder}")
    return time.monotonic() - began


def few_pictures(count: int, seed: int, out: Path) -> tuple[Path, Pictures]:
    """A folder where `count` random pictures of data/clean are all that there is, a tenth of them `val`, as with a user
    who has no more; and all pictures of data/clean, where the others are `test`. The folder has the networks of
    models/, too.
    """
    pictures = open_pictures(CLEAN.resolve())
    if count > len(pictures):
        raise UserError(f"--pictures {count} is more than the {len(pictures)} there are")
    folder = out / f"few-{count}-{seed}-{digest_of(PICTURES)[:8]}"
    chosen = np.random.default_rng(seed).permutation(len(pictures))[:count]
    split = np.full(len(pictures), "test", object)
    source = pictures.column("source")
    split[np.isin(source, source[chosen])] = "none"  # other frames of the chosen ones are no unseen pictures
    split[chosen] = "train"
    split[chosen[: max(2, count // 10)]] = "val"
    place = pictures.index.schema.get_field_index("split")
    index = pictures.index.set_column(place, "split", pa.array(split, pa.string()))
    clean, rows = folder / CLEAN, np.sort(chosen)
    clean.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{folder}.lock"):  # another run may use the same
        if not (folder / PICTURES).exists():
            np.save(clean / IMAGES, pictures.images[rows])
            pq.write_table(index.take(rows), folder / PICTURES)
        if not (folder / MODELS).exists():
            (folder / MODELS).symlink_to(MODELS.resolve())
    return folder, Pictures(pictures.images, index)


def code_digest(*stages: str) -> Any:
    """SHA-256, to be updated further, of the pictures' index and of the code of the library and some stages."""
    digest = sha256(PICTURES.read_bytes())
    folders = (ROOT / "creatures", ROOT / "stages/harness", *(ROOT / "stages" / name for name in stages))
    for path in (path for folder in folders for path in sorted(folder.rglob("*.py"))):
        digest.update(path.read_bytes())
    return digest
