"""Settings of the process that make training fast on CPUs, repeatable, and silent towards the network."""

from __future__ import annotations

import contextlib
import ctypes
import os

ENVIRONMENT = {
    # on two cores, no spinning makes a GAN step a seventh slower, and long spinning makes two concurrent
    # trainings more than twice as slow (for those, OMP_NUM_THREADS=1 is best)
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "5000",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # deterministic cuBLAS
    "DAFT_ANALYTICS_ENABLED": "0",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    "PYTHONWARNINGS": "ignore:resource_tracker",  # it warns after an interruption
}
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3


def tune() -> None:
    """Apply the settings; call it before torch or Daft is imported. Variables that are set already are kept."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # glibc returns large blocks to the kernel at once and faults them back in, page by page, in the
    # next training step: a tenth of its time. Other C libraries have no mallopt.
    with contextlib.suppress(AttributeError, OSError, TypeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(M_TRIM_THRESHOLD, (1 << 31) - 1)
