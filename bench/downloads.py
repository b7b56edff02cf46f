"""Speed of downloads, compared with img2dataset, from a server on this machine.

    python3.11 -m venv /elsewhere && /elsewhere/bin/pip install img2dataset
    python -m bench.downloads compare --img2dataset /elsewhere/bin/img2dataset

Both fetch the same addresses, in turn, without rate limits, and write the files unchanged. Prints
pictures per second from the command's start to its end, and the processor time per picture, which
depends less on other work on the machine.
"""

from __future__ import annotations

import asyncio
import io
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import Process, SimpleQueue
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image

from stages.scrape.web.download import Wanted, download
from stages.scrape.web.guard import LOOPBACK
from stages.scrape.web.params import WebParams

HOSTS = 8  # 127.0.0.1 and up
SIDE = 40  # of a picture of noise: 5 kB

app = typer.Typer(add_completion=False)


@app.command()
def compare(
    pictures: Annotated[int, typer.Option(help="how many")] = 4000,
    rounds: Annotated[int, typer.Option(help="how often each fetches them")] = 1,
    at_once: Annotated[int, typer.Option(help="requests")] = 32,
    img2dataset: Annotated[Path | None, typer.Option(help="its command")] = None,
) -> None:
    """Fetch the same pictures with both."""
    with serving() as port, tempfile.TemporaryDirectory() as name:
        urls = Path(name, "urls.txt")
        urls.write_text("\n".join(f"http://127.0.0.{1 + i % HOSTS}:{port}/{i}.png" for i in range(pictures)))
        commands = {"download": [sys.executable, "-m", "bench.downloads", "fetch", str(urls), str(at_once)]}
        if img2dataset:
            options = {
                "url_list": urls,
                "output_folder": urls.with_name("out"),
                "output_format": "files",
                "resize_mode": "no",
                "disable_all_reencoding": True,
                "processes_count": 1,
                "thread_count": at_once,
                "number_sample_per_shard": 1000,
            }
            commands["img2dataset"] = [str(img2dataset), *(f"--{key}={value}" for key, value in options.items())]
        for _ in range(rounds):
            for what, command in commands.items():
                measure(what, command, urls.with_name("out"), pictures, port)


@app.command()
def fetch(urls: Path, at_once: int) -> None:
    """Command that `compare` measures."""
    params = WebParams(per_host=at_once, per_second=0, total=at_once)
    out = urls.with_name("out")
    download([Wanted(url) for url in urls.read_text().split()], out, params, out / "store")


def measure(what: str, command: list[str], out: Path, pictures: int, port: int) -> None:
    """Run one command, and print its speed."""
    shutil.rmtree(out, ignore_errors=True)
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=os.environ | {LOOPBACK: str(port)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds, cpu = time.perf_counter() - began, usage.ru_utime + usage.ru_stime
    count = sum(path.suffix in (".png", ".jpg") for path in out.rglob("*"))
    print(f"{what}: {count} of {pictures} pictures, {count / seconds:.0f}/s, {1000 * cpu / pictures:.2f} ms CPU each")
    if status:
        sys.exit(f"downloads: {what} failed")


def png() -> bytes:
    out = io.BytesIO()
    Image.frombytes("RGB", (SIDE, SIDE), random.Random(0).randbytes(3 * SIDE**2)).save(out, "PNG")
    return out.getvalue()


class Answers(asyncio.Protocol):
    """Serves the same picture at every address, over connections that stay open."""

    body = png()
    head = b"HTTP/1.1 %s\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.waiting = transport, b""

    def data_received(self, data: bytes) -> None:
        *requests, self.waiting = (self.waiting + data).split(b"\r\n\r\n")
        for request in requests:
            is_robots = b"robots.txt" in request
            self.transport.write(  # type: ignore[attr-defined]
                self.head % (b"404 None", 0) if is_robots else self.head % (b"200 OK", len(self.body)) + self.body
            )
            if b"connection: close" in request.lower():
                self.transport.close()


@contextmanager
def serving() -> Iterator[int]:
    """Run a server in its own process; yields its port."""
    port: SimpleQueue[int] = SimpleQueue()
    process = Process(target=_serve, args=(port,), daemon=True)
    process.start()
    yield port.get()
    process.terminate()


def _serve(port: SimpleQueue[int]) -> None:
    async def work() -> None:
        server = await asyncio.get_running_loop().create_server(Answers, "0.0.0.0", 0)
        port.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(work())


if __name__ == "__main__":
    app()
