"""Train the generator to rebuild pictures from their embeddings."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from stages.lib.nets.encoder import Encoder
from stages.lib.nets.generators import build_generator
from stages.lib.pictures import Pictures
from stages.lib.stage import Stage
from stages.lib.tensors import to_float
from stages.lib.training.device import accelerator
from stages.lib.training.ema import EMA
from stages.lib.training.loop import Training, batch_rows
from stages.pretrain.loss import PerceptualLoss
from stages.pretrain.params import PretrainParams


def train(
    stage: Stage,
    p: PretrainParams,
    architecture: dict[str, Any],
    pictures: Pictures,
    embeddings: np.ndarray,
    encoder: Encoder,
    seed: int,
) -> tuple[nn.Module, Training]:
    """The averaged generator, and the run's record."""
    accelerate = accelerator()
    torch.manual_seed(seed)
    net = build_generator(architecture).to(accelerate.device, memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(net.parameters(), lr=p.lr, betas=(0.5, 0.99))
    steps = max(1, round(p.kimg * 1000 / p.batch))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=p.lr * 0.05)
    net, optimiser = accelerate.prepare(net, optimiser)
    ema = EMA(net, p.ema)
    perceptual = PerceptualLoss(encoder.to(accelerate.device), p.layers)
    rows = pictures.rows("train")
    state = {"net": net, "optimiser": optimiser, "schedule": schedule, "ema": ema}
    with Training(stage, steps, p.batch, seed, state) as run:
        for step in run:
            chosen = batch_rows(rows, step, p.batch, seed)
            real = to_float(pictures.images[chosen]).to(accelerate.device)
            z = torch.from_numpy(embeddings[chosen]).to(accelerate.device)
            with accelerate.autocast():
                fake = net(z + p.jitter * torch.randn_like(z))
                feature, pixel = perceptual(fake, real), F.l1_loss(fake, real)
            optimiser.zero_grad()
            accelerate.backward(feature + p.pixel_weight * pixel)
            optimiser.step()
            schedule.step()
            ema.update(net)
            run.log(feature=feature, pixel=pixel)
    return ema.module, run
