"""From an outline to colours."""

from __future__ import annotations

import cv2
import numpy as np
import pyarrow as pa
import pytest
import torch

from bench.scratch import scratch
from creatures.adversarial.losses import LOSSES
from creatures.data.pictures import Pictures
from creatures.nets.frozen.efficientnet_lite import EfficientNetLite
from creatures.outlines.sketch import silhouette
from creatures.runtime.config import parse, read_yaml
from creatures.runtime.errors import UserError
from creatures.training.perceptual import PerceptualLoss
from creatures.translation.colouring import Colourer
from creatures.translation.palette import palettes_of
from creatures.translation.unet import UNet
from stages.pix2pix.outline_augment import by_hand, shaken, with_gaps
from stages.pix2pix.outlines import Outlines
from stages.pix2pix.params import Pix2pixParams
from stages.pix2pix.score import agreement, colouring_metrics, from_median, l1
from stages.pix2pix.train import train
from tests.support.deps import ROOT
from tests.support.discs import disc, paper

VALUES = read_yaml(ROOT / "params.yaml")["pix2pix"]
SMALL = {"width": 8, "discriminator_width": 8, "batch": 4, "kimg": 0.016, "frames": 2, "snapshots": 2}


@pytest.fixture(scope="module")
def discs() -> tuple[Pictures, Outlines]:
    radii = [8, 9, 10, 11, 12, 13]
    images = np.stack([disc(radius=r, colour=(40 * i, 200 - 30 * i, 90)) for i, r in enumerate(radii)])
    splits = ["train"] * 4 + ["val", "test"]
    pictures = Pictures(images.transpose(0, 3, 1, 2), pa.table({"split": splits}))
    return pictures, Outlines({"canny": np.stack([paper(radius=r) for r in radii])})


@pytest.mark.parametrize("kind", ["canny", "sketch"])
def test_outlines_are_varied_as_by_hand_and_not_at_all_without_strength(kind):
    image, drawn = disc(64, 20), paper(64, 20)
    still = [by_hand(drawn, image, kind, np.random.default_rng(i), 0.0) for i in range(5)]
    assert all(np.array_equal(drawn, x) for x in still)
    varied = [by_hand(drawn, image, kind, np.random.default_rng(i), 1.0) for i in range(40)]
    assert len({x.tobytes() for x in varied}) > 20
    for x in varied:
        assert set(np.unique(x)) <= {0, 255}
        assert 0.4 < (x == 0).sum() / (drawn == 0).sum() < 6
        assert agreement(image.transpose(2, 0, 1), x) > 0.6


def test_gaps_only_take_away_and_a_shaking_hand_keeps_near():
    lines = 255 - paper(64, 20)
    rng = np.random.default_rng(0)
    less = with_gaps(lines, rng, 1.0)
    assert 0.3 * lines.sum() < less.sum() < lines.sum() and not (less > lines).any()
    assert not with_gaps(np.zeros_like(lines), rng, 1.0).any()
    away = cv2.distanceTransform((lines == 0).astype(np.uint8), cv2.DIST_L2, 5)
    moved = shaken(lines, rng, 1.5)
    assert not np.array_equal(moved, lines) and away[moved > 0].max() < 3.5


def test_a_batch_is_the_same_for_the_same_step(discs):
    pictures, outlines = discs
    rows = np.array([3, 0, 2])
    one, again, later = (outlines.varied(rows, pictures, step, 7, 1.0) for step in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, later)
    assert np.array_equal(outlines.plain(rows), outlines.by_kind["canny"][rows])


