"""Fine-tune the generator as a GAN: `python -m stages.gan`, run by DVC."""

from __future__ import annotations

from typing import Any

import numpy as np

from stages.gan.frames import COLUMNS, join_frames
from stages.gan.params import GanParams
from stages.gan.train import SHOWN, train
from stages.lib.mixture import load_mixture
from stages.lib.params import UserError
from stages.lib.pictures import open_pictures
from stages.lib.sampling import GAN_FILE, PRETRAIN_FILE, Latent, load_sampler
from stages.lib.sheets import save_sheet
from stages.lib.stage import Stage, run
from stages.lib.weights import load_weights, save_weights

CLOSING = ("loss_d", "loss_g", "d_real", "d_fake")


def main(stage: Stage) -> None:
    common, p = stage.params(GanParams)
    pictures = open_pictures()
    mixture = load_mixture() if p.latent == "gmm" else None
    latent = Latent(mixture.embedding_dim if mixture else p.z_dim, mixture)
    weights, architecture = None, new_architecture(p, latent.z_dim, common.image_px)
    if p.init == "pretrained":
        weights, header = load_weights(PRETRAIN_FILE)
        architecture = header["architecture"]
        if architecture["image_px"] != common.image_px or architecture["z_dim"] != latent.z_dim:
            raise UserError(f"{PRETRAIN_FILE} was trained for other pictures or embeddings; run dvc repro")

    embeddings = np.load("data/embeddings.npy", mmap_mode="r") if mixture else None
    net, training = train(stage, p, architecture, weights, latent, pictures, embeddings, common.seed)
    stage.check_unchanged()

    header = {"architecture": architecture, "latent": p.latent, "params": p.model_dump()}
    save_weights(GAN_FILE, net.state_dict(), header)
    samples = load_sampler().sample(SHOWN, common.seed)
    save_sheet(stage.plot_path("samples.png"), samples, COLUMNS)
    join_frames(training.folder, stage.plot_path("training.gif"))
    stage.write_table("history", training.history)
    stage.write_metrics({"kimg": p.kimg, **closing(training.history)})
    stage.on_success.append(training.discard)


def closing(history: list[dict[str, float]]) -> dict[str, float]:
    """Means over the last ten rows of the history, for no single batch says much."""
    last = history[-10:]
    found = {name: [row[name] for row in last if name in row] for name in CLOSING}
    return {name: float(np.mean(values)) for name, values in found.items() if values}


def new_architecture(p: GanParams, z_dim: int, image_px: int) -> dict[str, Any]:
    """The description of a generator that starts from random weights."""
    return {"name": p.generator, "z_dim": z_dim, "image_px": image_px, "width": p.generator_width}


if __name__ == "__main__":
    run("gan", main)
