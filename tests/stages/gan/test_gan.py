"""Parts of gan alone: its parameters, the anchor, the classes of pictures."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from creatures.data.pictures import Pictures, species_labels
from creatures.latents.mixture import Mixture
from creatures.latents.sampler import Latent
from creatures.runtime.config import changed, parse, read_yaml
from creatures.runtime.errors import UserError
from stages.gan.balance import balanced_latent, balanced_rows
from stages.gan.forward import anchor_loss
from stages.gan.params import GanParams
from stages.gan.rows import draw_rows
from stages.gan.score import reference_rows, val_cost
from tests.support.discs import disc


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"latent": "normal"}, "latent normal needs init random"),
        ({"generator.name": "dcgan"}, "generator dcgan needs init random"),
        ({"handover.d_warmup_kimg": 1000.0}, "must be less than kimg"),
        ({"loss": "hinged"}, "must be one of bce, bce-smooth, bce-soft, hinge, rpgan, wgan, wgan-gp"),
        ({"msg": True}, "discriminator projected knows no msg"),
        ({"discriminator.attention_px": 32}, "gan.discriminator: projected knows no attention_px"),
        ({"condition": "species"}, "condition species needs latent normal"),
        ({"condition": "component", "discriminator.name": "shallow"}, "shallow knows no condition"),
        ({"discriminator.name": "dcgan"}, "discriminator dcgan takes no embedding: set condition to none"),
        ({"generator.kernel_size": 5}, "gan.generator: first_px and kernel_size other than 4 need name dcgan"),
        (
            {"discriminator.name": "dcgan", "condition": "none", "loss": "wgan-gp"},
            "need discriminator.norm none or spectral",
        ),
        ({"handover.blur": 2.0}, "blur and blur_kimg"),
        ({"augment.target": 0.6}, "gan.augment: with a target, p is where it starts: at most 0.8"),
        ({"augment.target": 0.6, "augment.p": 0.0, "condition": "none", "loss": "rpgan"}, "logits have a fixed zero"),
        ({"condition": "component", "loss": "rpgan"}, "rpgan pairs pictures of different classes"),
        ({"augment.ops": ["flop"]}, "must be one of"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(change, says):
    section = changed(read_yaml("params.yaml")["gan"], change)
    with pytest.raises(UserError, match=says) as error:
        parse("gan", section, GanParams)
    assert "\n" not in str(error.value)


def test_the_anchor_looks_at_shrunk_pictures_alone():
    x = torch.rand(2, 3, 16, 16)
    detail = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(8, 8) * 0.2
    assert anchor_loss(x + detail, x, 8).item() == pytest.approx(0, abs=1e-6)
    assert anchor_loss(x + 0.5, x, 8).item() == pytest.approx(0.5, abs=1e-6)


def test_classes_are_the_species_of_train_and_the_others_are_unknown():
    index = pa.table({"label": [7, 7, 3, 5, -1], "split": ["train", "train", "train", "test", "train"]})
    labels, shares = species_labels(Pictures(np.zeros((5, 3, 4, 4), np.uint8), index))
    assert labels.tolist() == [1, 1, 0, -1, -1]
    assert shares == pytest.approx([1 / 3, 2 / 3])


@pytest.mark.parametrize("loss", ["rpgan", "hinge"])
def test_a_loss_of_pairs_compares_pictures_of_equal_embeddings(loss):
    section = changed(read_yaml("params.yaml")["gan"], {"loss": loss, "condition": "embedding"})
    p = parse("gan", section, GanParams)
    embeddings, chosen = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32), np.array([4, 1])
    latent = SimpleNamespace(draw=lambda count, rng: (np.zeros((count, 4), np.float32), np.full(count, -1)))
    start: Any = SimpleNamespace(latent=latent, condition=embeddings, embeddings=embeddings)
    rows = draw_rows(p, start, chosen, np.random.default_rng(0))
    assert np.array_equal(rows.real_condition, embeddings[chosen])
    assert np.array_equal(rows.z, embeddings[chosen] if loss == "rpgan" else np.zeros((2, 4)))
    assert np.array_equal(rows.fake_condition, rows.z)


@pytest.mark.parametrize("loss", ["rpgan", "hinge"])
def test_rebuilds_have_the_conditions_of_their_pictures(loss):
    """Which are projected to what the mixture samples, or they would tell rebuilds from real pictures."""
    changes = {"loss": loss, "condition": "embedding", "handover.anchor": 1.0, "batch": 4}
    p = parse("gan", changed(read_yaml("params.yaml")["gan"], changes), GanParams)
    embeddings, chosen = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32), np.array([4, 1, 0, 5])
    latent = SimpleNamespace(draw=lambda count, rng: (np.zeros((count, 4), np.float32), np.full(count, -1)))
    start: Any = SimpleNamespace(latent=latent, condition=embeddings * [1, 1, 1, 0], embeddings=embeddings)
    rows = draw_rows(p, start, chosen, np.random.default_rng(0))
    assert rows.n_anchored == 2 and np.array_equal(rows.z[:2], embeddings[chosen[:2]])
    assert np.array_equal(rows.fake_condition[:2], rows.real_condition[:2])
    assert np.array_equal(rows.fake_condition[2:], rows.z[2:])


def test_balance_repeats_the_rows_of_rare_classes_evenly():
    labels = np.array([4, 4, 4, 4, 4, 9, 9, -1, 9])  # the last is not in train
    rows = balanced_rows(np.arange(8), labels)
    assert np.unique_counts(labels[rows]).counts.tolist() == [5, 5, 5]
    assert np.unique_counts(rows).counts.tolist() == [1, 1, 1, 1, 1, 2, 3, 5]
    assert (np.diff(rows) >= 0).all()
    with pytest.raises(UserError, match="two classes or more"):
        balanced_rows(np.arange(3), labels)


def test_balance_draws_rare_classes_and_components_as_often():
    rows = balanced_rows(np.arange(10), np.array([0] * 8 + [1] * 2))
    species = balanced_latent(Latent(3, None, np.array([0.8, 0.2])), None, rows)
    assert species.class_probs == pytest.approx([0.5, 0.5])
    means, factors = np.array([[-5.0], [5.0]]), np.ones((2, 1, 1))
    mixture = Mixture(np.array([0.8, 0.2]), means, factors, np.zeros(1), np.ones((1, 1)))
    embeddings = np.array([[-5.0]] * 8 + [[5.0]] * 2, np.float32)
    drawn = balanced_latent(Latent(1, mixture), embeddings, rows)
    assert drawn.mixture is not None
    assert drawn.mixture.weights == pytest.approx([0.5, 0.5])
    assert balanced_latent(Latent(3), None, rows) == Latent(3)


def test_a_snapshot_with_slightly_more_kid_and_far_fewer_pieces_is_chosen():
    whole, pairs = np.stack([disc(), disc(radius=6)]), np.full((2, 32, 32, 3), 255, np.uint8)
    pairs[:, 4:12, 4:12] = pairs[:, 20:28, 20:28] = 0
    broken, sound = ({"val_kid": kid, "grid": 1.0, "one_piece": one} for kid, one in ((0.197, 0.105), (0.229, 0.685)))
    index = pa.table({"split": ["val", "val"]})
    for images, better, worse in ((whole, sound, broken), (pairs, broken, sound)):
        cost = val_cost(Pictures(images.transpose(0, 3, 1, 2), index), samples=2)
        assert cost(better) < cost(worse)


def test_a_snapshot_with_slightly_more_kid_and_without_a_mesh_is_chosen():
    pictures = Pictures(np.full((2, 3, 32, 32), 255, np.uint8), pa.table({"split": ["val", "val"]}))
    cost = val_cost(pictures, samples=2)
    meshed, faint, clean = (
        {"val_kid": kid, "grid": grid, "one_piece": 0.7} for kid, grid in ((0.14, 5.5), (0.1, 1.9), (0.2, 1.5))
    )
    assert cost(faint) < cost(clean) < cost(meshed)
    assert cost(faint) == 0.1  # real pictures' own grids differ as much


def test_a_snapshot_is_scored_against_enough_pictures():
    def chosen(val, train, most=400):
        index = pa.table({"split": ["val"] * val + ["train"] * train})
        rows = reference_rows(Pictures(np.zeros((val + train, 3, 1, 1), np.uint8), index), most)
        return (rows < val).sum(), (rows >= val).sum()

    assert chosen(5, 45) == (5, 45)
    assert chosen(5, 500) == (5, 95)
    assert chosen(150, 500) == (150, 0)
    assert chosen(150, 500, most=20) == (20, 0)
    assert chosen(1, 500) == (1, 0)
