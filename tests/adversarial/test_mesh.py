"""The penalty on a mesh, against closed forms and the metric that it lowers."""

import numpy as np
import pytest
import torch

from creatures.adversarial.mesh import Mesh
from creatures.metrics.defects import FREQUENCIES, grid_power, power_fractions


def noise(count, seed=0, px=16):
    return torch.rand(count, 3, px, px, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def striped(pictures, strength):
    """With columns of period 2."""
    return pictures + strength * (torch.arange(pictures.shape[-1]) % 2 * 2 - 1)


def test_shares_are_those_of_the_whole_spectrum():
    pictures = striped(noise(5), 0.5)
    grey = pictures.mean(1).numpy()
    power = np.abs(np.fft.fft2(grey - grey.mean((1, 2), keepdims=True))) ** 2
    power /= power.sum((1, 2), keepdims=True)
    expected = [power[:, 4 * down, 4 * across].mean() for down, across in FREQUENCIES]  # of 16 a side
    assert power_fractions(pictures).numpy() == pytest.approx(expected, rel=1e-4)
    assert not torch.isnan(power_fractions(torch.ones(2, 3, 8, 8))).any()  # flat ones have no power to share


def test_only_what_is_above_real_pictures_counts():
    real = striped(noise(64), 0.3)
    assert Mesh()(real, real).item() == 0
    mesh = Mesh()(real, striped(noise(64), 0.6)).item()
    ratio = grid_power(striped(noise(64), 0.6).numpy()) / grid_power(real.numpy())
    assert mesh == pytest.approx((np.log(ratio).clip(min=0) ** 2).mean(), rel=1e-3)
    assert np.argmax(ratio) == FREQUENCIES.index((0, 2))


def test_descent_takes_the_mesh_away():
    real, strength, mesh = noise(64), torch.tensor(0.5, requires_grad=True), Mesh()
    optimiser = torch.optim.Adam([strength], lr=0.01)
    for _ in range(100):
        optimiser.zero_grad()
        mesh(real, striped(noise(64, seed=1), strength)).backward()
        optimiser.step()
    assert abs(strength.item()) < 0.1


def test_averages_move_slowly_and_are_of_the_state():
    mesh, real = Mesh(), noise(64)
    flat, meshed = noise(64, seed=1), striped(noise(64, seed=1), 0.5)
    mesh(real, flat)
    once = mesh(real, meshed).item()
    assert 0 < once < Mesh()(real, meshed).item()
    resumed = Mesh()
    resumed.load_state_dict(mesh.state_dict())
    assert resumed(real, meshed).item() == mesh(real, meshed).item() > once
