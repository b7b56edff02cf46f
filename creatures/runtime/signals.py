"""Interruption by SIGINT and SIGTERM: one line, and an exit status that says so."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import cache
from typing import Any

from creatures.runtime.errors import report_error

INTERRUPTED = 75  # EX_TEMPFAIL: a stage that ends early must not exit 0, or DVC records it as done
STOPPED = 130  # exit status that shells report for a command ended by Ctrl-C
END = ": interrupted"
SIGNALS = (signal.SIGINT, signal.SIGTERM)


@cache
def say_interrupted(name: str) -> None:
    """Report that `name` was interrupted, once for any number of calls."""
    report_error(f"{name}{END}")


def on_signals(handler: Callable[[int, Any], Any] | signal.Handlers) -> None:
    """Handle SIGNALS, except those that are ignored, as under nohup."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def end_at_once(name: str, status: int) -> None:
    """Let signals end the process in one line until `on_signals` is called again: for while libraries are imported."""

    def end(number: int, frame: object) -> None:
        say_interrupted(name)
        os._exit(status)

    on_signals(end)
