"""The colourer on onnxruntime, which draws one picture in a fraction of torch's time (`bench.engines`)."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import onnxruntime
import torch
from torch import Tensor

from app.export import pix2pix, write
from stages.lib.colouring import Colourer, load_colourer


def quick_colourer() -> Colourer:
    """The trained colourer, its network's forward pass in onnxruntime.

    Raises:
        UserError: it is missing, or onnxruntime does not draw what torch draws.
    """
    colourer = load_colourer()
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # others need the cores too
    with TemporaryDirectory() as folder:
        file = write("pix2pix", pix2pix(), Path(folder) / "pix2pix.onnx")
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]

    def by_onnxruntime(*given: Tensor) -> Tensor:
        (pictures,) = session.run(["pictures"], {k: v.numpy() for k, v in zip(names, given, strict=False)})
        return torch.from_numpy(pictures)

    colourer.net.forward = by_onnxruntime  # type: ignore[method-assign, assignment]
    return colourer
