"""Checkouts to run DVC in, and what is run there."""

from __future__ import annotations

import os
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support.deps import ROOT

STAGES = ["classifier", "clean", "edges", "evaluate", "gan", "gmm", "names", "pix2pix", "pretrain", "scrape"]

# Small enough to run the whole pipeline in seconds
TINY: dict[str, Any] = {
    "common.image_px": 32,
    "scrape.sources": [{"from": "folder"}],
    "names.package": "",
    "clean.val_share": 0.2,
    **{f"{section}.start": "none" for section in ("classifier", "pretrain", "gan", "pix2pix")},
    "classifier.backbone": "resnet18",
    "classifier.epochs": 1,
    "classifier.batch": 8,
    "pretrain.coarse_kimg": 0.064,
    "pretrain.coarse_px": 8,
    "pretrain.kimg": 0.064,
    "pretrain.batch": 8,
    "pretrain.width": 8,
    "pretrain.dilated_px": [16],
    "gmm.components": 2,
    "gmm.pca_dims": 4,
    "gan.kimg": 0.064,
    "gan.handover.d_warmup_kimg": 0.016,
    "gan.handover.g_warmup_kimg": 0.016,
    "gan.batch": 8,
    "gan.generator.width": 8,
    "gan.discriminator.width": 8,
    "gan.frames": 3,
    "gan.snapshots": 2,
    "gan.snapshot_samples": 16,
    "evaluate.samples": 64,
    "evaluate.reference": 64,
    "pix2pix.kimg": 0.064,
    "pix2pix.batch": 8,
    "pix2pix.width": 8,
    "pix2pix.field_px": 16,
    "pix2pix.discriminator_width": 8,
    "pix2pix.frames": 3,
    "pix2pix.snapshots": 2,
}


def make_checkout(folder: Path, pictures: Path, params: dict[str, Any] | None = None) -> Path:
    """A git repository of the working tree's files, with the pictures in data/own.

    Args:
        folder: empty, or not there yet.
        pictures: copied to data/own, where the source `folder` looks.
        params: values by dotted key, over those of TINY.

    Returns:
        `folder`.
    """
    listing = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if (ROOT / ".git").exists():
        listed = git(ROOT, *listing)
    else:  # unpacked from a zip: listed as by a repository that has nothing yet
        with tempfile.TemporaryDirectory() as empty:
            git(Path(empty), "init", "--quiet", "--bare")
            listed = git(ROOT, f"--git-dir={empty}", f"--work-tree={ROOT}", *listing)
    for name in filter(None, listed.split("\0")):
        # not if deleted, but not yet from git; nor networks that tests do not start from
        if (ROOT / name).is_file() and not name.startswith("models/released/"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / "dvc.lock").unlink(missing_ok=True)
    shutil.copytree(pictures, folder / "data/own", dirs_exist_ok=True)
    set_params(folder, TINY | (params or {}))
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=Begin")
    return folder


def set_params(checkout: Path, params: dict[str, Any]) -> None:
    """Change values of a checkout's params.yaml, by dotted key; a key must be there already."""
    from ruamel.yaml import YAML

    yaml, path = YAML(), checkout / "params.yaml"
    document = yaml.load(path.read_text(encoding="utf-8"))
    for dotted, value in params.items():
        *sections, key = dotted.split(".")
        values = document
        for section in sections:
            values = values[section]
        assert key in values, f"params.yaml has no {dotted}"
        values[key] = value
    with open(path, "w", encoding="utf-8") as out:
        yaml.dump(document, out)


def environment() -> dict[str, str]:
    """For processes in a checkout: its own code alone, nothing of the user's settings, an identity for git."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return kept | {
        # the `python` of dvc.yaml is the one that runs the tests
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_COUNT": "1",  # the project's folder may be another user's
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "GIT_AUTHOR_NAME": "Test",
        "GIT_AUTHOR_EMAIL": "test@example.org",
        "GIT_COMMITTER_NAME": "Test",
        "GIT_COMMITTER_EMAIL": "test@example.org",
    }


def dvc_command() -> list[str]:
    """The real `dvc` of this interpreter."""
    return [str(Path(sys.executable).with_name("dvc"))]


def dvc(checkout: Path, *args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run DVC in a checkout; the caller looks at how it ended."""
    command, settings = [*dvc_command(), *args], environment() | (env or {})
    return subprocess.run(command, cwd=checkout, env=settings, capture_output=True, text=True)


def ran(result: subprocess.CompletedProcess[str]) -> list[str]:
    """The stages that a `dvc repro` ran; its failure is one of the test."""
    assert result.returncode == 0, result.stdout + result.stderr
    return re.findall(r"^Running stage '(\w+)'", result.stdout, re.MULTILINE)


def git(checkout: Path, *args: str) -> str:
    """The output of a git command in a checkout; its failure is an error."""
    return subprocess.run(
        ["git", *args], cwd=checkout, env=environment(), check=True, capture_output=True, text=True
    ).stdout


def free_port() -> int:
    """A port of this machine where nothing listens, of those that the system gives to nobody by itself."""
    while True:
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", random.SystemRandom().randrange(20_000, 32_000)))
            return free.getsockname()[1]


def stage(folder: Path, name: str, **settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", name],
        cwd=folder,
        env=environment() | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def hashes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
