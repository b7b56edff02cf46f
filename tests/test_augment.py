"""Augmentation: per picture, differentiable, and the white background stays white."""

import pytest
import torch

from stages.lib.training.augment import AUGMENTATIONS, augment


def creature(count: int = 64, side: int = 32) -> torch.Tensor:
    """Coloured squares on white, float in [-1, 1]."""
    x = torch.ones(count, 3, side, side)
    x[:, :, 10:22, 10:22] = torch.rand(count, 3, 1, 1) * 1.4 - 1
    return x


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_nothing_foreign_leaks_into_the_background(name):
    torch.manual_seed(0)
    x = AUGMENTATIONS[name](creature())
    corners = x[:, :, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert torch.equal(corners, torch.ones_like(corners))


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_each_picture_has_its_own_draw(name):
    torch.manual_seed(0)
    x = creature(1).repeat(64, 1, 1, 1)
    x[:, :, 12, 12] = -1  # so that a flip shows
    changed = AUGMENTATIONS[name](x)
    assert len({tuple(p.flatten().tolist()) for p in changed}) > 1


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_gradients_come_through(name):
    x = creature().requires_grad_()
    AUGMENTATIONS[name](x).sum().backward()
    assert x.grad is not None and x.grad.abs().sum() > 0


def test_translation_moves_and_loses_nothing_of_a_small_figure():
    torch.manual_seed(0)
    x = creature()
    moved = AUGMENTATIONS["translation"](x)
    assert not torch.equal(x, moved)
    assert torch.allclose((1 - x).sum((1, 2, 3)), (1 - moved).sum((1, 2, 3)), rtol=1e-4)


def test_policies_apply_in_order_and_none_is_the_identity():
    x = creature()
    assert torch.equal(augment(x, []), x)
