"""Canny's outlines and the sketch's."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from creatures.outlines.canny import canny, gradient_thresholds
from creatures.outlines.levels import otsu
from creatures.outlines.sketch import cyclic_runs, sketch


def creature(side: int = 64, background: int = 255, body: int = 90, line: int = 20, eye: int = 240) -> np.ndarray:
    """A disc with a drawn outline and an eye: uint8, side x side x 3."""
    image = np.full((side, side, 3), background, np.uint8)
    centre = (side // 2, side // 2)
    cv2.circle(image, centre, side * 3 // 8, (line, line, line), cv2.FILLED)
    cv2.circle(image, centre, side * 3 // 8 - side // 32, (body, body, body), cv2.FILLED)
    cv2.circle(image, (side * 9 // 16, side * 7 // 16), side // 16, (eye, eye, eye), cv2.FILLED)
    return image


def encloses(paper: np.ndarray, point: tuple[int, int]) -> bool:
    """Whether paint poured at a point stays away from the corner of the picture."""
    flooded = cv2.floodFill(paper.copy(), None, point, 128, flags=4)[1]
    return bool(flooded[0, 0] != 128)


@pytest.mark.parametrize("outline", [canny, sketch])
@pytest.mark.parametrize("side", [32, 64, 128, 256])
def test_outline_is_closed_and_shows_the_eye(outline, side):
    paper = outline(creature(side))
    assert paper.shape == (side, side) and set(np.unique(paper)) == {0, 255}
    assert encloses(paper, (side // 2, side * 3 // 4))
    eye = paper[side * 11 // 32 : side * 17 // 32, side * 15 // 32 : side * 21 // 32]
    assert (eye == 0).any()


@pytest.mark.parametrize("outline", [canny, sketch])
@pytest.mark.parametrize(("background", "body"), [(255, 254), (255, 250), (255, 240), (0, 3), (128, 130), (250, 255)])
def test_faint_figures_have_an_outline(outline, background, body):
    """Near-white, low-contrast and inverted pictures are not left empty, nor open."""
    paper = outline(creature(background=background, body=body, line=body, eye=body))
    assert encloses(paper, (32, 48))


@pytest.mark.parametrize("outline", [canny, sketch])
def test_smallest_figure_has_an_outline(outline):
    image = np.full((64, 64, 3), 255, np.uint8)
    image[30:32, 30:32] = 200
    assert (outline(image) == 0).any()


def test_uniform_picture_is_left_empty_without_failing():
    image = np.full((64, 64, 3), 200, np.uint8)
    assert (canny(image) == 255).all() and (sketch(image) == 255).all()


def test_light_parts_of_a_figure_are_closed_by_the_sketch():
    """A fixed level, as in the pix2pix seed, loses the light half of such a figure."""
    image = creature(body=60)
    image[:, 32:][image[:, 32:].max(axis=2) < 255] = 225
    assert encloses(sketch(image), (44, 32))
    assert not encloses(sketch(image, level=128), (44, 32))


def test_strokes_have_thickness_2_at_256_px():
    image = np.full((256, 256, 3), 255, np.uint8)
    image[64:192, 64:192] = 0
    assert (sketch(image)[128] == 0).sum() == 2 * 3  # two sides; OpenCV draws thickness 2 as 3 px


def test_larger_epsilon_makes_fewer_corners():
    ink = [(sketch(creature(256), epsilon=share) == 0).sum() for share in (0.001, 0.2)]
    assert ink[0] > 1.1 * ink[1]


def test_otsu_is_the_best_split():
    """Against the definition: the level of greatest variance between the two groups."""
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(60, 15, 500), rng.normal(170, 20, 300)]).clip(0, 255).astype(np.uint8)

    def between(level: int) -> float:
        low, high = values[values <= level], values[values > level]
        return low.size * high.size * (low.mean() - high.mean()) ** 2 if low.size and high.size else 0.0

    assert between(int(otsu(values))) == pytest.approx(max(map(between, range(256))))


def test_canny_thresholds_follow_the_contrast():
    strong, faint = creature(), 255 - (255 - creature()) // 4
    highs = []
    for image in (strong, faint):
        dx, dy = cv2.Sobel(image, cv2.CV_16S, 1, 0), cv2.Sobel(image, cv2.CV_16S, 0, 1)
        low, high = gradient_thresholds(dx, dy)
        assert low == pytest.approx(0.4 * high)
        highs.append(high)
    assert highs[0] / highs[1] == pytest.approx(4, rel=0.1)
    assert (canny(strong, [1442, 1442]) == 255).all()


def test_cyclic_runs():
    def runs(text: str) -> list[tuple[list[int], bool]]:
        return [(r.tolist(), closed) for r, closed in cyclic_runs(np.array([c == "x" for c in text]))]

    assert runs("xxx") == [([0, 1, 2], True)]
    assert runs("xx.x") == [([3, 0, 1], False)]
    assert runs(".x..xx") == [([1], False), ([4, 5], False)]
    assert runs("...") == []
