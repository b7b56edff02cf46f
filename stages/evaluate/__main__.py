"""Score the samples: `python -m stages.evaluate`, run by DVC."""

from __future__ import annotations

import numpy as np

from creatures.artifacts import EMBEDDINGS, ENCODER, GENERATOR, PICTURES, PRETRAINED
from creatures.data.loading import open_array
from creatures.data.pictures import SPLITS, evenly_spaced, open_pictures
from creatures.data.provenance import ancestors
from creatures.data.sheets import save_sheet
from creatures.data.tensors import default_device, repeatable_kernels
from creatures.latents.sampler import load_sampler
from creatures.metrics.defects import defects
from creatures.metrics.features import INPUT_PX, features
from creatures.metrics.nearest import nearest
from creatures.nets.encoder.encoder import load_encoder
from creatures.nets.frozen.efficientnet_lite import EfficientNetLite
from stages.evaluate.by_class import by_class
from stages.evaluate.compare import compare
from stages.evaluate.params import EvaluateParams
from stages.harness.stage import Stage, run

PAIRS = 24


def main(stage: Stage) -> None:
    common, p = stage.params(EvaluateParams)
    ancestors(PICTURES, EMBEDDINGS, ENCODER, PRETRAINED, GENERATOR)
    pictures = open_pictures()
    repeatable_kernels()
    device = default_device()
    rows = {split: evenly_spaced(pictures.rows(split), p.reference) for split in SPLITS}
    samplers = {"fake": load_sampler(GENERATOR), "pretrained": load_sampler(PRETRAINED)}
    samples = {name: sampler.sample(p.samples, common.seed + 1) for name, sampler in samplers.items()}

    lite2 = EfficientNetLite(2).to(device)
    encoder = load_encoder()[0].to(device)
    embeddings = open_array(EMBEDDINGS, 2, np.float32)
    train, val = (pictures.images[rows[split]] for split in ("train", "val"))
    metrics: dict[str, float | None] = {**defects(samples["fake"], train)}
    metrics |= {f"{name}_val": value for name, value in defects(val, train).items()} if len(val) else {}
    for suffix, net, input_px in (("", lite2, INPUT_PX), ("_encoder", encoder, None)):
        print(f"evaluate: features by {type(net).__name__}", flush=True)
        sample_features = {name: features(net, images, input_px) for name, images in samples.items()}
        if net is encoder:
            real = {split: embeddings[chosen] for split, chosen in rows.items()}
        else:
            real = {split: features(net, pictures.images[chosen], input_px) for split, chosen in rows.items()}
            distances, neighbours = nearest(sample_features["fake"], real["train"])
            order = np.argsort(distances)[:PAIRS]
            pairs = np.stack([samples["fake"][order], train[neighbours[order]]], axis=1)
            save_sheet(stage.plot_path("closest.png"), pairs.reshape(-1, *train.shape[1:]), columns=12)
            labels = pictures.column("label")[rows["train"]]
            sheet, metrics["classes"] = by_class(samples["fake"], train, labels, distances, neighbours)
            save_sheet(stage.plot_path("classes.png"), sheet, columns=16)
        scores = compare(real, sample_features["fake"], sample_features["pretrained"])
        metrics |= {f"{name}{suffix}": value for name, value in scores.items()}

    stage.write_metrics(metrics)
    save_sheet(stage.plot_path("samples.png"), samples["fake"][:64], columns=16)
    save_sheet(stage.plot_path("pretrained.png"), samples["pretrained"][:64], columns=16)


if __name__ == "__main__":
    run("evaluate", main)
