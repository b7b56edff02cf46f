"""Networks to and from the Hugging Face hub."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from app.export import DATA, Exported, card, generator, pix2pix
from app.keep import free_folder
from app.networks import colourer_file, critic_file, encoder_file, generator_file, is_own
from creatures.artifacts import COLOURER, DISCRIMINATOR, ENCODER, GENERATOR, MIXTURE
from creatures.data.loading import reading
from creatures.data.provenance import ancestors
from creatures.data.sheets import save_sheet
from creatures.hub import ask_hub
from creatures.latents.sampler import load_sampler
from creatures.nets.discriminators.critic import load_critic
from creatures.nets.encoder.encoder import load_encoder
from creatures.runtime.atomic import atomic_folder
from creatures.runtime.errors import UserError
from creatures.translation.colouring import load_colourer

NETWORKS = tuple(path.name for path in (ENCODER, MIXTURE, GENERATOR, DISCRIMINATOR, COLOURER))
DIGESTS, CARD, PARAMS, SAMPLES = "digests.json", "README.md", "params.yaml", "samples.png"
FILES = (*NETWORKS, DIGESTS, CARD, PARAMS, SAMPLES)
HEAD = """\
---
library_name: creature-pipeline
tags: [gan, pytorch, image-generation]
---
# {repo}

{data}

Into a checkout of the project, and out of it:

    python -m app pull {repo} NAME
    python -m app --model models/NAME generate
    dvc exp run -S gan.start=NAME

![64 uncurated samples]({samples})"""


def push(repo: str, private: bool = False) -> str:
    """Upload the networks that commands use, with a model card, samples and, if they are of this checkout, its
    parameters.

    Args:
        repo: owner/name; created if there is none.
        private: whether it is created as a private one.

    Returns:
        Its address.

    Raises:
        UserError: a network is missing or of another run, or the hub refuses.
    """
    networks = [encoder_file(), generator_file(), critic_file(), colourer_file()]
    networks.insert(1, generator_file().with_name(MIXTURE.name))
    found = [path for path in networks if path.is_file()]
    ancestors(*(path for path in found if path.name != COLOURER.name))
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for path in found:
            shutil.copyfile(path, folder / path.name)
        models: dict[str, Exported] = {GENERATOR.name: generator()}
        if colourer_file() in found:
            models[COLOURER.name] = pix2pix()
        data = "\n".join(["Networks of the creature pipeline.", *DATA[1:]])
        card(models, folder / CARD, HEAD.format(repo=repo, data=data, samples=SAMPLES).splitlines())
        save_sheet(folder / SAMPLES, load_sampler(generator_file()).sample(64, 0), columns=8, scale=2)
        if is_own(generator_file()) and Path(PARAMS).is_file():
            shutil.copyfile(PARAMS, folder / PARAMS)
        (folder / DIGESTS).write_text(json.dumps(digests(folder), indent=1) + "\n", encoding="utf-8")
        url = ask_hub(repo, lambda hub: hub.create_repo(repo, private=private, exist_ok=True))
        if private and not ask_hub(repo, lambda hub: hub.model_info(repo)).private:
            raise UserError(f"{repo} is there already, and public: nothing was uploaded")
        options = {"commit_message": "Networks", "delete_patterns": list(FILES)}  # those of an earlier upload
        ask_hub(repo, lambda hub: hub.upload_folder(repo_id=repo, folder_path=folder, **options))
    return str(url)


def pull(repo: str, name: str, revision: str = "main", force: bool = False) -> Path:
    """Download networks that `push` uploaded to models/<name>. Files of other names are not downloaded, and no code is
    run: weights are safetensors, the mixture is an array.

    Args:
        revision: a branch, a tag or, always the same, a commit.
        force: whether to replace what was kept under that name.

    Raises:
        UserError: the name cannot be used, the hub has no such networks, or a file is not what was uploaded.
    """
    folder, what = free_folder(name, force), f"{repo} at revision {revision}"
    with atomic_folder(folder) as part:
        ask_hub(
            f"model {what}",
            lambda hub: hub.snapshot_download(repo, revision=revision, local_dir=part, allow_patterns=list(FILES)),
        )
        shutil.rmtree(part / ".cache", ignore_errors=True)  # of the download
        check(part, what)
    return folder


def check(folder: Path, what: str) -> None:
    """Raise UserError if downloaded networks are not those that were uploaded, or not of one run."""
    if not (folder / DIGESTS).is_file():
        raise UserError(f"{what} has no {DIGESTS}: its networks are not of this project")
    with reading(folder / DIGESTS):
        expected = dict(json.loads((folder / DIGESTS).read_text(encoding="utf-8")))
    found = digests(folder)
    if differing := sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name)):
        raise UserError(f"{what} was changed: {', '.join(differing)} differs from what was uploaded, or is missing")
    ancestors(*(folder / name for name in NETWORKS if name in expected and name != COLOURER.name))
    load_sampler(folder / GENERATOR.name)
    for file, load in ((ENCODER, load_encoder), (DISCRIMINATOR, load_critic), (COLOURER, load_colourer)):
        if file.name in expected:
            load(folder / file.name)


def digests(folder: Path) -> dict[str, str]:
    """SHA-256, in hex, of the networks in a folder, by name."""
    found = {}
    for name in NETWORKS:
        if (folder / name).is_file():
            with open(folder / name, "rb") as file:
                found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
