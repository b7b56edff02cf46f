"""The page as it is served: what it answers, to whom, by mouse too, and that nothing brings it down."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from app.page.colour import ANY
from bench.browser import ALONE, CHROMIUM, stroke
from bench.page import Refused, Visitor, png
from tests.app.test_page_parts import disc
from tests.support.browser import checker
from tests.support.deps import ROOT
from tests.support.served_page import serving
from tests.support.untrained import write_run

VIEWS = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def page(trained_checkout_factory) -> Iterator[str]:
    """A server on tiny models; its address."""
    with serving(trained_checkout_factory()) as url:
        yield url


def test_a_page_behind_a_proxy_knows_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_run()
    with serving(tmp_path, "--root-path", "/creatures") as url:
        assert httpx.get(f"{url}/config").json()["root"] == f"{url}/creatures"


@pytest.fixture
def visitor(page) -> Visitor:
    return Visitor(page)


def picture(visitor: Visitor, answer: dict) -> bytes:
    found = visitor.http.get(f"/file={answer['path']}")
    assert found.status_code == 200
    return found.content


def test_the_same_seed_hatches_the_same(visitor):
    first, again, other = (visitor.ask("hatch", seed, 5, 0.8, 1)[0] for seed in (3, 3, 4))
    drawn = [[picture(visitor, entry["image"]) for entry in found] for found in (first, again, other)]
    assert len(drawn[0]) == 5 and drawn[0] == drawn[1] != drawn[2]


def test_no_request_passes_the_queue(visitor):
    assert visitor.http.post("/run/hatch", json={"data": [0, 4, 0.8, 1]}).status_code == 404


def test_the_best_of_many_are_some_of_these(visitor):
    many, best = visitor.ask("hatch", 3, 20, 0.8, 1)[0], visitor.ask("hatch", 3, 5, 0.8, 4)[0]
    drawn, kept = ([picture(visitor, entry["image"]) for entry in found] for found in (many, best))
    assert len(kept) == 5 and [x for x in drawn if x in kept] == kept


def test_two_species_or_an_upload_are_fused(visitor):
    upload = visitor.upload("mine.png", png(disc()))
    species, own = (visitor.ask("fuse", "03-creature", file, "07-creature", None, 4) for file in (None, upload))
    for between, film, mixed, *_ in (species, own):
        assert Image.open(io.BytesIO(picture(visitor, between))).size == (256, 256)
        assert film.startswith("<img") and len(mixed) == 2
    assert picture(visitor, species[0]) != picture(visitor, own[0])


def test_a_drawing_is_coloured_by_seed_or_like_a_species(visitor):
    paper = sheet(visitor.upload("drawing.png", png(drawing())))
    drawn = [
        picture(visitor, visitor.ask("colour", paper, like, seed, True)[0])
        for like, seed in ((ANY, 0), (ANY, 0), (ANY, 1), ("03-creature", 0))
    ]
    assert drawn[0] == drawn[1] and len(set(drawn)) == 3
    assert len(visitor.ask("colourings", paper, ANY, 0, True)[0]) == 8


def drawing() -> np.ndarray:
    """A ring, black on white, uint8, 100 x 100."""
    rows, columns = np.mgrid[-50:50, -50:50]
    return np.where(np.abs(np.hypot(rows, columns) - 35) < 2, np.uint8(0), np.uint8(255))


def gif() -> bytes:
    kept, frames = io.BytesIO(), [Image.fromarray(np.roll(disc(), i, axis=0)) for i in range(30)]
    frames[0].save(kept, "gif", save_all=True, append_images=frames[1:])
    return kept.getvalue()


META = {"_type": "gradio.FileData"}
FOREIGN = {"path": str(ROOT / "metrics/clean/train.png")}


def sheet(composite: dict | None) -> dict:
    return {"background": None, "layers": [], "composite": composite}


NOT_SENT = "was not sent to this page|was not uploaded by a user|must be explicitly provided"
# a request, and what its answer says
REQUESTS = {
    "a negative seed": (("hatch", -1, 4, 0.8, 1), "less than minimum value 0"),
    "too many": (("hatch", 0, 10**9, 0.8, 1), "greater than maximum value 64"),
    "too many times": (("hatch", 0, 4, 0.8, 10**6), "greater than maximum value 8"),
    "half a creature": (("hatch", 0, 1.5, 0.8, 1), "how many must be a whole number from 1 to 64"),
    "none": (("hatch", 0, 0, 0.8, 1), "less than minimum value 1"),
    "words": (("hatch", "a", "b", "c", "d"), "the value passed to the event handler was: 'a'"),
    "nothing": (("hatch", None, None, None, None), "the value passed to the event handler was: None"),
    "no truncation": (("hatch", 0, 4, 1e300, 1), "greater than maximum value 1.5"),
    "a list": (("hatch", [0], {"a": 1}, True, []), "Expected a `float"),
    "too few values": (("hatch",), "didn't receive enough input values"),
    "an unknown species": (("fuse", "mew", None, "03-creature", None, 4), "there is no species 'mew'"),
    "a path": (("fuse", "../../etc/passwd", None, "03-creature", None, 4), "there is no species '../../etc/passwd'"),
    "between outside": (("fuse", "03-creature", None, "03-creature", None, 99), "greater than maximum value 8"),
    "a foreign file": (("fuse", "03-creature", FOREIGN, "03-creature", None, 4), NOT_SENT),
    "a foreign file as Gradio sends it": (("fuse", "03-creature", FOREIGN | {"meta": META}, "x", None, 4), NOT_SENT),
    "an address": (
        ("fuse", "03-creature", {"path": "http://127.0.0.1:1/a.png", "meta": META}, "03-creature", None, 4),
        NOT_SENT,
    ),
    "an address as a seed": (("hatch", {"path": "http://127.0.0.1:1/a.png", "meta": META}, 4, 0.8, 1), NOT_SENT),
    "no drawing": (("colourings", None, ANY, 0, True), "draw something first"),
    "a drawing of text": (("colourings", "text", ANY, 0, True), "Input should be a valid dictionary"),
    "a foreign drawing": (("colourings", sheet(FOREIGN), ANY, 0, True), NOT_SENT),
    "a foreign drawing as Gradio sends it": (("colourings", sheet(FOREIGN | {"meta": META}), ANY, 0, True), NOT_SENT),
}


@pytest.mark.parametrize(("request_of", "says"), REQUESTS.values(), ids=REQUESTS)
def test_a_bad_request_is_answered_by_a_message(visitor, request_of, says):
    with pytest.raises(Refused, match=says) as refusal:
        visitor.ask(*request_of)
    assert "Traceback" not in str(refusal.value)
    assert len(visitor.ask("hatch", 0, 2, 0.8, 1)[0]) == 2


def test_colours_of_an_unknown_species_are_refused(visitor):
    with pytest.raises(Refused, match="there is no species 'mew'"):
        visitor.ask("colourings", sheet(visitor.upload("drawing.png", png(drawing()))), "mew", 0, True)


UNREADABLE = "this picture cannot be used: (not a picture|undecodable)"
FILES = {
    "empty": (b"", UNREADABLE),
    "text": (b"no picture at all", UNREADABLE),
    "half": (png(disc())[:80], UNREADABLE),
    "bomb": (png(np.zeros((9000, 9000), np.uint8)), "bomb|more than 20 million pixels"),
    "large": (png(np.random.default_rng(0).integers(0, 255, (2000, 1800, 3), np.uint8)), "exceeded maximum allowed"),
    "blank": (png(np.full((100, 100), 255, np.uint8)), "blank"),
    "thin": (png(np.zeros((1, 5000), np.uint8)), "blank"),
}


@pytest.mark.parametrize("endpoint", ["fuse", "colourings"])
@pytest.mark.parametrize(("content", "says"), FILES.values(), ids=FILES)
def test_a_bad_file_is_answered_by_a_message(visitor, endpoint, content, says):
    with pytest.raises(Refused, match=says) as refusal:
        file = visitor.upload("mine.png", content)
        fused = ("03-creature", file, "03-creature", None, 4)
        visitor.ask(endpoint, *((sheet(file), ANY, 0, True) if endpoint == "colourings" else fused))
    assert "Traceback" not in str(refusal.value)
    assert len(visitor.ask("hatch", 0, 2, 0.8, 1)[0]) == 2


def test_of_an_animation_the_first_frame_is_taken(visitor):
    upload = visitor.upload("mine.gif", gif())
    assert visitor.ask("fuse", "03-creature", upload, "07-creature", None, 4)[1].startswith("<img")


@pytest.mark.skipif(not CHROMIUM, reason="there is no chromium")
@pytest.mark.parametrize("view", VIEWS)
def test_each_tab_used_by_mouse_or_finger(page, view, tmp_path):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ALONE)
        phone = view == "phone"
        tab = browser.new_page(viewport=VIEWS[view], has_touch=phone, is_mobile=phone)
        errors: list[str] = []
        tab.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        tab.on("pageerror", lambda error: errors.append(str(error)))
        tab.goto(page)

        tab.get_by_role("button", name="Hatch", exact=True).click()
        tab.locator("#hatched img").nth(2).click()
        tab.wait_for_selector("#chosen img")
        tab.wait_for_selector("#nearest img")
        assert "Number 2 of seed 0, truncation 0.8" in tab.locator("#about").inner_text()
        tab.wait_for_url(f"{page}/?seed=0&number=2&truncation=0.8")
        large = tab.locator("#chosen img").get_attribute("src")
        again = browser.new_page()  # whoever is sent the address sees the same creature
        again.goto(tab.url)
        opened = again.wait_for_selector("#chosen img").get_attribute("src")
        assert httpx.get(opened).content == httpx.get(large).content
        again.close()
        tab.get_by_role("button", name="Animate").click()
        tab.wait_for_selector("#loop img")
        tab.get_by_label(re.compile("^number input for (direction 1|.* – )")).first.fill("3")
        tab.wait_for_function("before => document.querySelector('#chosen img').src != before", arg=large)
        taken = files_made(tab, tmp_path)
        assert {"000.png", "023.png", "all.png", "sheet-0.png", "sheet-0.json"} <= set(taken.namelist())
        with taken.open("001.png") as part, Image.open(part) as one:
            assert one.mode == "P" and one.size == (128, 128) and json.loads(one.info["creature"])["number"] == 1
        before = tab.locator("#hatched img").first.get_attribute("src")
        tab.get_by_role("button", name="More like this").click()
        tab.wait_for_function("before => document.querySelector('#hatched img').src != before", arg=before)
        tab.locator("#hatched img").nth(1).click()
        tab.wait_for_function("document.querySelector('#about').innerText.includes('of those like')")

        tab.get_by_role("tab", name="Fuse").click()
        tab.get_by_role("button", name="Fuse", exact=True).click()
        tab.wait_for_selector("#film img")
        assert tab.locator("#mixed img").count() == 2

        tab.get_by_role("tab", name="Colour").click()
        canvas = tab.locator("#paper canvas").first
        canvas.wait_for()
        tab.wait_for_timeout(1000)
        tab.locator("#examples img").first.click()
        example = tab.wait_for_selector("#coloured img").get_attribute("src")
        canvas.scroll_into_view_if_needed()
        stroke(tab, canvas.bounding_box(), [(0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.3)], phone)
        tab.wait_for_function("before => document.querySelector('#coloured img').src != before", arg=example)
        first = tab.locator("#coloured img").get_attribute("src")
        stroke(tab, canvas.bounding_box(), [(0.4, 0.5), (0.6, 0.5)], phone)
        tab.wait_for_function("before => document.querySelector('#coloured img').src != before", arg=first)
        second = tab.locator("#coloured img").get_attribute("src")
        tab.get_by_role("button", name="Undo").click()
        tab.wait_for_function("before => document.querySelector('#coloured img').src != before", arg=second)
        with tab.expect_download() as download:
            tab.locator("#coloured").get_by_role("button", name="Download").or_(
                tab.locator("#coloured a[download]")
            ).first.click()
        download.value.save_as(tmp_path / "coloured.png")
        with Image.open(tmp_path / "coloured.png") as coloured:
            assert coloured.size == (256, 256)
        wide = tab.evaluate("document.documentElement.scrollWidth")
        assert wide <= VIEWS[view]["width"]
        assert errors == []
        browser.close()


# in its own markup
OF_GRADIO = {"button-name", "aria-prohibited-attr", "label-content-name-mismatch", "image-redundant-alt"}


@pytest.mark.network
@pytest.mark.skipif(not CHROMIUM, reason="there is no chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_tab_can_be_read_and_used_by_everybody(page, scheme, tmp_path):
    from playwright.sync_api import sync_playwright

    axe = checker(tmp_path)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ALONE)
        tab = browser.new_context(bypass_csp=True, color_scheme=scheme).new_page()
        tab.goto(page)
        tab.get_by_role("button", name="Hatch", exact=True).click()
        tab.locator("#hatched img").nth(2).click()
        tab.wait_for_selector("#chosen img")
        for name in ("Hatch", "Fuse", "Colour"):
            tab.get_by_role("tab", name=name).click()
            tab.wait_for_timeout(1000)
            found = tab.evaluate(f"{axe}; axe.run().then((found) => found.violations)")
            assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["id"] not in OF_GRADIO] == []
        browser.close()


def files_made(tab, folder: Path) -> zipfile.ZipFile:
    """The zip that the open tab makes of its pictures: sprites of 8 colours, four times as large."""
    tab.get_by_role("button", name="Take them away as files").first.click()
    tab.get_by_label("cut away, enclosed too").first.check()
    tab.get_by_label("number input for Colours of a sprite").first.fill("8")
    tab.get_by_label("number input for Enlarged").first.fill("4")
    tab.get_by_role("button", name="Make a zip").first.click()
    with tab.expect_download() as download:
        tab.locator(".packed a[download]").first.click()
    download.value.save_as(folder / "creatures.zip")
    return zipfile.ZipFile(folder / "creatures.zip")
