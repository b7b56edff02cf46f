"""Augmentation: per picture, differentiable, and the background stays as it is."""

import numpy as np
import pyarrow as pa
import pytest
import torch
from torchvision.transforms import ElasticTransform

from creatures.data.pictures import Pictures
from creatures.training.augment import AUGMENTATIONS, DRAWS, OF_PICTURES, augment, is_full_bleed, vary

ALL = AUGMENTATIONS | OF_PICTURES


def creature(count: int = 64, side: int = 32) -> torch.Tensor:
    """Coloured squares on white, float in [-1, 1]."""
    x = torch.ones(count, 3, side, side)
    x[:, :, 10:22, 10:22] = torch.rand(count, 3, 1, 1) * 1.4 - 1
    return x


def changed(name: str, x: torch.Tensor) -> torch.Tensor:
    return ALL[name](x, torch.rand(DRAWS, len(x), 1, 1, 1))


@pytest.mark.parametrize("name", ALL)
def test_nothing_foreign_leaks_into_the_background(name):
    torch.manual_seed(0)
    x = changed(name, creature())
    corners = x[:, :, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert torch.equal(corners, torch.ones_like(corners))


@pytest.mark.parametrize("ground", [(1.0, 1.0, 1.0), (-1.0, -1.0, -1.0), (1.0, 0.75, 0.25)])
def test_all_of_them_together_leave_the_background_as_it_is(ground):
    """No colour but that of the figure comes in: an empty picture stays empty, whatever is drawn."""
    torch.manual_seed(0)
    empty = torch.tensor(ground).view(1, 3, 1, 1).expand(256, 3, 32, 32)
    assert torch.equal(vary(empty, list(OF_PICTURES)), empty)
    assert torch.equal(augment([empty], list(AUGMENTATIONS), 0.8)[0], empty)


@pytest.mark.parametrize("name", ALL)
def test_each_picture_has_its_own_draw(name):
    torch.manual_seed(0)
    x = creature(1).repeat(64, 1, 1, 1)
    x[:, :, 12, 12] = -1  # so that a flip shows
    assert len({tuple(p.flatten().tolist()) for p in changed(name, x)}) > 1


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_gradients_come_through(name):
    x = creature().requires_grad_()
    changed(name, x).sum().backward()
    assert x.grad is not None and x.grad.abs().sum() > 0


def test_translation_moves_and_loses_nothing_of_a_small_figure():
    torch.manual_seed(0)
    x = creature()
    moved = changed("translation", x)
    assert not torch.equal(x, moved)
    assert torch.allclose((1 - x).sum((1, 2, 3)), (1 - moved).sum((1, 2, 3)), rtol=1e-4)


def test_the_sizes_of_one_picture_change_alike():
    """Multi-scale gradients: a small picture is moved, mirrored and coloured as the large one is."""
    torch.manual_seed(0)
    large = torch.ones(64, 3, 64, 64)
    large[..., 8:56, 8:28] = torch.rand(64, 3, 1, 1) - 1  # to the left: so that a flip shows
    small = torch.nn.functional.avg_pool2d(large, 4)
    for name, bound in (("flip", 1e-6), ("translation", 0.1), ("colour", 0.02)):
        (new_large, new_small), (other, _) = augment([large, small], [name]), augment([large, small], [name])
        error = (torch.nn.functional.avg_pool2d(new_large, 4) - new_small).abs().mean()
        apart = (torch.nn.functional.avg_pool2d(other, 4) - new_small).abs().mean()  # two draws
        assert error < bound and error < apart / 2, (name, error, apart)


def test_policies_apply_in_order_and_none_is_the_identity():
    x = creature()
    assert torch.equal(augment([x], [])[0], x)
    assert vary(x, []) is x


def test_p_is_the_share_of_pictures_that_are_changed():
    torch.manual_seed(0)
    x = creature(2000)
    (new,) = augment([x], ["colour"], p=0.3)
    share = (new != x).flatten(1).any(1).float().mean().item()
    assert share == pytest.approx(0.3, abs=0.04)  # 4 deviations of a binomial
    assert torch.equal(augment([x], ["colour"], p=0.0)[0], x)


@pytest.mark.parametrize("name", ["colour", "jitter"])
def test_a_photo_changes_as_a_whole_and_a_background_stays(name):
    torch.manual_seed(0)
    x = torch.rand(64, 3, 16, 16) * 0.04 - 0.5  # its parts are close to the colour of its corner
    x[:, :, 4:12, 4:12] += 0.4
    for full_bleed in (True, False):
        torch.manual_seed(0)
        new = augment([x], [name], full_bleed=full_bleed)[0] if name == "colour" else vary(x, [name], full_bleed)
        moved = (new - x).abs().amax(1)[(new != x).flatten(1).any(1)]
        assert (moved[:, 0, 0] > 1e-4).float().mean() > 0.9 if full_bleed else not moved[:, 0, 0].any()


def test_pictures_without_a_background_are_known_by_their_borders():
    photos = np.random.default_rng(0).integers(0, 255, (6, 3, 16, 16), np.uint8)
    figures = np.full_like(photos, 200)
    figures[:, :, 4:12, 4:12] = photos[:, :, 4:12, 4:12]
    index = pa.table({"split": ["train"] * 6})
    assert is_full_bleed(Pictures(photos, index)) and not is_full_bleed(Pictures(figures, index))
    assert not is_full_bleed(Pictures(np.concatenate([photos[:2], figures[:4]]), index))


def test_of_real_pictures_some_always_stay_as_they_are():
    torch.manual_seed(0)
    x = creature(1000)
    same = (vary(x, ["jitter", "elastic"]) == x).flatten(1).all(1).float().mean().item()
    assert same == pytest.approx(1 / 3, abs=0.06)  # 4 deviations of a binomial


def test_elastic_is_as_strong_as_torchvisions():
    """Mean displacement in pixels of 64, away from the border: of a ramp along x, the change is the shift."""
    torch.manual_seed(0)
    transform = ElasticTransform()
    theirs = torch.stack([transform.get_params([50.0, 50.0], [5.0, 5.0], [64, 64])[0] for _ in range(64)])
    wanted = theirs[:, 16:48, 16:48, 0].abs().mean().item() * 32
    ramp = (torch.arange(64) / 32 - 1).expand(64, 3, 64, 64).clone()
    moved = (changed("elastic", ramp) - ramp)[..., 16:48, 16:48].abs().mean().item() * 32
    assert moved == pytest.approx(wanted, rel=0.1)
    assert changed("elastic", creature(2, 16)).shape == (2, 3, 16, 16)
