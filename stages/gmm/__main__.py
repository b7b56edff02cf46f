"""Fit the mixture over embeddings: `python -m stages.gmm`, run by DVC."""

from __future__ import annotations

import numpy as np

from creatures.artifacts import EMBEDDINGS, MIXTURE, PICTURES
from creatures.data.loading import open_array
from creatures.data.pictures import ENOUGH, SPLITS, evenly_spaced, open_pictures
from creatures.data.provenance import ancestors
from creatures.latents.mixture import save_mixture
from stages.gmm.fit import ALIVE, component_count, fit_gmm, fit_pca, to_mixture
from stages.gmm.params import GmmParams
from stages.harness.stage import Stage, run


def main(stage: Stage) -> None:
    common, p = stage.params(GmmParams)
    pictures = open_pictures()
    rows = np.sort(np.concatenate([evenly_spaced(pictures.rows(split), ENOUGH) for split in SPLITS]))
    made_from = ancestors(PICTURES, EMBEDDINGS)
    embeddings = open_array(EMBEDDINGS, 2, np.float32)[rows].astype(np.float64)
    split, source = pictures.column("split")[rows], pictures.column("source")[rows]
    train, val = np.flatnonzero(split == "train"), np.flatnonzero(split == "val")

    pca = fit_pca(embeddings[train], p.pca_dims)
    points = embeddings if pca is None else pca.transform(embeddings)
    count, tried = component_count(points[train], source[train], p, common.seed)
    model = fit_gmm(points[train], count, p, common.seed)

    dims = points.shape[1]
    on_train, on_val = model.score(points[train]) / dims, model.score(points[val]) / dims
    by_fraction = p.components != "auto" and p.components < 1  # which is meant to fit few pictures each
    if on_val < on_train - 0.5 and not by_fraction:
        print(
            f"gmm: val is far less likely than train ({on_val:.2f} against {on_train:.2f} a dimension): the mixture "
            "fits single pictures; use fewer components, fewer pca_dims or more regularisation",
            flush=True,
        )
    save_mixture(MIXTURE, to_mixture(model, pca, embeddings.shape[1]), made_from)
    stage.write_metrics(
        {
            "components": count,
            "components_alive": int((model.weights_ > ALIVE).sum()),
            "dims": dims,
            "variance_kept": 1.0 if pca is None else float(pca.explained_variance_ratio_.sum()),
            "train_log_likelihood": float(on_train),
            "val_log_likelihood": float(on_val),
            "val_far_less_likely": bool(on_val < on_train - 0.5),
        }
    )
    held_out = tried or {count: float(on_val)}
    stage.write_table("held_out", [{"components": k, "log_likelihood": v} for k, v in held_out.items()])


if __name__ == "__main__":
    run("gmm", main)
