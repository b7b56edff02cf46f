"""The browser that tests use the page with, if there is one."""

from __future__ import annotations

import shutil
from typing import Any

CHROMIUM = shutil.which("chromium")
# it asks its makers for updates and more by itself: it finds no machine but this one
ALONE = ["--no-sandbox", "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]


def stroke(tab: Any, box: dict[str, float], points: list[tuple[float, float]]) -> None:
    """One line drawn with the mouse; points in units of the sheet's sides."""
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    tab.mouse.move(*places[0])
    tab.mouse.down()
    for place in places[1:]:
        tab.mouse.move(*place, steps=8)
    tab.mouse.up()
