"""Where training runs. Taken from the environment, never from parameters: the device
and the number of processes must not change what a stage is cached under."""

from __future__ import annotations

import torch
from accelerate import Accelerator

from stages.lib.params import UserError


def accelerator() -> Accelerator:
    """Accelerate on whatever device there is, with repeatable kernels.

    bfloat16 autocast where the device gains by it (CUDA from Ampere on; CPUs were
    measured to gain nothing).
    """
    torch.use_deterministic_algorithms(True, warn_only=True)  # a few CUDA kernels have no such form
    # the fill costs a tenth of a step, and nothing reads it
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    gains = torch.cuda.is_available() and torch.cuda.get_device_capability() >= (8, 0)
    accelerate = Accelerator(mixed_precision="bf16" if gains else "no")
    if accelerate.num_processes > 1:
        raise UserError("training in several processes is not there yet; start one")
    return accelerate
