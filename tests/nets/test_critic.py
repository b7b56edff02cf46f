"""The discriminator as a file, and the most real of many."""

import numpy as np
import pytest

from creatures.artifacts import DISCRIMINATOR
from creatures.data.weights import frozen_weights
from creatures.nets.discriminators.critic import Critic, load_critic, save_critic
from creatures.runtime.config import changed, parse, read_yaml
from stages.gan.build import build, new_architecture
from stages.gan.params import GanParams
from tests.support.deps import ROOT
from tests.support.starts import train_gan, untrained  # noqa: F401, a fixture

PX, DIMS, COUNT = 16, 8, 6
NETS = [
    {"discriminator.name": "projected", "condition": "embedding"},
    {"discriminator.name": "projected", "condition": "component"},
    {"discriminator.name": "sngan", "condition": "none", "msg": True},
]


@pytest.mark.parametrize("changes", NETS)
def test_a_file_has_the_logits_of_its_network(changes):
    small = {"init": "random", "discriminator.width": 8, "generator.width": 4}
    p = parse("gan", changed(read_yaml(ROOT / "params.yaml")["gan"], small | changes), GanParams)
    architecture = new_architecture(p, DIMS, PX)
    _, net = build(p, architecture, None, 3 if p.condition == "component" else 0, 0)
    sizes = 3 if p.msg else 1
    about = {"name": p.discriminator.name, "image_px": PX, "width": 8}
    about |= {"enlarge": p.discriminator.upscale} if p.discriminator.name == "projected" else {"msg": True}
    about |= {"embedding": {"embedding_dim": DIMS}, "component": {"classes": 3}, "none": {}}[p.condition]
    save_critic(net, about, p.condition, sizes, {})
    rng = np.random.default_rng(0)
    given = rng.integers(0, 256, (COUNT, 3, PX, PX), np.uint8), rng.standard_normal((COUNT, DIMS)).astype(np.float32)
    classes = np.array([0, 1, 2] * 2)
    found = load_critic().logits(*given, classes)
    assert found.shape == (COUNT,) and len(np.unique(found)) == COUNT
    assert found == pytest.approx(Critic(net.eval(), p.condition, sizes).logits(*given, classes), abs=1e-4)
    if p.condition != "none":
        other = load_critic().logits(given[0], given[1][::-1].copy(), classes[::-1].copy())
        assert not np.allclose(found, other)
    assert not frozen_weights(net) or DISCRIMINATOR.stat().st_size < 4 * sum(w.numel() for w in net.parameters())
