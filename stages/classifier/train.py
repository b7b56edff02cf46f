"""Train the encoder to classify species, or rotations of pictures."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from creatures.data.pictures import ENOUGH, Pictures, evenly_spaced
from creatures.data.tensors import to_float
from creatures.nets.encoder.encoder import LAYERS, Encoder
from creatures.runtime.errors import UserError
from creatures.training.augment import augment, is_full_bleed
from creatures.training.batches import Batches
from creatures.training.device import accelerator, scaler_of, to_device
from creatures.training.distributed import Means, global_batch_size, is_main_process, micro_batches, prepare, shard
from creatures.training.embed import pool_rows
from creatures.training.log import RunContext
from creatures.training.loop import Training
from creatures.training.origin import Origin
from creatures.training.snapshots import Best
from stages.classifier.params import ClassifierParams

TURNS = 4


def build(p: ClassifierParams, classes: int) -> Encoder:
    """Build the network, from timm's hub weights if wanted.

    Raises:
        UserError: no such backbone, or the hub cannot be reached.
    """
    try:
        net = Encoder(p.backbone, classes, p.pretrained)
    except (RuntimeError, ValueError) as error:
        if "Unknown model" in str(error):
            raise UserError(f"classifier.backbone is {p.backbone!r}: timm has no such model") from None
        if "No pretrained weights" in str(error):
            raise UserError(f"timm has no weights for {p.backbone}: set classifier.pretrained to false") from None
        raise
    except Exception as error:
        if not p.pretrained:
            raise
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            f"timm's weights for {p.backbone} cannot be fetched ({reason}); set classifier.pretrained to false, or "
            "HF_HOME to a folder that holds them"
        ) from None
    if not all(hasattr(net.backbone, name) for name in ("conv1", "bn1", "act1", "maxpool", *LAYERS.values())):
        raise UserError(f"classifier.backbone is {p.backbone!r}: must be a ResNet, such as resnet34")
    return net


def turn(x: Tensor) -> tuple[Tensor, Tensor]:
    """Turn each picture by a random multiple of 90 degrees; also return the multiples."""
    turns = shard(torch.randint(TURNS, (global_batch_size(len(x)),), device=x.device))
    every = torch.stack([x.rot90(k, (2, 3)) for k in range(TURNS)])
    turned = every[turns, torch.arange(len(x), device=x.device)]  # without waiting for the device
    return turned.contiguous(memory_format=torch.channels_last), turns


def train(
    stage: RunContext, p: ClassifierParams, pictures: Pictures, task: str, seed: int, origin: Origin | None = None
) -> tuple[Encoder, Training]:
    """Train, keep the best epoch by val, freeze the normalisation to the train set.

    Args:
        origin: the earlier run to start from; None: a new network.
    """
    accelerate = accelerator()
    torch.manual_seed(seed)
    labels, train_rows = pictures.column("label"), pictures.rows("train")
    rows = train_rows if task == "rotation" else train_rows[labels[train_rows] >= 0]
    classes = TURNS if task == "rotation" else int(labels.max()) + 1
    net = to_device(build(p, classes), accelerate.device)
    if origin and not origin.restores(bool(p.epochs), net=net):
        unmatched = origin.take(net)
        if not p.epochs and any(not layer.startswith("head") for layer in unmatched):
            raise UserError("classifier.epochs is 0, but the network of classifier.start is another: raise epochs")
        net.frozen.fill_(False)
    optimiser = torch.optim.AdamW(net.parameters(), lr=p.lr, weight_decay=p.weight_decay)
    batches = Batches(rows, p.batch, seed, pictures.images)
    steps_per_epoch = -(-len(rows) // p.batch)
    steps = p.epochs * steps_per_epoch
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, p.lr, total_steps=max(1, steps))
    net, optimiser = prepare(accelerate, net, optimiser)
    best = Best()
    state = {"net": net, "optimiser": optimiser, "schedule": schedule, "best": best}
    state |= scaler_of(accelerate)
    full_bleed = is_full_bleed(pictures)
    with Training(stage, steps, p.batch, seed, state, origin=origin) as run:
        for step in run:
            net.train()
            chosen = shard(batches[step])
            (x,) = augment([to_float(pictures.images[chosen]).to(accelerate.device)], p.augment, full_bleed=full_bleed)
            y = torch.from_numpy(labels[chosen]).long().to(accelerate.device)
            if task == "rotation":
                x, y = turn(x)
            optimiser.zero_grad()
            metrics = Means(p.accumulate)
            for part in micro_batches(len(chosen), p.accumulate):
                with accelerate.autocast():
                    loss = F.cross_entropy(net.logits(x[part]).float(), y[part], label_smoothing=p.label_smoothing)
                accelerate.backward(loss / p.accumulate)
                metrics.add(loss=loss)
            optimiser.step()
            schedule.step()
            run.log(**metrics.means)
            if (step + 1) % steps_per_epoch == 0 and is_main_process():
                accuracy = score(net, pictures, task, known_rows(pictures, "val", task))
                best.update(accuracy[0] if accuracy else 0.0, net, step)
                if accuracy:
                    run.log_metrics(val_top1=accuracy[0], val_top5=accuracy[1])
    if best.weights:
        net.load_state_dict(best.weights)
    net.eval()
    var, mean = torch.var_mean(torch.from_numpy(pool_rows(net, pictures, evenly_spaced(train_rows, ENOUGH))), dim=0)
    net.freeze_normalisation(mean, var)
    return net, run


def known_rows(pictures: Pictures, split: str, task: str = "species") -> np.ndarray:
    """Rows of a split whose species occurs in train; for rotation, all of them."""
    labels, rows = pictures.column("label"), pictures.rows(split)
    if task == "rotation":
        return rows
    return rows[(labels[rows] >= 0) & np.isin(labels[rows], labels[pictures.rows("train")])]


@torch.no_grad()
def score(net: Encoder, pictures: Pictures, task: str, rows: np.ndarray) -> tuple[float, float] | None:
    """Top-1 and top-5 accuracy on `rows` (for rotation: over all turns of each; top-5 is 1).

    None for fewer than two pictures. Before the normalisation is frozen, embeddings are
    normalised over the whole of `rows`.
    """
    if len(rows) < 2:
        return None
    net.eval()
    turns = range(TURNS) if task == "rotation" else (0,)
    pooled = torch.cat([torch.from_numpy(pool_rows(net, pictures, rows, turns=k)) for k in turns])
    labels = np.repeat(turns, len(rows)) if task == "rotation" else pictures.column("label")[rows]
    pooled = pooled.to(net.mean.device)
    normal = net.normalise(pooled) if net.frozen else F.batch_norm(pooled, None, None, training=True)
    top = net.head(normal).topk(min(5, net.head.out_features)).indices.cpu().numpy()
    hits = top == labels[:, None]
    return float(hits[:, 0].mean()), float(hits.any(1).mean())
