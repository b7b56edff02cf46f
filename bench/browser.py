"""The browser that shows the pages, if there is one."""

from __future__ import annotations

import shutil
from itertools import pairwise
from typing import Any

import numpy as np

CHROMIUM = shutil.which("chromium")
# it asks its makers for updates and more by itself: it finds no machine but this one
ALONE = ["--no-sandbox", "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]


def stroke(tab: Any, box: dict[str, float], points: list[tuple[float, float]], touch: bool = False) -> None:
    """One line drawn with the mouse, or with a finger; points in units of the sheet's sides."""
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    if touch:
        finger = tab.context.new_cdp_session(tab)  # Playwright only taps
        moves = [place for ends in pairwise(places) for place in np.linspace(*ends, 9).tolist()]
        events = [("touchStart", places[:1]), *(("touchMove", [place]) for place in moves), ("touchEnd", [])]
        for kind, touched in events:
            finger.send(
                "Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in touched]}
            )
        return
    tab.mouse.move(*places[0])
    tab.mouse.down()
    for place in places[1:]:
        tab.mouse.move(*place, steps=8)
    tab.mouse.up()
