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
from creatures.translation.hints import helpful
from creatures.translation.pairs import Pairs
from creatures.translation.palette import palettes_of
from creatures.translation.regions import regions_of
from creatures.translation.repaint import enlarged
from creatures.translation.unet import UNet
from stages.pix2pix.batch import hints_of, is_double, quarter
from stages.pix2pix.outline_augment import by_hand, shaken, with_gaps
from stages.pix2pix.outlines import KINDS, TRACERS, Outlines
from stages.pix2pix.params import Pix2pixParams
from stages.pix2pix.report import metrics
from stages.pix2pix.score import (
    agreement,
    colouring_metrics,
    colours_of_regions,
    feature_metrics,
    from_median,
    l1,
    palette_distance,
)
from stages.pix2pix.train import choice_loss, train
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
    images = pictures.images[rows]
    one, again, later = (outlines.varied(rows, images, step, 7, 1.0) for step in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, later)
    assert np.array_equal(outlines.plain(rows), outlines.by_kind["canny"][rows])


@pytest.mark.parametrize("kind", KINDS["mixed"])
def test_outlines_of_enlarged_pictures_are_traced_anew_and_as_thin(kind):
    picture = disc(64, 20).transpose(2, 0, 1)
    drawn = TRACERS[kind](np.ascontiguousarray(picture.transpose(1, 2, 0)))
    large = Outlines({kind: drawn[None]}).varied(np.array([0]), enlarged(picture, 128)[None], 0, 0, 0.0)
    assert large.shape == (1, 128, 128)
    assert 1.5 < (large == 0).sum() / (drawn == 0).sum() < 3  # four times as many, were it only enlarged
    assert agreement(enlarged(picture, 128), large[0]) > 0.8


def test_the_steps_of_twice_the_size_are_a_fraction_and_the_same_in_every_process():
    drawn = [is_double(0.3, step, 7) for step in range(300)]
    assert 0.2 < np.mean(drawn) < 0.4 and drawn == [is_double(0.3, step, 7) for step in range(300)]
    assert not any(is_double(0.0, step, 7) for step in range(300))
    rows = np.arange(32)
    assert [len(quarter(rows[:batch], shares)) for batch, shares in ((32, 1), (32, 8), (32, 3), (3, 1))] == [
        8,
        8,
        32,
        3,
    ]


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
    assert found["test_l1"] == found["test_l1_inside"] == feature_metrics(real, real)["feature_distance"] == 0
    assert found["edge_agreement"] > 0.9
    each, together = found["baseline_each_l1_inside"], found["baseline_l1_inside"]
    assert 0 < each < together  # the figures differ in colour, and each has a line of another
    blank = np.full_like(real, 255)
    assert colouring_metrics(blank, real, outlines)["edge_agreement"] == 0
    assert agreement(disc(64, 8).transpose(2, 0, 1), paper(64, 28)) < 0.2
    nothing = colouring_metrics(blank, blank, outlines)
    assert nothing["test_l1"] == nothing["test_l1_outside"] == 0
    assert nothing["test_l1_inside"] is nothing["baseline_l1_inside"] is nothing["baseline_each_l1_inside"] is None


@pytest.mark.parametrize("hints", [False, True])
def test_pictures_without_a_test_split_are_measured_on_val_alone(hints, discs):
    pictures, outlines = discs
    alone = Pictures(pictures.images, pa.table({"split": ["train"] * 4 + ["val"] * 2}))
    palettes = palettes_of(pictures.images, 2)
    colourer = Colourer(UNet(pictures.images.shape[-1], 8, colours=2, hints=hints), 0.0, "canny", palettes)
    found = metrics(colourer, alone, outlines, palettes, alone.rows("val"))
    assert found.keys() == {"val_l1", "own_palette"} and found["own_palette"].keys() == {"val_l1"}


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


