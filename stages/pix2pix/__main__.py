"""Learn to colour outlines: `python -m stages.pix2pix`, run by DVC."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from stages.lib.colouring import FILE, Colourer, load_colourer
from stages.lib.nets.efficientnet_lite import EfficientNetLite
from stages.lib.nets.patchgan import FIELDS
from stages.lib.nets.unet import UNet
from stages.lib.palette import palettes_of
from stages.lib.params import UserError
from stages.lib.pictures import open_pictures
from stages.lib.sheets import save_sheet, spread
from stages.lib.stage import Stage, run
from stages.lib.training.device import accelerator
from stages.lib.training.frames import join_frames, save_frame
from stages.lib.training.perceptual import PerceptualLoss, errors
from stages.lib.weights import save_weights
from stages.pix2pix.examples import drawings
from stages.pix2pix.outlines import open_outlines
from stages.pix2pix.params import Pix2pixParams
from stages.pix2pix.score import figures_of, l1
from stages.pix2pix.train import train

LITE, STRIDES = 0, (2, 4, 8, 16)  # of EfficientNet-Lite: the maps of the perceptual loss
PALETTES = 1000  # kept to colour with later
SCORED = 500  # val pictures for a snapshot


def main(stage: Stage) -> None:
    common, p = stage.params(Pix2pixParams)
    pictures = open_pictures()
    outlines = open_outlines(p.outline, pictures)
    hand = drawings(common.image_px)
    val, test = spread(pictures.rows("val"), SCORED), pictures.rows("test")
    if not len(val):
        raise UserError("there are no val pictures to measure with; raise clean.val_share or add pictures")
    if common.image_px < (least := 4 << FIELDS[p.field_px]):
        raise UserError(f"pix2pix.field_px is {p.field_px}: too large for common.image_px under {least}")

    palettes = palettes_of(pictures.images, p.palette)
    kept = torch.from_numpy(palettes[spread(pictures.rows("train"), PALETTES)])

    def watch(folder: Path, step: int, net: UNet) -> None:
        drawn = Colourer(net, p.noise, p.outline, kept).colour(hand, common.seed)
        save_frame(folder, step, drawn, columns=len(hand))

    def of_val(net: UNet, told: bool) -> np.ndarray:
        colourer = Colourer(net, p.noise, p.outline, kept)
        return colourer.colour(outlines.plain(val), None, palettes[val] if told else None)

    perceptual = PerceptualLoss(EfficientNetLite(LITE).to(accelerator().device), STRIDES)

    def score(net: UNet) -> float:
        return errors(perceptual, of_val(net, told=True), pictures.images[val])[1]

    net, training = train(
        stage, p, pictures, outlines, palettes, common.seed, watch, perceptual, score if p.snapshots else None
    )
    stage.check_unchanged()
    architecture = {"image_px": common.image_px, "width": p.width, "colours": p.palette}
    save_weights(FILE, net.state_dict() | {"palettes": kept}, {"architecture": architecture, "params": p.model_dump()})

    colourer = load_colourer()
    rows = test if len(test) else val  # of few species none may be in test: then a sheet, but no figures
    asked, real = outlines.plain(rows), pictures.images[rows]
    bare, told = colourer.colour(asked, None), colourer.colour(asked, None, palettes[rows])  # without noise
    plain, own = ({"val_l1": l1(of_val(colourer.net, told), pictures.images[val])} for told in (False, True))
    figures: dict[str, Any] = {**plain, "own_palette": own}
    if len(test):
        figures |= figures_of(bare, real, asked)
        figures["own_palette"] |= figures_of(told, real, asked)
    stage.write_metrics(figures)
    stage.write_table("history", training.history)
    shown = spread(np.arange(len(rows)), 24)
    other = colourer.colour(asked[shown], common.seed)
    rowed = np.stack([as_pictures(asked[shown]), other, told[shown], real[shown]], axis=1)
    save_sheet(stage.plot_path("test.png"), rowed.reshape(-1, *real.shape[1:]), columns=12)
    several = [as_pictures(hand), *(colourer.colour(hand, seed) for seed in range(5))]
    save_sheet(stage.plot_path("drawings.png"), np.concatenate(several), columns=len(hand))
    join_frames(training.folder, stage.plot_path("training.gif"))
    stage.on_success.append(training.discard)


def as_pictures(outlines: np.ndarray) -> np.ndarray:
    """uint8, N x H x W, as N x 3 x H x W."""
    return np.repeat(outlines[:, None], 3, axis=1)


if __name__ == "__main__":
    run("pix2pix", main)
