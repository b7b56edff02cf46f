"""The most real of many, against the definition written out."""

import numpy as np
import pytest

from app.generate import drawn_for
from stages.lib.scores.realism import NEIGHBOURS, realism


def test_realism_is_that_of_its_paper():
    rng = np.random.default_rng(0)
    real, fake = (rng.standard_normal((count, 4)).astype(np.float32) for count in (30, 20))
    between = np.linalg.norm(real[:, None] - real[None], axis=2)
    radii = np.sort(between, axis=1)[:, NEIGHBOURS]  # the first is itself
    dense = radii <= np.median(radii)
    wanted = (radii[dense] / np.linalg.norm(fake[:, None] - real[None, dense], axis=2)).max(1)
    assert realism(fake, real) == pytest.approx(wanted, rel=1e-3)


def test_what_lies_among_real_pictures_is_more_real_than_what_lies_beside():
    rng = np.random.default_rng(0)
    real = rng.standard_normal((200, 8)).astype(np.float32)
    among, beside = rng.standard_normal((50, 8)).astype(np.float32), rng.standard_normal((50, 8)).astype(np.float32) + 4
    assert np.median(realism(among, real)) > 2 * np.median(realism(beside, real))
    assert len(realism(among, real[:2])) == 50


@pytest.mark.parametrize("count, best, drawn", [(64, 0.25, 256), (64, 1.0, 64), (3, 0.3, 10), (1, 0.01, 100)])
def test_so_many_are_drawn_that_a_share_of_them_is_what_was_asked_for(count, best, drawn):
    assert drawn_for(count, best) == drawn
