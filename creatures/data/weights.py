"""Weights as safetensors with a JSON header: loading runs no code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from creatures.data.compact import compacted, restored
from creatures.data.loading import REMEDY, reading
from creatures.runtime.atomic import atomic_file

COMPACT = "compact"  # key in a header: the shapes of compacted tensors


def save_weights(path: Path, tensors: dict[str, Tensor], header: dict[str, Any], levels: int = 0) -> None:
    """Write tensors and a header (architecture, parameters, what they were `made_from`); byte-stable.

    Args:
        levels: for `compacted`, to save space; 0: store every number exactly.
    """
    if levels:
        tensors, shapes = compacted(tensors, levels)
        header = {**header, COMPACT: shapes}
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    with atomic_file(path) as part:
        save_file(plain, part, metadata={"header": json.dumps(header, sort_keys=True)})


def load_weights(path: Path, remedy: str = REMEDY) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Load tensors and header that `save_weights` wrote.

    Raises:
        UserError: the file is missing or damaged.
    """
    with reading(path, remedy), safe_open(path, framework="pt") as file:
        header = dict(json.loads(file.metadata()["header"]))
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return restored(tensors, header.pop(COMPACT, {})), header


def frozen_weights(net: nn.Module) -> set[str]:
    """Names of weights that come from a package and are not trained."""
    return {name for name, weight in net.named_parameters() if not weight.requires_grad}
