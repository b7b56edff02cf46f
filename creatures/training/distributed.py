"""Training in several processes, each with its shard of every batch: together they compute what one would.

Rows are assigned round-robin, so that any leading part of a batch is split evenly too. Every process
draws random numbers for the whole batch, from the same seed, and takes its shard of them.
Losses that are means over rows then need only the mean of all gradients; statistics of the whole
batch take `all_reduce_mean`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn import functional as F

from creatures.runtime.errors import UserError

Rows = TypeVar("Rows", Tensor, np.ndarray)


def init_distributed() -> None:
    """Join the process group given by RANK, WORLD_SIZE and MASTER_ADDR in the environment, as torchrun sets them."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        dist.init_process_group()  # gloo for tensors on the CPU, NCCL for those on GPUs


def world_size() -> int:
    """The number of processes."""
    return dist.get_world_size() if dist.is_initialized() else 1


def is_main_process() -> bool:
    """Whether this is the process that measures, logs and writes."""
    return not dist.is_initialized() or dist.get_rank() == 0


def shard(rows: Rows, dim: int = 0) -> Rows:
    """This process's rows of a whole batch.

    Raises:
        UserError: the processes would not get equally many.
    """
    count = world_size()
    if count == 1:
        return rows
    if rows.shape[dim] % count:
        raise UserError(
            f"{rows.shape[dim]} pictures of a batch cannot be shared evenly by {count} processes: "
            "choose another batch, or the number of processes by PROCESSES in the environment"
        )
    return rows[(slice(None),) * dim + (slice(dist.get_rank(), None, count),)]


def micro_batches(count: int, accumulate: int) -> list[slice]:
    """Split a process's `count` rows into `accumulate` micro-batches, round-robin: a slice of rows for each.

    Raises:
        UserError: some would have more than others.
    """
    if count % accumulate:
        raise UserError(f"{count} pictures of a batch cannot be split evenly in {accumulate}: change accumulate")
    return [slice(part, None, accumulate) for part in range(accumulate)]


class Means:
    """Means over micro-batches of the metrics to log: 0-d, detached."""

    def __init__(self, count: int) -> None:
        self.count, self.means = count, {}  # type: int, dict[str, Tensor]

    def add(self, **values: Tensor) -> None:
        """Add the metrics of one micro-batch."""
        for name, value in values.items():
            value = value.detach() / self.count
            self.means[name] = self.means[name] + value if name in self.means else value


def global_batch_size(count: int) -> int:
    """Number of rows in the whole batch, of which this process has `count`."""
    return count * world_size()


def all_reduce_mean(x: Tensor) -> Tensor:
    """Mean of x over all processes, differentiable: what one process would compute as a mean over the whole batch."""
    return x if world_size() == 1 else _Sum.apply(x) / world_size()


def whole_batch(x: Tensor) -> Tensor:
    """The rows of the whole batch, in order, from this process's `shard`, differentiable."""
    if world_size() == 1:
        return x
    rows = x.new_zeros(global_batch_size(len(x)), *x.shape[1:])
    rows[dist.get_rank() :: world_size()] = x
    return _Sum.apply(rows)


def all_gather(x: Tensor) -> Tensor:
    """The rows of the whole batch, in order, from this process's `shard`, without gradient."""
    if world_size() == 1:
        return x.detach()
    parts = [torch.empty_like(x, memory_format=torch.contiguous_format) for _ in range(world_size())]
    dist.all_gather(parts, x.detach().contiguous())
    return torch.stack(parts, dim=1).flatten(0, 1)


def any_rank(flag: bool | Tensor) -> bool:
    """Whether `flag` is true in any process; all of them wait for each other."""
    return bool(_add_up(torch.tensor(float(flag))))


def barrier() -> None:
    """Wait for all other processes."""
    any_rank(False)


def prepare(accelerate: Accelerator, *parts: Any) -> list[Any]:
    """Prepare networks and optimisers for training, with Accelerate and synchronised across ranks.

    Without DistributedDataParallel: it expects one forward for each backward, and a GAN has several.
    """
    return [_network(accelerate, x) if isinstance(x, nn.Module) else _optimiser(accelerate, x) for x in parts]


def _network(accelerate: Accelerator, net: nn.Module) -> nn.Module:
    for module in net.modules() if world_size() > 1 else ():
        # replaces only the class, so that parameters, names and copies stay as they are
        module.__class__ = _TOGETHER.get(type(module), type(module))
    if backend := os.environ.get("TORCH_COMPILE"):
        _compile(net, backend)
    return accelerate.prepare_model(net, evaluation_mode=True)


def _compile(net: nn.Module, backend: str) -> None:
    """Compile block by block, since networks are called in parts; copies, such as averages, are not compiled."""
    for part in net.children():
        if isinstance(part, nn.ModuleList | nn.ModuleDict):
            _compile(part, backend)
        else:
            part.compile(backend=backend)


def _optimiser(accelerate: Accelerator, optimiser: torch.optim.Optimizer) -> Any:
    prepared = accelerate.prepare_optimizer(optimiser)
    if world_size() > 1:
        weights = [weight for group in optimiser.param_groups for weight in group["params"]]
        step = prepared.step

        def step_together() -> None:
            average_gradients(weights)  # before a scaler checks them: either all processes skip a step or none
            step()

        prepared.step = step_together
    return prepared


def average_gradients(weights: Iterable[Tensor]) -> None:
    """Replace each gradient by its mean over all processes; a weight without one has none in any of them."""
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    flat = _add_up(torch.cat([gradient.flatten() for gradient in gradients])) / world_size()
    for gradient, mean in zip(gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(mean.view(gradient.shape))


def _add_up(x: Tensor) -> Tensor:
    """Sum x over all processes, in place."""
    if world_size() > 1:
        try:
            dist.all_reduce(x)
        except RuntimeError:
            raise UserError(
                "another process of this training has ended or is out of reach; see what it said. "
                "Started again, training goes on from its last checkpoint"
            ) from None
    return x


class _Sum(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return _add_up(x.clone(memory_format=torch.contiguous_format))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _Sum.apply(gradient)


class _BatchNorm(nn.modules.batchnorm._BatchNorm):
    """BatchNorm over the rows of all processes, on any device; torch's own SyncBatchNorm is only for GPUs."""

    running_mean: Any
    running_var: Any
    num_batches_tracked: Any
    momentum: Any

    def _check_input_dim(self, x: Tensor) -> None: ...

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        dims, shape = [0, *range(2, x.dim())], [1, -1] + [1] * (x.dim() - 2)
        mean = all_reduce_mean(x.float().mean(dims))
        centred = x.float() - mean.view(shape)
        var = all_reduce_mean(centred.square().mean(dims))
        if self.track_running_stats:
            count = global_batch_size(x.numel() // x.shape[1])
            with torch.no_grad():
                self.num_batches_tracked += 1
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(var * count / (count - 1), self.momentum)
        y = centred * (var + self.eps).rsqrt().view(shape)
        if self.affine:
            y = y * self.weight.view(shape) + self.bias.view(shape)
        return y.to(x.dtype)


class _Dropout(nn.Dropout):
    """Dropout of the same values as in one process with the whole batch."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or not self.p:
            return x
        return x * shard(F.dropout(torch.cat([torch.ones_like(x)] * world_size()), self.p))


_TOGETHER: dict[type, type] = {nn.BatchNorm1d: _BatchNorm, nn.BatchNorm2d: _BatchNorm, nn.Dropout: _Dropout}
