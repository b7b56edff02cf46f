"""Scores, against their definitions written out and against what they must say of known sets."""

import numpy as np
import pytest
import torch
from prdc import compute_prdc

from creatures.metrics.features import features
from creatures.metrics.nearest import nearest
from creatures.metrics.scores import frechet_distance, kid, memorised, precision_recall_density_coverage
from stages.evaluate.compare import compare


@pytest.fixture()
def rng():
    return np.random.default_rng(0)


def normal(rng, count, dims=8, mean=0.0):
    return (rng.standard_normal((count, dims)) + mean).astype(np.float32)


def test_kid_is_the_unbiased_mmd_of_its_paper(rng):
    """With one subset that holds everything there is nothing random left."""
    x, y = normal(rng, 40), normal(rng, 40, mean=0.5)

    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    off = ~np.eye(40, dtype=bool)
    wanted = kernel(x, x)[off].mean() + kernel(y, y)[off].mean() - 2 * kernel(x, y).mean()
    mean, deviation = kid(x, y)
    assert mean == pytest.approx(wanted, rel=1e-3)
    assert deviation == pytest.approx(0, abs=1e-5)


def test_kid_of_one_distribution_is_nought(rng):
    mean, _ = kid(normal(rng, 2000), normal(rng, 2000))
    assert abs(mean) < 0.01
    assert kid(normal(rng, 600), normal(rng, 600, mean=1))[0] > 1


def test_frechet_distance_of_two_gaussians(rng):
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) = 8 x 1 + 8 x (2 - 1)^2 for N(0, I) and N(1, 4 I)."""
    x, y = normal(rng, 20000), normal(rng, 20000) * 2 + 1
    assert frechet_distance(x, y) == pytest.approx(16, rel=0.03)


def test_collapse_shows_in_coverage_and_noise_in_precision(rng):
    real = normal(rng, 400)
    same = precision_recall_density_coverage(normal(rng, 400), real)
    collapsed = precision_recall_density_coverage(np.repeat(real[:4], 100, axis=0) + normal(rng, 400) * 0.01, real)
    noise = precision_recall_density_coverage(normal(rng, 400) * 10, real)
    assert same["coverage"] > 0.9 and same["precision"] > 0.8
    assert collapsed["coverage"] < same["coverage"] / 4 and collapsed["recall"] < same["recall"] / 4
    assert noise["precision"] < 0.05


def test_memorised_tells_copies_from_new_pictures(rng):
    train, unseen = normal(rng, 500), normal(rng, 300)
    copies = np.repeat(train[:100], 2, axis=0) + normal(rng, 200) * 0.001
    assert memorised(copies, unseen, train) == 1
    assert memorised(normal(rng, 2000), unseen, train) < 0.04


def test_nearest_is_the_nearest(rng):
    a, b = normal(rng, 20), normal(rng, 30)
    distances = np.linalg.norm(a[:, None] - b[None], axis=2)
    found, rows = nearest(a, b)
    assert np.array_equal(rows, distances.argmin(1))
    assert np.allclose(found, distances.min(1), atol=1e-3)


def test_no_pictures_give_no_features():
    assert len(features(torch.nn.Conv2d(3, 1, 8), np.zeros((0, 3, 8, 8), np.uint8), None)) == 0


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6, 7])
def test_few_pictures_have_the_figures_that_there_are(rng, count):
    """Were one of them an error, a run of hours would end with no figure at all."""
    few, many = normal(rng, count), normal(rng, 16)
    metrics = compare({"train": many, "val": few, "test": few}, many, many)
    assert (metrics["kid"] is None) == (metrics["fd_test"] is None) == (count < 2)
    assert (metrics["memorised"] is None) == (count < 1)
    of_train = compare({"train": normal(rng, max(2, count)), "val": few, "test": few}, many, many)
    assert (of_train["precision"] is None) == (count < 3)
    assert all(value is None or np.isfinite(value) for value in [*metrics.values(), *of_train.values()])


def test_neighbours_are_five_where_there_are_enough(rng):
    real, fake = normal(rng, 7), normal(rng, 9)
    assert precision_recall_density_coverage(fake, real) == pytest.approx(compute_prdc(real, fake, 5))
