"""Train the generator to rebuild pictures from their embeddings, coarse to fine.

Layout is most of what an embedding encodes, and it can be learned on small pictures
at a fraction of the cost: so the first blocks are first trained alone, against
downsampled pictures; then the whole network is trained on whole pictures.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from creatures.data.pictures import Pictures
from creatures.data.tensors import to_float
from creatures.nets.common.base import tanh_fp32
from creatures.nets.generators.lite import LiteGenerator
from creatures.nets.generators.widen import widened
from creatures.runtime.errors import UserError
from creatures.training.batches import Batches
from creatures.training.device import accelerator, scaler_of, to_device
from creatures.training.distributed import Means, micro_batches, prepare, shard
from creatures.training.ema import EMA
from creatures.training.log import RunContext
from creatures.training.loop import Training
from creatures.training.origin import Origin
from creatures.training.perceptual import PerceptualLoss
from creatures.training.schedules import lr_factor, set_lr
from stages.pretrain.params import PretrainParams


def train(
    stage: RunContext,
    p: PretrainParams,
    architecture: dict[str, Any],
    pictures: Pictures,
    embeddings: np.ndarray,
    perceptual: PerceptualLoss,
    seed: int,
    origin: Origin | None = None,
) -> tuple[nn.Module, Training]:
    """Train; return the averaged generator and the run's record.

    Args:
        origin: the earlier run to start from; None: random weights.
    """
    accelerate = accelerator()
    torch.manual_seed(seed)
    net = to_device(LiteGenerator(**architecture), accelerate.device)
    to_small = to_device(nn.Conv2d(net.channels[p.coarse_px], 3, 1), accelerate.device)
    if origin and not origin.restores(bool(p.kimg or p.coarse_kimg), net=net, to_small=to_small):
        unmatched = origin.take(net, reads="encoder", by={"first"}, adapt=widened)
        if unmatched and not p.kimg:
            raise UserError("pretrain.kimg is 0, but not all of pretrain.start fits: raise kimg, to 7 for instance")
        dilation = origin.architecture.get("dilation", p.dilation)
        if dilation != p.dilation and not p.kimg:
            raise UserError(f"pretrain.kimg is 0, but pretrain.start has dilation {dilation}: raise kimg")
    optimiser = torch.optim.Adam([*net.parameters(), *to_small.parameters()], lr=p.lr, betas=(0.5, 0.99))
    coarse, fine = round(p.coarse_kimg * 1000 / p.batch), (max(1, round(p.kimg * 1000 / p.batch)) if p.kimg else 0)
    net, to_small, optimiser = prepare(accelerate, net, to_small, optimiser)
    ema = EMA(net, p.ema)
    perceptual.net.to(accelerate.device)
    batches = Batches(pictures.rows("train"), p.batch, seed, pictures.images)

    def losses(z: Tensor, real: Tensor, shrunk: bool, metrics: Means) -> Tensor:
        if shrunk:
            small = tanh_fp32(to_small(net.maps(z, p.coarse_px)[p.coarse_px]))
            loss = F.l1_loss(small, F.interpolate(real, size=p.coarse_px, mode="area"))
            metrics.add(coarse=loss)
            return loss
        fake = net(z)
        feature, pixel = perceptual(fake, real), F.l1_loss(fake, real)
        metrics.add(feature=feature, pixel=pixel)
        return feature + p.pixel_weight * pixel

    state = {"net": net, "to_small": to_small, "optimiser": optimiser, "ema": ema}
    state |= scaler_of(accelerate)
    with Training(stage, coarse + fine, p.batch, seed, state, origin=origin) as run:
        for step in run:
            set_lr(optimiser, p.lr * lr_factor_of_part(step, coarse, fine))
            chosen, metrics = shard(batches[step]), Means(p.accumulate)
            real = to_float(pictures.images[chosen]).to(accelerate.device)
            z = torch.from_numpy(embeddings[chosen]).to(accelerate.device)
            z = z + p.jitter * shard(torch.randn(p.batch, z.shape[1], device=z.device))
            optimiser.zero_grad()
            for part in micro_batches(len(chosen), p.accumulate):
                with accelerate.autocast():
                    loss = losses(z[part], real[part], step < coarse, metrics)
                accelerate.backward(loss / p.accumulate)
            run.log(**metrics.means)
            optimiser.step()
            if step >= coarse:
                ema.update(net)
    return ema.module, run


def lr_factor_of_part(step: int, coarse: int, fine: int) -> float:
    """Factor on the learning rate: a cosine from 1 to LOWEST in each of the two parts."""
    first, length = (0, coarse) if step < coarse else (coarse, max(fine, 1))
    return lr_factor(step - first, 0, 0, length, "cosine")
