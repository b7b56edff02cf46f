"""Train the encoder: `python -m stages.classifier`, run by DVC."""

from __future__ import annotations

from functools import partial

import numpy as np

from creatures.artifacts import ENCODER, PICTURES
from creatures.data.pictures import open_pictures
from creatures.data.provenance import ancestors
from creatures.data.weights import save_weights
from creatures.training.origin import Origin
from stages.classifier.params import ClassifierParams
from stages.classifier.retrieval import retrieval
from stages.classifier.train import TURNS, known_rows, score, train
from stages.harness.launch import launch
from stages.harness.stage import Stage, run


def main(stage: Stage) -> None:
    common, p = stage.params(ClassifierParams)
    pictures, made_from = open_pictures(), ancestors(PICTURES)
    task = p.task
    labels = np.unique(pictures.column("label")[pictures.rows("train")])
    if task == "species" and (labels >= 0).sum() < 2:
        print("classifier: fewer than two labels to train on, so the task is rotation", flush=True)
        task = "rotation"

    origin = Origin("classifier", p.start, made_from, {"batch": p.batch, "task": task})
    net, training = train(stage, p, pictures, task, common.seed, origin)

    stage.check_unchanged()
    val = known_rows(pictures, "val", task)
    has_head = p.epochs or "classifier" in origin.whole  # for these labels
    top1, top5 = (score(net, pictures, task, val) if has_head else None) or (None, None)
    header = {
        "architecture": p.backbone,
        "task": task,
        "classes": net.head.out_features,
        "image_px": common.image_px,
        "common": common.model_dump(),
        "params": p.model_dump(),
        "cleaning": pictures.cleaning,
        "made_from": made_from | origin.mark,
    }
    save_weights(ENCODER, net.state_dict(), header)
    stage.write_table("history", training.history)
    stage.write_metrics(
        {
            "val_top1": top1,
            "val_top5": top5,
            "retrieval": retrieval(net, pictures),
            "classes": TURNS if task == "rotation" else int((labels >= 0).sum()),
            "val_pictures": len(val),
            "val_unknown": len(pictures.rows("val")) - len(val),
        }
    )
    stage.on_success.append(partial(training.finish, ENCODER))


if __name__ == "__main__":
    launch("classifier")
    run("classifier", main)
