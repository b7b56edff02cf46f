"""Adversarial training on pairs of outline and picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from creatures.adversarial.objective import Adversarial, Batch, DiscriminatorInput, Metrics
from creatures.data.pictures import Pictures
from creatures.data.tensors import to_float
from creatures.training.augment import augment
from creatures.training.batches import Batches
from creatures.training.device import accelerator, scaler_of, to_device
from creatures.training.distributed import all_reduce_mean, micro_batches, prepare, shard, world_size
from creatures.training.ema import EMA
from creatures.training.log import RunContext
from creatures.training.loop import Training
from creatures.training.origin import Origin
from creatures.training.perceptual import PerceptualLoss
from creatures.training.schedules import lr_factor, set_lr
from creatures.training.snapshots import Snapshots
from creatures.translation.colouring import to_lines
from creatures.translation.pairs import Pairs
from creatures.translation.patchgan import PatchGAN
from creatures.translation.repaint import enlarged
from creatures.translation.unet import UNet, draw_noise, with_hints
from stages.pix2pix.batch import hints_of, is_double, quarter
from stages.pix2pix.outlines import Outlines
from stages.pix2pix.params import Pix2pixParams

NEAR = 0.3  # distance in RGB, each in [-1, 1], within which a pixel is of a palette's colour


@dataclass(frozen=True)
class Rows:
    """A batch or micro-batch: outlines, pictures, noise, palettes and perhaps hints, one row per picture."""

    lines: Tensor
    real: Tensor
    noise: Tensor
    palettes: Tensor
    hints: Tensor | None = None

    def parts(self, accumulate: int) -> list[Rows]:
        """Micro-batches."""
        parts = micro_batches(len(self.lines), accumulate)
        return [
            Rows(
                self.lines[i],
                self.real[i],
                self.noise[i],
                self.palettes[i],
                None if self.hints is None else self.hints[i],
            )
            for i in parts
        ]


def train(
    stage: RunContext,
    p: Pix2pixParams,
    pictures: Pictures,
    outlines: Outlines | Pairs,
    palettes: np.ndarray,
    seed: int,
    watch: Callable[[Path, int, UNet], None],
    perceptual: PerceptualLoss,
    score: Callable[[UNet], dict[str, float]] | None,
    origin: Origin | None = None,
) -> tuple[UNet, Training]:
    """Train; return the averaged generator, the best of its snapshots if there is a score, and the run's record.

    Args:
        palettes: of all pictures, float32 N x colours x 4.
        watch: called `p.frames` times, evenly spread from the start to the end, with a folder
            that is kept as long as the checkpoint, the step and the averaged generator.
        perceptual: its network is on the device.
        score: `val_feature` of a generator, lower is better; None: the last state is returned.
        origin: the earlier run to start from; None: random weights.
    """
    accelerate = accelerator()
    device, betas = accelerate.device, (p.betas[0], p.betas[1])
    torch.manual_seed(seed)
    inputs = outlines.channels
    net_g = to_device(UNet(pictures.image_px, p.width, p.palette, p.hints, inputs), device)
    net_d = to_device(PatchGAN(p.field_px, p.discriminator_width, p.discriminator_norm, inputs), device)
    if origin and not origin.restores(net_g=net_g, net_d=net_d):
        origin.take(net_g, adapt=with_hints if p.hints else None)
    opt_g = torch.optim.Adam(net_g.parameters(), lr=p.lr, betas=betas, fused=True)
    opt_d = torch.optim.Adam(net_d.parameters(), lr=p.d_lr, betas=betas, fused=True)
    net_g, net_d, opt_g, opt_d = prepare(accelerate, net_g, net_d, opt_g, opt_d)
    adversarial = Adversarial(accelerate, net_d, opt_g, opt_d, p.loss, p.penalties)
    ema = EMA(net_g, p.ema)
    batches = Batches(pictures.rows("train"), p.batch, seed, pictures.images)
    steps = max(1, round(p.kimg * 1000 / p.batch))
    snapshots = Snapshots(ema, steps, watch, p.frames, score, p.snapshots, itemgetter("val_feature"))

    def forward(rows: Rows) -> Batch:
        (fake, choices), real = net_g.paint(rows.lines, rows.noise, rows.palettes, rows.hints), rows.real

        def extra() -> tuple[list[Tensor], Metrics]:
            error = (fake - real).abs()
            l1 = error.mean()
            feature = perceptual(fake, real) if p.perceptual else l1.new_zeros(())
            losses, metrics = [p.lambda_l1 * l1, p.perceptual * feature], {"l1": l1 / 2, "feature": feature}
            if rows.hints is not None:
                losses.append(p.lambda_hinted * (error * (rows.hints[:, 3:] > 0)).mean())
            if rows.hints is not None and p.palette and p.choice:
                metrics["choice"] = choice_loss(choices, rows.palettes, real)
                losses.append(p.choice * metrics["choice"])
            return losses, metrics

        on_real, on_fake = (DiscriminatorInput([x], net_d.features([x]), rows.lines) for x in (real, fake))
        return Batch(on_real, on_fake, extra)

    state = {"net_g": net_g, "net_d": net_d, "opt_g": opt_g, "opt_d": opt_d, "ema": ema, "best": snapshots.best}
    state |= scaler_of(accelerate)
    with Training(stage, steps, p.batch, seed, state, origin=origin, hooks=[snapshots]) as run:
        for step in run:
            for optimiser, lr in ((opt_g, p.lr), (opt_d, p.d_lr)):
                set_lr(optimiser, lr * lr_factor(step, 0, 0, steps, p.schedule))
            chosen, double = batches[step], is_double(p.double, step, seed)
            if double:
                chosen = quarter(chosen, world_size() * p.accumulate)
            images = pictures.images[chosen]
            if double:
                images = np.stack([enlarged(picture, 2 * pictures.image_px) for picture in images])
            palette = palettes[chosen] * (torch.rand(len(chosen), 1, 1) >= p.palette_drop).numpy()
            varied = outlines.varied(chosen, images, step, seed, p.by_hand)
            pair = [to_float(shard(images)).to(device), to_lines(shard(varied)).to(device)]
            if p.hints:
                pair.append(torch.from_numpy(shard(hints_of(images, varied, step, seed, p.hint_drop))).to(device))
            real, lines, *hints = augment(pair, p.augment)
            noise = shard(draw_noise(net_g, p.noise, len(chosen))).to(device)
            rows = Rows(lines, real, noise, torch.from_numpy(shard(palette)).to(device), *hints)
            metrics = adversarial.step(forward, rows.parts(p.accumulate), step)
            ema.update(net_g)
            run.log(**metrics)
    return snapshots.chosen(), run


def choice_loss(logits: Tensor, palettes: Tensor, real: Tensor) -> Tensor:
    """Cross-entropy, 0-d, of the palette's colour that each pixel is nearest to, where one is near.

    Args:
        logits: float N x colours x H x W.
        palettes: float N x colours x 4, zeros for none.
        real: float N x 3 x H x W in [-1, 1].
    """
    missing = palettes[..., 3] == 0
    apart = (real[:, None] - palettes[..., :3, None, None]).square().sum(2).masked_fill(missing[..., None, None], 1e9)
    distance, target = apart.min(1)
    each = F.cross_entropy(logits.masked_fill(missing[..., None, None], -1e4), target, reduction="none")
    near = (distance < NEAR**2).float()
    return (each * near).mean() / all_reduce_mean(near.mean()).clamp(min=1e-6)
