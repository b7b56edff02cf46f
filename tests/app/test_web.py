"""The page without a server: the same numbers as NumPy's, the same creatures as Python's, and its tools by mouse."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
import threading
from collections.abc import Iterator
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
from app.hinted import held, hint_palette, palettes_for
from app.mixing import mixed
from app.web import build as web
from bench.web import Quiet
from creatures.artifacts import GENERATOR
from creatures.decoding.matting import cut_background
from creatures.latents.sampler import load_sampler
from creatures.npm import npm_command, pack
from creatures.runtime.errors import UserError
from creatures.translation.drawings import drawings
from creatures.translation.hints import drawn_from, none, put, spread
from creatures.translation.regions import regions_of
from tests.support.browser import ALONE, CHROMIUM, stroke
from tests.support.untrained import PX, write_run

VIEWS = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
CHECKER = "axe-core@4.14.1"  # of accessibility
SCRIPT = """
import { readFileSync } from "node:fs";
const site = process.argv[1];
const { Random } = await import(`file://${site}/numpy_random.js`), { Latents } = await import(`file://${site}/latents.js`);
const about = JSON.parse(readFileSync(`${site}/about.json`)), bytes = readFileSync(`${site}/numbers.bin`), arrays = {};
let offset = bytes.byteOffset;
for (const [name, length] of Object.entries(about.numbers)) {
  arrays[name] = new Float64Array(bytes.buffer.slice(offset, offset += 8 * length));
}
const random = new Random(5, 2 ** 40), latents = new Latents(about.latent, arrays);
const numbers = [random.uniform(), ...Array.from({ length: 20000 }, () => random.normal())];
const drawn = [[0, 0], [3, 7], [2147483647, 63]].map(([seed, n]) => Array.from(latents.draw(seed, n, 0.8)));
console.log(JSON.stringify({ numbers, drawn }));
"""
REGIONS = """
import { readFileSync } from "node:fs";
const { regions, spread } = await import(`file://${process.argv[1]}/regions.js`);
const { lines, hints } = JSON.parse(readFileSync(process.argv[2]));
const labels = lines.map((on) => regions(on, 64));
hints.forEach((hint, i) => spread(hint, labels[i], 64));
console.log(JSON.stringify({ labels: labels.map((each) => Array.from(each)), filled: hints }));
"""
CUT = """
import { readFileSync } from "node:fs";
globalThis.ImageData = class {
  constructor(width, height) {
    Object.assign(this, { width, height, data: new Uint8ClampedArray(4 * width * height) });
  }
};
const { cutOut } = await import(`file://${process.argv[1]}/cutout.js`);
const cut = JSON.parse(readFileSync(process.argv[2])).map((image) => Array.from(cutOut(image).data));
console.log(JSON.stringify(cut));
"""
PALETTES = """
import { readFileSync } from "node:fs";
globalThis.ImageData = class {
  constructor(data, width) {
    Object.assign(this, { data, width });
  }
};
const { fitting, hintPalette, hold, merged } = await import(`file://${process.argv[1]}/hinted.js`);
const { regions, spread } = await import(`file://${process.argv[1]}/regions.js`);
const { lines, hints, palettes, picture } = JSON.parse(readFileSync(process.argv[2]));
const labels = regions(lines, 64), image = new ImageData(Uint8ClampedArray.from(picture), 64);
hold(image, hints, labels);
spread(hints, labels, 64);
const own = hintPalette(hints, labels, 5);
const held = Array.from(image.data);
console.log(JSON.stringify({ held, own, merged: fitting(palettes, own).map((palette) => merged(palette, own)) }));
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Path]:
    """The page of small networks, without onnxruntime-web."""
    folder = tmp_path_factory.mktemp("web")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        write_run()
        patch.setattr(web, "fetch_runtime", Path.mkdir)
        (page,) = web.build(folder / "site")
    yield page.parent


