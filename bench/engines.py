"""Which is faster, torch or onnxruntime. The page colours with onnxruntime and draws everything else with torch.

    python -m app export && python -m bench.engines

Prints milliseconds, the median of many alternating calls, for one colouring and for 64 creatures.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import onnxruntime
import torch

from app.export import MODELS, OUT

COUNTS = {"pix2pix": 1, "generator": 64}  # pictures per call
CALLS = 30


def main() -> None:
    for name, load in MODELS.items():
        model = load()
        inputs = model.inputs(COUNTS[name])
        arrays = {key: value.numpy() for key, value in inputs.items()}
        if not (OUT / f"{name}.onnx").exists():
            sys.exit(f"engines: {OUT}/{name}.onnx is missing; run python -m app export first")
        session = onnxruntime.InferenceSession(OUT / f"{name}.onnx", providers=["CPUExecutionProvider"])

        @torch.inference_mode()
        def by_torch(net: torch.nn.Module = model.net, feeds: dict[str, torch.Tensor] = inputs) -> None:
            net(*feeds.values())

        def by_onnx(run: onnxruntime.InferenceSession = session, feeds: dict[str, np.ndarray] = arrays) -> None:
            run.run(["pictures"], feeds)

        times: dict[str, list[float]] = {"torch": [], "onnxruntime": []}
        for _ in range(CALLS):
            for engine, call in (("torch", by_torch), ("onnxruntime", by_onnx)):
                times[engine].append(timed(call))
        medians = ", ".join(f"{engine} {1000 * np.median(seconds):.1f} ms" for engine, seconds in times.items())
        print(f"{name}, {COUNTS[name]} at a time: {medians}")


def timed(call: Callable[[], None]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
