"""Generate new creatures from a set of pictures: data, networks, metrics and training, for any program to import.

Sets what must be set before torch or Daft is imported: idle OpenMP threads spin briefly, then sleep, freed memory stays
with the process, and no library sends telemetry.
"""

import contextlib
import ctypes
import os

# on two cores, no spinning makes a GAN step a seventh slower, and long spinning makes two concurrent
# trainings more than twice as slow (for those, OMP_NUM_THREADS=1 is best)
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "5000")
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # deterministic cuBLAS
os.environ.setdefault("DAFT_ANALYTICS_ENABLED", "0")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker")  # it warns after an interruption

# glibc returns large blocks to the kernel at once and faults them back in, page by page, in the
# next training step: a tenth of its time. Other C libraries have no mallopt.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
with contextlib.suppress(AttributeError, OSError, TypeError):
    libc = ctypes.CDLL(None)
    libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
    libc.mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)
