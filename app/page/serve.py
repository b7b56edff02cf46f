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
from creatures.runtime.errors import UserError

AT_A_TIME = 1  # requests processed at a time, in each of the two queues
WAITING = 6  # requests that wait, for seconds; further ones are told that the page is busy
SESSIONS = 200  # visitors whose last creatures are remembered
KEPT_SECONDS = 300  # how long uploaded and generated pictures stay
M_ARENA_MAX = -8  # of malloc.h
# colours with enough contrast for everybody (WCAG 2, AA)
READABLE = {
    "body_text_color_subdued": "*neutral_600",
    "body_text_color_subdued_dark": "*neutral_300",
    "button_primary_background_fill": "*primary_700",
    "button_primary_background_fill_hover": "*primary_800",
    "button_primary_background_fill_dark": "*primary_700",
    "button_primary_background_fill_hover_dark": "*primary_800",
}
PHONE = "@media (max-width: 640px) { .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)) !important; } }"


def serve(host: str, port: int, root_path: str = "", share: bool = False) -> None:
    """Serve the page until interrupted or terminated.

    Uploads and results are in a folder that is removed when the server ends, and each is
    deleted after KEPT_SECONDS.

    Args:
        root_path: where a proxy shows the page: a path, which it strips from requests, or a whole address; "" for none.
        share: whether Gradio's tunnel shows it to anyone who knows its address.

    Raises:
        UserError: the address cannot be listened on.
    """
    try:  # fails at once: Gradio would try for long, and report something else
        socket.create_server((host, port)).close()
    except OSError as error:
        raise UserError(f"cannot listen on {host}, port {port}: {error.strerror or error}") from None
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # a terminal that is closed
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    share_memory()
    with TemporaryDirectory(prefix="creatures-") as folder:
        os.environ |= {"GRADIO_TEMP_DIR": folder, "GRADIO_ANALYTICS_ENABLED": "False"}
        # importing it takes seconds, and reads the environment
        import gradio
        from PIL import Image

        from app.page.parts import QUICK
        from app.page.studio import Studio
        from app.page.ui import build
        from creatures.runtime.system import limit_threads

        limit_threads()
        Image.MAX_IMAGE_PIXELS = MOST_PIXELS
        page = build(Studio())
        for function in page.fns.values():
            if function.concurrency_id != QUICK:
                function.concurrency_id = "others"  # one limit for all of them, not one each
        threading.Thread(target=forget, args=(Path(folder), paths(Path(folder))), daemon=True).start()
        page.queue(api_open=False, max_size=WAITING, default_concurrency_limit=AT_A_TIME)
        page.launch(
            server_name=host,
            server_port=port,
            root_path=root_path or None,
            share=share,
            show_error=True,
            max_file_size=MOST_BYTES,
            state_session_capacity=SESSIONS,
            footer_links=["api"],
            theme=gradio.themes.Default(font=["system-ui", "sans-serif"], font_mono=["monospace"]).set(**READABLE),
            css=PHONE,
            ssr_mode=False,
        )


def share_memory() -> None:
    """Let all threads share malloc's arenas: in an arena of its own, each would keep the memory it once needed."""
    with suppress(OSError, AttributeError):  # not glibc
        ctypes.CDLL("libc.so.6").mallopt(M_ARENA_MAX, 2)


def paths(folder: Path) -> set[Path]:
    """All files and folders in a folder."""
    return {Path(root, name) for root, folders, files in os.walk(folder) for name in (*folders, *files)}


def forget(folder: Path, own: set[Path]) -> None:
    """Delete files that are too old, except the page's own, and folders that are empty, forever."""
    while True:
        time.sleep(KEPT_SECONDS / 10)
        delete_older(folder, own, time.time() - KEPT_SECONDS)


def delete_older(folder: Path, own: set[Path], than: float) -> None:
    for path in paths(folder) - own:
        with suppress(OSError):  # Gradio may have been quicker, or a folder is not empty
            if path.stat().st_mtime < than:
                path.rmdir() if path.is_dir() else path.unlink()
