"""Response times of the page, for one visitor and for many at once.

    python -m app serve --port 7860 &
    python -m bench.page --people 50 --seconds 60

First one visitor alone, then all: each alternates between colouring a drawing and hatching 64 creatures, as
programs do, through the page's API. Prints, for each kind of request, how many were answered, how many
got the answer that the page is busy, how many failed, and their times in milliseconds; and the memory of
the server, if its process id is given with --pid, before and after.
"""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Annotated, Any

import httpx
import numpy as np
import psutil
import typer
from PIL import Image

from app.page.colour import ANY
from creatures.translation.drawings import drawings

BUSY = "busy"
SHEET_PX = 256
AGAIN_SECONDS = 2  # after which a visitor retries if the page was busy
ALONE = 20  # requests of each kind


class Refused(Exception):
    """The page answered with an error; this has its message."""


class Visitor:
    """A client of the page's API."""

    def __init__(self, url: str, drawing: bytes = b"") -> None:
        self.drawing = drawing
        self.http = httpx.Client(base_url=f"{url}/gradio_api", timeout=120)

    def ask(self, name: str, *data: Any) -> Any:
        """Call an endpoint and return its result. Raises Refused."""
        call = self.http.post(f"/call/{name}", json={"data": data})
        if call.status_code != 200:
            raise Refused(call.text)
        with self.http.stream("GET", f"/call/{name}/{call.json()['event_id']}") as stream:
            event = ""
            for line in stream.iter_lines():
                if line.startswith("event: "):
                    event = line[7:]
                elif line.startswith("data: ") and event == "complete":
                    return json.loads(line[6:])
                elif line.startswith("data: ") and event == "error":
                    raise Refused(line[6:])
        raise Refused("no answer")

    def upload(self, name: str, content: bytes) -> dict[str, Any]:
        """Upload a file; return it as endpoints take it. Raises Refused."""
        response = self.http.post("/upload", files={"files": (name, content)})
        if response.status_code != 200:
            raise Refused(response.text)
        return {"path": response.json()[0], "orig_name": name, "meta": {"_type": "gradio.FileData"}}

    def colour(self) -> Any:
        file = self.upload("drawing.png", self.drawing)
        return self.ask("colour", {"background": None, "layers": [], "composite": file}, ANY, 0, True)

    def hatch(self) -> Any:
        return self.ask("hatch", 0, 64, 0.8, 1)


def png(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "png")
    return buffer.getvalue()


def timed(work: Callable[[Visitor], Any], visitor: Visitor) -> tuple[str, float]:
    """The outcome of a request, and its seconds."""
    began = time.perf_counter()
    try:
        work(visitor)
        outcome = "answered"
    except Refused as error:
        outcome = BUSY if "queue is full" in str(error).lower() or "busy" in str(error).lower() else f"failed: {error}"
    except httpx.HTTPError as error:
        outcome = f"failed: {error!r}"
    return outcome, time.perf_counter() - began


def report(title: str, results: dict[str, list[tuple[str, float]]]) -> None:
    print(title)
    for kind, outcomes in results.items():
        times = np.array([seconds for outcome, seconds in outcomes if outcome == "answered"]) * 1000
        median, late = np.quantile(times, [0.5, 0.95]) if len(times) else (np.nan, np.nan)
        busy = sum(outcome == BUSY for outcome, _ in outcomes)
        print(
            f"  {kind}: {len(times)} answered, {busy} busy, {len(outcomes) - len(times) - busy} failed; "
            f"median {median:.0f} ms, 95 % within {late:.0f} ms"
        )
        for line in sorted({outcome for outcome, _ in outcomes if outcome.startswith("failed")})[:3]:
            print(f"    {line[:200]}")


def main(
    url: Annotated[str, typer.Option(help="Of the page.")] = "http://127.0.0.1:7860",
    people: Annotated[int, typer.Option(min=0, help="At once; 0: only one alone.")] = 50,
    seconds: Annotated[float, typer.Option(min=0.0)] = 60,
    pid: Annotated[int, typer.Option(help="The server's process, for its memory.")] = 0,
) -> None:
    memory = psutil.Process(pid).memory_info if pid else None
    drawing = png(drawings(SHEET_PX)[0])  # once: it starts a process
    visitor = Visitor(url, drawing)
    kinds = {"colour": Visitor.colour, "hatch": Visitor.hatch}
    try:
        for work in kinds.values():
            work(visitor)  # warm
    except httpx.ConnectError:
        sys.exit(f"page: nothing answers at {url}; start python -m app serve first")
    report("one alone:", {name: [timed(work, visitor) for _ in range(ALONE)] for name, work in kinds.items()})
    if not people:
        return
    results: dict[str, list[tuple[str, float]]] = {name: [] for name in kinds}
    until = time.monotonic() + seconds
    before = memory().rss if memory else 0

    def visit(number: int) -> None:
        mine = Visitor(url, drawing)
        for turn in count(number):
            if time.monotonic() > until:
                return
            name = list(kinds)[turn % len(kinds)]
            results[name].append(timed(kinds[name], mine))
            if results[name][-1][0] == BUSY:
                time.sleep(AGAIN_SECONDS)

    with ThreadPoolExecutor(people) as pool:
        list(pool.map(visit, range(people)))
    report(f"{people} at once for {seconds:.0f} s:", results)
    if memory:
        print(f"  memory of the server: {before >> 20} MB before, {memory().rss >> 20} MB after")


if __name__ == "__main__":
    typer.run(main)
