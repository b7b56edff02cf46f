"""Keep the networks of models/ under a name, with the states of their trainings: to go on with, or start from."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import torch

from stages.lib.atomic import atomic_folder
from stages.lib.loading import read_header, reading
from stages.lib.mixture import FILE as MIXTURE_FILE
from stages.lib.params import UserError
from stages.lib.training.origin import MODELS, state_file
from stages.lib.weights import save_weights

TRAINED = ("classifier", "pretrain", "gan", "pix2pix")  # stages, and names of their files
NAME = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
RESERVED = {
    "none",
    "export",
    "null",
    "true",
    "false",
    "nan",
    "inf",
    "released",
}  # of ours, or read otherwise by YAML or Hydra
KEPT = re.compile(rf"({'|'.join(TRAINED)}|discriminator)\.safetensors|({'|'.join(TRAINED)})-\w+\.pt|gmm\.npz")


def keep(name: str, force: bool = False) -> Path:
    """Copy them to models/<name>, whole or not at all, and print a line for each whose state is no longer there.

    Args:
        force: whether to put them in the place of what was kept under that name.

    Raises:
        UserError: the name cannot be used, or there is nothing to keep.
    """
    if not NAME.fullmatch(name) or name.lower() in RESERVED:
        raise UserError(f"{name!r} is no name: begin with a letter and go on with letters, digits, - _ .")
    folder = MODELS / name
    if folder.exists() and not (folder.is_dir() and all(KEPT.fullmatch(path.name) for path in folder.iterdir())):
        raise UserError(f"{folder} is something else: choose another name")
    if folder.exists() and not force:
        raise UserError(f"{folder} is there already: choose another name, or replace it with --force")
    there = [section for section in TRAINED if weights_of(section).is_file()]
    if not there:
        raise UserError(f"there is no network in {MODELS}; run dvc repro")
    with atomic_folder(folder) as part:
        for path in (*map(weights_of, there), *([MIXTURE_FILE] if MIXTURE_FILE.is_file() else [])):
            shutil.copyfile(path, part / path.name)
        for section in there:
            state = state_file(Path(".ckpt", section), section, weights_of(section))
            if not state.is_file():
                print(f"keep: {section} has no state of these weights any more: they alone are kept", flush=True)
                continue
            shutil.copyfile(state, part / state.name)
            if section == "gan":
                save_discriminator(state, part / "discriminator.safetensors")
    return folder


def weights_of(section: str) -> Path:
    return MODELS / f"{section}.safetensors"


def save_discriminator(state: Path, path: Path) -> None:
    """Write the discriminator of a state of `gan` as weights."""
    with reading(state, "delete it"):
        found: dict[str, Any] = torch.load(state, map_location="cpu", weights_only=True)
        tensors, architecture = found["state"]["net_d"], found["about"]["discriminator"]
    made_from = read_header(weights_of("gan"))["made_from"]
    save_weights(path, tensors, {"architecture": architecture, "made_from": made_from})
