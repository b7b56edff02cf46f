"""The penalty on figures in pieces, on drawn ones."""

import pytest
import torch

from creatures.adversarial.pieces import Pieces, contrast, repairs_of
from creatures.data.tensors import to_uint8
from creatures.metrics.defects import pieces_and_holes


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


def with_hand(count=1):
    """A grey square, at the side of the body with two pixels between them."""
    pictures = body(count)
    pictures[:, :, 7:10, 13:16] = 0
    return pictures


def repaired(pictures):
    return repairs_of(contrast(pictures))[0]


def test_pictures_to_be_repaired_are_those_that_one_piece_counts():
    too_small, too_pale = with_speck(pixels=2), with_speck(colour=0.9)
    touching = body()
    touching[:, :, 11, 11] = -1  # at a corner
    touching[:, :, 12:14, 12] = -1
    for pictures in (body(), too_small, too_pale, touching):
        assert pieces_and_holes(to_uint8(pictures)[0])[0] == 1 and (repaired(pictures) == -1).all()
    for pictures in (with_speck(), with_hand()):
        assert pieces_and_holes(to_uint8(pictures)[0])[0] == 2 and (repaired(pictures) != -1).any()


def test_a_speck_far_from_the_body_fades_and_a_hand_next_to_it_is_joined():
    found = repaired(with_speck())
    assert (found[14, 2:5] == 16 * 16).all() and (found == -1).sum() == 16 * 16 - 3
    found = repaired(with_hand())
    bridge = found != -1
    assert bridge.sum() == 2 and bridge[7:10, 11:13].sum() == 2
    row, column = divmod(int(found[bridge][0]), 16)
    assert row in range(7, 10) and column == 13 and (found[bridge] == found[bridge][0]).all()


def test_it_is_the_distance_of_what_lies_apart_whatever_its_size():
    real = body(4)
    assert Pieces()(real, real).item() == 0
    for pixels in (3, 8):
        assert Pieces()(real, with_speck(4, pixels=pixels)).item() == pytest.approx(1)
    half = torch.cat([body(2), with_speck(2, colour=0.5)])
    assert Pieces()(real, half).item() == pytest.approx(0.25)


def test_pieces_that_real_ones_have_too_are_free():
    assert Pieces()(with_speck(4), with_speck(4)).item() == 0


@pytest.mark.parametrize("pictures", [with_speck(), with_hand()])
def test_descent_leaves_one_piece_and_the_body_as_it_was(pictures):
    real, pieces = body(), Pieces()
    picture = pictures.clone().requires_grad_()
    optimiser = torch.optim.SGD([picture], lr=1.0)
    for _ in range(20):
        optimiser.zero_grad()
        pieces(real, picture).backward()
        optimiser.step()
    assert pieces_and_holes(to_uint8(picture.detach())[0])[0] == 1
    assert torch.equal(picture[:, :, 5:11, 5:11], real[:, :, 5:11, 5:11])


def test_averages_are_of_the_state():
    pieces = Pieces()
    pieces(with_speck(4), body(4))  # real ones in pieces, fakes not: for a while fakes may be
    resumed = Pieces()
    resumed.load_state_dict(pieces.state_dict())
    assert resumed(body(4), with_speck(4)).item() == pieces(body(4), with_speck(4)).item() == 0
    assert Pieces()(body(4), with_speck(4)).item() > 0
