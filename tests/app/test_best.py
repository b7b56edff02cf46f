"""The best of many, by the discriminator."""

import numpy as np
import pytest
import torch

from app.best import RealismScorer
from creatures.artifacts import DISCRIMINATOR, GENERATOR
from creatures.data.provenance import ancestors
from creatures.latents.sampler import load_sampler
from creatures.metrics.defects import pieces_and_holes
from creatures.nets.discriminators.critic import load_critic
from creatures.runtime.errors import UserError
from tests.support.starts import train_gan, untrained  # noqa: F401, a fixture
from tests.support.untrained import PX


def test_the_most_real_are_those_with_the_highest_logits(tmp_path):
    train_gan(3)
    sampler, scorer = load_sampler(), RealismScorer(DISCRIMINATOR, GENERATOR)
    z, classes = sampler.latent.draw_each(5, range(12))
    images = sampler.draw(z)
    logits = scorer.critic.logits(images, z, classes)
    kept = images[scorer.best(images, z, classes, 3)]
    whole = [pieces_and_holes(image)[0] == 1 for image in images]
    wanted = sorted(sorted(range(12), key=lambda row: (not whole[row], -logits[row]))[:3])
    assert len(kept) == 3 and np.array_equal(kept, images[wanted])
    assert ancestors(DISCRIMINATOR)["generator"] == ancestors(GENERATOR)["generator"]


def test_whole_figures_come_before_those_in_pieces():
    train_gan(3)
    scorer = RealismScorer(DISCRIMINATOR, GENERATOR)
    z, classes = load_sampler().latent.draw_each(5, range(4))
    images = np.full((4, 3, PX, PX), 255, np.uint8)
    images[:, :, 4:12, 4:12] = 90
    images[1:3, :, 20:24, 20:24] = 90  # a second piece
    logits = scorer.critic.logits(images, z, classes)
    assert scorer.best(images, z, classes, 2).tolist() == [0, 3]
    assert scorer.best(images, z, classes, 3).tolist() == sorted([0, 3, 1 + int(logits[2] > logits[1])])


def test_another_run_s_discriminator_is_no_judge():
    train_gan(3)
    kept = DISCRIMINATOR.read_bytes()
    train_gan(4)
    DISCRIMINATOR.write_bytes(kept)
    with pytest.raises(UserError, match="are of different runs: not the same generator"):
        RealismScorer(DISCRIMINATOR, GENERATOR)
    torch.save({}, DISCRIMINATOR)
    with pytest.raises(UserError, match=r"discriminator\.safetensors is damaged"):
        load_critic()
