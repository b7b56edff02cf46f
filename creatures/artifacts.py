"""Every file that a stage writes and another, or a command, reads: where it lies, who writes it, who opens it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

RAW, CLEAN, EDGES, MODELS = Path("data/raw"), Path("data/clean"), Path("data/edges"), Path("models")
MANIFEST = RAW / "manifest.parquet"
SPECIES_NAMES = Path("data/names.json")
VETOES = Path("data/vetoes.txt")  # written by people
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
    """A file, or the folder of one.

    Attributes:
        name: what messages call it, and `made_from` of what is made of it.
        stage: that writes it.
        loader: `module:function` of the library that opens it; "" where its only reader is a stage.
    """

    name: str
    stage: str
    loader: str = ""

    def load(self, *args: Any, **kwargs: Any) -> Any:
        """Open it. Raises UserError where the file is missing or damaged."""
        module, function = self.loader.split(":")
        return getattr(import_module(module), function)(*args, **kwargs)


ARTIFACTS: dict[Path, Artifact] = {
    MANIFEST: Artifact("manifest", "scrape"),
    SPECIES_NAMES: Artifact("names", "names"),
    PICTURES: Artifact("pictures", "clean", "creatures.data.pictures:open_pictures"),
    OUTLINES: Artifact("outlines", "edges"),
    ENCODER: Artifact("encoder", "classifier", "creatures.nets.encoder.encoder:load_encoder"),
    EMBEDDINGS: Artifact("embeddings", "pretrain", "creatures.data.loading:open_array"),
    PRETRAINED: Artifact("pretrained generator", "pretrain", "creatures.latents.sampler:load_sampler"),
    MIXTURE: Artifact("mixture", "gmm", "creatures.latents.mixture:load_mixture"),
    GENERATOR: Artifact("generator", "gan", "creatures.latents.sampler:load_sampler"),
    DISCRIMINATOR: Artifact("discriminator", "gan", "creatures.nets.discriminators.critic:load_critic"),
    COLOURER: Artifact("colourer", "pix2pix", "creatures.translation.colouring:load_colourer"),
}
