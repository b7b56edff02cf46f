"""The page without a server, in Chromium: `python -m bench.web`.

Prints its size, the time from opening it to the first creature, of a colouring (median of 20, one thread), and the
largest difference of its creatures from torch's, in levels of 255. Fetches onnxruntime-web; needs chromium.
"""

from __future__ import annotations

import base64
import io
import json
import statistics
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from app.networks import generator_file
from app.web.build import build
from bench.browser import ALONE, CHROMIUM
from creatures.latents.sampler import load_sampler

COLOURINGS = 20
CREATURES = 24
SEED, TRUNCATION = 0, 0.8
# milliseconds of each of some colourings of a drawing, in the page's own modules
COLOUR = """async (count) => {
  const { run } = await import("./networks.js");
  const about = await (await fetch("about.json")).json(), area = about.colourSide ** 2;
  const dims = (channels) => [1, channels, about.colourSide, about.colourSide];
  const plane = (channels) => ({ data: new Float32Array(channels * area), dims: dims(channels) });
  const inputs = { outlines: plane(1), hints: plane(4) };
  inputs.outlines.data.fill(1);
  inputs.noise = { data: new Float32Array(about.noise).fill(1), dims: [1, about.noise] };
  inputs.palettes = { data: new Float32Array(about.colours * 4), dims: [1, about.colours, 4] };
  const times = [];
  for (let i = 0; i <= count; i++) {
    const start = performance.now();
    await run("pix2pix", inputs);
    times.push(performance.now() - start);
  }
  return times.slice(1);
}"""


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, without a log."""

    def log_message(self, *_: object) -> None:
        pass


def measure(site: Path) -> dict[str, Any]:
    """Sizes, times and differences of a page that `app.web.build` wrote."""
    from playwright.sync_api import sync_playwright

    found: dict[str, Any] = {"bytes": sum(path.stat().st_size for path in site.rglob("*") if path.is_file())}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(site, "site")
    found["bytes_compressed"] = len(packed.getvalue())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ALONE)
        tab = browser.new_page()
        tab.goto(f"http://127.0.0.1:{server.server_port}/#seed={SEED}&number=0&truncation={TRUNCATION}")
        tab.locator("#hatched canvas").wait_for()
        found["ms_to_first_creature"] = round(tab.evaluate("performance.now()"))
        found["ms_a_colouring"] = round(statistics.median(tab.evaluate(COLOUR, COLOURINGS)), 1)
        tab.fill("#count", str(CREATURES))
        tab.locator("#hatch-form button").click()
        tab.locator("#hatched canvas").nth(CREATURES - 1).wait_for()
        urls = tab.evaluate("[...document.querySelectorAll('#hatched canvas')].map((canvas) => canvas.toDataURL())")
        browser.close()
    server.shutdown()
    server.server_close()
    files = (io.BytesIO(base64.b64decode(url.partition(",")[2])) for url in urls)
    drawn = np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])
    sampler = load_sampler(generator_file())
    wanted = sampler.draw(sampler.latent.draw_each(SEED, range(CREATURES), TRUNCATION)[0]).transpose(0, 2, 3, 1)
    found["most_levels_apart"] = int(np.abs(drawn.astype(int) - wanted).max())
    return found


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        (page,) = build(Path(folder) / "site")
        print(json.dumps(measure(page.parent)))
