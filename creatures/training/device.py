"""Where training runs. Taken from the environment, never from parameters: the device
and the number of processes must not change what a stage is cached under.
"""

from __future__ import annotations

import os
from typing import Any, TypeVar

import torch
from accelerate import Accelerator
from torch import distributed as dist
from torch import nn

from creatures.data.tensors import repeatable_kernels
from creatures.training.distributed import init_distributed

SCALER = "scaler"  # in a checkpoint


def accelerator() -> Accelerator:
    """Accelerate on whatever device there is, with repeatable kernels, in one process or several.

    bfloat16 autocast where the device has instructions for it, float16 with scaled losses on older GPUs,
    unless the environment's ACCELERATE_MIXED_PRECISION says bf16, fp16 or no.
    """
    repeatable_kernels()
    able = "bf16" if has_bfloat16() else "fp16" if torch.cuda.is_available() else "no"
    init_distributed()
    several_on_cpu = dist.is_initialized() and not torch.cuda.is_available()
    return Accelerator(mixed_precision=os.environ.get("ACCELERATE_MIXED_PRECISION", able), cpu=several_on_cpu)


def has_bfloat16() -> bool:
    """Whether the device multiplies bfloat16 faster than float32: CUDA from Ampere on, CPUs with AVX512-BF16 or AMX."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_capability() >= (8, 0)
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def scaler_of(accelerate: Accelerator) -> dict[str, Any]:
    """For a checkpoint: the scaler of losses, where training is in float16."""
    return {SCALER: accelerate.scaler} if accelerate.scaler else {}


N = TypeVar("N", bound=nn.Module)


def to_device(net: N, device: torch.device) -> N:
    """Move a network to a device, in channels-last memory, which convolutions are fastest in."""
    return net.to(device).to(memory_format=torch.channels_last)