def test_it_learns_to_paint_what_hints_say_and_which_colour_is_where(discs, tmp_path, monkeypatch):
    """Equal outlines of two colours: only hints, or the palette, tell them apart."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    pictures, outlines = discs
    same = Outlines({"canny": outlines.by_kind["canny"][[2] * 6]})
    colours = [disc(colour=colour).transpose(2, 0, 1) for colour in ((200, 40, 40), (40, 60, 220))]
    two = Pictures(np.stack(colours * 3), pictures.index)
    values = SMALL | {"kimg": 1.6, "lambda_l1": 300.0, "perceptual": 0.0, "augment": [], "snapshots": 0, "lr": 2e-3}
    values |= {
        "ema": 0.9,
        "double": 0.0,
        "palette": 2,
        "palette_drop": 0.8,
        "noise": "none",
        "by_hand": 0.0,
        "hints": True,
        "hint_drop": 0.0,
        "choice": 5.0,
    }
    p = parse("pix2pix", VALUES | values, Pix2pixParams)
    with scratch("pix2pix") as stage:
        palette = palettes_of(two.images, 2)
        perceptual = PerceptualLoss(EfficientNetLite(0), (2, 4))
        net, run = train(stage, p, two, same, palette, 0, lambda *a: None, perceptual, None)
    lines = same.by_kind["canny"][:2]
    hints = np.stack([helpful(picture, line, 5) for picture, line in zip(two.images[:2], lines, strict=True)])
    colourer = Colourer(net, "none", "canny", torch.from_numpy(palette))
    drawn = colourer.colour(lines, None, None, hints, follow=False)
    assert l1(drawn, two.images[:2]) + 0.01 < l1(drawn, two.images[1::-1])  # equal where hints go unheard
    choices = [row["choice"] for row in run.history if "choice" in row]
    assert np.isfinite(choices).all() and np.mean(choices[-5:]) < np.mean(choices[:5])


def test_it_learns_a_translation_of_pairs(tmp_path, monkeypatch):
    """Red discs to blue ones, on 32 pixels."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    red, blue = (disc(colour=colour).transpose(2, 0, 1) for colour in ((220, 40, 40), (40, 60, 220)))
    pictures = Pictures(np.stack([blue] * 6), pa.table({"split": ["train"] * 4 + ["val", "test"]}))
    pairs = Pairs(np.stack([red] * 6), pictures, "")
    values = SMALL | {"kimg": 0.4, "lambda_l1": 100.0, "perceptual": 0.0, "augment": [], "snapshots": 0, "lr": 3e-3}
    p = parse(
        "pix2pix",
        VALUES | values | {"ema": 0.9, "palette": 0, "hints": False, "double": 0.0, "pairs": "mine"},
        Pix2pixParams,
    )
    with scratch("pix2pix") as stage:
        perceptual = PerceptualLoss(EfficientNetLite(0), (2, 4))
        net, _ = train(stage, p, pictures, pairs, palettes_of(pictures.images, 0), 0, lambda *a: None, perceptual, None)
    colourer = Colourer(net, "none", "mixed", torch.zeros(0, 0, 4))
    drawn = colourer.colour(pairs.plain(np.array([4])), None)
    assert net.inputs == 3 and l1(drawn, blue[None]) < 0.06 < l1(red[None], blue[None])
    found = colouring_metrics(drawn, blue[None], pairs.plain(np.array([4])))
    assert "test_l1" in found and "edge_agreement" not in found


def test_hints_of_a_step_are_the_same_and_some_pictures_have_none(discs):
    pictures, outlines = discs
    rows = np.array([0, 1, 2, 3] * 25)
    lines = outlines.plain(rows)
    one, again, later = (hints_of(pictures.images[rows], lines, step, 7, 0.4) for step in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, later)
    assert 0.2 < (one[:, 3].max((1, 2)) == 0).mean() < 0.6


def test_the_loss_of_choices_is_of_the_nearest_colour_and_of_pixels_that_have_one():
    palettes = torch.tensor([[[0.8, 0.0, 0.0, 0.6], [-0.8, 0.0, 0.0, 0.4], [0.0, 0.0, 0.0, 0.0]]])
    real = torch.tensor([0.7, -0.7, 0.0]).reshape(1, 1, 1, 3) * torch.tensor([1.0, 0, 0]).reshape(1, 3, 1, 1)
    right = torch.tensor([[9.0, 0.0, 0.0], [0.0, 9.0, 0.0], [0.0, 0.0, 9.0]]).reshape(1, 3, 1, 3)
    assert choice_loss(right, palettes, real).item() < 1e-3  # the last pixel is near none
    assert choice_loss(-right, palettes, real).item() > 4
    assert choice_loss(right, torch.zeros_like(palettes), real).item() == 0


def test_colours_of_regions_and_of_palettes_are_counted_and_compared():
    outline = np.full((64, 64), 255, np.uint8)
    picture = np.full((3, 64, 64), 255, np.uint8)
    for left, colour in ((4, 10), (24, 200), (44, 30)):
        cv2.rectangle(outline, (left, 4), (left + 16, 59), 0, 1)
        picture[:, 5:59, left + 1 : left + 16] = colour
    assert colours_of_regions(picture, regions_of(outline)) == 2
    palette = palettes_of(picture[None], 3)
    assert palette_distance(picture[None], palette) == 0
    moved = palette.copy()
    moved[:, :, :3] += 0.2  # a tenth of the range in each channel
    assert palette_distance(picture[None], moved) == pytest.approx(0.1 * 3**0.5, rel=1e-3)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"field_px": 33}, "must be one of 16, 34, 70, 142"),
        ({"pairs": "mine", "hints": True}, "hints are of outlines"),
        ({"pairs": "mine", "hints": False, "double": 0.2}, "set double to 0 for pairs"),
        ({"augment": ["colour"]}, "augment colour would change outlines"),
        ({"r1_gamma": 1.0, "discriminator_norm": "batch"}, "penalties need discriminator_norm none or spectral"),
        ({"loss": "wgan-gp", "discriminator_norm": "batch"}, "penalties need discriminator_norm none or spectral"),
    ],
)
def test_what_makes_no_sense_is_refused(values, message):
    with pytest.raises(UserError, match=message):
        parse("pix2pix", VALUES | values, Pix2pixParams)
