"""resvg in a child process: it cannot be interrupted, and running out of memory kills its process."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import psutil

from creatures.decoding.unusable import BOMB, UNDECODABLE, Unusable
from creatures.runtime.system import begin_child, limit_cpu, limit_memory

CPU_S = 10  # a drawing takes 0.02 s; nested blurs, masks and markers can take hours
POLL_S = 0.5
MEMORY = 4 << 30

_one_at_a_time = threading.Lock()
_running: tuple[Connection, BaseProcess] | None = None


def draw(text: str, px: int) -> bytes:
    """Draw an SVG as PNG bytes, its longer side `px`.

    Raises:
        Unusable: resvg cannot draw it, or not within CPU_S seconds of CPU time.
    """
    global _running
    with _one_at_a_time:
        connection, child = _running = _running or _start()
        try:
            connection.send((text, px))
            answer = _received(connection, psutil.Process(child.pid))
        except (EOFError, OSError, psutil.Error) as error:
            _running = None
            connection.close()
            child.kill()
            child.join()
            if isinstance(error, TimeoutError):
                raise Unusable(BOMB, f"takes more than {CPU_S} s to draw") from None
            raise Unusable(UNDECODABLE, "resvg ended early") from None
    if isinstance(answer, str):
        raise Unusable(UNDECODABLE, answer)
    return answer


def _received(connection: Connection, process: psutil.Process) -> bytes | str:
    """What a process answers. Raises TimeoutError if it works on it for more than CPU_S."""
    begun = sum(process.cpu_times()[:2])
    while not connection.poll(POLL_S):
        if sum(process.cpu_times()[:2]) - begun > CPU_S:
            raise TimeoutError
    return connection.recv()


def _start() -> tuple[Connection, BaseProcess]:
    parent_end, child_end = multiprocessing.Pipe()
    # a fork starts at once, but is not safe elsewhere
    of_system = multiprocessing.context.ForkProcess if sys.platform == "linux" else multiprocessing.context.SpawnProcess
    child = of_system(target=_serve, args=(child_end,), daemon=True)
    child.start()
    child_end.close()
    return parent_end, child


def _serve(connection: Connection) -> None:
    import resvg_py

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    begin_child()
    limit_memory(MEMORY)
    while True:
        try:
            text, px = connection.recv()
        except EOFError:
            return
        limit_cpu(2 * CPU_S)  # for a drawing whose parent was killed: resvg lets no thread run meanwhile
        try:
            # width and height bound the canvas: without both, resvg takes any size the drawing
            # asks for. Fonts differ from machine to machine.
            answer: bytes | str = resvg_py.svg_to_bytes(
                svg_string=text, width=px, height=px, dpi=96, skip_system_fonts=True
            )
        except ValueError as error:
            answer = str(error)
        connection.send(answer)
