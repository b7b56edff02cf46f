"""Device and precision of training. Taken from the environment, never from parameters: the device
and the number of processes must not change the cache key of a stage.
"""

from __future__ import annotations

import os
from typing import Any, TypeVar

import torch
from accelerate import Accelerator
from torch import distributed as dist
from torch import nn

from creatures.data.tensors import repeatable_kernels
from creatures.runtime.errors import UserError
from creatures.training.distributed import init_distributed

SCALER = "scaler"  # key in a checkpoint


def accelerator() -> Accelerator:
    """Accelerator for the device there is, with deterministic kernels, in one process or several.

    bfloat16 autocast if the device has instructions for it, float16 with loss scaling on older GPUs,
    unless ACCELERATE_MIXED_PRECISION in the environment is bf16, fp16 or no.

    Raises:
        UserError: it is anything else.
    """
    repeatable_kernels()
    precision = "bf16" if has_bfloat16() else "fp16" if torch.cuda.is_available() else "no"
    init_distributed()
    several_on_cpu = dist.is_initialized() and not torch.cuda.is_available()
    chosen = os.environ.get("ACCELERATE_MIXED_PRECISION") or precision
    if chosen not in ("no", "bf16", "fp16"):
        raise UserError(f"ACCELERATE_MIXED_PRECISION is {chosen!r}: it must be bf16, fp16 or no")
    return Accelerator(mixed_precision=chosen, cpu=several_on_cpu)


def has_bfloat16() -> bool:
    """Whether the device multiplies bfloat16 faster than float32: CUDA from Ampere on, CPUs with AVX512-BF16 or AMX."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_capability() >= (8, 0)
    capabilities = torch.cpu.get_capabilities()
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def scaler_of(accelerate: Accelerator) -> dict[str, Any]:
    """The loss scaler, for a checkpoint, if training is in float16."""
    return {SCALER: accelerate.scaler} if accelerate.scaler else {}


N = TypeVar("N", bound=nn.Module)


def to_device(net: N, device: torch.device) -> N:
    """Move a network to a device, in channels-last memory, where convolutions are fastest."""
    return net.to(device).to(memory_format=torch.channels_last)
