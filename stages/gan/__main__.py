"""Fine-tune the generator as a GAN: `python -m stages.gan`, run by DVC."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch

from creatures.artifacts import GENERATOR
from creatures.data.pictures import open_pictures
from creatures.data.provenance import digest_of
from creatures.data.sheets import save_sheet
from creatures.data.tensors import to_uint8
from creatures.data.weights import save_weights
from creatures.latents.sampler import load_sampler
from creatures.nets.common.base import Generator
from creatures.nets.discriminators.critic import save_critic
from creatures.training.frames import join_frames, save_frame
from stages.gan.build import prepare
from stages.gan.params import GanParams
from stages.gan.score import val_score
from stages.gan.train import train
from stages.harness.launch import launch
from stages.harness.stage import Stage, run

SHOWN, COLUMNS = 64, 8
CLOSING = ("loss_d", "loss_g", "d_real", "d_fake")


def main(stage: Stage) -> None:
    common, p = stage.params(GanParams)
    pictures = open_pictures()
    start = prepare(p, common, pictures)
    latent = start.latent
    score = val_score(pictures, latent, p.snapshot_samples, common.seed) if p.snapshots else None
    z = torch.from_numpy(latent.draw(SHOWN, np.random.default_rng(common.seed))[0])

    @torch.no_grad()
    def watch(folder: Path, step: int, net: Generator) -> None:
        save_frame(folder, step, to_uint8(net(z.to(next(net.parameters()).device))), COLUMNS)

    net, training = train(stage, p, start, pictures, common.seed, watch, score)
    stage.check_unchanged()

    header = {
        "architecture": start.architecture,
        "latent": p.latent,
        "common": common.model_dump(),
        "params": p.model_dump(),
        "made_from": start.made_from | start.origin.mark,
    }
    if latent.class_probs is not None:
        header["shares"] = latent.class_probs.tolist()
    save_weights(GENERATOR, net.state_dict(), header)
    made_from = start.made_from | {"generator": digest_of(GENERATOR)}
    save_critic(start.net_d, start.origin.about["discriminator"], p.condition, len(net.small) + 1, made_from)
    samples = load_sampler().sample(SHOWN, common.seed)
    save_sheet(stage.plot_path("samples.png"), samples, COLUMNS)
    join_frames(training.folder, stage.plot_path("training.gif"))
    stage.write_table("history", training.history)
    stage.write_metrics({"kimg": p.kimg, **closing(training.history)})
    stage.on_success.append(partial(training.finish, GENERATOR))


def closing(history: list[dict[str, float]]) -> dict[str, float]:
    """Means over the last ten rows of the history, since single batches are noisy."""
    last = history[-10:]
    columns = {name: [row[name] for row in last if name in row] for name in CLOSING}
    return {name: float(np.mean(values)) for name, values in columns.items() if values}


if __name__ == "__main__":
    launch("gan")
    run("gan", main)
