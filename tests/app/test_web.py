"""The page without a server: its files, and its tools by mouse and finger."""

from __future__ import annotations

import io
import json
import threading
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image, ImageSequence

from app.export import difference
from app.generate import address_in
from app.mixing import mixed
from app.web import build as web
from bench.browser import ALONE, CHROMIUM, stroke
from bench.web import Quiet
from creatures.artifacts import GENERATOR
from creatures.latents.sampler import load_sampler
from creatures.runtime.errors import UserError
from tests.support.browser import checker
from tests.support.untrained import PX, write_run
from tests.support.web_page import write_page

VIEWS = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    return write_page(tmp_path_factory.mktemp("web"))


def test_all_files_are_listed_for_use_without_a_network_and_nothing_else_is_replaced(site, monkeypatch):
    monkeypatch.chdir(site.parent)
    text = (site / "sw.js").read_text()
    listed = json.loads(text.split("JSON.parse('")[1].split("')")[0])
    there = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert set(listed) == (there - {"sw.js"}) | {"./"} and "@" not in text
    (site.parent / "mine").mkdir()
    (site.parent / "mine/diary.txt").write_text("mine")
    for worker in ("", "self.addEventListener('fetch', () => {});"):
        with pytest.raises(UserError, match="has files but no such page"):
            web.build(site.parent / "mine")
        assert (site.parent / "mine/diary.txt").read_text() == "mine"
        (site.parent / "mine/sw.js").write_text(worker)


def test_an_earlier_page_is_replaced_and_what_is_beside_it_kept(tmp_path):
    page = write_page(tmp_path)
    (page / "CNAME").write_text("creatures.example")
    (page / ".git").mkdir()
    (page / ".git/HEAD").write_text("ref: refs/heads/main")
    worker = page / "sw.js"
    worker.write_text(worker.read_text().replace('"main.js"', '"main.js", "gone.js", "../above.txt"'))
    for old in ("gone.js", "../above.txt"):
        (page / old).write_text("of an earlier version")
    (page / "main.js").write_text("old")
    assert write_page(tmp_path) == page and (page / "main.js").read_text() != "old"
    assert (page / "CNAME").read_text() == "creatures.example" and (page / ".git/HEAD").exists()
    assert not (page / "gone.js").exists() and (tmp_path / "above.txt").exists()


def test_weights_are_stored_small_and_pictures_stay(site, monkeypatch):
    monkeypatch.chdir(site.parent)
    monkeypatch.setattr(web, "LARGE", 64)
    model, path = web.creatures(), site.parent / "small.onnx"
    web.write("generator", model, path)
    before = path.stat().st_size
    web.compress(path, model)
    document = onnx.load(path)
    kinds = {node.op_type for node in document.graph.node}
    assert kinds & {"DequantizeLinear", "Cast"} and path.stat().st_size < 0.7 * before
    assert difference(path, model.net, model.inputs(web.CHECKED)) <= web.MOST
    monkeypatch.setattr(web, "difference", lambda *_: 1.0)
    with pytest.raises(UserError, match="compressed weights change its pictures"):
        web.compress(web.write("generator", model, path), model)


