"""The page's server."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from app.page.limits import MOST_BYTES, MOST_PIXELS

AT_A_TIME = 1  # answers worked on, of the quick ones and of the others
WAITING = 6  # requests that wait, for seconds; more are told that the page is busy
SESSIONS = 200  # visitors whose last creatures are remembered
KEPT_SECONDS = 300  # pictures that were sent or made
M_ARENA_MAX = -8  # of malloc.h
PHONE = "@media (max-width: 640px) { .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)) !important; } }"


def serve(host: str, port: int) -> None:
    """Serve the page until interrupted or terminated.

    What visitors send, and what is made for them, lies in a folder that goes with the server,
    and is deleted there after KEPT_SECONDS.

    Raises:
        OSError: the address cannot be listened on.
    """
    socket.create_server((host, port)).close()  # Gradio would try for long, and say something else
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    share_memory()
    with TemporaryDirectory(prefix="creatures-") as folder:
        os.environ |= {"GRADIO_TEMP_DIR": folder, "GRADIO_ANALYTICS_ENABLED": "False"}
        # takes seconds, and reads the environment
        import gradio
        from PIL import Image

        from app.page.parts import QUICK
        from app.page.studio import Studio
        from app.page.ui import build

        Image.MAX_IMAGE_PIXELS = MOST_PIXELS
        page = build(Studio())
        for function in page.fns.values():
            if function.concurrency_id != QUICK:
                function.concurrency_id = "others"  # all together, not each
        threading.Thread(target=forget, args=(Path(folder), files(Path(folder))), daemon=True).start()
        page.queue(max_size=WAITING, default_concurrency_limit=AT_A_TIME)
        page.launch(
            server_name=host,
            server_port=port,
            share=False,
            show_error=True,
            max_file_size=MOST_BYTES,
            state_session_capacity=SESSIONS,
            footer_links=["api"],
            theme=gradio.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"]),
            css=PHONE,
            ssr_mode=False,
        )


def share_memory() -> None:
    """Have all threads take memory from the same places: of its own each would keep what it once needed."""
    with suppress(OSError, AttributeError):  # not glibc
        ctypes.CDLL("libc.so.6").mallopt(M_ARENA_MAX, 2)


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def forget(folder: Path, own: set[Path]) -> None:
    """For ever: delete files that are too old, but for the page's own."""
    while True:
        time.sleep(KEPT_SECONDS / 10)
        delete_older(folder, own, time.time() - KEPT_SECONDS)


def delete_older(folder: Path, own: set[Path], than: float) -> None:
    for path in files(folder) - own:
        with suppress(FileNotFoundError):  # Gradio may have been quicker
            if path.stat().st_mtime < than:
                path.unlink()
