"""Where the time of a step of the `gan` stage goes, with params.yaml as it stands.

    python -m bench.step --steps 60

Prints two numbers: the fraction of the step that the networks take, forward and backward
(including the small part of losses and augmentation in the backward pass), and the time that
the step's convolutions need alone, each repeated with operands of the same shape, layout and
type, over the time of the step. On the CPU only. Needs the stages before the GAN.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any

import torch
import typer
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from bench.scratch import scratch
from creatures.data.pictures import open_pictures
from creatures.runtime.config import Common, changed, parse, read_yaml
from creatures.runtime.errors import UserError
from creatures.training.ema import EMA
from stages.gan import forward
from stages.gan.build import prepare
from stages.gan.params import GanParams
from stages.gan.train import train

ANCHOR = "pretrained, forward"  # for the anchor
NETWORKS = ("generator, forward", ANCHOR, "discriminator, forward", "backward")
CONVOLUTIONS = (torch.ops.aten.convolution.default, torch.ops.aten.convolution_backward.default)
REPEATS = 9


class Clock:
    """Seconds spent in functions, excluding calls of other clocked functions."""

    def __init__(self) -> None:
        self.seconds: Any = Counter()  # of floats
        self._inside = [0.0]

    @contextmanager
    def wrapped(self, owner: Any, name: str, part: str) -> Iterator[None]:
        inner = getattr(owner, name)

        def timed(*args: Any, **kwargs: Any) -> Any:
            self._inside.append(0.0)
            began = time.perf_counter()
            try:
                return inner(*args, **kwargs)
            finally:
                took = time.perf_counter() - began
                self.seconds[part] += took - self._inside.pop()
                self._inside[-1] += took

        setattr(owner, name, timed)
        try:
            yield
        finally:
            setattr(owner, name, inner)


class Recorder(TorchDispatchMode):
    """Counts the convolutions that are called, by their operands' shapes and layouts."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[Any] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in CONVOLUTIONS:
            self.calls[func, tuple(map(_described, args))] += 1
        return func(*args, **(kwargs or {}))


def _described(value: Any) -> Any:
    if isinstance(value, Tensor):
        return ("tensor", tuple(value.shape), value.stride(), value.dtype)
    return tuple(value) if isinstance(value, list) else value


def alone(func: Any, described: tuple[Any, ...]) -> float:
    """Median seconds of one call on operands like those described."""
    args: list[Any] = []
    for value in described:
        if isinstance(value, tuple) and value and value[0] == "tensor":
            args.append(torch.empty_strided(value[1], value[2], dtype=value[3]).normal_())
        else:
            args.append(list(value) if isinstance(value, tuple) else value)
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        func(*args)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def main(steps: Annotated[int, typer.Option(min=2, help="Steps to measure over.")] = 60) -> None:
    if torch.cuda.is_available():
        sys.exit("step: this takes the time on the CPU; hide the GPU with CUDA_VISIBLE_DEVICES=")
    try:
        measure(steps)
    except UserError as error:
        sys.exit(f"step: {error}")


def measure(steps: int) -> None:
    """Print the table."""
    values = read_yaml("params.yaml")
    common = parse("common", values["common"], Common)
    overrides: dict[str, Any] = {"snapshots": 0, "frames": 2, "n_critic": 1}
    overrides |= {"handover.d_warmup_kimg": 0.0, "handover.g_warmup_kimg": 0.0}
    pictures, clock, recorder = open_pictures(), Clock(), Recorder()

    def fit(steps: int, *around: Any) -> float:
        p = parse("gan", changed(values["gan"], overrides | {"kimg": steps * values["gan"]["batch"] / 1000}), GanParams)
        start = prepare(p, common, pictures)
        with scratch("step") as stage, ExitStack() as stack:
            for owner, name, part in (
                (start.net_g, "pyramid", "generator, forward"),
                (type(start.net_g), "forward", ANCHOR),  # for the fakes `pyramid` is called
                (start.net_d, "features", "discriminator, forward"),
                (start.net_d, "discriminate", "discriminator, forward"),
                (Tensor, "backward", "backward"),
                (forward, "augment", "augmentation"),
                (torch.optim.Adam, "step", "optimisers"),
                (EMA, "update", "average of weights"),
                (forward, "to_float", "pictures"),
            ):
                stack.enter_context(clock.wrapped(owner, name, part))
            for context in around:
                stack.enter_context(context)
            times: list[float] = []  # at the first step and after the last
            train(stage, p, start, pictures, common.seed, lambda *_: times.append(time.perf_counter()), None)
            return times[-1] - times[0]

    fit(5, recorder)  # also warms up
    clock.seconds.clear()
    total = fit(steps)
    for part, seconds in clock.seconds.most_common():
        print(f"{part:26} {1000 * seconds / steps:7.1f} ms  {seconds / total:6.1%}")
    rest = total - clock.seconds.total()
    print(f"{'everything else':26} {1000 * rest / steps:7.1f} ms  {rest / total:6.1%}")
    print(f"{'step':26} {1000 * total / steps:7.1f} ms")
    networks = sum(clock.seconds[part] for part in NETWORKS)
    print(f"networks: {networks / total:.1%} of the step")
    bare = sum(alone(*call) * count for call, count in recorder.calls.items()) / 5
    print(f"its convolutions alone: {1000 * bare:.1f} ms, {bare * steps / total:.1%} of the step")


if __name__ == "__main__":
    typer.run(main)
