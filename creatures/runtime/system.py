"""What differs between operating systems and in containers."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

try:
    import resource
except ImportError:  # on Windows
    resource = None  # type: ignore[assignment]


def usable_cores() -> int:
    """The number of CPU cores that this process may use, by its affinity and its container's limit."""
    from joblib import cpu_count

    return cpu_count()


def limit_threads() -> None:
    """Let torch, if it is loaded, start no more threads than there are cores to use: it knows no container's limit."""
    torch = sys.modules.get("torch")
    if torch and torch.get_num_threads() > (cores := usable_cores()):
        torch.set_num_threads(cores)


def peak_memory_mib() -> int:
    """Peak memory, in MiB, of this process or, but on Windows, of the largest of its children that have ended."""
    if resource is None:
        import psutil

        memory = psutil.Process().memory_info()
        return getattr(memory, "peak_wset", memory.rss) >> 20
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return peak >> (20 if sys.platform == "darwin" else 10)


def limit_memory(most: int) -> None:
    """Let this process allocate no more than so many bytes, and write no core file; without effect on Windows."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_cpu(seconds: int) -> None:
    """Let the kernel end this process after so many more seconds of CPU time; without effect on Windows."""
    if resource is not None:
        used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        resource.setrlimit(resource.RLIMIT_CPU, (int(used) + seconds + 1, resource.RLIM_INFINITY))


@contextmanager
def without_interrupts() -> Iterator[None]:
    """Block SIGINT, also in processes that are started meanwhile: Ctrl-C is for this one. No effect on Windows."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def begin_child() -> None:
    """Begin a child process of multiprocessing: signals end it by default, and it ends with its parent."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the parent's handler is for the parent
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
