"""The penalty on colours, against the distance between single distributions and on a background of another colour."""

import pytest
import torch
from scipy.stats import wasserstein_distance

from creatures.adversarial.colours import DIRECTIONS, QUANTILES, colour_penalty, quantiles


def pictures(count=4, seed=0, px=16):
    return torch.rand(count, 3, px, px, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def figure_on(background, count=4):
    """Black squares on a plain background, RGB in [-1, 1]."""
    x = torch.tensor(background, dtype=torch.float32).view(1, 3, 1, 1).expand(count, 3, 16, 16).clone()
    x[:, :, 4:12, 4:12] = -1
    return x


def test_it_is_the_mean_distance_of_the_colours_along_the_directions():
    real, fake = pictures(px=32), pictures(seed=1, px=32) ** 3
    single = []
    for direction in torch.tensor(DIRECTIONS, dtype=torch.float32):
        along = [torch.einsum("nchw,c->nhw", x, direction / direction.norm()).flatten().numpy() for x in (real, fake)]
        single.append(wasserstein_distance(*along))
    assert colour_penalty()(real, fake).item() == pytest.approx(sum(single) / len(single), rel=1e-3)
    assert quantiles(real).shape == (len(DIRECTIONS), QUANTILES)


def test_where_a_colour_is_does_not_matter_but_how_much_there_is():
    real = figure_on((1, 1, 1))
    assert colour_penalty()(real, real.roll(3, dims=-1)).item() == 0
    larger = real.clone()
    larger[:, :, 2:14, 2:14] = -1
    assert colour_penalty()(real, larger).item() > 0.1


def test_descent_makes_a_pink_background_white():
    shape = figure_on((1, 1, 1))
    background, penalty = torch.tensor([1, 0.5, 1]).requires_grad_(), colour_penalty()
    optimiser = torch.optim.SGD([background], lr=0.05)
    for _ in range(100):
        optimiser.zero_grad()
        penalty(shape, torch.where(shape > 0, background.view(1, 3, 1, 1), shape)).backward()
        optimiser.step()
    assert (background - 1).abs().max() < 0.1
