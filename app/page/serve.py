"""The page's server."""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory

from app.page.limits import MOST_BYTES, MOST_PIXELS

AT_A_TIME = 2  # answers worked on
WAITING = 64  # requests that wait; more are told to come back
PHONE = "@media (max-width: 640px) { .grid-container { grid-template-columns: repeat(4, minmax(0, 1fr)) !important; } }"
SESSIONS = 200  # visitors whose last creatures are remembered


def serve(host: str, port: int) -> None:
    """Serve the page until interrupted. What visitors send lies in a folder that goes with the server,
    and is deleted there after minutes. Raises OSError if the address cannot be listened on."""
    with TemporaryDirectory(prefix="creatures-") as folder:
        os.environ |= {"GRADIO_TEMP_DIR": folder, "GRADIO_ANALYTICS_ENABLED": "False"}
        # takes seconds, and reads the environment
        import gradio
        from PIL import Image

        from app.page.studio import Studio
        from app.page.ui import build

        Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # Pillow refuses what has twice as many
        page = build(Studio())
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
