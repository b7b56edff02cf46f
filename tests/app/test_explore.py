"""Embeddings near a picture and on a way through the mixture."""

import numpy as np
import pytest
from torch import nn

from app.explore import NEAR, Explorer
from creatures.latents.mixture import Mixture


@pytest.fixture()
def explorer() -> Explorer:
    """Two clusters in the first two of three dimensions, the first stretched along y."""
    factors = np.stack([np.diag([1.0, 4.0]), np.eye(2)])
    back = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    means = np.array([[-10.0, 0.0], [10.0, 0.0]])
    return Explorer(nn.Identity(), Mixture(np.array([0.5, 0.5]), means, factors, np.zeros(3), back))


def test_variations_begin_with_the_picture_and_spread_like_its_own_cluster(explorer):
    start = np.array([-9.0, 1.0, 5.0])
    found = explorer.around(start, 4000, seed=0, truncation=0.8)
    assert found[0] == pytest.approx(start)
    assert found[1:].mean(0) == pytest.approx(start, abs=0.1)
    assert found[1:].std(0) == pytest.approx(NEAR * 0.8 * np.array([1, 4, 0]), abs=0.05)
    assert explorer.around(start, 5, seed=0, truncation=0.0) == pytest.approx(np.tile(start, (5, 1)))


def test_the_way_goes_through_its_stops_and_closes(explorer):
    stops, _ = explorer.mixture.sample(4, np.random.default_rng(3), 1.0)
    way = explorer.loop(stops, frames=400)
    assert way[::100] == pytest.approx(stops, abs=1e-4)
    steps = np.linalg.norm(np.diff(way, axis=0, append=way[:1]), axis=1)
    assert np.abs(np.diff(steps, append=steps[:1])).max() < 0.1 * steps.max()  # no corners, at the seam neither


def test_a_loop_around_a_creature_begins_with_it_and_closes(explorer):
    start = np.array([-9.0, 1.0, 5.0])
    way = explorer.loop_around(start, frames=100, seed=1, truncation=1.0)
    assert way[0] == pytest.approx(start)
    around = explorer.around(start, 3, seed=1, truncation=1.0)
    assert way[50] == pytest.approx(around[2], abs=1e-4)  # at the far end the second of those near it
    steps = np.linalg.norm(np.diff(way, axis=0, append=way[:1]), axis=1)
    assert steps.min() > 0 and np.abs(np.diff(steps, append=steps[:1])).max() < 0.1 * steps.max()


def test_a_creature_is_moved_along_principal_components(explorer):
    start = np.array([1.0, 2.0, 5.0])
    assert explorer.steered(start, [0.5, -2]).tolist() == [1.5, 0.0, 5.0]
    assert explorer.steered(start, [1]).tolist() == [2.0, 2.0, 5.0]
