"""Adversarial training on pairs of outline and picture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.utils.parametrize import cached

from stages.lib.colouring import to_lines
from stages.lib.nets.patchgan import PatchGAN, beside
from stages.lib.nets.unet import UNet, draw_noise
from stages.lib.pictures import Pictures
from stages.lib.stage import Stage
from stages.lib.tensors import to_float
from stages.lib.training.augment import augment
from stages.lib.training.batches import Batches
from stages.lib.training.best import Best
from stages.lib.training.device import accelerator
from stages.lib.training.ema import EMA
from stages.lib.training.loop import Training
from stages.lib.training.losses import LOSSES
from stages.lib.training.many import is_first, prepare, share
from stages.lib.training.origin import Origin
from stages.lib.training.penalties import PENALTIES
from stages.lib.training.perceptual import PerceptualLoss
from stages.lib.training.schedule import rate, set_rate
from stages.pix2pix.outlines import Outlines
from stages.pix2pix.params import Pix2pixParams


def train(
    stage: Stage,
    p: Pix2pixParams,
    pictures: Pictures,
    outlines: Outlines,
    palettes: np.ndarray,
    seed: int,
    watch: Callable[[Path, int, UNet], None],
    perceptual: PerceptualLoss,
    score: Callable[[UNet], float] | None,
    origin: Origin | None = None,
) -> tuple[UNet, Training]:
    """The averaged generator, the best of its snapshots if there is a score, and the run's record.

    Args:
        palettes: of all pictures, float32 N x colours x 4.
        watch: called `p.frames` times, evenly spread from the start to the end, with a folder
            that is kept as long as the checkpoint, the step and the averaged generator.
        perceptual: with its network on the device.
        score: of a generator, lower is better; None: its last state is the one to keep.
        origin: where it begins; anew, if it is not given.
    """
    accelerate, loss = accelerator(), LOSSES[p.loss]
    device, betas = accelerate.device, (p.betas[0], p.betas[1])
    torch.manual_seed(seed)
    net_g = UNet(pictures.image_px, p.width, p.palette).to(device, memory_format=torch.channels_last)
    net_d = PatchGAN(p.field_px, p.discriminator_width, p.discriminator_norm)
    net_d = net_d.to(device, memory_format=torch.channels_last)
    if origin and not origin.restores(net_g=net_g, net_d=net_d):
        origin.take(net_g)
    opt_g = torch.optim.Adam(net_g.parameters(), lr=p.lr, betas=betas, fused=True)
    opt_d = torch.optim.Adam(net_d.parameters(), lr=p.d_lr, betas=betas, fused=True)
    net_g, net_d, opt_g, opt_d = prepare(accelerate, net_g, net_d, opt_g, opt_d)
    ema, best = EMA(net_g, p.ema), Best()
    batches = Batches(pictures.rows("train"), p.batch, seed, pictures.images)
    steps = max(1, round(p.kimg * 1000 / p.batch))
    watched = set(np.linspace(0, steps, p.frames).round().astype(int).tolist())
    scored = set(np.linspace(steps - 1, steps // 2, p.snapshots).round().astype(int).tolist()) if score else set()

    state = {"net_g": net_g, "net_d": net_d, "opt_g": opt_g, "opt_d": opt_d, "ema": ema, "best": best}
    with Training(stage, steps, p.batch, seed, state, origin=origin) as run:
        best.forget(before=steps // 2 if score else steps)
        for step in run:
            if step in watched and is_first():
                watch(run.folder, step, ema.module)
            for optimiser, lr in ((opt_g, p.lr), (opt_d, p.d_lr)):
                set_rate(optimiser, lr * rate(step, 0, 0, steps, p.schedule))
            chosen = batches[step]
            papers = outlines.varied(chosen, pictures, step, seed, p.by_hand)
            pair = [to_float(pictures.images[share(chosen)]).to(device), to_lines(share(papers)).to(device)]
            real, lines = augment(pair, p.augment)
            noise = share(draw_noise(net_g, p.noise, p.batch)).to(device)
            told = share(torch.from_numpy(palettes[chosen]) * (torch.rand(p.batch, 1, 1) >= p.palette_drop))
            with accelerate.autocast():
                fake = net_g(lines, noise, told.to(device))
                with cached():  # one spectral norm of each weight for real and fake
                    logits = [net_d(beside(lines, picture)).float() for picture in (real, fake.detach())]
                loss_d, figures = loss.discriminator(*logits), {}
            for name, weight in p.penalties.items():  # of the picture alone, and not in bfloat16
                figures[name] = PENALTIES[name](partial(logits_beside, net_d, lines), [real], [fake])
                loss_d = loss_d + weight * figures[name]
            opt_d.zero_grad()
            accelerate.backward(loss_d)
            opt_d.step()
            if loss.clip:
                with torch.no_grad():
                    for weight in net_d.parameters():
                        weight.clamp_(-loss.clip, loss.clip)

            net_d.requires_grad_(False)
            with accelerate.autocast():
                logits_g = net_d(beside(lines, fake)).float()
                if loss.paired:
                    logits_g = logits_g - net_d(beside(lines, real)).float()
                adversarial, l1 = loss.generator(logits_g), F.l1_loss(fake, real)
                feature = perceptual(fake, real) if p.perceptual else l1.new_zeros(())
            opt_g.zero_grad()
            accelerate.backward(adversarial + p.lambda_l1 * l1 + p.perceptual * feature)
            opt_g.step()
            net_d.requires_grad_(True)
            ema.update(net_g)
            run.log(loss_d=loss_d, loss_g=adversarial, l1=l1 / 2, feature=feature, **figures)
            if score and step in scored and is_first():
                found = score(ema.module)
                best.offer(-found, ema.module, step)
                run.note(val_feature=found)
        if is_first():
            watch(run.folder, steps, ema.module)
    if best.weights:
        ema.module.load_state_dict(best.weights)
    return ema.module, run


def logits_beside(net_d: PatchGAN, outlines: Tensor, pictures: list[Tensor]) -> Tensor:
    """Logits of pictures beside their outlines; not through the forward that Accelerate wraps in autocast."""
    return net_d.discriminate(beside(outlines, pictures[0]))
