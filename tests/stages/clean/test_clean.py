"""What clean makes of one picture: its colours, its place, or the reason it is left out."""

from __future__ import annotations

from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageDraw

from creatures.decoding import draw
from creatures.decoding.foreground import cut_out, smooth, whole
from creatures.decoding.raster import spread_over
from creatures.intake.splits import split_of
from creatures.runtime.config import parse
from creatures.runtime.errors import UserError
from stages.clean.decode import decode_file
from stages.clean.fingerprint import phash, thumb
from stages.clean.params import CleanParams
from tests.support.pictures_zoo import BAD, BLUE, FLAG_SVG, GOOD, GREY, RED, animation, flag, gif, saved, svg, write

WHITE = (255, 255, 255)


def decode(tmp_path: Path, data: bytes, name: str = "a.png", **params: object) -> dict:
    write(tmp_path, {name: data})
    return decode_file(str(tmp_path / name), CleanParams(**params), 64)


def pixels(decoded: dict) -> np.ndarray:
    return np.frombuffer(decoded["pixels"], np.uint8).reshape(-1, 3, 64, 64)


@pytest.mark.parametrize("name", GOOD)
def test_every_kind_of_picture_keeps_its_colours_and_stands_upright(tmp_path, name):
    data, coloured = GOOD[name]
    decoded = decode(tmp_path, data, name)
    assert not decoded["dropped"]
    (picture,) = pixels(decoded)
    left, right = ((c if coloured else (GREY[c],) * 3) for c in (RED, BLUE))
    # a 40 x 40 figure in an 80 x 100 picture: cropped and centred, it fills 3 to 61
    np.testing.assert_allclose(picture[:, 8:56, 8:28].mean((1, 2)), left, atol=2)
    np.testing.assert_allclose(picture[:, 8:56, 36:56].mean((1, 2)), right, atol=2)
    assert min(picture[:, :2].min(), picture[:, :, -2:].min()) >= 250


@pytest.mark.parametrize("name", BAD)
def test_every_bad_file_is_one_row_with_its_reason(tmp_path, name):
    data, reason = BAD[name]
    decoded = decode(tmp_path, data, name)
    assert decoded["frame"] == []
    assert [(row["frame"], row["reason"]) for row in decoded["dropped"]] == [(0, reason)]
    assert "object at 0x" not in decoded["dropped"][0]["detail"]  # would differ in each run


def test_a_drawing_that_takes_hours_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(draw, "CPU_S", 1)
    slow = '<filter id="f"><feMorphology radius="900"/></filter>' + '<g filter="url(#f)">' * 9 + FLAG_SVG + "</g>" * 9
    (row,) = decode(tmp_path, svg(slow), "a.svg")["dropped"]
    assert row["reason"] == "bomb"
    assert decode(tmp_path, svg(FLAG_SVG), "b.svg")["frame"] == [0]  # and the next one is drawn


def test_a_drawing_of_any_size_is_drawn_small(tmp_path):
    huge = decode(tmp_path, svg(FLAG_SVG, 'width="1e9" height="1e9" viewBox="0 0 80 100"'), "a.svg")
    np.testing.assert_allclose(pixels(huge)[0][:, 8:56, 8:28].mean((1, 2)), RED, atol=2)
    long = decode(tmp_path, svg('<rect width="1" height="900000"/>', 'width="9" height="1000000"'), "a.svg")
    assert len(long["frame"]) + len(long["dropped"]) == 1


@pytest.mark.parametrize(
    ("wanted", "frames"), [(1, [0]), (2, [0, 3]), (4, [0, 1, 3, 4]), (9, [0, 1, 2, 3, 4, 5]), ("all", [*range(6)])]
)
def test_frames_of_a_gif_are_spread_over_its_loop(tmp_path, wanted, frames):
    assert decode(tmp_path, gif(6), "a.gif", frames_per_gif=wanted)["frame"] == frames


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_every_frame_of_other_animations_is_one(tmp_path, kind):
    decoded = decode(tmp_path, animation(kind), f"a.{kind}", frames_per_gif="all")
    assert decoded["frame"] == [*range(6)]
    np.testing.assert_array_equal(pixels(decoded), pixels(decode(tmp_path, gif(6), "a.gif", frames_per_gif="all")))


