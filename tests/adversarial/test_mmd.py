"""The distance between distributions of features, against its closed form and the metric that it lowers."""

import numpy as np
import pytest
import torch

from creatures.adversarial.mmd import MMD, kernel
from creatures.metrics.scores import kid


def features(count, seed=0, shift=0.0, scale=1.0):
    return torch.randn(count, 8, generator=torch.Generator().manual_seed(seed)) * scale + shift


def test_is_the_witness_function_on_earlier_pictures():
    mmd, real, fake = MMD(), features(6), features(6, 1, shift=1.0)
    assert mmd(real, fake).item() == 0  # nothing to compare with yet
    x = features(4, 2)
    witness = [np.mean([(a @ b / 8 + 1) ** 3 for a in x.numpy() for b in bank.numpy()]) for bank in (fake, real)]
    assert mmd(features(4, 3), x).item() == pytest.approx(witness[0] - witness[1], rel=1e-4)


def test_descent_brings_mean_and_spread_to_those_of_real_pictures():
    shift, scale = (torch.tensor(x, requires_grad=True) for x in (1.0, 0.3))
    mmd = MMD()
    before = kid(features(500, 1, 1.0, 0.3).numpy(), features(500).numpy())[0]
    optimiser = torch.optim.Adam([shift, scale], lr=0.01)
    for step in range(800):
        optimiser.zero_grad()
        mmd(features(64, 2 * step + 10), features(64, 2 * step + 11) * scale + shift).backward()
        optimiser.step()
    assert abs(shift.item()) < 0.1 and scale.item() == pytest.approx(1, abs=0.15)
    assert kid(features(500, 1, shift.item(), scale.item()).numpy(), features(500).numpy())[0] < before / 20


def test_remembers_a_bounded_number_of_pictures_and_keeps_them_in_its_state(monkeypatch):
    monkeypatch.setattr(MMD, "MEMORY", 10)
    mmd = MMD()
    for seed in range(3):
        mmd(features(4, seed), features(4, seed + 10))
    assert [len(bank) for bank in mmd.banks] == [10, 10] and torch.equal(mmd.banks[0][:4], features(4, 2))
    resumed = MMD()
    resumed.load_state_dict(mmd.state_dict())
    assert resumed(features(4), features(4, 1)).item() == mmd(features(4), features(4, 1)).item()


def test_kernel_is_cubic():
    assert kernel(torch.tensor([[1.0, 1.0]]), torch.tensor([[2.0, 0.0], [0.0, 0.0]])).tolist() == [[8.0, 1.0]]
