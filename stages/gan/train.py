"""Adversarial training."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from creatures.adversarial.objective import Adversarial
from creatures.data.pictures import Pictures
from creatures.nets.common.base import Generator
from creatures.training.batches import Batches
from creatures.training.checkpoint import TEACHER
from creatures.training.device import accelerator, scaler_of
from creatures.training.distributed import prepare
from creatures.training.ema import EMA
from creatures.training.log import RunContext
from creatures.training.loop import Training, mix
from creatures.training.schedules import AdaptiveP, linear_decay, lr_factor, set_lr
from creatures.training.snapshots import Snapshots
from stages.gan.balance import balanced
from stages.gan.build import Start
from stages.gan.forward import Forward
from stages.gan.params import GanParams
from stages.gan.rows import draw_rows
from stages.gan.score import Score, val_cost


def train(
    stage: RunContext,
    p: GanParams,
    start: Start,
    pictures: Pictures,
    seed: int,
    watch: Callable[[Path, int, Generator], None],
    score: Score | None,
) -> tuple[Generator, Training]:
    """Train; return the averaged generator, the best of its snapshots if there is a score, and the run's record.

    Args:
        start: its networks are trained in place.
        watch: called `p.frames` times, evenly spread from the start to the end, with a folder
            that is kept as long as the checkpoint, the step and the averaged generator.
        score: metrics of a generator; the snapshot with the lowest `val_cost` is returned. None: the last state is.
    """
    accelerate = accelerator()
    betas = (p.betas[0], p.betas[1])
    net_g, net_d = start.net_g, start.net_d
    trainable = [weight for weight in net_d.parameters() if weight.requires_grad]
    opt_g = torch.optim.Adam(net_g.parameters(), lr=p.lr, betas=betas, fused=True)
    opt_d = torch.optim.Adam(trainable, lr=p.d_lr, betas=betas, fused=True)
    net_g, net_d, opt_g, opt_d = prepare(accelerate, net_g, net_d, opt_g, opt_d)
    adversarial = Adversarial(
        accelerate, net_d, opt_g, opt_d, p.loss, p.gradient_penalties, p.penalties.every, p.penalties.lecam
    )
    ema = EMA(net_g, p.ema, warmup=start.origin.section not in start.origin.whole)
    adaptive = AdaptiveP(p.augment.p, p.augment.target, p.augment.kimg)
    start, rows = balanced(start, pictures) if p.balance else (start, pictures.rows("train"))
    batches = Batches(rows, p.batch, seed, pictures.images)
    teacher = copy.deepcopy(net_g).eval() if p.handover.anchor and p.init == "pretrained" else None
    forward = Forward(p, pictures, net_g, net_d, teacher, adaptive, accelerate.device)
    steps, d_warmup, g_warmup = (
        round(kimg * 1000 / p.batch) for kimg in (p.kimg, p.handover.d_warmup_kimg, p.handover.g_warmup_kimg)
    )
    steps = max(1, steps)
    d_warmup = min(d_warmup, steps - 1)  # the generator trains, however short the run
    if start.origin.state:  # both networks have already trained together
        d_warmup = g_warmup = 0
    elif "discriminator" in start.origin.whole:
        d_warmup = 0
    cost = val_cost(pictures, p.snapshot_samples)
    snapshots = Snapshots(ema, steps, watch, p.frames, score, p.snapshots, cost)

    state = {"net_g": net_g, "net_d": net_d, "opt_g": opt_g, "opt_d": opt_d, "ema": ema, "best": snapshots.best}
    state |= {"p": adaptive, "lecam": adversarial.lecam} | forward.penalties | scaler_of(accelerate)
    state |= {TEACHER: teacher} if teacher is not None else {}
    with Training(stage, steps, p.batch, seed, state, origin=start.origin, hooks=[snapshots]) as run:
        for step in run:
            set_lr(opt_g, p.lr * lr_factor(step, d_warmup, g_warmup, steps, p.schedule))
            set_lr(opt_d, p.d_lr * lr_factor(step, 0, 0, steps, p.schedule))
            sigma = linear_decay(p.handover.blur, step * p.batch / 1000, p.handover.blur_kimg)
            train_g = step >= d_warmup and step % p.n_critic == 0

            drawn = draw_rows(p, start, batches[step], np.random.default_rng(mix(seed, step)))
            anchor = linear_decay(p.handover.anchor, step * p.batch / 1000, p.handover.anchor_kimg)
            parts = drawn.parts(p.accumulate)
            metrics = adversarial.step(partial(forward, sigma=sigma, anchor=anchor), parts, step, train_g)
            adaptive.update(metrics["d_sign"], p.batch)
            run.log(augment_p=metrics["loss_d"].new_tensor(adaptive.p), **metrics)
            if train_g:
                ema.update(net_g)
    return snapshots.chosen(), run
