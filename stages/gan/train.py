"""Adversarial training."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stages.gan.frames import save_frame
from stages.gan.losses import LOSSES, gradient_penalty
from stages.gan.params import GanParams
from stages.lib.nets.discriminators import DISCRIMINATORS
from stages.lib.nets.generators import build_generator
from stages.lib.pictures import Pictures
from stages.lib.sampling import Latent
from stages.lib.stage import Stage
from stages.lib.tensors import to_float
from stages.lib.training.augment import augment
from stages.lib.training.device import accelerator
from stages.lib.training.ema import EMA
from stages.lib.training.loop import Training, batch_rows, mix

SHOWN = 64


def train(
    stage: Stage,
    p: GanParams,
    architecture: dict[str, Any],
    weights: dict[str, Tensor] | None,
    latent: Latent,
    pictures: Pictures,
    embeddings: np.ndarray | None,
    seed: int,
) -> tuple[nn.Module, Training]:
    """The averaged generator, and the run's record with its sample grids.

    Args:
        architecture: of the generator.
        weights: to start from; None for random ones.
        embeddings: of all pictures, for the anchor; None for no anchor.
    """
    accelerate = accelerator()
    torch.manual_seed(seed)
    channels_last = {"memory_format": torch.channels_last}
    net_g = build_generator(architecture).to(accelerate.device, **channels_last)
    net_d = DISCRIMINATORS[p.discriminator](pictures.image_px, p.discriminator_width)
    net_d = net_d.to(accelerate.device, **channels_last)
    if weights is not None:
        net_g.load_state_dict(weights)
    betas = (p.betas[0], p.betas[1])
    opt_g = torch.optim.Adam(net_g.parameters(), lr=p.lr, betas=betas)
    opt_d = torch.optim.Adam([w for w in net_d.parameters() if w.requires_grad], lr=p.d_lr, betas=betas)

    anchored = p.batch // 2 if embeddings is not None and p.anchor else 0
    steps, alone, ramp = (round(kimg * 1000 / p.batch) for kimg in (p.kimg, p.alone_kimg, p.ramp_kimg))
    steps = max(1, steps)
    net_g, net_d, opt_g, opt_d = accelerate.prepare(net_g, net_d, opt_g, opt_d)
    ema = EMA(net_g, p.ema)
    loss = LOSSES[p.loss]
    rows = pictures.rows("train")
    fixed = torch.from_numpy(latent(SHOWN, np.random.default_rng(seed))).to(accelerate.device)
    frame_steps = set(np.linspace(0, steps - 1, p.frames).round().astype(int).tolist())

    state = {"net_g": net_g, "net_d": net_d, "opt_g": opt_g, "opt_d": opt_d, "ema": ema}
    with Training(stage, steps, p.batch, seed, state) as run:
        for step in run:
            if step in frame_steps:
                save_frame(run.folder, step, ema.module(fixed))
            chosen = batch_rows(rows, step, p.batch, seed)
            real = to_float(pictures.images[chosen]).to(accelerate.device)
            z = latent(p.batch, np.random.default_rng(mix(seed, step)))
            if anchored:
                z[:anchored] = embeddings[chosen[:anchored]]
            set_rate(opt_g, p.lr * rate(step, alone, ramp, steps))
            set_rate(opt_d, p.d_lr * rate(step, 0, 0, steps))
            train_g = step >= alone and step % p.n_critic == 0

            with accelerate.autocast(), torch.set_grad_enabled(train_g):
                drawn = net_g(torch.from_numpy(z).to(accelerate.device))
                anchor = (
                    anchor_loss(drawn[:anchored], real[:anchored], p.anchor_px) if anchored else drawn.new_zeros(())
                )
                fake, real = augment(drawn, p.augment), augment(real, p.augment)
                fake_features = net_d.features(fake)
            with accelerate.autocast():
                with torch.no_grad():
                    real_features = net_d.features(real)
                on_real = net_d.discriminate(real_features)
                on_fake = net_d.discriminate([f.detach() for f in fake_features])
                loss_d = loss.discriminator(on_real, on_fake)
                if loss.penalised and p.gp:
                    loss_d = loss_d + p.gp * gradient_penalty(net_d, real, fake)
            opt_d.zero_grad()
            accelerate.backward(loss_d)
            opt_d.step()
            run.log(loss_d=loss_d, d_real=on_real.mean(), d_fake=on_fake.mean())

            if train_g:
                net_d.requires_grad_(False)
                with accelerate.autocast():
                    loss_g = loss.generator(net_d.discriminate(fake_features))
                opt_g.zero_grad()
                accelerate.backward(loss_g + p.anchor * (1 - step / steps) * anchor)
                opt_g.step()
                for group in opt_d.param_groups:
                    for weight in group["params"]:
                        weight.requires_grad_(True)
                ema.update(net_g)
                run.log(loss_g=loss_g, anchor=anchor)
        save_frame(run.folder, steps, ema.module(fixed))
    return ema.module, run


def anchor_loss(drawn: Tensor, real: Tensor, px: int) -> Tensor:
    """How far rebuilds are from their pictures when both are shrunk to `px`: L1, 0-d.

    It holds figures and colours where pretraining put them and leaves detail to the
    discriminator. Pictures float N x 3 x H x W in [-1, 1].
    """
    return F.l1_loss(F.adaptive_avg_pool2d(drawn, px), F.adaptive_avg_pool2d(real, px))


def rate(step: int, alone: int, ramp: int, steps: int) -> float:
    """Factor on a learning rate: 0 while `alone`, a linear rise over `ramp`, a cosine fall to 0.05."""
    if step < alone:
        return 0.0
    rise = min(1.0, (step - alone + 1) / ramp) if ramp else 1.0
    return rise * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps))))


def set_rate(optimiser: torch.optim.Optimizer, lr: float) -> None:
    """Set the learning rate of all of an optimiser's parameters."""
    for group in optimiser.param_groups:
        group["lr"] = lr
