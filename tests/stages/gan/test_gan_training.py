"""gan trains with its options together, and conditions and anchors on what it should."""

import numpy as np
import pytest
import torch

from creatures.adversarial.objective import Adversarial
from creatures.data.weights import load_weights
from creatures.latents.mixture import load_mixture
from creatures.latents.sampler import Latent
from creatures.nets.generators.registry import build_generator
from creatures.runtime.config import Common, changed, parse
from creatures.training.batches import Batches
from creatures.training.loop import mix
from stages.gan.build import prepare
from stages.gan.forward import anchor_loss
from stages.gan.params import GanParams
from tests.support.recipes import COUNT, DIMS, gan_inputs, params_of, takes_two_steps

SMALL = {"generator.width": 8, "discriminator.width": 8}
UNCONDITIONAL = SMALL | {"condition": "none"}
RANDOM = UNCONDITIONAL | {"init": "random", "latent": "normal"}


@pytest.mark.parametrize(
    "options",
    [
        SMALL | {"condition": "component"},
        SMALL | {"handover.anchor": 10.0},  # conditioned on embeddings of rebuilds and samples
        UNCONDITIONAL | {"handover.anchor": 10.0},
        RANDOM | {"condition": "species", "discriminator.name": "sngan", "penalties.r2": 1.0},
        RANDOM | {"condition": "species", "discriminator.name": "resnet", "discriminator.norm": "spectral"},
        RANDOM | {"discriminator.name": "sngan", "penalties.r1": 1.0, "penalties.every": 2, "n_critic": 2},
        RANDOM | {"discriminator.name": "sngan", "discriminator.attention_px": 16, "loss": "rpgan"},
        RANDOM | {"generator.name": "resnet", "discriminator.name": "sngan", "msg": True},
        UNCONDITIONAL | {"discriminator.name": "sngan", "msg": True},
        SMALL | {"handover.blur": 2.0, "handover.blur_kimg": 0.004},
        SMALL | {"penalties.lecam": 0.1},
        SMALL | {"penalties.colours": 6.0},
        SMALL | {"loss": "rpgan"},
    ],
)
def test_options_train_together(options, tmp_path):
    values = params_of("cpu")
    values["gan"] = changed(values["gan"], options)
    (row,) = takes_two_steps(values, tmp_path)
    assert ("r1" in row, "r2" in row) == ("penalties.r1" in options, "penalties.r2" in options)
    for name in ("lecam", "colours"):
        assert (name in row) == (f"penalties.{name}" in options)
    assert ("mmd" in row) == (values["gan"]["discriminator"]["name"] == "projected")
    assert (row.get("anchor", 0) > 0) == ("handover.anchor" in options)


def test_the_anchor_holds_samples_to_what_pretraining_drew(tmp_path, monkeypatch):
    """The second half of a batch; the first are rebuilds of its pictures."""
    goals: list[torch.Tensor] = []

    def noted(drawn: torch.Tensor, goal: torch.Tensor, px: int) -> torch.Tensor:
        goals.append(goal)
        return anchor_loss(drawn, goal, px)

    monkeypatch.setattr("stages.gan.forward.anchor_loss", noted)
    values = params_of("cpu")
    values["gan"]["handover"]["anchor"] = 10.0
    takes_two_steps(values, tmp_path)
    weights, header = load_weights(tmp_path / "models/pretrain.safetensors")
    pretrained = build_generator(header["architecture"]).eval()
    pretrained.load_state_dict(weights)
    latent = Latent(DIMS, load_mixture(tmp_path / "models/gmm.npz"), None)
    assert len(goals) == 2
    for step, goal in enumerate(goals):
        z, _ = latent.draw(4, np.random.default_rng(mix(0, step)))
        assert len(goal) == 4
        drawn = pretrained(torch.from_numpy(z[2:]))
        assert torch.allclose(goal[2:], drawn, atol=3e-3)  # the goal's may be bfloat16
        own, other = ((goal[2:] - x).abs().mean() for x in (drawn, drawn.flip(0)))
        assert own < 0.3 * other


def test_a_random_generator_is_the_pretrained_one_but_for_its_weights(tmp_path):
    """So that leaving pretraining out changes nothing else."""
    values = params_of("cpu")
    common = parse("common", values["common"], Common)
    pictures, shapes = gan_inputs(tmp_path, values, common.image_px), []
    for init in ("pretrained", "random"):
        p = parse("gan", values["gan"] | {"init": init, "start": "none"}, GanParams)
        weights = prepare(p, common, pictures, tmp_path).net_g.state_dict()
        shapes.append({name: weight.shape for name, weight in weights.items()})
    assert shapes[0] == shapes[1]


def test_conditions_are_the_embeddings_that_pictures_have_and_fakes_were_drawn_from(tmp_path, monkeypatch):
    condition: list[tuple[torch.Tensor, torch.Tensor]] = []

    inner = Adversarial.discriminator_loss

    def noted(self, batch, penalised):
        condition.append((batch.real.condition, batch.fake.condition))
        return inner(self, batch, penalised)

    monkeypatch.setattr(Adversarial, "discriminator_loss", noted)
    takes_two_steps(params_of("cpu"), tmp_path)
    embeddings = np.load(tmp_path / "data/embeddings.npy")
    latent = Latent(DIMS, load_mixture(tmp_path / "models/gmm.npz"), None)
    batches = Batches(np.arange(COUNT), 4, 0)
    assert len(condition) == 2
    for step, (real, fake) in enumerate(condition):
        assert np.array_equal(real, embeddings[batches[step]])
        assert np.array_equal(fake, latent.draw(4, np.random.default_rng(mix(0, step)))[0])