def by_node(script: str, *arguments: str) -> Any:
    """The JSON that a JavaScript module prints."""
    npm, environment = npm_command()
    node = [npm[0]] if len(npm) > 1 else ["node"]
    command = [*node, "--input-type=module", "-e", script, *arguments]
    return json.loads(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


def test_regions_and_hints_are_those_of_python(tmp_path):
    outlines = drawings(64)
    hints = np.stack(
        [drawn_from(np.repeat(outline[None], 3, 0), np.random.default_rng(i)) for i, outline in enumerate(outlines)]
    )
    given = {
        "lines": (outlines == 0).reshape(len(outlines), -1).tolist(),
        "hints": hints.reshape(len(hints), -1).tolist(),
    }
    (tmp_path / "given.json").write_text(json.dumps(given))
    found = by_node(REGIONS, str(web.STATIC), str(tmp_path / "given.json"))
    for outline, hint, labels, filled in zip(outlines, hints, found["labels"], found["filled"], strict=True):
        assert (regions_of(outline).ravel() == labels).mean() > 0.99
        assert (np.abs(spread(hint, outline).ravel() - filled) < 1e-6).mean() > 0.98


def test_hints_are_followed_as_by_python(tmp_path):
    rng, outline = np.random.default_rng(0), drawings(64)[0]
    palettes = np.concatenate([rng.uniform(-1, 1, (40, 5, 3)), rng.dirichlet(np.ones(5), 40)[..., None]], axis=2)
    palettes[::2, 3:] = 0  # of three colours
    hints = none(64)
    put(hints, np.array([[26, 50], [30, 50]]), np.array([200, 30, 40]), 2)
    put(hints, np.array([[32, 37], [36, 37]]), np.array([40, 90, 220]), 2)
    put(hints, np.array([[28, 60], [28, 60]]), np.array([30, 200, 60]), 2)
    picture = rng.integers(0, 256, (3, 64, 64), np.uint8)
    given = {
        "lines": (outline == 0).ravel().tolist(),
        "hints": hints.ravel().tolist(),
        "palettes": palettes.tolist(),
        "picture": np.dstack([picture.transpose(1, 2, 0), np.full((64, 64), 255)]).ravel().tolist(),
    }
    (tmp_path / "given.json").write_text(json.dumps(given))
    found = by_node(PALETTES, str(web.STATIC), str(tmp_path / "given.json"))
    own = hint_palette(hints, outline, 5)
    assert len(own) == 3 and 0.2 < own[:, 3].sum() < 1
    np.testing.assert_allclose(sorted(found["own"]), sorted(own.tolist()), atol=0.02)
    wanted = sorted({tuple(each.ravel()) for each in palettes_for(hints, outline, palettes, 500, 0)})
    got = sorted(tuple(np.ravel(each)) for each in found["merged"])
    assert len(wanted) == 8
    np.testing.assert_allclose(got, wanted, atol=0.03)
    levels = np.reshape(found["held"], (64, 64, 4))[..., :3].transpose(2, 0, 1)
    assert np.abs(levels - held(picture, hints, outline).astype(int)).max() <= 3 and np.abs(levels - picture).max() > 20


def test_the_background_is_cut_away_as_by_python(tmp_path):
    rows, columns = np.mgrid[-24:24, -32:32]
    ring = np.clip(6 - np.abs(np.hypot(rows, columns) - 15), 0, 1)[..., None]  # edges of a pixel, and a hole
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3))
    pictures = [
        (ring * colour + (1 - ring) * background).round().astype(np.uint8)
        for colour, background in (([200, 40, 30], 255), ([250, 240, 90], [20, 60, 30]), (noise, 250))
    ]
    given = [
        {"width": 64, "height": 48, "data": np.dstack([each, np.full((48, 64), 255)]).ravel().tolist()}
        for each in pictures
    ]
    (tmp_path / "given.json").write_text(json.dumps(given))
    found = by_node(CUT, str(web.STATIC), str(tmp_path / "given.json"))
    for picture, cut in zip(pictures, found, strict=True):
        wanted = cut_background(picture)
        assert 0 < (wanted[..., 3] == 255).mean() < 0.5
        assert np.abs(wanted.ravel() - np.array(cut)).max() <= 1


def test_numbers_and_latents_are_those_of_python(site, monkeypatch):
    monkeypatch.chdir(site.parent)
    found = by_node(SCRIPT, str(site))
    random = np.random.default_rng([5, 2**40])
    wanted = [random.random(), *(random.standard_normal() for _ in range(20000))]
    np.testing.assert_allclose(found["numbers"], wanted, rtol=0, atol=1e-13)
    latent = load_sampler(GENERATOR).latent
    for (seed, number), z in zip([(0, 0), (3, 7), (2147483647, 63)], found["drawn"], strict=True):
        np.testing.assert_allclose(z, latent.draw_each(seed, [number], 0.8)[0][0], rtol=1e-6)


def test_all_files_are_listed_for_use_without_a_network_and_nothing_else_is_replaced(site, monkeypatch):
    monkeypatch.chdir(site.parent)
    text = (site / "sw.js").read_text()
    listed = json.loads(text.split("JSON.parse('")[1].split("')")[0])
    there = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert set(listed) == (there - {"sw.js"}) | {"./"} and "@" not in text
    (site.parent / "mine").mkdir()
    (site.parent / "mine/diary.txt").write_text("mine")
    with pytest.raises(UserError, match="has other files than such a page"):
        web.build(site.parent / "mine")
    assert (site.parent / "mine/diary.txt").read_text() == "mine"


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
    with tarfile.open(pack(CHECKER, tmp_path)) as archive:
        source = archive.extractfile("package/axe.min.js")
        assert source is not None
        axe = source.read().decode()
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
        if phone:
            tab.get_by_role("radio", name="blue").click()
            drawn_line(tab, phone, [(0.4, 0.3), (0.5, 0.3)])
            tab.wait_for_timeout(2500)
            assert look(tab, "coloured") != coloured
        press("#many")
        tab.locator("#several canvas").nth(7).wait_for()
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
