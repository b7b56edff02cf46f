"""Harness of every stage's `__main__`: one-line errors, a lock, a check for changed inputs, a record of the cost."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock, Timeout

from creatures.runtime.atomic import atomic_file
from creatures.runtime.config import Common, Section, load, lookup, read_yaml
from creatures.runtime.errors import UserError, out_of_memory, report_error
from creatures.runtime.signals import INTERRUPTED, on_signals, say_interrupted
from creatures.runtime.system import limit_threads, peak_memory_mib, usable_cores
from stages.harness.ignored import Ignored

S = TypeVar("S", bound=Section)


class Stage:
    """One run of one stage of dvc.yaml.

    Attributes:
        name: the stage's name in dvc.yaml, and of its section in params.yaml.
        on_success: callbacks for when nothing can fail any more, such as one that deletes a checkpoint.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.on_success: list[Callable[[], None]] = []

    def params(self, model: type[S]) -> tuple[Common, S]:
        """`common` and this stage's own section of params.yaml, checked."""
        return load(self.name, model)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the command, parameters, code and inputs that this run started from.

        The same wherever the checkout lies, so that an interrupted experiment in a
        temporary folder is recognised when it is run again.
        """
        return self._fingerprint()

    def _fingerprint(self) -> str:
        document, values = read_yaml("dvc.yaml"), read_yaml("params.yaml")
        entry = document.get("stages", {}).get(self.name)
        if entry is None:
            raise UserError(f"dvc.yaml has no stage {self.name}")
        digest = hashlib.sha256(str(entry["cmd"]).encode())
        for key in entry.get("params", []):
            digest.update(json.dumps([key, lookup(values, key)], sort_keys=True).encode())
        for dep in entry.get("deps", []):
            match = re.search(r"\$\{(.+)\}", dep)
            value = str(lookup(values, match[1])) if match else ""
            path = Path(dep.replace(match[0], value) if match else dep)
            if match and not path.exists():
                raise UserError(f"{match[1]} is {value!r}: there is no {path}")
            _hash_path(path, digest)
        return digest.hexdigest()

    @property
    def root(self) -> Path:
        """The checkout that DVC was called in, also when it runs in a temporary copy."""
        return Path(os.environ.get("DVC_ROOT", "."))

    @property
    def checkpoint_dir(self) -> Path:
        """Folder for the checkpoint of a run with this fingerprint: outside the stage's outputs."""
        return self.root / ".ckpt" / self.name / self.fingerprint[:16]

    @property
    def run_dir(self) -> Path:
        """Folder for what is not an output: TensorBoard events, costs, versions."""
        return self.root / "runs" / self.name / self.fingerprint[:16]

    def write_metrics(self, metrics: dict[str, Any]) -> None:
        """Write metrics/<stage>.json; floats to 6 significant digits, in the order given."""
        with atomic_file(Path("metrics") / f"{self.name}.json") as path:
            path.write_text(json.dumps(_rounded(metrics), indent=2, allow_nan=False) + "\n")

    def write_table(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Write metrics/<stage>/<name>.tsv, one row per dictionary, for `dvc plots`."""
        columns = list(dict.fromkeys(key for row in rows for key in row))
        lines = ["\t".join(columns)]
        lines += ["\t".join(str(_rounded(row.get(c, ""))) for c in columns) for row in rows]
        with atomic_file(self.plot_path(f"{name}.tsv")) as path:
            path.write_text("\n".join(lines) + "\n")

    def plot_path(self, file: str) -> Path:
        """The path metrics/<stage>/<file>; its folder is created."""
        path = Path("metrics") / self.name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def check_unchanged(self) -> None:
        """Raise UserError if code, parameters or inputs have changed: DVC hashes them after the command,
        and would record an edit made meanwhile as the origin of these outputs.
        """
        if self._fingerprint() != self.fingerprint:
            raise UserError("code, parameters or inputs changed while this ran; nothing was recorded, run it again")

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Lock this stage in this folder against other runs; of several training processes, rank 0 holds the lock.

        Raises:
            UserError: another run holds it.
        """
        lock = FileLock(Path(".ckpt", f"{self.name}.lock"))
        if os.environ.get("RANK", "0") == "0":
            Path(lock.lock_file).parent.mkdir(exist_ok=True)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                raise UserError(f"another process is running {self.name} here ({lock.lock_file})") from None
        try:
            yield
        finally:
            lock.release()

    def reason(self, error: Exception) -> str:
        """One line for an error that the user can fix, else ""."""
        if isinstance(error, UserError):
            return str(error)
        if isinstance(error, OSError):
            return f"{error.filename}: {error.strerror}" if error.filename else str(error)
        if out_of_memory(error):
            lower = ["common.image_px"]
            if lookup(read_yaml("params.yaml"), f"{self.name}.batch"):
                lower.insert(0, f"{self.name}.batch")
            return f"out of memory: lower {' or '.join(lower)}, or end what else is running"
        return ""

    def write_cost(self) -> None:
        """Append this run's time, and the peak memory of its largest process, to runs/<stage>/…/cost.jsonl."""
        import platform

        import psutil

        cost = {
            "stage": self.name,
            "seconds": round(time.time() - psutil.Process().create_time(), 1),
            "peak_mib_of_a_process": peak_memory_mib(),
            "python": platform.python_version(),
            "machine": f"{usable_cores()} cores, {platform.machine()}",
        }
        if torch := sys.modules.get("torch"):
            cost["torch"] = torch.__version__
            cost["device"] = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
        self.run_dir.mkdir(parents=True, exist_ok=True)
        with open(self.run_dir / "cost.jsonl", "a", encoding="utf-8") as out:
            out.write(json.dumps(cost) + "\n")


def run(name: str, main: Callable[[Stage], None]) -> None:
    """Run a stage's `main` and exit as DVC expects: with status 0 only if everything is done, and with a one-line
    message for errors that the user can fix.
    """
    stage = Stage(name)

    def interrupt(number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)  # a second signal of this kind ends the process at once
        if not interrupts:  # Daft sends SIGINT when it is interrupted by SIGTERM
            interrupts.append(number)
            say_interrupted(name)
            raise KeyboardInterrupt

    interrupts: list[int] = []
    on_signals(interrupt)
    threading.excepthook, sys.unraisablehook = _in_thread, _on_unraisable
    try:
        with stage.exclusive():
            _ = stage.fingerprint
            limit_threads()
            main(stage)
            stage.check_unchanged()
            with suppress(OSError):  # a full disk: the cost is not an output
                stage.write_cost()
            on_signals(signal.SIG_IGN)  # done: an interrupt while the checkpoint is deleted must not fail the run
            for action in stage.on_success:
                action()
    except KeyboardInterrupt:
        say_interrupted(name)
        _end(INTERRUPTED)
    except Exception as error:
        if interrupts:  # the same signal ended its child processes
            _end(INTERRUPTED)
        if not (reason := stage.reason(error)):
            raise
        report_error(f"{name}: {reason}")
        _end(1)
    _end(0)


def _end(status: int) -> None:
    """Exit without the libraries' exit handlers, which may hang or abort while threads are running."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(status)


def _on_unraisable(args: Any) -> None:
    """Exit on an interrupt that was raised where Python ignores exceptions, such as in a destructor."""
    if issubclass(args.exc_type, KeyboardInterrupt):
        _end(INTERRUPTED)
    sys.__unraisablehook__(args)


def _in_thread(args: threading.ExceptHookArgs) -> None:
    """Ignore OSError in a thread: it is from TensorBoard's writer, and the next row raises it again."""
    if not isinstance(args.exc_value, OSError):
        threading.__excepthook__(args)


def _hash_path(path: Path, digest: Any) -> None:
    for file in _files(path) if path.is_dir() else [path]:
        name = str(file.relative_to(path)) if file != path else path.name
        digest.update(name.encode(errors="surrogateescape"))
        try:
            with open(file, "rb") as source:
                digest.update(hashlib.file_digest(source, "sha256").digest())
        except PermissionError:
            raise UserError(f"{file} may not be read: change its permissions, or take it away") from None
        except OSError:
            raise UserError(f"cannot read {file}; run the stages before this one (dvc repro)") from None


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder that DVC does not ignore, in a fixed order: there may be millions."""
    for parent, _, names in Ignored().walk(folder):
        yield from (file for name in names if (file := parent / name).is_file())


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return value
