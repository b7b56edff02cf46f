"""The best of many, by the discriminator."""

import numpy as np
import pytest
import torch

from app.best import RealismScorer
from creatures.artifacts import DISCRIMINATOR, GENERATOR
from creatures.data.provenance import ancestors
from creatures.latents.sampler import load_sampler
from creatures.nets.discriminators.critic import load_critic
from creatures.runtime.errors import UserError
from tests.support.starts import train_gan, untrained  # noqa: F401, a fixture


def test_the_most_real_are_those_with_the_highest_logits(tmp_path):
    train_gan(3)
    sampler, scorer = load_sampler(), RealismScorer(DISCRIMINATOR, GENERATOR)
    z, classes = sampler.latent.draw_each(5, range(12))
    images = sampler.draw(z)
    logits = scorer.critic.logits(images, z, classes)
    kept = images[scorer.best(images, z, classes, 3)]
    wanted = [row for row in range(12) if logits[row] >= np.sort(logits)[-3]]
    assert len(kept) == 3 and np.array_equal(kept, images[wanted])
    assert ancestors(DISCRIMINATOR)["generator"] == ancestors(GENERATOR)["generator"]


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
