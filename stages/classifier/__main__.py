"""Train the encoder: `python -m stages.classifier`, run by DVC."""

from __future__ import annotations

from pathlib import Path

from stages.classifier.params import ClassifierParams
from stages.classifier.retrieval import retrieval
from stages.classifier.train import known_rows, score, train
from stages.lib.pictures import open_pictures
from stages.lib.stage import Stage, run
from stages.lib.weights import save_weights


def main(stage: Stage) -> None:
    common, p = stage.params(ClassifierParams)
    pictures = open_pictures()
    task = p.task
    if task == "species" and pictures.column("label").max() < 1:
        print("classifier: fewer than two labels, so the task is rotation", flush=True)
        task = "rotation"

    net, training = train(stage, p, pictures, task, common.seed)

    val = known_rows(pictures, "val")
    top1, top5 = score(net, pictures, task, val)
    header = {
        "architecture": p.backbone,
        "task": task,
        "classes": net.head.out_features,
        "image_px": common.image_px,
        "params": p.model_dump(),
    }
    save_weights(Path("models/classifier.safetensors"), net.state_dict(), header)
    stage.write_table("history", training.history)
    stage.write_metrics(
        {
            "val_top1": top1,
            "val_top5": top5,
            "retrieval": retrieval(net, pictures),
            "classes": net.head.out_features,
            "val_pictures": len(val),
            "val_unknown": len(pictures.rows("val")) - len(val),
        }
    )
    training.discard()


if __name__ == "__main__":
    run("classifier", main)
