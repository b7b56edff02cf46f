"""FID and KID on Inception v3 of 2015, as papers report them: only for comparison with papers.

    python -m bench.fid                             # fetches the weights, 91 MB
    python -m bench.fid --weights weights-inception-2015-12-05-6726825d.pth

Inception is torch-fidelity's (Obukhov et al., 2020), which agrees with the original TensorFlow one
to many digits. Needs data/clean, and samples from the networks of models/ or the released ones. Most papers take
50,000 samples against all train pictures: FID is higher for fewer of either (M. Bińkowski et al., 2018), so report
both numbers with every value.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
import typer
from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3, FeatureExtractorInceptionV3

from app.networks import generator_file
from creatures.data.pictures import open_pictures
from creatures.latents.sampler import load_sampler
from creatures.metrics.scores import frechet_distance, kid
from creatures.runtime.errors import UserError
from creatures.runtime.progress import track

BATCH, FEATURES = 64, "2048"


def inception(weights: Path | None) -> FeatureExtractorInceptionV3:
    """The network, on the GPU if there is one.

    Raises:
        UserError: its weights cannot be fetched or read.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    path = None if weights is None else str(weights)
    try:
        return FeatureExtractorInceptionV3("inception", [FEATURES], feature_extractor_weights_path=path).to(device)
    except Exception as error:  # of many types: no connection, a wrong file, a damaged one
        reason = " ".join(str(error).split())[:120]
        where = "cannot be fetched; get them elsewhere and give --weights" if weights is None else "cannot be read"
        raise UserError(f"the weights {weights or URL_INCEPTION_V3} {where} ({reason})") from None


def features(net: FeatureExtractorInceptionV3, pictures: np.ndarray, title: str) -> np.ndarray:
    """float32, N x 2048, of pictures uint8 N x 3 x H x W."""
    device = next(net.parameters()).device
    starts = track(range(0, len(pictures), BATCH), -(-len(pictures) // BATCH), title)
    parts = [net(torch.from_numpy(np.array(pictures[start : start + BATCH])).to(device))[0] for start in starts]
    return torch.cat(parts).cpu().numpy()


@torch.no_grad()
def main(
    weights: Annotated[Path | None, typer.Option(help="File of Inception's weights; fetched without.")] = None,
    samples: Annotated[int, typer.Option(min=2)] = 50_000,
    split: Annotated[Literal["train", "val", "test"], typer.Option(help="Real pictures.")] = "train",
    seed: Annotated[int, typer.Option()] = 0,
) -> None:
    try:
        pictures, file = open_pictures(), generator_file()
        sampler, net = load_sampler(file), inception(weights)
    except UserError as error:
        sys.exit(f"fid: {error}")
    real = features(net, pictures.images[pictures.rows(split)], f"fid: {split}")
    fake = features(net, sampler.sample(samples, seed), "fid: samples")
    metrics = {"fid": frechet_distance(fake, real), "kid": kid(fake, real)[0]}
    print(json.dumps({"generator": str(file), "samples": len(fake), "real": len(real), "split": split, **metrics}))


if __name__ == "__main__":
    typer.run(main)
