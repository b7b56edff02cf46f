"""Learn to colour outlines: `python -m stages.pix2pix`, run by DVC."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stages.lib.colouring import FILE, Colourer, load_colourer
from stages.lib.nets.patchgan import FIELDS
from stages.lib.nets.unet import UNet
from stages.lib.params import UserError
from stages.lib.pictures import open_pictures
from stages.lib.sheets import save_sheet, spread
from stages.lib.stage import Stage, run
from stages.lib.training.frames import join_frames, save_frame
from stages.lib.weights import save_weights
from stages.pix2pix.examples import drawings
from stages.pix2pix.outlines import open_outlines
from stages.pix2pix.params import Pix2pixParams
from stages.pix2pix.score import figures_of, l1
from stages.pix2pix.train import train

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

    def watch(folder: Path, step: int, net: UNet) -> None:
        save_frame(folder, step, Colourer(net, p.noise, p.outline).colour(hand, common.seed), columns=len(hand))

    def score(net: UNet) -> float:
        return l1(Colourer(net, p.noise, p.outline).colour(outlines.plain(val), None), pictures.images[val])

    net, training = train(stage, p, pictures, outlines, common.seed, watch, score if p.snapshots else None)
    stage.check_unchanged()
    architecture = {"image_px": common.image_px, "width": p.width}
    save_weights(FILE, net.state_dict(), {"architecture": architecture, "params": p.model_dump()})

    colourer = load_colourer()
    rows = test if len(test) else val  # of few species none may be in test: then a sheet, but no figures
    asked, real = outlines.plain(rows), pictures.images[rows]
    fake = colourer.colour(asked, None)  # figures are of colourings without noise
    stage.write_metrics({"val_l1": score(colourer.net), **(figures_of(fake, real, asked) if len(test) else {})})
    stage.write_table("history", training.history)
    shown = spread(np.arange(len(rows)), 24)
    triples = np.stack([np.repeat(asked[shown, None], 3, axis=1), fake[shown], real[shown]], axis=1)
    save_sheet(stage.plot_path("test.png"), triples.reshape(-1, *real.shape[1:]), columns=12)
    several = [np.repeat(hand[:, None], 3, axis=1), *(colourer.colour(hand, seed) for seed in range(3))]
    save_sheet(stage.plot_path("drawings.png"), np.concatenate(several), columns=len(hand))
    join_frames(training.folder, stage.plot_path("training.gif"))
    stage.on_success.append(training.discard)


if __name__ == "__main__":
    run("pix2pix", main)
