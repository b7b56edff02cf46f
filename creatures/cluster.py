"""Process rows with Daft, on this machine or, with DAFT_RUNNER=ray, on a Ray cluster that may lose nodes."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from creatures.runtime.errors import UserError, report_error
from creatures.runtime.signals import INTERRUPTED, SIGNALS, say_interrupted

if TYPE_CHECKING:
    from daft import DataFrame

K = TypeVar("K")

WAVE = 20_000  # rows submitted to a cluster at once: it may hold the answers to all of them
TRIES = 5  # attempts for a row that was lost
ERROR_LENGTH = 500  # characters of an error

KILLED = "a process that works on pictures was killed, perhaps for want of memory or of room in /dev/shm"

ROOT = Path(__file__).parents[1]


def on_ray() -> bool:
    """Whether Daft should use a Ray cluster; if so, connect to it.

    Workers import the code from this process's folder, which all nodes must see.

    Raises:
        UserError: Ray is not installed, or none answers at RAY_ADDRESS.
    """
    os.environ.setdefault("DAFT_PROGRESS_BAR", "0")  # this project shows its own
    os.environ.setdefault("DAFT_ANALYTICS_ENABLED", "0")
    from daft.runners import get_or_infer_runner_type

    logging.getLogger("daft_local_execution").setLevel(logging.CRITICAL)  # its messages are raised as well
    try:
        if get_or_infer_runner_type() != "ray":
            return False
    except ValueError as error:
        raise UserError(f"DAFT_RUNNER is {os.environ.get('DAFT_RUNNER')!r}: {error}") from None
    try:
        import ray
    except ImportError:
        raise UserError("DAFT_RUNNER=ray needs Ray: pip install -c constraints.txt -e '.[cluster]'") from None
    import daft

    if not ray.is_initialized():
        address = os.environ.get("RAY_ADDRESS")
        code = {"env_vars": {"PYTHONPATH": str(ROOT)}}
        try:
            ray.init(address=address, runtime_env=code, log_to_driver=False, logging_level="error")
        except (ConnectionError, ValueError) as error:
            raise UserError(f"no Ray cluster answers at RAY_ADDRESS={address}: {error}") from None
        daft.set_runner_ray(noop_if_initialized=True)
    return True


def answers(keys: Sequence[K], ask: Callable[[Sequence[K]], DataFrame]) -> Iterator[tuple[K, Any]]:
    """Yield each key and its answer, once, as answers become available.

    Args:
        keys: all distinct.
        ask: returns a table of two columns, the given keys and their answers; called again for keys
            that a cluster has lost.

    Raises:
        UserError: a cluster lost some keys in every attempt, or a process on this machine was killed.
    """
    if on_ray():
        for start in range(0, len(keys), WAVE):
            yield from _retry(keys[start : start + WAVE], ask)
        return
    count, done = 0, threading.Event()
    watch = threading.Thread(target=_watch, args=(done,), daemon=True)
    if hasattr(os, "waitid"):
        watch.start()
    try:
        for count, row in enumerate(_rows(ask(keys)), 1):  # noqa: B007
            yield row
    except (ConnectionError, EOFError):
        raise UserError(KILLED) from None
    except RuntimeError as error:
        last = str(error).rstrip().rpartition("\n")[2]  # of the worker's traceback, if there is one
        if "UDF process" not in str(error) and not last.startswith(("OSError:", "MemoryError")):
            raise
        raise UserError(
            KILLED if "UDF process" in str(error) else f"a process that works on pictures: {last}"
        ) from None
    finally:
        done.set()
        if watch.is_alive():
            watch.join()
    if count < len(keys):  # Daft handles Ctrl-C itself, and then just stops
        raise KeyboardInterrupt


def _watch(done: threading.Event) -> None:
    """End this process if a child was killed without Daft noticing: it waits forever for one that was killed before
    its first message.
    """
    name, killed, last = Path(sys.argv[0]).parent.name, 0, 0
    while killed < 3 and not done.wait(1):
        with suppress(ChildProcessError):  # no children
            child = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            pid = child.si_pid if child is not None and child.si_code == os.CLD_KILLED else 0
            killed, last = (killed + 1 if pid == last else 1) if pid else 0, pid
            if killed == 3 and child and child.si_status in SIGNALS:  # this process received it too
                say_interrupted(name)
                os._exit(INTERRUPTED)
    if killed == 3:
        report_error(f"{name}: {KILLED}")
        os._exit(1)


def _retry(keys: Sequence[K], ask: Callable[[Sequence[K]], DataFrame]) -> Iterator[tuple[K, Any]]:
    left, reason = dict.fromkeys(keys), ""
    for _ in range(TRIES):
        try:
            for key, answer in _rows(ask(list(left))):
                if key in left:
                    del left[key]
                    yield key, answer
        except _lost() as error:
            reason = _message(error)
        if not left:
            return
        print(f"{len(left)} of {len(keys)} rows did not come back from the cluster: asked for again", file=sys.stderr)
    raise UserError(f"the Ray cluster did not give {len(left)} rows back in {TRIES} tries: {reason}")


def collected(table: DataFrame) -> pa.Table:
    """Collect a whole table, computed again if a node is lost meanwhile.

    Raises:
        UserError: nodes were lost in every attempt.
    """
    reason = ""
    for _ in range(TRIES):
        try:
            return pa.Table.from_batches(table.to_arrow_iter(), table.schema().to_pyarrow_schema())
        except _lost() as error:
            reason = _message(error)
            print("a part of a table did not come back from the cluster: made anew", file=sys.stderr)
    raise UserError(f"the Ray cluster did not give a table back in {TRIES} tries: {reason}")


def _rows(table: DataFrame) -> Iterator[tuple[Any, Any]]:
    for batch in table.to_arrow_iter(results_buffer_size=8):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _lost() -> tuple[type[Exception], ...]:
    """Types of errors that mean that a node of the cluster was lost."""
    if not on_ray():
        return ()
    from ray.exceptions import RayError

    return (RayError,)


def _message(error: Exception) -> str:
    return " ".join(str(error).split())[:ERROR_LENGTH]  # Ray's first line names the task, a later one the cause
