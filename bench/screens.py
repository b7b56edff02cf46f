"""Pictures of the page's three tabs, for docs/GALLERY.md: `python -m bench.screens URL [FOLDER]`.

URL is a page served by `python -m app serve`; needs chromium.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from bench.browser import ALONE, CHROMIUM, stroke

WIDE, HIGH = 1100, 900
LEVELS = 256  # colours of a picture
MOST_MS = 120_000
CREATURE, DRAWING = 10, 3
PAPER = (0.0616, 0.1404), (0.8747, 0.7228)  # its corner and sides, in units of the canvas's
MARGIN = 20, 300  # a place of the page without anything
# pens, by their place in the box, and lines, in units of the paper's sides
STROKES = {
    6: [(0.3, 0.6), (0.36, 0.5)],
    4: [(0.6, 0.25), (0.66, 0.2)],
    3: [(0.86, 0.4), (0.88, 0.56)],
    2: [(0.57, 0.79), (0.61, 0.82)],
}


def hatch(tab: Any) -> None:
    tab.get_by_role("button", name="Hatch", exact=True).click()
    tab.locator("#hatched img").nth(CREATURE).click()
    tab.wait_for_selector("#chosen img")


def fuse(tab: Any) -> None:
    tab.get_by_role("tab", name="Fuse").click()
    tab.get_by_role("button", name="Fuse", exact=True).click()
    tab.wait_for_selector("#film img")


def colour(tab: Any) -> None:
    tab.get_by_role("tab", name="Colour").click()
    tab.locator("#paper canvas").first.wait_for()
    tab.wait_for_timeout(1000)
    tab.locator("#examples img").nth(DRAWING).click()
    tab.wait_for_selector("#coloured img")
    for pen, line in STROKES.items():
        before = tab.locator("#coloured img").get_attribute("src")
        tab.get_by_role("button", name="Color", exact=True).click()
        tab.locator("#paper button.color").nth(pen).click()
        tab.mouse.click(*MARGIN)  # closes the box
        tab.evaluate("scrollTo(0, 0)")
        canvas, (corner, sides) = tab.locator("#paper canvas").first.bounding_box(), PAPER
        stroke(tab, canvas, [(corner[0] + x * sides[0], corner[1] + y * sides[1]) for x, y in line])
        tab.wait_for_function("before => document.querySelector('#coloured img').src != before", arg=before)
    tab.get_by_role("button", name="Several colourings").click()
    tab.wait_for_selector("#several img")


TABS: dict[str, Callable[[Any], None]] = {"hatch": hatch, "fuse-page": fuse, "colour-page": colour}


def main(url: str, folder: str = "docs/gallery") -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ALONE)
        for name, use in TABS.items():
            tab = browser.new_page(viewport={"width": WIDE, "height": HIGH})
            tab.set_default_timeout(MOST_MS)
            tab.goto(url)
            use(tab)
            tab.wait_for_timeout(2000)
            with Image.open(io.BytesIO(tab.screenshot(full_page=True))) as taken:
                taken.convert("RGB").quantize(LEVELS).save(Path(folder) / f"{name}.png", optimize=True)
            tab.close()
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("screens: python -m bench.screens URL [FOLDER]")
    if not CHROMIUM:
        sys.exit("screens: there is no chromium")
    main(*sys.argv[1:])
