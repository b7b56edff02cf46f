"""The U-Net, PatchGAN, palettes and drawings."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from creatures.data.weights import save_weights
from creatures.runtime.errors import UserError
from creatures.translation.colouring import Colourer, load_colourer, to_lines
from creatures.translation.drawings import drawings
from creatures.translation.hints import drawn_from, helpful, none, put_point, spread
from creatures.translation.ink import inked
from creatures.translation.palette import palette_of
from creatures.translation.patchgan import FIELDS, PatchGAN
from creatures.translation.regions import regions_of
from creatures.translation.repaint import enlarged, repainted
from creatures.translation.unet import UNet, blend_palette, draw_noise, with_hints
from tests.support.discs import disc, paper


@pytest.mark.parametrize("px", [16, 64, 128])
def test_the_u_net_is_as_deep_as_its_pictures_are_large(px):
    net = UNet(px, 4)
    assert len(net.down) == len(net.up) + 1 == px.bit_length() - 1
    x = torch.ones(2, 1, px, px)
    drawn = net(x, draw_noise(net, "none", 2))
    assert drawn.shape == (2, 3, px, px) and drawn.abs().max() <= 1
    maps = [x]
    for block in net.down:
        maps.append(block(maps[-1]))
    assert maps[-1].shape[-1] == 1


def test_noise_of_dropout_says_which_colouring_it_is_and_none_has_but_one():
    torch.manual_seed(0)
    net = UNet(32, 8).eval()
    outline = paper()[None].repeat(3, axis=0)
    noisy, plain = (Colourer(net, noise, "mixed", torch.zeros(0, 0, 4)) for noise in ("dropout", "none"))
    drawn = noisy.colour(outline, 5)
    assert np.array_equal(drawn, noisy.colour(outline, 5))
    assert not np.array_equal(drawn, noisy.colour(outline, 6))
    assert not np.array_equal(drawn[0], drawn[1])
    only = noisy.colour(outline, None)
    assert np.array_equal(only[0], only[2])
    assert np.array_equal(plain.colour(outline, 5), only)


def test_a_palette_is_of_the_figure_alone_and_says_how_much_of_each_colour():
    red, line = np.array([200, 60, 40]) / 127.5 - 1, np.array([20, 20, 20]) / 127.5 - 1
    found = palette_of(disc(64, 20).transpose(2, 0, 1), 5)
    assert found.shape == (5, 4) and not found[2:].any()
    assert np.allclose(found[:2, :3], [red, line], atol=0.02)
    assert found[0, 3] > 0.8 and found[:, 3].sum() == pytest.approx(1)
    assert not palette_of(np.full((3, 64, 64), 255, np.uint8), 5)[1:].any()


def test_a_palette_given_is_drawn_in_just_these_colours():
    palettes = torch.tensor([[[0.5, -0.5, 0.0, 0.7], [-1.0, -1.0, 1.0, 0.3]], [[0.0] * 4] * 2])
    logits = torch.tensor([50.0, 0.0]).reshape(1, 2, 1, 1).repeat(2, 1, 2, 2)
    drawn = torch.tanh(blend_palette(logits, palettes))
    assert torch.allclose(drawn[0, :, 0, 0], torch.tensor([0.5, -0.5, 0.0]) * 0.98)
    assert not drawn[1].any()


def test_a_seed_chooses_a_palette_and_a_palette_given_is_taken():
    torch.manual_seed(0)
    net = UNet(32, 8, 2).eval()
    outline, kept = paper()[None], torch.rand(50, 2, 4)
    colourer = Colourer(net, "none", "mixed", kept)
    drawn = [colourer.colour(outline, seed) for seed in (1, 1, 2, None)]
    assert np.array_equal(drawn[0], drawn[1])
    assert len({x.tobytes() for x in drawn}) == 3
    assert np.array_equal(colourer.colour(outline, 1, np.zeros((1, 2, 4), np.float32)), drawn[3])


@pytest.mark.parametrize("hints", [False, True])
def test_a_colouring_of_a_seed_is_the_same_among_however_many(hints):
    torch.manual_seed(0)
    colourer = Colourer(UNet(32, 8, 2, hints).eval(), "dropout", "mixed", torch.rand(50, 2, 4))
    one, several = (colourer.colour(np.repeat(paper()[None], count, axis=0), 5) for count in (1, 6))
    assert len({x.tobytes() for x in several}) == 6
    assert np.abs(several[0].astype(int) - one[0]).max() <= 1  # batches of other sizes are rounded otherwise


@pytest.mark.parametrize("field_px", FIELDS)
def test_a_logit_sees_a_patch_of_the_side_that_was_asked_for(field_px):
    torch.manual_seed(0)
    net = PatchGAN(field_px, 4, "none")
    x = torch.zeros(1, 4, 256, 256, requires_grad=True)
    logits = net.layers(x)
    logits[0, 0, logits.shape[2] // 2, logits.shape[3] // 2].backward()
    seen = x.grad.abs().sum(1)[0] > 0
    assert (int(seen.any(0).sum()), int(seen.any(1).sum())) == (field_px, field_px)


def test_a_logit_of_a_patch_depends_on_its_outline():
    net, picture = PatchGAN(16, 4, "spectral"), torch.zeros(1, 3, 32, 32)
    one, other = (net([picture], torch.full((1, 1, 32, 32), value)) for value in (-1.0, 1.0))
    assert not torch.equal(one, other)


def test_drawings_fit_pictures_of_any_side():
    for px in (32, 64):
        found = drawings(px)
        assert found.shape[1:] == (px, px) and len(found) >= 6
        shares = (found == 0).mean((1, 2))
        assert shares.min() > 0.02 and shares.max() < 0.4


def test_a_file_that_is_none_of_its_own_is_refused(tmp_path):
    net, p = UNet(16, 4), {"noise": "dropout", "outline": "mixed"}
    good, bad = tmp_path / "good", tmp_path / "bad"
    tensors = net.state_dict() | {"palettes": torch.zeros(1, 0, 4)}
    save_weights(good, tensors, {"architecture": {"image_px": 16, "width": 4}, "params": p})
    assert load_colourer(good).noise == "dropout"
    save_weights(bad, tensors, {"architecture": {"image_px": 32, "width": 4}, "params": p})
    with pytest.raises(UserError, match="is damaged, or no such file of this project"):
        load_colourer(bad)
    with pytest.raises(UserError, match="is missing"):
        load_colourer(tmp_path / "none")


def test_hints_change_the_colouring_and_a_network_without_them_becomes_one_with_them_that_paints_alike():
    torch.manual_seed(0)
    plain = UNet(32, 8, 2).eval()
    net = UNet(32, 8, 2, hints=True).eval()
    net.load_state_dict(with_hints(net, plain.state_dict()))
    lines, noise, palettes = to_lines(paper()[None]), draw_noise(net, "none", 1), torch.rand(1, 2, 4)
    hints = torch.rand(1, 4, 32, 32)
    assert torch.allclose(net(lines, noise, palettes, hints), plain(lines, noise, palettes), atol=1e-6)
    other = UNet(32, 8, 2, hints=True).eval()
    pictures, choices = other.paint(lines, noise, palettes, hints)
    assert choices.shape == (1, 2, 32, 32) and not torch.equal(pictures, other(lines, noise, palettes))
    with pytest.raises(UserError, match="takes no coloured strokes"):
        Colourer(plain, "none", "mixed", palettes).colour(paper()[None], 0, None, hints.numpy())


def test_a_seed_chooses_colours_of_the_palette_for_regions_without_a_hint(monkeypatch):
    """Two regions: the upper one has a hint; the lower one gets a colour that the network finds likely there."""
    net = UNet(64, 4, 3, hints=True).eval()
    outline = np.full((64, 64), 255, np.uint8)
    cv2.rectangle(outline, (8, 8), (55, 55), 0, 1)
    cv2.line(outline, (8, 30), (55, 30), 0, 1)
    seen = []

    def paint(lines, noise, palettes, hints):
        seen.append(hints.numpy())
        choices = torch.zeros(1, 3, 64, 64)
        choices[:, 1], choices[:, 2] = 50, 100  # the third is no colour of this palette
        return torch.zeros(1, 3, 64, 64), choices

    monkeypatch.setattr(net, "paint", paint)
    palette = np.array([[[1, -1, -1, 0.6], [-1, 1, -1, 0.4], [0, 0, 0, 0]]], np.float32)
    hints = none(64)[None]
    put_point(hints[0], (20, 30), np.array([255, 0, 0]))
    given = hints.copy()
    Colourer(net, "none", "mixed", torch.zeros(0, 3, 4)).colour(outline[None], 3, palette, hints, follow=False)
    assert np.array_equal(hints, given) and len(seen) == 2
    labels = regions_of(outline)
    upper = labels == labels[20, 30]
    assert np.array_equal(seen[-1][0][:, upper], spread(hints[0], outline)[:, upper])
    put = (seen[-1][0, 3] == 1) & (labels == labels[45, 30])
    assert put.any() and np.allclose(seen[-1][0, :3, put], (-1, 1, -1))


def test_regions_are_closed_over_small_gaps_and_ranked_by_area():
    outline = np.full((64, 64), 255, np.uint8)
    cv2.rectangle(outline, (4, 4), (59, 59), 0, 1)
    cv2.line(outline, (20, 4), (20, 59), 0, 1)
    outline[30:32, 20] = 255  # a gap in the wall between them
    labels = regions_of(outline)
    assert labels.max() == 2 and labels[40, 40] == 1 and labels[40, 10] == 2
    assert not labels[0, 0] and not labels[10, 20] and labels[31, 20]
    outline[10:40, 59] = 255  # the larger one is open now
    assert regions_of(outline)[40, 10] == 1 and not regions_of(outline)[40, 40]
    assert not regions_of(np.zeros((64, 64), np.uint8)).any()


def test_hints_from_a_picture_have_its_colours_where_they_are():
    picture, rng = disc(64, 20).transpose(2, 0, 1), np.random.default_rng(0)
    drawn = np.stack([drawn_from(picture, rng) for _ in range(60)])
    masks = drawn[:, 3] > 0
    assert set(np.unique(drawn[:, 3])) == {0, 1} and not drawn[:, :3][~np.repeat(masks[:, None], 3, 1)].any()
    assert 0.02 < masks.mean() < 0.3 and not drawn[:, :, 0, 0].any()
    off = np.abs((drawn[:, :3] + 1) * 127.5 - picture).max(axis=1)[masks]
    assert np.median(off) < 25  # some are out of place
    true = helpful(picture, np.full((64, 64), 255, np.uint8), 3)
    assert (true[3] > 0).sum() >= 15
    wrong = np.abs((true[:3] + 1) * 127.5 - picture).max(axis=0)[true[3] > 0] > 30
    assert wrong.mean() < 0.2  # a point may touch a line


def test_ink_lies_over_flat_colours_and_hides_what_was_painted_on_lines():
    outline = np.full((64, 64), 255, np.uint8)
    cv2.rectangle(outline, (10, 10), (50, 50), 0, 1)
    colouring = np.full((3, 64, 64), 255, np.uint8)
    colouring[:, 11:50, 11:50] = np.reshape((240, 200, 40), (3, 1, 1))
    embossed = colouring.copy()
    embossed[:, outline == 0] = np.random.default_rng(0).integers(0, 255, (3, (outline == 0).sum()), np.uint8)
    ink = cv2.resize((outline == 0).astype(np.float32), (256, 256), interpolation=cv2.INTER_NEAREST)
    found = inked(embossed, outline, ink)
    assert found.shape == (3, 256, 256) and np.array_equal(found, inked(colouring, outline, ink))
    assert np.abs(found[:, 120, 120].astype(int) - (240, 200, 40)).max() <= 1
    assert found[:, ink > 0].max() <= 255 * 0.15 + 1
    assert (found[:, :30] == 255).all()


def test_hints_are_spread_in_their_regions_and_each_pixel_takes_the_nearest():
    outline = np.full((64, 64), 255, np.uint8)
    cv2.rectangle(outline, (4, 4), (59, 30), 0, 1)
    cv2.rectangle(outline, (4, 36), (59, 59), 0, 1)
    hints = none(64)
    put_point(hints, (15, 10), np.array([255, 0, 0]))
    put_point(hints, (15, 50), np.array([0, 0, 255]))
    put_point(hints, (2, 2), np.array([0, 255, 0]))  # outside: it stays where it is
    found = spread(hints, outline)
    assert np.array_equal(found[:, hints[3] > 0], hints[:, hints[3] > 0])
    assert found[:, 25, 20].tolist() == [1, -1, -1, 0.5] and found[:, 25, 45].tolist() == [-1, -1, 1, 0.5]
    assert not found[:, 45, 30].any() and not found[:, 62, 62].any() and not found[3, 30, 30]


def test_colourings_are_painted_again_in_the_colours_of_their_regions():
    torch.manual_seed(0)
    colourer = Colourer(UNet(32, 8, colours=3, hints=True).eval(), "none", "mixed", torch.zeros(0, 3, 4))
    outline = np.full((64, 64), 255, np.uint8)
    cv2.rectangle(outline, (8, 8), (31, 55), 0, 1)
    cv2.rectangle(outline, (31, 8), (55, 55), 0, 1)
    small = np.full((2, 3, 32, 32), 255, np.uint8)
    small[:, :, 4:28, 4:16] = np.array([[200, 40, 40], [40, 160, 40]], np.uint8)[:, :, None, None]
    small[:, :, 4:28, 16:28] = np.array([[40, 40, 200], [230, 210, 60]], np.uint8)[:, :, None, None]
    hints, purple = none(64), np.array([128, 0, 128])
    put_point(hints, (30, 45), purple)
    for given, rights in ((None, small[:, :, 8, 20]), (hints, [purple, purple])):
        found = repainted(colourer, outline, small, given)
        assert found.shape == (2, 3, 64, 64) and found.dtype == np.uint8
        for picture, left, right in zip(found, small[:, :, 8, 8], rights, strict=True):
            assert np.abs(np.median(picture[:, 12:52, 12:28], axis=(1, 2)) - left).max() <= 2
            assert np.abs(np.median(picture[:, 12:52, 35:52], axis=(1, 2)) - right).max() <= 2
        assert (found[:, :, :4] == 255).all()  # outside it stays as it was
    assert np.array_equal(repainted(colourer, np.full((64, 64), 255, np.uint8), small)[0], enlarged(small[0], 64))
