"""The penalties on a mesh and on stripes, against closed forms and the metric that they lower."""

import numpy as np
import pytest
import torch

from creatures.adversarial.mesh import mesh_penalty, spectrum_penalty
from creatures.metrics.defects import BANDS, FREQUENCIES, grid_power, power_fractions, power_in_bands


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


def test_bands_are_sums_of_the_whole_spectrum():
    pictures = striped(noise(5, px=32), 0.5)
    grey = pictures.mean(1).numpy()
    power = np.abs(np.fft.fft2(grey - grey.mean((1, 2), keepdims=True))) ** 2
    power /= power.sum((1, 2), keepdims=True)
    expected = np.zeros((BANDS, BANDS))
    for (down, across), value in np.ndenumerate(power.mean(0)):  # 2 of 32 frequencies a band, and their mirrors
        places = [min(min(place, 32 - place) // 2, BANDS - 1) for place in (down, across)]
        expected[tuple(places)] += value
    assert power_in_bands(pictures).numpy() == pytest.approx(expected.ravel(), rel=1e-3)
    assert expected.sum() == pytest.approx(1) and expected[0, -1] == expected[:, 1:].max()  # the columns' band
    assert not torch.isnan(power_in_bands(torch.ones(2, 3, 16, 16))).any()


def test_stripes_that_the_mesh_penalty_does_not_see_descend_with_the_spectrum():
    """Of a period of 8 / 3 pixels: few pictures, a discriminator that knows them all, and these appear."""
    columns = torch.cos(torch.arange(32) * 2 * np.pi * 3 / 8)
    real, base, found = noise(64, px=32), noise(64, seed=1, px=32), []
    for penalty in (mesh_penalty(), spectrum_penalty()):
        strength = torch.tensor(0.5, requires_grad=True)
        optimiser = torch.optim.Adam([strength], lr=0.01)
        for _ in range(100):
            optimiser.zero_grad()
            penalty(real, base + strength * columns).backward()
            optimiser.step()
        found.append(abs(strength.item()))
    assert found[0] > 0.4 and found[1] < 0.15


def test_only_what_is_above_real_pictures_counts():
    real = striped(noise(64), 0.3)
    assert mesh_penalty()(real, real).item() == 0
    mesh = mesh_penalty()(real, striped(noise(64), 0.6)).item()
    ratio = grid_power(striped(noise(64), 0.6).numpy()) / grid_power(real.numpy())
    assert mesh == pytest.approx((np.log(ratio).clip(min=0) ** 2).mean(), rel=1e-3)
    assert np.argmax(ratio) == FREQUENCIES.index((0, 2))


def test_descent_takes_the_mesh_away():
    real, strength, mesh = noise(64), torch.tensor(0.5, requires_grad=True), mesh_penalty()
    optimiser = torch.optim.Adam([strength], lr=0.01)
    for _ in range(100):
        optimiser.zero_grad()
        mesh(real, striped(noise(64, seed=1), strength)).backward()
        optimiser.step()
    assert abs(strength.item()) < 0.1


def test_averages_move_slowly_and_are_of_the_state():
    mesh, real = mesh_penalty(), noise(64)
    flat, meshed = noise(64, seed=1), striped(noise(64, seed=1), 0.5)
    mesh(real, flat)
    once = mesh(real, meshed).item()
    assert 0 < once < mesh_penalty()(real, meshed).item()
    resumed = mesh_penalty()
    resumed.load_state_dict(mesh.state_dict())
    assert resumed(real, meshed).item() == mesh(real, meshed).item() > once
