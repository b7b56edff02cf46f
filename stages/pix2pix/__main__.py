"""Learn to colour outlines: `python -m stages.pix2pix`, run by DVC."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import torch

from creatures.artifacts import COLOURER
from creatures.data.pictures import evenly_spaced
from creatures.data.weights import save_weights
from creatures.nets.frozen.efficientnet_lite import EfficientNetLite
from creatures.runtime.errors import UserError
from creatures.training.device import accelerator
from creatures.training.frames import join_frames, save_frame
from creatures.training.origin import Origin
from creatures.training.perceptual import PerceptualLoss, errors
from creatures.translation.colouring import Colourer, load_colourer
from creatures.translation.palette import palettes_of
from creatures.translation.patchgan import FIELDS
from creatures.translation.unet import UNet
from stages.harness.launch import launch
from stages.harness.stage import Stage, run
from stages.pix2pix.outlines import open_data
from stages.pix2pix.params import Pix2pixParams
from stages.pix2pix.report import metrics, sheets
from stages.pix2pix.train import train

LITE, STRIDES = 0, (2, 4, 8, 16)  # of EfficientNet-Lite: the maps of the perceptual loss
PALETTES = 1000  # of train pictures, stored with the colourer
SCORED = 500  # val pictures that score a snapshot


def main(stage: Stage) -> None:
    common, p = stage.params(Pix2pixParams)
    if common.image_px < (least := 4 << FIELDS[p.field_px]):
        raise UserError(f"pix2pix.field_px is {p.field_px}: too large for common.image_px under {least}")
    pictures, outlines, made_from = open_data(p, common.image_px)
    val = evenly_spaced(pictures.rows("val"), SCORED)
    palettes, hand = palettes_of(pictures.images, p.palette), outlines.unseen(val, common.image_px)
    train_palettes = torch.from_numpy(palettes[evenly_spaced(pictures.rows("train"), PALETTES)])
    perceptual = PerceptualLoss(EfficientNetLite(LITE).to(accelerator().device), STRIDES)

    def watch(folder: Path, step: int, net: UNet) -> None:
        colourings = Colourer(net, p.noise, p.outline, train_palettes).colour(hand, common.seed)
        save_frame(folder, step, colourings, columns=len(hand))

    def score(net: UNet) -> dict[str, float]:
        colourings = Colourer(net, p.noise, p.outline, train_palettes).colour(outlines.plain(val), None, palettes[val])
        return {"val_feature": errors(perceptual, colourings, pictures.images[val])[1]}

    origin = Origin("pix2pix", p.start, made_from, {"batch": p.batch})
    net, training = train(
        stage, p, pictures, outlines, palettes, common.seed, watch, perceptual, score if p.snapshots else None, origin
    )
    stage.check_unchanged()
    architecture = {"image_px": common.image_px, "width": p.width, "colours": p.palette, "hints": p.hints}
    architecture["inputs"] = outlines.channels
    settings = {"common": common.model_dump(), "params": p.model_dump(), "cleaning": pictures.cleaning}
    header = {"architecture": architecture, **settings, "made_from": made_from | origin.mark}
    save_weights(COLOURER, net.state_dict() | {"palettes": train_palettes}, header)

    colourer = load_colourer()
    stage.write_metrics(metrics(colourer, pictures, outlines, palettes, val))
    stage.write_table("history", training.history)
    sheets(stage, colourer, pictures, outlines, palettes, hand, common.seed)
    join_frames(training.folder, stage.plot_path("training.gif"))
    stage.on_success.append(partial(training.finish, COLOURER))


if __name__ == "__main__":
    launch("pix2pix")
    run("pix2pix", main)
