"""A server that answers as sites on the web do, the ill-behaved ones too, on this machine's loopback."""

from __future__ import annotations

import asyncio
import io
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate

from PIL import Image

HOSTS = ("127.0.0.1", "127.0.0.2")  # two hosts for those who ask
NAP_S = 0.05


@dataclass
class Seen:
    """A request: when it came, when its whole answer was sent (0: it was not)."""

    host: str
    path: str
    headers: dict[str, str]
    began: float
    ended: float = 0.0
    status: int = 0


def png(number: int) -> bytes:
    """Another picture for each number."""
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (number % 256, number // 256, 99)).save(out, "PNG")
    return out.getvalue()


class WebServer:
    """Answers by the first part of a path; see the methods.

    Attributes:
        robots: status and text of robots.txt.
        log: what was asked, in order.
        peak: the most requests of a host at once; "" is over all.
        together: /nap/ waits until so many were asked at once, as a busy machine takes its time.
        budget: how many of /nap/ are answered.
    """

    def __init__(self) -> None:
        self.robots = (404, "")
        self.version = "1"
        self.log: list[Seen] = []
        self.peak: Counter[str] = Counter()
        self.together, self.budget = 1, 10**9
        self._now: Counter[str] = Counter()
        self.port = 0

    def url(self, path: str, host: str = HOSTS[0]) -> str:
        return f"http://{host}:{self.port}/{path}"

    def asked(self, path: str) -> list[Seen]:
        return [seen for seen in list(self.log) if seen.path == f"/{path}"]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                line, *lines = head.strip().split("\r\n")
                headers = {name.lower(): value for name, value in (entry.split(": ", 1) for entry in lines)}
                seen = Seen(headers["host"].split(":")[0], line.split()[1], headers, time.monotonic())
                self.log.append(seen)
                await self._counted(seen, writer)
                if seen.status != 200 or seen.path.startswith("/cut"):
                    break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _counted(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        for key in (seen.host, ""):
            self._now[key] += 1
            self.peak[key] = max(self.peak[key], self._now[key])
        try:
            kind = seen.path.split("/")[1].replace(".", "_")
            answers: dict[str, Callable[[Seen, Send], Awaitable[None]]] = {
                name: getattr(self, name) for name in dir(WebServer) if not name.startswith("_")
            }
            await answers[kind](seen, Send(seen, writer))
            await writer.drain()
            seen.ended = time.monotonic()
        finally:
            for key in (seen.host, ""):
                self._now[key] -= 1

    async def robots_txt(self, seen: Seen, send: Send) -> None:
        send(self.robots[0], self.robots[1].encode())

    async def ok(self, seen: Seen, send: Send) -> None:
        send(200, png(_number(seen)))

    async def nap(self, seen: Seen, send: Send) -> None:
        await asyncio.sleep(NAP_S)
        while self.peak[""] < self.together or self.budget <= 0:
            await asyncio.sleep(0.005)
        self.budget -= 1
        send(200, png(_number(seen)))

    async def busy(self, seen: Seen, send: Send) -> None:
        """429 at first, with seconds for 1 and a date for 2."""
        again = {1: "1", 2: formatdate(time.time() + 2, usegmt=True)}[_number(seen)]
        first = len(self.asked(seen.path.strip("/"))) == 1
        send(429, b"", {"Retry-After": again}) if first else send(200, png(429))

    async def ill(self, seen: Seen, send: Send) -> None:
        """As many 503 as the number says."""
        send(503) if len(self.asked(seen.path.strip("/"))) <= _number(seen) else send(200, png(503))

    async def gone(self, seen: Seen, send: Send) -> None:
        send(404)

    async def loop(self, seen: Seen, send: Send) -> None:
        send(302, b"", {"Location": f"/loop/{_number(seen) + 1}"})

    async def to(self, seen: Seen, send: Send) -> None:
        """Elsewhere: what comes after /to/ ."""
        send(302, b"", {"Location": seen.path.removeprefix("/to/")})

    async def slow(self, seen: Seen, send: Send) -> None:
        send.head(200, {"Content-Length": "1000"})
        for byte in png(0)[:100]:
            send.writer.write(bytes([byte]))
            await asyncio.sleep(0.1)

    async def endless(self, seen: Seen, send: Send) -> None:
        send.head(200, {})
        send.writer.write(png(0))
        while True:
            send.writer.write(bytes(1 << 12))
            await send.writer.drain()

    async def cut(self, seen: Seen, send: Send) -> None:
        send.head(200, {"Content-Length": "10000"})
        send.writer.write(png(0))

    async def html(self, seen: Seen, send: Send) -> None:
        send(200, b"<!DOCTYPE html><html><svg></svg></html>", {"Content-Type": "image/png"})

    async def svg(self, seen: Seen, send: Send) -> None:
        send(200, b'<?xml version="1.0"?>\n<!-- <b> --><svg xmlns="http://www.w3.org/2000/svg"/>')

    async def type(self, seen: Seen, send: Send) -> None:
        send(200, b"%PDF-1.4", {"Content-Type": "image/png"})

    async def versioned(self, seen: Seen, send: Send) -> None:
        """With an ETag for 1 and a date for 2."""
        stamp = formatdate(int(self.version), usegmt=True)
        theirs, ours = ("if-none-match", f'"{self.version}"') if _number(seen) == 1 else ("if-modified-since", stamp)
        named = {"ETag": ours} if _number(seen) == 1 else {"Last-Modified": ours}
        send(304, b"", named) if seen.headers.get(theirs) == ours else send(200, png(int(self.version)), named)


class Send:
    """Writes one answer."""

    def __init__(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        self.seen, self.writer = seen, writer

    def head(self, status: int, headers: dict[str, str]) -> None:
        self.seen.status = status
        lines = [f"HTTP/1.1 {status} Told", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        self.writer.write("\r\n".join(lines).encode())

    def __call__(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        closes = {} if status == 200 else {"Connection": "close"}
        self.head(status, {"Content-Length": str(len(body))} | closes | (headers or {}))
        self.writer.write(body)


def _number(seen: Seen) -> int:
    return int(seen.path.split("/")[2].split(".")[0])


@contextmanager
def web_server() -> Iterator[WebServer]:
    """A server in a thread of its own, for as long as this is open."""
    server, loop = WebServer(), asyncio.new_event_loop()

    async def begin() -> None:
        first = await asyncio.start_server(server.answer, HOSTS[0], 0)
        server.port = first.sockets[0].getsockname()[1]
        await asyncio.start_server(server.answer, HOSTS[1], server.port)

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(begin(), loop).result(10)
    yield server
    asyncio.run_coroutine_threadsafe(_end(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


async def _end() -> None:
    """Ends all answers that are still under way."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
