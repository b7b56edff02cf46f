"""A checkout's pictures and networks as after a run, but not trained: for tests of what reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from creatures.artifacts import (
    CLEAN,
    COLOURER,
    EMBEDDINGS,
    ENCODER,
    GENERATOR,
    MIXTURE,
    OUTLINES,
    PICTURES,
    PRETRAINED,
)
from creatures.data.pictures import IMAGES, with_cleaning
from creatures.data.provenance import ancestors, digest_of, write_sidecar
from creatures.data.weights import save_weights
from creatures.latents.mixture import Mixture, save_mixture
from creatures.nets.encoder.encoder import Encoder
from creatures.nets.generators.registry import build_generator
from creatures.translation.unet import UNet

PX, DIMS, COUNT = 32, 512, 8
CLEANED_WITH = {"background": "#ffffff", "solid": "keep", "enlarge": "smooth", "margin": 0.05, "min_px": 4}
PARAMS = """\
common: {{image_px: {px}, seed: 0}}
clean: {{background: '#ffffff', enlarge: smooth, margin: {margin}, min_px: 4}}
gan: {{lr: 7e-4, kimg: {kimg}}}
pix2pix: {{noise: dropout}}
"""


def write_params(px: int = PX, margin: float = 0.05, kimg: float = 40) -> None:
    Path("params.yaml").write_text(PARAMS.format(px=px, margin=margin, kimg=kimg))


def write_run(seed: int = 0, hints: bool = False) -> None:
    """Write all files of a run, as its stages would, into the working directory; another seed is another run.

    Args:
        hints: whether the colourer takes them.
    """
    rng, common = np.random.default_rng(seed), {"image_px": PX, "seed": 0}
    torch.manual_seed(seed)
    write_params()
    for folder in (CLEAN, OUTLINES.parent):
        folder.mkdir(parents=True, exist_ok=True)
    np.save(CLEAN / IMAGES, rng.integers(0, 256, (COUNT, 3, PX, PX), np.uint8))
    columns = {
        "species": [f"kind-{number // 2}" for number in range(COUNT)],
        "style": ["picture"] * COUNT,
        "source": [f"{number}.png" for number in range(COUNT)],
        "frame": [0] * COUNT,
        "split": ["train"] * (COUNT - 2) + ["val", "test"],
        "sha256": [f"{seed}-{number}" for number in range(COUNT)],
    }
    index = with_cleaning(pa.table(columns), PX, CLEANED_WITH)
    pq.write_table(index, PICTURES)
    for name in ("canny", "sketch"):
        np.save(OUTLINES.with_name(f"{name}.npy"), rng.choice(np.uint8([0, 255]), (COUNT, PX, PX)))
    write_sidecar(OUTLINES, ancestors(PICTURES) | {"canny": digest_of(OUTLINES.with_name("canny.npy"))})

    cleaning = {"common.image_px": PX} | {f"clean.{key}": value for key, value in CLEANED_WITH.items()}
    about = {"common": common, "cleaning": cleaning, "made_from": ancestors(PICTURES)}
    save_weights(ENCODER, Encoder("resnet18").state_dict(), {"architecture": "resnet18", "classes": 2} | about)
    np.save(EMBEDDINGS, rng.standard_normal((COUNT, DIMS)).astype(np.float32))
    write_sidecar(EMBEDDINGS, ancestors(PICTURES, ENCODER))
    factors, back = np.stack([np.eye(4)] * 2), rng.standard_normal((4, DIMS))
    mixture = Mixture(np.full(2, 0.5), rng.standard_normal((2, 4)), factors, np.zeros(DIMS), back)
    save_mixture(MIXTURE, mixture, ancestors(EMBEDDINGS, PICTURES))

    architecture = {"name": "lite", "z_dim": DIMS, "image_px": PX, "width": 4}
    drawn = {"architecture": architecture, "latent": "gmm", "common": common, "params": {"lr": 7e-4, "kimg": 40.0}}
    for file, inputs in (
        (PRETRAINED, [EMBEDDINGS]),
        (GENERATOR, [PICTURES, EMBEDDINGS, MIXTURE, PRETRAINED]),
    ):
        save_weights(file, build_generator(architecture).state_dict(), drawn | {"made_from": ancestors(*inputs)})
    colourer = {
        "architecture": {"image_px": PX, "width": 4, "colours": 2, "hints": hints},
        "params": {"noise": "dropout", "outline": "mixed"},
    }
    tensors = UNet(PX, 4, 2, hints).state_dict() | {"palettes": torch.rand(3, 2, 4)}
    save_weights(COLOURER, tensors, colourer | about | {"made_from": ancestors(PICTURES, OUTLINES)})
