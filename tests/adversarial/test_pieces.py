"""The penalty on figures in pieces, on drawn ones."""

import pytest
import torch

from creatures.adversarial.pieces import Pieces, ink_apart
from creatures.data.tensors import to_uint8
from creatures.metrics.defects import contrast, pieces_and_holes


def paper(count=1, px=16):
    return torch.ones(count, 3, px, px)


def body(count=1):
    """A black square on white."""
    pictures = paper(count)
    pictures[:, :, 5:11, 5:11] = -1
    return pictures


def with_speck(count=1, colour=0.0, pixels=3):
    pictures = body(count)
    pictures[:, 1:, 14, 2 : 2 + pixels] = colour
    return pictures


def test_ink_apart_is_what_one_piece_counts():
    assert not ink_apart(contrast(body())).any()
    assert not ink_apart(contrast(with_speck(pixels=2))).any()  # too small to count
    assert not ink_apart(contrast(with_speck(colour=0.9))).any()  # too pale
    found = ink_apart(contrast(with_speck()))
    assert found.sum() == 3 and found[0, 14, 2:5].all()
    touching = body()
    touching[:, :, 11, 11] = -1  # at a corner
    touching[:, :, 12:14, 12] = -1
    assert not ink_apart(contrast(touching)).any()
    for pictures in (body(), with_speck(pixels=2), with_speck(colour=0.9), with_speck(), touching):
        in_pieces = pieces_and_holes(to_uint8(pictures)[0])[0] > 1
        assert bool(ink_apart(contrast(pictures)).any()) == in_pieces


def test_it_is_the_contrast_of_what_lies_apart_whatever_its_size():
    real = body(4)
    assert Pieces()(real, real).item() == 0
    for pixels in (3, 8):
        assert Pieces()(real, with_speck(4, pixels=pixels)).item() == pytest.approx(1)
    half = torch.cat([body(2), with_speck(2, colour=0.5)])
    assert Pieces()(real, half).item() == pytest.approx(0.25)


def test_pieces_that_real_ones_have_too_are_free():
    assert Pieces()(with_speck(4), with_speck(4)).item() == 0


def test_descent_takes_a_speck_away_and_leaves_the_body():
    real, pieces = body(), Pieces()
    picture = with_speck().requires_grad_()
    optimiser = torch.optim.SGD([picture], lr=1.0)
    for _ in range(20):
        optimiser.zero_grad()
        pieces(real, picture).backward()
        optimiser.step()
    assert not ink_apart(contrast(picture)).any()
    assert torch.equal(picture[:, :, 5:11, 5:11], real[:, :, 5:11, 5:11])


def test_averages_are_of_the_state():
    pieces = Pieces()
    pieces(with_speck(4), body(4))  # real ones in pieces, fakes not: for a while fakes may be
    resumed = Pieces()
    resumed.load_state_dict(pieces.state_dict())
    assert resumed(body(4), with_speck(4)).item() == pieces(body(4), with_speck(4)).item() == 0
    assert Pieces()(body(4), with_speck(4)).item() > 0
