"""Creatures in the colours of others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from app.mixing import mix, mixed
from creatures.artifacts import GENERATOR
from creatures.latents.sampler import load_sampler
from creatures.nets.common.base import Generator
from creatures.nets.generators.mixing import Mixing
from creatures.nets.generators.registry import build_generator
from creatures.runtime.errors import UserError
from tests.support.untrained import write_run

PX = 64


@pytest.fixture()
def net() -> Generator:
    torch.manual_seed(0)
    return build_generator({"name": "lite", "z_dim": 16, "image_px": PX, "width": 4}).eval()


def latents(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((3, 16)).astype(np.float32)


def test_in_its_own_colours_a_creature_is_itself(net):
    z = latents(0)
    with torch.no_grad():
        own = net(torch.from_numpy(z))
        assert torch.equal(Mixing(net)(torch.from_numpy(np.concatenate([z, z], axis=1))), own)


def test_colours_act_through_the_gates_alone(net):
    shapes, first, second = latents(0), latents(1), latents(2)
    assert not np.array_equal(mixed(net, shapes, first), mixed(net, shapes, second))
    for skip in net.skips.values():  # open whatever comes in
        torch.nn.init.zeros_(skip.gate[3].weight)
    assert np.array_equal(mixed(net, shapes, first), mixed(net, shapes, second))


@pytest.mark.parametrize("architecture", [{"name": "dcgan"}, {"name": "lite", "width": 4, "excitation": False}])
def test_a_generator_without_gates_is_refused(architecture):
    with pytest.raises(UserError, match=r"has no skip-layer excitation \(gan.generator\)"):
        Mixing(build_generator({"z_dim": 16, "image_px": PX} | architecture))


def test_new_creatures_are_those_of_the_seed(tmp_path, monkeypatch):
    """And stand on the table's diagonal."""
    monkeypatch.chdir(tmp_path)
    write_run()
    sheet, folder = mix([], 3, 5, 0.8, Path("mix.png"))
    sampler = load_sampler(GENERATOR)
    wanted = sampler.draw(sampler.latent.draw_each(5, range(3), 0.8)[0])
    for number, picture in enumerate(wanted):
        with Image.open(folder / f"{4 * number:03d}.png") as found:
            assert np.array_equal(np.asarray(found).transpose(2, 0, 1), picture)
    assert sheet.is_file() and len(list(folder.iterdir())) == 9
