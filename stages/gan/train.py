"""Adversarial training."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.parametrize import cached

from stages.gan.build import Start
from stages.gan.params import GanParams
from stages.gan.score import Score
from stages.lib.nets.base import Discriminator, Generator, shrink
from stages.lib.pictures import Pictures
from stages.lib.stage import Stage
from stages.lib.tensors import to_float
from stages.lib.training.augment import augment, vary
from stages.lib.training.batches import Batches
from stages.lib.training.best import Best
from stages.lib.training.device import accelerator
from stages.lib.training.ema import EMA
from stages.lib.training.loop import Training, mix
from stages.lib.training.losses import LOSSES
from stages.lib.training.many import is_first, prepare, share
from stages.lib.training.mesh import Mesh
from stages.lib.training.penalties import PENALTIES, LeCam
from stages.lib.training.pieces import Pieces
from stages.lib.training.schedule import AdaptiveP, blur, fading, rate, set_rate


@dataclass(frozen=True)
class Shown:
    """A batch as the discriminator sees it: augmented pictures, fine to coarse, its features, what it is told."""

    pictures: list[Tensor]
    features: list[Tensor]
    told: Tensor | None


def train(
    stage: Stage,
    p: GanParams,
    start: Start,
    pictures: Pictures,
    seed: int,
    watch: Callable[[Path, int, Generator], None],
    score: Score | None,
) -> tuple[Generator, Training]:
    """The averaged generator, the best of its snapshots if there is a score, and the run's record.

    Args:
        start: its networks are trained in place.
        watch: called `p.frames` times, evenly spread from the start to the end, with a folder
            that is kept as long as the checkpoint, the step and the averaged generator.
        score: figures of a generator: that of the lowest `val_kid` is kept; None: its last state is.
    """
    accelerate = accelerator()
    device, clip = accelerate.device, LOSSES[p.loss].clip
    betas = (p.betas[0], p.betas[1])
    net_g, net_d, embeddings = start.net_g, start.net_d, start.embeddings
    trained = [weight for weight in net_d.parameters() if weight.requires_grad]
    opt_g = torch.optim.Adam(net_g.parameters(), lr=p.lr, betas=betas, fused=True)
    opt_d = torch.optim.Adam(trained, lr=p.d_lr, betas=betas, fused=True)
    net_g, net_d, opt_g, opt_d = prepare(accelerate, net_g, net_d, opt_g, opt_d)
    ema, best, lecam, mesh, pieces = EMA(net_g, p.ema), Best(), LeCam(), Mesh(), Pieces()
    adaptive = AdaptiveP(p.augment_p, p.augment_target, p.augment_kimg)

    batches = Batches(pictures.rows("train"), p.batch, seed, pictures.images)
    anchored = p.batch // 2 if embeddings is not None and p.anchor else 0
    own_anchored = len(share(np.arange(anchored)))
    taught = copy.deepcopy(net_g).eval() if anchored and p.init == "pretrained" else None
    steps, alone, ramp = (round(kimg * 1000 / p.batch) for kimg in (p.kimg, p.alone_kimg, p.ramp_kimg))
    steps = max(1, steps)
    if start.origin.state:  # both networks have long learnt together
        alone = ramp = 0
    elif "discriminator" in start.origin.whole:
        alone = 0
    watched = set(np.linspace(0, steps, p.frames).round().astype(int).tolist())
    scored = set(np.linspace(steps - 1, steps // 2, p.snapshots).round().astype(int).tolist()) if score else set()

    def show(images: list[Tensor], told: np.ndarray | None, sigma: float) -> Shown:
        images = augment(blur([x.float() for x in images], sigma), p.augment, adaptive.p)
        return Shown(images, net_d.features(images), None if told is None else torch.from_numpy(told).to(device))

    state = {"net_g": net_g, "net_d": net_d, "opt_g": opt_g, "opt_d": opt_d, "ema": ema, "best": best}
    state |= {"p": adaptive, "lecam": lecam, "mesh": mesh, "pieces": pieces}
    with Training(stage, steps, p.batch, seed, state, origin=start.origin) as run:
        best.forget(before=steps // 2 if score else steps)
        for step in run:
            if step in watched and is_first():
                watch(run.folder, step, ema.module)
            set_rate(opt_g, p.lr * rate(step, alone, ramp, steps, p.schedule))
            set_rate(opt_d, p.d_lr * rate(step, 0, 0, steps, p.schedule))
            sigma = fading(p.blur, step * p.batch / 1000, p.blur_kimg)
            train_g = step >= alone and step % p.n_critic == 0

            chosen = batches[step]
            z, classes = start.latent.draw(p.batch, np.random.default_rng(mix(seed, step)))
            real_told = fake_told = None
            if start.told is not None:
                real_told, fake_told = start.told[chosen], z if p.condition == "embedding" else classes
            if anchored:  # half of the fakes are rebuilds
                z[:anchored] = embeddings[chosen[:anchored]]
                if p.condition == "component":
                    classes[:anchored] = real_told[:anchored]
            chosen, z = share(chosen), share(z)
            if start.told is not None:
                real_told, fake_told = share(real_told), share(fake_told)
            source, latents = to_float(pictures.images[chosen]).to(device), torch.from_numpy(z).to(device)
            with accelerate.autocast():
                with torch.set_grad_enabled(train_g):
                    drawn = net_g.pyramid(latents)
                    fake = show(drawn, fake_told, sigma)
                with torch.no_grad():
                    real = show(shrink(vary(source, p.augment_pictures), len(drawn)), real_told, sigma)
                with cached():  # one spectral norm of each weight for real and fake
                    loss_d, figures = discriminator_loss(p, net_d, real, fake, lecam, step % p.penalty_every == 0)
            opt_d.zero_grad()
            accelerate.backward(loss_d)
            opt_d.step()
            if clip:
                with torch.no_grad():
                    for weight in trained:
                        weight.clamp_(-clip, clip)
            adaptive.update(figures["d_sign"], p.batch)
            run.log(loss_d=loss_d, augment_p=loss_d.new_tensor(adaptive.p), **figures)

            if train_g:
                for weight in trained:
                    weight.requires_grad_(False)
                with accelerate.autocast():
                    loss_g = generator_loss(p, net_d, real, fake)
                    if p.mesh:
                        above = mesh(real.pictures[0], fake.pictures[0])
                        loss_g = loss_g + p.mesh * above
                        run.log(mesh=above)
                    if p.pieces:
                        apart = pieces(source, drawn[0])
                        loss_g = loss_g + p.pieces * apart
                        run.log(pieces=apart)
                    held = loss_g.new_zeros(())
                    if anchored:
                        goal = source[:own_anchored]
                        if taught is not None:  # the others: as pretraining would have drawn them
                            with torch.no_grad():
                                goal = torch.cat([goal, taught(latents[own_anchored:])])
                        held = anchor_loss(drawn[0][: len(goal)], goal, p.anchor_px)
                opt_g.zero_grad()
                accelerate.backward(loss_g + fading(p.anchor, step * p.batch / 1000, p.anchor_kimg) * held)
                opt_g.step()
                for weight in trained:
                    weight.requires_grad_(True)
                ema.update(net_g)
                run.log(loss_g=loss_g, anchor=held)
            if score and step in scored and is_first():
                found = score(ema.module)
                best.offer(-found["val_kid"], ema.module, step)
                run.note(**found)
        if is_first():
            watch(run.folder, steps, ema.module)
    if best.weights:
        ema.module.load_state_dict(best.weights)
    return ema.module, run


def discriminator_loss(
    p: GanParams, net_d: Discriminator, real: Shown, fake: Shown, lecam: LeCam, penalised: bool
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss with its penalties, 0-d, and what there is to log."""
    on_real = net_d.discriminate(real.features, real.told).float()
    on_fake = net_d.discriminate([found.detach() for found in fake.features], fake.told).float()
    loss = LOSSES[p.loss].discriminator(on_real, on_fake)
    figures = {"d_real": on_real.mean(), "d_fake": on_fake.mean(), "d_sign": on_real.detach().sign().mean()}
    if p.lecam:
        figures["lecam"] = lecam(on_real, on_fake)
        loss = loss + p.lecam * figures["lecam"]
    for name, weight in p.penalties.items() if penalised else ():
        told = fake.told if name == "r2" else real.told
        with torch.autocast(on_real.device.type, enabled=False):  # the gradient itself is what is measured
            found = PENALTIES[name](partial(judge, net_d, told=told), real.pictures, fake.pictures)
        loss, figures[name] = loss + weight * p.penalty_every * found, found
    return loss, figures


def judge(net_d: Discriminator, pictures: list[Tensor], told: Tensor | None) -> Tensor:
    """Logits, past the forward that Accelerate has put autocast around."""
    return net_d.discriminate(net_d.features(pictures), told)


def generator_loss(p: GanParams, net_d: Discriminator, real: Shown, fake: Shown) -> Tensor:
    """The adversarial loss, 0-d; the features of the fakes still lead back to the generator."""
    logits = net_d.discriminate(fake.features, fake.told).float()
    if LOSSES[p.loss].paired:
        logits = logits - net_d.discriminate(real.features, real.told).float()
    return LOSSES[p.loss].generator(logits)


def anchor_loss(drawn: Tensor, goal: Tensor, px: int) -> Tensor:
    """How far pictures are from others when both are shrunk to `px`: L1, 0-d.

    It holds figures and colours where pretraining put them and leaves detail to the
    discriminator. Pictures float N x 3 x H x W in [-1, 1].
    """
    return F.l1_loss(F.adaptive_avg_pool2d(drawn, px), F.adaptive_avg_pool2d(goal, px))
