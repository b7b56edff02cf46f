"""resvg in a child process: it cannot be interrupted, and running out of memory kills its process."""

from __future__ import annotations

import multiprocessing
import resource
import signal
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from creatures.decoding.unusable import BOMB, UNDECODABLE, Unusable

CPU_S = 10  # a drawing takes 0.02 s; nested blurs, masks and markers can take hours
MEMORY = 4 << 30

_running: tuple[Connection, BaseProcess] | None = None


def draw(text: str, px: int) -> bytes:
    """Draw an SVG as PNG bytes, its longer side `px`.

    Raises:
        Unusable: resvg cannot draw it, or not within CPU_S seconds of CPU time.
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
    parent_end, child_end = context.Pipe()
    child = context.Process(target=_serve, args=(parent_end, child_end), daemon=True)
    child.start()
    child_end.close()
    return parent_end, child


def _serve(parent_end: Connection, connection: Connection) -> None:
    import resvg_py

    parent_end.close()  # or the parent's exit would go unnoticed
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
            # width and height bound the canvas: without both, resvg takes any size the drawing
            # asks for. Fonts differ from machine to machine.
            answer: bytes | str = resvg_py.svg_to_bytes(
                svg_string=text, width=px, height=px, dpi=96, skip_system_fonts=True
            )
        except ValueError as error:
            answer = str(error)
        connection.send(answer)