@pytest.mark.network
@pytest.mark.skipif(not CHROMIUM, reason="there is no chromium")
@pytest.mark.parametrize("view", VIEWS)
def test_the_page_by_mouse_or_finger_and_then_without_a_network(tmp_path, monkeypatch, view):
    from playwright.sync_api import sync_playwright

    monkeypatch.chdir(tmp_path)
    phone = view == "phone"  # with a colourer that takes hints
    write_run(hints=phone)
    (page,) = web.build(tmp_path / "site")
    axe = checker(tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(page.parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url, said = f"http://127.0.0.1:{server.server_port}/", list[str]()

    def look(tab: Any, name: str) -> bytes:
        return tab.evaluate(f"document.getElementById({name!r}).toDataURL()").encode()

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ALONE)
        tab = browser.new_page(viewport=VIEWS[view], has_touch=phone, is_mobile=phone)
        press = tab.tap if phone else tab.click
        tab.on("console", lambda line: said.append(line.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.goto(url)
        tab.locator("#hatched canvas").nth(23).wait_for()
        tab.locator("#hatched button").nth(5).click()
        assert tab.url == f"{url}#seed=0&number=5&truncation=0.8"
        large = look(tab, "large")
        with tab.expect_download() as download:
            press("#save")
        download.value.save_as(tmp_path / "5.png")
        address = address_in(tmp_path / "5.png")
        assert (address.seed, address.number, address.truncation) == (0, 5, 0.8)
        with Image.open(tmp_path / "5.png") as saved:
            drawn = np.asarray(saved.convert("RGB")).transpose(2, 0, 1)
        sampler = load_sampler(GENERATOR)
        (wanted,) = sampler.draw(sampler.latent.draw_each(0, [5], 0.8)[0])
        assert drawn.shape == (3, PX, PX) and np.abs(drawn.astype(int) - wanted).max() <= 2

        tab.locator("#directions input").first.press("ArrowRight")
        tab.wait_for_timeout(1000)
        assert look(tab, "large") != large and "Changed by hand" in tab.locator("#about").inner_text()
        assert tab.url == url  # no other creature's address
        press("#like")
        tab.get_by_text("24 creatures").wait_for()
        steered = look(tab, "large")
        tab.locator("#directions input").first.press("ArrowRight")
        tab.wait_for_timeout(1000)
        assert look(tab, "large") != steered
        press("#hatch-form button")
        tab.get_by_text("24 creatures").wait_for()
        tab.locator("#hatched button").nth(5).click()
        assert look(tab, "large") == large
        press("#animate")
        tab.get_by_text("Download saves the animation").wait_for()
        with tab.expect_download() as download:
            press("#save")
        with Image.open(io.BytesIO(Path(download.value.path()).read_bytes())) as loop:
            assert (loop.n_frames, loop.size, loop.info["duration"], loop.info["loop"]) == (32, (PX, PX), 100, 0)
            frames = [np.asarray(frame.convert("RGB")).transpose(2, 0, 1) for frame in ImageSequence.Iterator(loop)]
        assert np.array_equal(frames[0], drawn) and not np.array_equal(frames[16], drawn)
        tab.locator("#hatched button").nth(5).click()
        assert look(tab, "large") == large
        press("#first")
        tab.locator("#hatched button").nth(8).click()
        press("#second")
        tab.locator("#between:enabled").wait_for()
        middle = look(tab, "fused")
        tab.locator("#between").press("ArrowRight")
        assert look(tab, "fused") != middle
        tab.locator("#mixed button").nth(1).click()
        with tab.expect_download() as download:
            press("#save-fused")
        with Image.open(io.BytesIO(Path(download.value.path()).read_bytes())) as saved:
            shown = np.asarray(saved.convert("RGB")).transpose(2, 0, 1).astype(int)
        z = sampler.latent.draw_each(0, [5, 8], 0.8)[0]
        (wanted,) = mixed(sampler.net, z[1:], z[:1])
        assert np.abs(shown - wanted).max() <= 2

        press("#tab-colour")
        blank = look(tab, "coloured")
        drawn_line(tab, phone, [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8), (0.2, 0.2)])
        drawn_line(tab, phone, [(0.3, 0.5), (0.7, 0.5)])
        tab.wait_for_timeout(1500)
        coloured = look(tab, "coloured")
        press("#undo")
        tab.wait_for_timeout(1500)
        assert len({blank, coloured, look(tab, "coloured")}) == 3
        tab.keyboard.press("Control+y")
        tab.wait_for_timeout(1500)
        assert look(tab, "coloured") == coloured
        press("#clear")
        tab.wait_for_timeout(1500)
        assert look(tab, "coloured") == blank
        press("#undo")
        tab.wait_for_timeout(1500)
        assert look(tab, "coloured") == coloured
        if phone:
            tab.get_by_role("radio", name="blue").click()
            drawn_line(tab, phone, [(0.4, 0.3), (0.5, 0.3)])
            tab.wait_for_timeout(2500)
            assert look(tab, "coloured") != coloured
        press("#many")
        tab.locator("#several canvas").nth(7).wait_for()
        several = "[...document.querySelectorAll('#several canvas')].map((each) => each.toDataURL())"
        fourth = tab.evaluate(several)[3]
        tab.locator("#several button").nth(3).click()  # whose seed is the first of the next ones
        press("#many")
        tab.wait_for_function(f"(fourth) => {several}[0] === fourth", arg=fourth)
        tab.select_option("#scale", "4")
        tab.check("#cut")
        with tab.expect_download() as download:
            press("#save-coloured")
        with Image.open(io.BytesIO(Path(download.value.path()).read_bytes())) as saved:
            assert (saved.size, saved.mode) == ((4 * PX, 4 * PX), "RGBA")
        with tab.expect_download() as download:
            press("#save-both")
        with Image.open(io.BytesIO(Path(download.value.path()).read_bytes())) as saved:
            assert saved.size == (1024, 512) and saved.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
        assert tab.evaluate("document.documentElement.scrollWidth") <= VIEWS[view]["width"]

        plain = browser.new_context(bypass_csp=True).new_page()  # or the checker could not be run
        plain.goto(url)
        plain.locator("#hatched button").first.click()
        for name in ("hatch", "fuse", "colour"):
            plain.click(f"#tab-{name}")
            assert plain.evaluate(f"{axe}; axe.run().then((found) => found.violations)") == []

        tab.evaluate("navigator.serviceWorker.ready.then(() => true)")
        server.shutdown()
        server.server_close()
        tab.goto(f"{url}?#seed=0&number=5&truncation=0.8")
        tab.locator("#chosen canvas").wait_for()
        assert look(tab, "large") == large
        assert said == []
        browser.close()


def drawn_line(tab: Any, touch: bool, points: list[tuple[float, float]]) -> None:
    """Draw a line on the sheet; points in units of its sides."""
    paper = tab.locator("#paper")
    paper.scroll_into_view_if_needed()
    stroke(tab, paper.bounding_box(), points, touch)
