"""The scripts of the page without a server compute what Python does."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.web import build as web
from creatures.artifacts import GENERATOR
from creatures.decoding.matting import cut_background
from creatures.latents.sampler import load_sampler
from creatures.npm import npm_command
from creatures.translation.drawings import drawings
from creatures.translation.hinted import held, hint_palette, palette_for
from creatures.translation.hints import drawn_from, none, put, spread
from creatures.translation.regions import regions_of
from tests.support.web_page import write_page

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
UNDO = """
const { Drawing } = await import(`file://${process.argv[1]}/strokes.js`);
const drawing = new Drawing(), seen = [];
for (const step of ["a", "b", "clear", "undo", "undo", "example", "redo", "undo", "undo"]) {
  if (step === "undo" || step === "redo") drawing[step]();
  else drawing.add({ step, alone: step.length > 1 });
  seen.push(drawing.shown.map((stroke) => stroke.step).join(" "));
}
console.log(JSON.stringify(seen));
"""
LATEST = """
globalThis.document = { getElementById: () => ({}) };
const { latest } = await import(`file://${process.argv[1]}/page.js`);
const done = [];
const request = latest(async (name) => {
  await null;
  if (name === "fails") throw new Error(name);
  done.push(name);
});
await Promise.all(["fails", "left out", "newest"].map(request));
await request("after");
console.log(JSON.stringify(done));
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
def site(tmp_path_factory) -> Path:
    return write_page(tmp_path_factory.mktemp("web"))


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


def test_clearing_and_examples_can_be_undone():
    assert by_node(UNDO, str(web.STATIC)) == ["a", "a b", "clear", "a b", "a", "example", "example", "a", ""]


def test_the_newest_of_several_requests_is_answered_also_after_one_that_failed():
    assert by_node(LATEST, str(web.STATIC)) == ["newest", "after"]


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
    wanted = sorted({tuple(palette_for(hints, outline, palettes, rng).ravel()) for _ in range(200)})
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
