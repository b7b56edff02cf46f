"""The pipeline's stages, one room each, in the order of dvc.yaml.

Set before any stage loads torch or Daft: idle OpenMP threads spin a little, then
sleep, freed memory stays with the process, no library reports home, and what
is interrupted while it loads them says so in one line.
"""

import contextlib
import ctypes
import os
import re
import signal
import sys

# on two cores: no spinning makes a GAN step a seventh slower, much of it makes two trainings
# side by side more than twice as slow (for those, OMP_NUM_THREADS=1 is best)
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "5000")
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # repeatable sums on CUDA
os.environ.setdefault("DAFT_ANALYTICS_ENABLED", "0")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")  # what processes left that were interrupted

# glibc gives large blocks back to the kernel at once and fetches them, page by page, in the
# next training step: a tenth of its time. Elsewhere there is no such function.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
with contextlib.suppress(AttributeError, OSError, TypeError):
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
    libc.mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)

INTERRUPTED = 75  # EX_TEMPFAIL: a stage that ends early must not exit 0, or DVC records it as done
STOPPED = 130  # what shells say of a command that Ctrl-C has ended


def _module() -> str:
    """The module that `python -m` runs, "" where it runs none; asked while it is being found."""
    if sys.argv[:1] != ["-m"]:
        return ""
    for place, word in enumerate(sys.orig_argv[1:], 1):
        if found := re.fullmatch("-[bBdEiIOPqRsSuvx]*m(.*)", word):
            return found[1] or sys.orig_argv[place + 1]
    return ""


_name = _module().removeprefix("stages.")
if _name == "app" or _name != _module():
    # until stages.lib.stage.run or app.__main__ takes over: nothing has begun that would have to be put in order

    def _end(number: int, frame: object) -> None:
        with contextlib.suppress(OSError):
            os.write(2, f"{_name}: interrupted\n".encode())
        os._exit(STOPPED if _name == "app" else INTERRUPTED)

    for _number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(_number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(_number, _end)
