"""Learn to colour outlines: `python -m stages.pix2pix`, run by DVC."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from stages.lib.colouring import FILE, Colourer, load_colourer
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
    if not len(val) or not len(test):
        raise UserError("there are no val or no test pictures to measure with; raise clean.val_share or test_share")

    def watch(folder: Path, step: int, net: UNet) -> None:
        save_frame(folder, step, Colourer(net, p.noise).colour(hand, common.seed), columns=len(hand))

    def score(net: UNet) -> float:
        return l1(Colourer(net, p.noise).colour(outlines.plain(val), None), pictures.images[val])

    net, training = train(stage, p, pictures, outlines, common.seed, watch, score if p.snapshots else None)
    stage.check_unchanged()
    architecture = {"image_px": common.image_px, "width": p.width}
    save_weights(FILE, net.state_dict(), {"architecture": architecture, "noise": p.noise, "params": p.model_dump()})

    colourer, asked, real = load_colourer(), outlines.plain(test), pictures.images[test]
    fake = colourer.colour(asked, common.seed)
    stage.write_metrics({"val_l1": score(colourer.net), **figures_of(fake, real, asked)})
    stage.write_table("history", training.history)
    shown = spread(np.arange(len(test)), 24)
    triples = np.stack([np.repeat(asked[shown, None], 3, axis=1), fake[shown], real[shown]], axis=1)
    save_sheet(stage.plot_path("test.png"), triples.reshape(-1, *real.shape[1:]), columns=12)
    several = [np.repeat(hand[:, None], 3, axis=1), *(colourer.colour(hand, seed) for seed in range(3))]
    save_sheet(stage.plot_path("drawings.png"), np.concatenate(several), columns=len(hand))
    join_frames(training.folder, stage.plot_path("training.gif"))
    stage.on_success.append(training.discard)


if __name__ == "__main__":
    run("pix2pix", main)
