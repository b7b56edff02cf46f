"""Which draws faster, torch or onnxruntime. The page colours by onnxruntime and draws the rest by torch.

    python -m app export && python -m bench.engines

Prints milliseconds, the median of many calls by turns, for one colouring and for 64 creatures.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import onnxruntime
import torch

from app.export import MODELS, OUT

COUNTS = {"pix2pix": 1, "generator": 64}  # pictures a call
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
        def by_torch(net: torch.nn.Module = model.net, given: dict[str, torch.Tensor] = inputs) -> None:
            net(*given.values())

        def by_onnx(run: onnxruntime.InferenceSession = session, given: dict[str, np.ndarray] = arrays) -> None:
            run.run(["pictures"], given)

        took: dict[str, list[float]] = {"torch": [], "onnxruntime": []}
        for _ in range(CALLS):
            for engine, call in (("torch", by_torch), ("onnxruntime", by_onnx)):
                took[engine].append(timed(call))
        shown = ", ".join(f"{engine} {1000 * np.median(seconds):.1f} ms" for engine, seconds in took.items())
        print(f"{name}, {COUNTS[name]} at a time: {shown}")


def timed(call: Callable[[], None]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
