"""Artifacts that pass between stages and commands: their paths, the stages that write them, savers and loaders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

RAW, CLEAN, EDGES, MODELS = Path("data/raw"), Path("data/clean"), Path("data/edges"), Path("models")
MANIFEST = RAW / "manifest.parquet"
SPECIES_NAMES = Path("data/names.json")
VETOES = Path("data/vetoes.txt")  # written by hand
PICTURES = CLEAN / "index.parquet"
OUTLINES = EDGES / "made_from.json"
EMBEDDINGS = Path("data/embeddings.npy")
ENCODER = MODELS / "classifier.safetensors"
PRETRAINED = MODELS / "pretrain.safetensors"
MIXTURE = MODELS / "gmm.npz"
GENERATOR = MODELS / "gan.safetensors"
DISCRIMINATOR = MODELS / "discriminator.safetensors"
COLOURER = MODELS / "pix2pix.safetensors"


@dataclass(frozen=True)
class Artifact:
    """A file, or a file that stands for its folder.

    Attributes:
        name: its name in messages, and in the `made_from` of files made from it.
        stage: the stage that writes it.
        loader, saver: `module:function` of the library; "" if the code is in a stage or a command.
    """

    name: str
    stage: str
    loader: str = ""
    saver: str = ""


WEIGHTS = "creatures.data.weights:save_weights"
ARTIFACTS: dict[Path, Artifact] = {
    MANIFEST: Artifact("manifest", "scrape"),
    SPECIES_NAMES: Artifact("names", "names"),
    PICTURES: Artifact("pictures", "clean", "creatures.data.pictures:open_pictures"),
    OUTLINES: Artifact("outlines", "edges"),
    ENCODER: Artifact("encoder", "classifier", "creatures.nets.encoder.encoder:load_encoder", WEIGHTS),
    EMBEDDINGS: Artifact("embeddings", "pretrain", "creatures.data.loading:open_array"),
    PRETRAINED: Artifact("pretrained generator", "pretrain", "creatures.latents.sampler:load_sampler", WEIGHTS),
    MIXTURE: Artifact(
        "mixture", "gmm", "creatures.latents.mixture:load_mixture", "creatures.latents.mixture:save_mixture"
    ),
    GENERATOR: Artifact("generator", "gan", "creatures.latents.sampler:load_sampler", WEIGHTS),
    DISCRIMINATOR: Artifact(
        "discriminator",
        "gan",
        "creatures.nets.discriminators.critic:load_critic",
        "creatures.nets.discriminators.critic:save_critic",
    ),
    COLOURER: Artifact("colourer", "pix2pix", "creatures.translation.colouring:load_colourer", WEIGHTS),
}
