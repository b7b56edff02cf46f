"""Fine-tune the generator as a GAN: `python -m stages.gan`, run by DVC."""

from __future__ import annotations

import numpy as np

from stages.gan.build import build, new_architecture
from stages.gan.classes import of_components, of_species
from stages.gan.frames import COLUMNS, frame_saver, join_frames
from stages.gan.params import GanParams
from stages.gan.score import val_score
from stages.gan.train import train
from stages.lib.mixture import load_mixture
from stages.lib.params import UserError
from stages.lib.pictures import open_pictures
from stages.lib.sampling import GAN_FILE, PRETRAIN_FILE, Latent, load_sampler
from stages.lib.sheets import save_sheet
from stages.lib.stage import Stage, run
from stages.lib.weights import load_weights, save_weights

SHOWN = 64
CLOSING = ("loss_d", "loss_g", "d_real", "d_fake")


def main(stage: Stage) -> None:
    common, p = stage.params(GanParams)
    pictures = open_pictures()
    mixture = load_mixture() if p.latent == "gmm" else None
    embeddings = np.load("data/embeddings.npy", mmap_mode="r") if mixture else None
    labels, shares = None, None
    if p.condition == "component":
        labels = of_components(mixture, embeddings)
    elif p.condition == "species":
        labels, shares = of_species(pictures)
    latent = Latent(mixture.embedding_dim if mixture else p.z_dim, mixture, shares)
    weights, architecture = None, new_architecture(p, latent.length, common.image_px)
    if p.init == "pretrained":
        weights, header = load_weights(PRETRAIN_FILE)
        architecture = header["architecture"]
        if architecture["image_px"] != common.image_px or architecture["z_dim"] != latent.length:
            raise UserError(f"{PRETRAIN_FILE} was trained for other pictures or embeddings; run dvc repro")

    architecture["msg"] = p.msg
    net_g, net_d = build(p, architecture, weights, latent.classes if labels is not None else 0, common.seed)
    score = val_score(pictures, latent, p.snapshot_samples, common.seed) if p.snapshots else None
    watch = frame_saver(latent.draw(SHOWN, np.random.default_rng(common.seed))[0])
    net, training = train(stage, p, net_g, net_d, latent, pictures, embeddings, labels, common.seed, watch, score)
    stage.check_unchanged()

    header = {"architecture": architecture, "latent": p.latent, "params": p.model_dump()}
    if shares is not None:
        header["shares"] = shares.tolist()
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


if __name__ == "__main__":
    run("gan", main)
