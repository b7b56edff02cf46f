"""resvg in a child process: it cannot be interrupted, and where memory ends it takes its process along."""

from __future__ import annotations

import multiprocessing
import resource
import signal
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from creatures.decoding.unusable import BOMB, UNDECODABLE, Unusable

CPU_S = 10  # drawing one takes 0.02 s; blurs, masks and markers can be piled up to take hours
MEMORY = 4 << 30

_running: tuple[Connection, BaseProcess] | None = None


def draw(text: str, px: int) -> bytes:
    """An SVG as PNG bytes, its longer side `px`.

    Raises:
        Unusable: resvg cannot draw it, or not within CPU_S seconds of computing.
    """
    global _running
    connection, child = _running = _running or _start()
    try:
        connection.send((text, px, CPU_S))
        answer = connection.recv()
    except (EOFError, OSError):
        _running = None
        connection.close()
        child.join()
        if child.exitcode == -signal.SIGXCPU:
            raise Unusable(BOMB, f"takes more than {CPU_S} s to draw") from None
        raise Unusable(UNDECODABLE, "resvg ended early") from None
    if isinstance(answer, str):
        raise Unusable(UNDECODABLE, answer)
    return answer


def _start() -> tuple[Connection, BaseProcess]:
    context = multiprocessing.get_context("fork")
    mine, its = context.Pipe()
    child = context.Process(target=_serve, args=(mine, its), daemon=True)
    child.start()
    its.close()
    return mine, child


def _serve(parents: Connection, connection: Connection) -> None:
    import resvg_py

    parents.close()  # or the end of the parent would go unnoticed
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        try:
            text, px, seconds = connection.recv()
        except EOFError:
            return
        used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        resource.setrlimit(resource.RLIMIT_CPU, (int(used) + seconds + 1, resource.RLIM_INFINITY))
        try:
            # Both sides bound the canvas: without them resvg takes any size the drawing asks
            # for. Fonts differ from machine to machine.
            answer: bytes | str = resvg_py.svg_to_bytes(
                svg_string=text, width=px, height=px, dpi=96, skip_system_fonts=True
            )
        except ValueError as error:
            answer = str(error)
        connection.send(answer)
