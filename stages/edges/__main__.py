"""Draw the outlines that pix2pix colours: `python -m stages.edges`, run by DVC."""

from __future__ import annotations

from functools import partial

import numpy as np

from creatures.artifacts import CLEAN, OUTLINES, PICTURES
from creatures.data.pictures import evenly_spaced, open_pictures
from creatures.data.provenance import ancestors, digest_of, write_sidecar
from creatures.data.sheets import save_sheet
from creatures.outlines.canny import canny
from creatures.outlines.sketch import sketch
from creatures.runtime.atomic import atomic_folder
from stages.edges.params import EdgesParams
from stages.edges.trace import trace
from stages.harness.stage import Stage, run

EDGES = OUTLINES.parent


def main(stage: Stage) -> None:
    _, p = stage.params(EdgesParams)
    made_from = ancestors(PICTURES)
    outlines = {
        "canny": partial(canny, thresholds=p.canny),
        "sketch": partial(sketch, level=p.sketch_level, epsilon=p.sketch_epsilon),
    }
    with atomic_folder(EDGES) as out:
        ink_of = trace(CLEAN, out, outlines)
        digests = {name: digest_of(out / f"{name}.npy") for name in outlines}
        write_sidecar(out / OUTLINES.name, made_from | digests)

    metrics: dict[str, float] = {}
    for name, ink in ink_of.items():
        metrics[f"{name}_ink_median"] = float(np.median(ink))
        metrics[f"{name}_ink_p05"], metrics[f"{name}_ink_p95"] = np.quantile(ink, [0.05, 0.95]).tolist()
        metrics[f"{name}_empty"] = int((ink == 0).sum())
    stage.write_metrics(metrics)

    images = open_pictures().images
    rows = evenly_spaced(np.arange(len(images)), 24)
    arrays = [np.load(EDGES / f"{name}.npy", mmap_mode="r")[rows] for name in outlines]
    grey = [np.repeat(array[:, None], 3, axis=1) for array in arrays]
    triples = np.stack([images[rows], *grey], axis=1).reshape(-1, *images.shape[1:])
    save_sheet(stage.plot_path("sheet.png"), triples, columns=12, scale=2)


if __name__ == "__main__":
    run("edges", main)
