"""The colourer on onnxruntime, which takes a fraction of torch's time for one picture (`bench.engines`)."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions
from torch import Tensor

from app.export import pix2pix, write
from app.networks import colourer_file, use
from creatures.runtime.system import usable_cores
from creatures.translation.colouring import Colourer, load_colourer

CPU = ["CPUExecutionProvider"]


def quick_colourer() -> Colourer:
    """Load the trained colourer, with its network's forward pass in onnxruntime.

    Raises:
        UserError: it is missing, or onnxruntime's pictures differ from torch's.
    """
    colourer, options = load_colourer(colourer_file()), SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # others need the cores too
    options.intra_op_num_threads = usable_cores()
    options.graph_optimization_level = GraphOptimizationLevel.ORT_DISABLE_ALL  # it is optimised already
    networks = colourer_file().parent.resolve()
    with TemporaryDirectory() as folder, ProcessPoolExecutor(1, get_context("spawn"), use, (networks,)) as pool:
        # in its own process: the memory that it takes, more than a gigabyte, would stay with this one
        file = pool.submit(optimised, Path(folder)).result()
        session = InferenceSession(file, options, providers=CPU)
    names = [value.name for value in session.get_inputs()]

    def by_onnxruntime(*inputs: Tensor) -> tuple[Tensor, Tensor]:
        outputs = session.run(None, {k: v.numpy() for k, v in zip(names, inputs, strict=False)})
        return torch.from_numpy(outputs[0]), torch.from_numpy(outputs[-1])

    colourer.net.paint = by_onnxruntime  # type: ignore[method-assign, assignment]
    return colourer


def optimised(folder: Path) -> Path:
    """Write the network as onnxruntime optimises it for this machine; return the file."""
    options, file = SessionOptions(), folder / "optimised.onnx"
    options.optimized_model_filepath = str(file)
    options.log_severity_level = 3  # it would warn that the file is for this machine
    InferenceSession(write("pix2pix", pix2pix(), folder / "pix2pix.onnx"), options, providers=CPU)
    return file