def test_a_gif_that_breaks_off_keeps_its_good_frames(tmp_path):
    decoded = decode(tmp_path, gif(6)[:-120], "a.gif", frames_per_gif="all")
    assert decoded["frame"] == [0, 1, 2, 3, 4]
    assert [(row["frame"], row["reason"]) for row in decoded["dropped"]] == [(5, "undecodable")]


def test_spread_starts_at_the_first_frame_and_never_repeats():
    for count in range(1, 12):
        for wanted in range(1, 15):
            frames = spread_over(count, wanted)
            assert frames[0] == 0 and frames == sorted(set(frames)) and len(frames) == min(count, wanted)


def test_edges_have_no_dark_halo():
    # transparent black around a light disc: averaging colours without their alpha would darken its rim
    disc = np.zeros((200, 200, 4), np.uint8)
    y, x = np.mgrid[:200, :200]
    disc[(x - 100) ** 2 + (y - 100) ** 2 < 90**2] = (255, 220, 200, 255)
    figure, background = cut_out(Image.fromarray(disc), WHITE, 16)
    picture = np.asarray(smooth(figure, background, 64, 0.05))
    assert (picture >= (255 - 1, 220 - 8, 200 - 12)).all()


def test_the_figure_is_centred_and_fills_the_square_to_its_margin():
    for size in [(300, 100), (100, 300), (23, 9)]:
        figure = Image.new("RGB", size, RED)
        covered = np.asarray(smooth(figure, WHITE, 64, 0.125)).astype(int)[:, :, 1] < 200
        rows, columns = np.flatnonzero(covered.any(1)), np.flatnonzero(covered.any(0))
        long, short = (columns, rows) if size[0] > size[1] else (rows, columns)
        assert abs(len(long) - 48) <= 1
        for span in (long, short):
            assert abs((span[0] + span[-1]) / 2 - 31.5) <= 1.5


def test_whole_factors_keep_pixel_art_sharp():
    art = Image.new("RGB", (20, 16), RED)
    art.paste(BLUE, (0, 0, 1, 16))
    picture = np.asarray(whole(art, WHITE, 64, 0.0))
    assert {tuple(c) for c in picture.reshape(-1, 3).tolist()} == {RED, BLUE, WHITE}
    assert (picture == BLUE).all(2).sum() == 3 * 48
    large = Image.new("RGB", (90, 90), RED)
    assert whole(large, WHITE, 64, 0.1).tobytes() == smooth(large, WHITE, 64, 0.1).tobytes()


def test_an_opaque_picture_keeps_its_own_background():
    dark = Image.new("RGB", (90, 60), (10, 20, 30))
    dark.paste(RED, (50, 20, 80, 50))
    figure, background = cut_out(dark.convert("RGBA"), WHITE, 16)
    assert figure.size == (30, 30) and background == (10, 20, 30)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8))
    figure, background = cut_out(noise.convert("RGBA"), WHITE, 16)
    assert figure.size == (50, 40) and background == WHITE


def test_background_is_the_one_that_params_name(tmp_path):
    (picture,) = pixels(decode(tmp_path, saved(flag(), "PNG"), background="#102030"))
    assert picture[:, 0, 0].tolist() == [0x10, 0x20, 0x30]


@pytest.mark.parametrize(("background", "behind"), [("#ffffff", WHITE), ("#00ff00", (0, 255, 0)), ("auto", WHITE)])
def test_a_solid_background_is_replaced_and_light_parts_of_the_figure_stay(tmp_path, background, behind):
    sky = Image.new("RGB", (200, 200), (90, 160, 240))
    ImageDraw.Draw(sky).ellipse((30, 30, 170, 170), RED)
    ImageDraw.Draw(sky).ellipse((70, 70, 130, 130), (90, 160, 240))  # an eye of the sky's colour
    (kept,) = pixels(decode(tmp_path, saved(sky, "PNG")))
    (picture,) = pixels(decode(tmp_path, saved(sky, "PNG"), background=background, solid="replace"))
    assert kept[:, 0, 0].tolist() == [90, 160, 240]
    assert picture[:, 0, 0].tolist() == list(behind)
    assert np.abs(picture[:, 32, 32].astype(int) - (90, 160, 240)).max() <= 2
    rim = np.abs(picture.astype(int) - np.reshape((90, 160, 240), (3, 1, 1))).max(axis=0) < 40
    assert rim[:12].sum() == rim[-12:].sum() == 0  # nothing of the sky at the figure's edge