def test_figures_say_what_they_are_called():
    real = np.stack([disc(64, 20, (c, 0, 0)).transpose(2, 0, 1) for c in (200, 100, 120)])
    inside = np.stack([silhouette(np.ascontiguousarray(x.transpose(1, 2, 0))) for x in real]).astype(bool)
    filled = cv2.circle(np.zeros((64, 64), np.uint8), (32, 32), 20, 1, cv2.FILLED)
    assert (inside[0] != filled).mean() < 0.02
    flat = np.zeros((3, 3, 4, 4), np.uint8)
    flat[:, 0] = np.array([200, 100, 120])[:, None, None]
    assert from_median(flat[:, :, 0, 0]).tolist() == [[80, 0, 0], [20, 0, 0], [0, 0, 0]]
    assert l1(flat, flat) == 0 and l1(flat, np.full_like(flat, 51)) == pytest.approx(
        np.abs(flat.astype(float) - 51).mean() / 255
    )
    outlines = np.stack([paper(64, 20)] * 3)
    found = colouring_metrics(real, real, outlines)
    assert found["test_l1"] == found["test_l1_inside"] == found["feature_distance"] == 0
    assert found["edge_agreement"] > 0.9
    each, together = found["baseline_each_l1_inside"], found["baseline_l1_inside"]
    assert 0 < each < together  # the figures differ in colour, and each has a line of another
    blank = np.full_like(real, 255)
    assert colouring_metrics(blank, real, outlines)["edge_agreement"] == 0
    assert agreement(disc(64, 8).transpose(2, 0, 1), paper(64, 28)) < 0.2


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_trains_and_keeps_the_best_snapshot(loss, discs, tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    pictures, outlines = discs
    p = parse("pix2pix", VALUES | SMALL | {"loss": loss, "r1_gamma": 0.1 if loss == "hinge" else 0.0}, Pix2pixParams)
    watched, states, scores = [], [], iter([1.0, 2.0])

    def score(net: UNet) -> dict[str, float]:
        states.append({name: value.clone() for name, value in net.state_dict().items()})
        return {"val_feature": next(scores)}

    with scratch("pix2pix") as stage:
        palette = palettes_of(pictures.images, p.palette)
        perceptual = PerceptualLoss(EfficientNetLite(0), (2, 4))
        net, run = train(stage, p, pictures, outlines, palette, 0, lambda *a: watched.append(a[1]), perceptual, score)
    assert watched == [0, 4]
    assert [row["val_feature"] for row in run.history if "val_feature" in row] == [1.0, 2.0]
    rows = [row for row in run.history if "l1" in row]
    assert all(np.isfinite(row["l1"]) for row in rows)
    assert [name for name in ("gp", "r1") if rows[0].get(name, 0) > 0] == {"hinge": ["r1"], "wgan-gp": ["gp"]}.get(
        loss, []
    )
    assert not net.training
    first, second = (all(torch.equal(net.state_dict()[k], v) for k, v in state.items()) for state in states)
    assert first and not second


@pytest.mark.parametrize("colours", [0, 2])
def test_it_learns_the_colour_of_what_it_saw(colours, discs, tmp_path, monkeypatch):
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    pictures, outlines = discs
    one = Pictures(pictures.images[[2] * 6], pictures.index)
    same = Outlines({"canny": outlines.by_kind["canny"][[2] * 6]})
    values = SMALL | {
        "kimg": 0.4,
        "lambda_l1": 100.0,
        "perceptual": 0.0,
        "augment": [],
        "snapshots": 0,
        "lr": 3e-3,
        "ema": 0.9,
        "palette": colours,
    }
    p = parse("pix2pix", VALUES | values, Pix2pixParams)
    with scratch("pix2pix") as stage:
        palette = palettes_of(one.images, colours)
        perceptual = PerceptualLoss(EfficientNetLite(0), (2, 4))
        net, _ = train(stage, p, one, same, palette, 0, lambda *a: None, perceptual, None)
    drawn = Colourer(net, "dropout", "canny", torch.from_numpy(palette)).colour(
        same.by_kind["canny"][:1], None, palette[:1]
    )
    assert l1(drawn, one.images[:1]) < 0.06 < l1(np.full_like(drawn, 255), one.images[:1])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"field_px": 33}, "must be one of 16, 34, 70, 142"),
        ({"augment": ["colour"]}, "augment colour would change outlines"),
        ({"r1_gamma": 1.0, "discriminator_norm": "batch"}, "penalties need discriminator_norm none or spectral"),
        ({"loss": "wgan-gp", "discriminator_norm": "batch"}, "penalties need discriminator_norm none or spectral"),
    ],
)
def test_what_makes_no_sense_is_refused(values, message):
    with pytest.raises(UserError, match=message):
        parse("pix2pix", VALUES | values, Pix2pixParams)
