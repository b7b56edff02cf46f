"""The page as `python -m app serve` serves it, for a test."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.checkouts import environment, free_port


@contextmanager
def serving(checkout: Path, *options: str) -> Iterator[str]:
    """A server in a checkout; its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "app", "serve", "--port", str(port), *options]
    with (checkout / "serve.log").open("w") as log:
        server = subprocess.Popen(command, cwd=checkout, env=environment(), stdout=log, stderr=log)
        try:
            until = time.monotonic() + 600
            while not up(url):
                assert server.poll() is None and time.monotonic() < until, (checkout / "serve.log").read_text()
                time.sleep(0.3)
            yield url
        finally:
            server.terminate()
            server.wait(120)


def up(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False
