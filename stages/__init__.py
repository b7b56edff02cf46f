"""The pipeline's stages, one room each, in the order of dvc.yaml.

Set before any stage loads torch or Daft: idle OpenMP threads spin a little, then
sleep, freed memory stays with the process, no library reports home, and what
is interrupted while it loads them says so in one line.
"""

import contextlib
import ctypes
import os
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

# glibc gives large blocks back to the kernel at once and fetches them, page by page, in the
# next training step: a tenth of its time. Elsewhere there is no such function.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
with contextlib.suppress(AttributeError, OSError, TypeError):
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
    libc.mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)

INTERRUPTED = 75  # EX_TEMPFAIL: a stage that ends early must not exit 0, or DVC records it as done
STOPPED = 130  # what shells say of a command that Ctrl-C has ended

_module = sys.orig_argv[sys.orig_argv.index("-m") + 1] if sys.argv[:1] == ["-m"] else ""
if _module == "app" or _module.startswith("stages."):
    # until stages.lib.stage.run or app.__main__ takes over: nothing has begun that would have to be put in order

    def _end(number: int, frame: object) -> None:
        os.write(2, f"{_module.removeprefix('stages.')}: interrupted\n".encode())
        os._exit(STOPPED if _module == "app" else INTERRUPTED)

    for _number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(_number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(_number, _end)
