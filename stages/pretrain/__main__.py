"""Pretrain the generator: `python -m stages.pretrain`, run by DVC."""

from __future__ import annotations

from functools import partial

import numpy as np

from creatures.artifacts import EMBEDDINGS, ENCODER, PICTURES, PRETRAINED
from creatures.data.pictures import evenly_spaced, open_pictures
from creatures.data.provenance import ancestors, sidecar, write_sidecar
from creatures.data.sheets import save_sheet
from creatures.data.weights import save_weights
from creatures.nets.encoder.encoder import load_encoder
from creatures.runtime.atomic import atomic_file, scratch_array
from creatures.runtime.errors import UserError
from creatures.training.device import accelerator
from creatures.training.embed import embed_rows
from creatures.training.origin import Origin
from creatures.training.perceptual import PerceptualLoss
from stages.harness.launch import launch
from stages.harness.stage import Stage, run
from stages.pretrain.networks import NETWORKS
from stages.pretrain.params import PretrainParams
from stages.pretrain.score import compare
from stages.pretrain.train import train


def main(stage: Stage) -> None:
    common, p = stage.params(PretrainParams)
    pictures = open_pictures()
    if not len(pictures.rows("val")):
        raise UserError("there are no val pictures to measure with; raise clean.val_share or add pictures")
    (encoder, _), made_from = load_encoder(), ancestors(PICTURES, ENCODER)
    if not 4 <= p.coarse_px <= common.image_px or p.coarse_px & (p.coarse_px - 1):
        raise UserError(f"pretrain.coarse_px is {p.coarse_px}: must be a power of two from 4 to common.image_px")
    architecture = p.architecture(encoder.embedding_dim, common.image_px)

    shape = (len(pictures), encoder.embedding_dim)
    embeddings = scratch_array(EMBEDDINGS.parent, np.float32, shape)
    embed_rows(encoder.to(accelerator().device), pictures, np.arange(len(pictures)), embeddings)
    perceptual = PerceptualLoss(NETWORKS[p.perceptual](encoder), p.strides)
    origin = Origin("pretrain", p.start, made_from, {"batch": p.batch, "coarse_kimg": p.coarse_kimg})
    net, training = train(stage, p, architecture, pictures, embeddings, perceptual, common.seed, origin)
    stage.check_unchanged()
    metrics, measured, rebuilt = compare(net, perceptual, pictures, embeddings)

    sidecar(EMBEDDINGS).unlink(missing_ok=True)  # written last: embeddings without it belong to no run
    with atomic_file(EMBEDDINGS) as part:
        np.save(part, embeddings)
    write_sidecar(EMBEDDINGS, made_from)
    header = {
        "architecture": {"name": "lite", **architecture},
        "latent": "gmm",
        "common": common.model_dump(),
        "params": p.model_dump(),
        "made_from": ancestors(EMBEDDINGS) | origin.mark,
    }
    save_weights(PRETRAINED, net.state_dict(), header)
    stage.write_table("history", training.history)
    stage.write_metrics(metrics)
    sample = evenly_spaced(np.arange(len(rebuilt)), 32)
    pairs = np.stack([pictures.images[measured[sample]], rebuilt[sample]], axis=1)
    save_sheet(stage.plot_path("rebuilds.png"), pairs.reshape(-1, *rebuilt.shape[1:]), columns=16)
    stage.on_success.append(partial(training.finish, PRETRAINED))


if __name__ == "__main__":
    launch("pretrain")
    run("pretrain", main)
