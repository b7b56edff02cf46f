"""Serve the page to this machine only; a click writes data/vetoes.txt."""

from __future__ import annotations

import json
import signal
import threading
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from app.inspect.items import Items
from app.inspect.page import render
from creatures.artifacts import VETOES
from creatures.data.vetoes import DROP, KEEP, write_veto
from creatures.runtime.errors import UserError

HOST = "127.0.0.1"
MOST_BYTES = 10_000  # of a request


def serve(port: int) -> None:
    """Serve the page until interrupted or terminated.

    Raises:
        OSError: the port cannot be listened on.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    items = Items()
    with ThreadingHTTPServer((HOST, port), handler(items, port)) as server:
        print(f"http://{HOST}:{port}: a click vetoes, into {VETOES}; Ctrl-C ends it", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


def handler(items: Items, port: int) -> type[BaseHTTPRequestHandler]:
    """Handler of `/`, `/thumb/NUMBER` and the POST `/veto` of {name, verdict: drop, keep or ""}.

    Other sites that the visitor has open cannot send requests: the host must be this one's, which a foreign name
    that resolves to it is not, and a foreign page may not send JSON without permission.
    """
    names = {item.name for item in items.items}
    writing = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        timeout = 30

        def handle(self) -> None:
            with suppress(ConnectionError):  # the browser has gone
                super().handle()

        def do_GET(self) -> None:
            if not self._is_ours():
                return self.send_error(HTTPStatus.FORBIDDEN)
            if self.path == "/":
                try:
                    return self._answer("text/html; charset=utf-8", render(items).encode())
                except UserError as error:
                    return self._answer("text/plain; charset=utf-8", str(error).encode(), HTTPStatus.CONFLICT)
            number = self.path.removeprefix("/thumb/")
            known = number.isdecimal() and len(number) < 10 and int(number) < len(items.items)
            webp = items.thumbnail(int(number)) if known else None
            if webp is None:
                return self.send_error(HTTPStatus.NOT_FOUND)
            self._answer("image/webp", webp)

        def do_POST(self) -> None:
            if not self._is_ours() or self.headers.get_content_type() != "application/json":
                return self.send_error(HTTPStatus.FORBIDDEN)
            try:
                payload = json.loads(self.rfile.read(min(max(0, int(self.headers["Content-Length"])), MOST_BYTES)))
                name, verdict = payload["name"], payload["verdict"]
                known = name in names and verdict in (DROP, KEEP, "")
            except (ValueError, TypeError, KeyError, RecursionError):
                known = False
            if self.path != "/veto" or not known:
                return self.send_error(HTTPStatus.BAD_REQUEST)
            try:
                with writing:
                    write_veto(name, verdict)
            except UserError as error:
                return self._answer("text/plain; charset=utf-8", str(error).encode(), HTTPStatus.CONFLICT)
            self._answer("application/json", b"{}")

        def _is_ours(self) -> bool:
            return self.headers["Host"] in (f"{HOST}:{port}", f"localhost:{port}")

        def _answer(self, kind: str, body: bytes, status: HTTPStatus = HTTPStatus.OK) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing: a line for each thumbnail would help nobody."""

    return Handler