def test_of_white_figures_on_a_colour_auto_puts_black_behind(tmp_path):
    sky = Image.new("RGB", (200, 200), (90, 160, 240))
    sky.paste(WHITE, (60, 60, 140, 140))
    (picture,) = pixels(decode(tmp_path, saved(sky, "PNG"), background="auto", solid="replace"))
    assert picture[:, 0, 0].tolist() == [0, 0, 0] and picture[:, 32, 32].tolist() == [255, 255, 255]


def white_glyph() -> Image.Image:
    glyph = Image.new("RGBA", (80, 100))
    glyph.paste((255, 255, 255, 255), (20, 30, 60, 70))
    return glyph


def test_a_white_figure_gets_a_ground_on_which_it_can_be_seen(tmp_path):
    glyph = saved(white_glyph(), "PNG")
    (row,) = decode(tmp_path, glyph)["dropped"]
    assert (row["reason"], row["detail"]) == ("blank", "as its background")
    (picture,) = pixels(decode(tmp_path, glyph, background="auto"))
    assert picture[:, 0, 0].tolist() == [0, 0, 0] and picture[:, 32, 32].tolist() == [255, 255, 255]
    (same,) = pixels(decode(tmp_path, saved(flag(), "PNG"), background="auto"))
    np.testing.assert_array_equal(same, pixels(decode(tmp_path, saved(flag(), "PNG")))[0])


def test_ink_is_the_share_of_the_figure(tmp_path):
    decoded = decode(tmp_path, saved(flag(), "PNG"), margin=0.25)
    assert np.frombuffer(decoded["ink"], np.float32)[0] == pytest.approx(0.25, abs=0.05)


def test_hash_is_the_one_of_imagehash():
    random = np.random.default_rng(1)
    for _ in range(20):
        small = Image.fromarray(random.integers(0, 256, (6, 6, 3), np.uint8))
        picture = small.resize((64, 64), Image.Resampling.BICUBIC)
        assert f"{phash(picture):016x}" == str(imagehash.phash(picture))
    assert len(thumb(picture)) == 768


def test_splits_depend_on_names_alone_and_hold_whole_species():
    files = [(f"{s}/{i}.png", str(s)) for s in range(400) for i in range(10)]
    splits = {path: split_of(path, species, 0.2, 0.1) for path, species in files}
    tested = {species for path, species in files if splits[path] == "test"}
    assert 0.06 < len(tested) / 400 < 0.14
    assert all((splits[path] == "test") == (species in tested) for path, species in files)
    values = [split for split in splits.values() if split != "test"]
    assert 0.17 < values.count("val") / len(values) < 0.23
    # pinned: another rule would move everyone's pictures, and training pictures into test
    assert [split_of(f"{n}.gif", str(n), 0.1, 0.1) for n in (1, 23, 10, 25, 184, 201)] == [
        "train",
        "val",
        "test",
        "train",
        "test",
        "test",
    ]
    loose = [split_of(f"{i}.png", "", 0.1, 0.1) for i in range(2000)]
    assert 0.08 < loose.count("test") / 2000 < 0.12


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"frames_per_gif": 0}, "clean.frames_per_gif"),
        ({"frames_per_gif": "some"}, "clean.frames_per_gif"),
        ({"background": "white"}, "clean.background"),
        ({"enlarge": "sharp"}, "must be one of smooth, whole"),
        ({"near_hash": 40}, "clean.near_hash"),
        ({"frames": 3}, "clean.frames is not a parameter"),
    ],
)
def test_wrong_params_are_named(values, key):
    with pytest.raises(UserError, match=key):
        parse("clean", values, CleanParams)
