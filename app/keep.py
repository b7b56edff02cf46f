"""Keep the networks of models/ under a name, with the states of their trainings: to continue or start from."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from creatures.artifacts import DISCRIMINATOR, MIXTURE, MODELS
from creatures.runtime.atomic import atomic_folder
from creatures.runtime.errors import UserError
from creatures.training.origin import state_file

TRAINED = ("classifier", "pretrain", "gan", "pix2pix")  # stages, and names of their files
NAME = re.compile(r"[A-Za-z][\w.-]*", re.ASCII)
# used by this project, or not read as strings by YAML or Hydra
RESERVED = set(["none", "export", "released", "null", "true", "false", "nan", "inf"])
KEPT = re.compile(
    rf"({'|'.join(TRAINED)}|discriminator)\.safetensors|({'|'.join(TRAINED)})-\w+\.pt|gmm\.npz"
    r"|README\.md|digests\.json|params\.yaml|samples\.png"  # of networks from a hub
)


def keep(name: str, force: bool = False) -> Path:
    """Copy the networks to models/<name> atomically, and print a line for each whose state no longer exists.

    Args:
        force: whether to replace what was kept under that name.

    Raises:
        UserError: the name cannot be used, or there is nothing to keep.
    """
    folder = free_folder(name, force)
    trained = [section for section in TRAINED if weights_of(section).is_file()]
    if not trained:
        raise UserError(f"there is no network in {MODELS}; run dvc repro")
    with atomic_folder(folder) as part:
        for path in (*map(weights_of, trained), *(path for path in (MIXTURE, DISCRIMINATOR) if path.is_file())):
            shutil.copyfile(path, part / path.name)
        for section in trained:
            state = state_file(Path(".ckpt", section), section, weights_of(section))
            if not state.is_file():
                print(f"keep: {section} has no state of these weights any more: they alone are kept", flush=True)
                continue
            shutil.copyfile(state, part / state.name)
    return folder


def free_folder(name: str, force: bool) -> Path:
    """The folder models/<name>, for networks.

    Args:
        force: whether networks that are there may be replaced.

    Raises:
        UserError: the name cannot be used.
    """
    if name.lower() in RESERVED:
        raise UserError(f"{name!r} is reserved: choose another name")
    if not NAME.fullmatch(name):
        raise UserError(f"{name!r} is no name: begin with a letter and go on with letters, digits, - _ .")
    folder = MODELS / name
    if folder.exists() and not (folder.is_dir() and all(KEPT.fullmatch(path.name) for path in folder.iterdir())):
        raise UserError(f"{folder} is something else: choose another name")
    if folder.exists() and not force:
        raise UserError(f"{folder} is there already: choose another name, or replace it with --force")
    return folder


def weights_of(section: str) -> Path:
    return MODELS / f"{section}.safetensors"
