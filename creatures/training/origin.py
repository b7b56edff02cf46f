"""Starting point of a training: from scratch, the weights of an earlier run, or its complete final state."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from creatures.artifacts import MODELS
from creatures.data.loading import reading
from creatures.data.provenance import START, digest_of
from creatures.data.weights import frozen_weights, load_weights
from creatures.runtime.config import NONE
from creatures.runtime.errors import UserError

DATA = ("pictures", "outlines", "pairs", "encoder", "embeddings", "mixture")  # training data, as keys of `made_from`
NAMED = 6  # layers in a line, at most
REMEDY = "delete it to start from weights alone"  # for a state that cannot be read
PARAMETRISED = ".parametrizations."  # as torch names the parts of a weight with a spectral norm


class Origin:
    """Starting point of a training, given by `start` in its section of params.yaml.

    Args:
        section: its name: weights are in models/<start>/<section>.safetensors, the state next to them.
        start: a folder below models/, or `none`.
        made_from: of this run, as `ancestors` returns it.
        same: parameters that must be equal to continue from a state, such as the batch.
        about: further metadata for the state of this run.
        root: where models/ is.

    Attributes:
        about: metadata for the state of this run.
        architecture: in the metadata of the weights that it starts from; empty if they have none.
        mark: for the `made_from` of its weights: the digest of those that it starts from.
        state: of the earlier run, to continue from; None if there is none that fits.
        whole: names of the files whose weights were all loaded.

    Raises:
        UserError: there is no such file, or it is damaged.
    """

    def __init__(
        self,
        section: str,
        start: str = NONE,
        made_from: Mapping[str, str] | None = None,
        same: Mapping[str, Any] | None = None,
        about: Mapping[str, Any] | None = None,
        root: Path = Path(),
    ) -> None:
        self.section, self.start, self.folder = section, start, root / MODELS / start
        self.made_from, self.parameters = dict(made_from or {}), dict(same or {})
        self.about = {"made_from": self.made_from, "same": self.parameters, **(about or {})}
        self.mark: dict[str, str] = {}
        self.state: dict[str, Any] | None = None
        self.earlier: dict[str, str] = {}
        self.architecture: Mapping[str, Any] = {}
        self.whole: set[str] = set()
        self._lacks = ""
        if start == NONE:
            return
        file = self._file(section)
        if not file.is_file():
            raise UserError(f"{section}.start is {start!r}: there is no {file}")
        _, header = load_weights(file, "choose another start")
        self.earlier, self.mark = header.get("made_from") or {}, {START: digest_of(file)}
        if isinstance(made_as := header.get("architecture"), dict):  # a classifier's is a name
            self.architecture = made_as
        self.state = self._read_state(file)

    def _file(self, name: str) -> Path:
        """Path of weights in the folder; a generator trained as a GAN can stand in for a pretrained one."""
        names = [name, "gan"] if name == "pretrain" else [name]
        files = [self.folder / f"{name}.safetensors" for name in names]
        return next((file for file in files if file.is_file()), files[0])

    def _read_state(self, weights: Path) -> dict[str, Any] | None:
        self.state_file = state_file(self.folder, self.section, weights)
        if not self.state_file.is_file():
            return None
        with reading(self.state_file, REMEDY):
            state = dict(torch.load(self.state_file, map_location="cpu", weights_only=True))
            made_from, same = state["about"]["made_from"], state["about"]["same"]
        changed = [name for name in DATA if made_from.get(name) != self.made_from.get(name)]
        changed += [name for name in self.parameters if same.get(name) != self.parameters[name]]
        self._lacks = f"other {', '.join(changed)}" if changed else ""
        return None if changed else state

    def restores(self, trains: bool = True, /, **nets: nn.Module) -> bool:
        """Whether there is a state to continue from that fits the given networks; one that does not is dropped.

        Args:
            trains: whether this run has any steps; one that has none takes weights alone.
        """
        if not trains:
            self.state = None
        if self.state is None:
            return False
        if all(_shapes(net.state_dict()) == _shapes(self.state["state"].get(name)) for name, net in nets.items()):
            self._say(f"goes on from {self.folder}, at step {self.state['step']}")
            return True
        self.state, self._lacks = None, "other networks"
        return False

    def check(self, steps: int) -> None:
        """Check that there are steps left to do.

        Raises:
            UserError: the earlier run has already done as many steps as this one should.
        """
        if self.state is not None and self.state["step"] >= steps:
            longer = "epochs" if self.section == "classifier" else "kimg"
            raise UserError(
                f"{self.section}.start is {self.start!r}, a run of {self.state['step']} steps, and this one ends at "
                f"step {steps}: raise {self.section}.{longer}"
            )

    def same(self, name: str | None) -> bool:
        """Whether the earlier run had the same `encoder`, `mixture` and so on. One that was itself started from the
        earlier run's counts as the same; so does a name of None.
        """
        if name is None:
            return True
        earlier, current = self.earlier.get(name), self.made_from.get(name)
        return earlier == current or (earlier is not None and earlier == self.made_from.get(f"{START} of {name}"))

    def take(
        self,
        net: nn.Module,
        name: str = "",
        reads: str | None = None,
        by: Collection[str] = (),
        others: str = "new",
        adapt: Callable[[Any, Mapping[str, Tensor]], dict[str, Tensor]] | None = None,
    ) -> list[str]:
        """Load the layers that agree in name and shape into a network; print a line about the others and return them.

        Args:
            name: of the file, if it is not the section's own; it may be missing.
            reads: what must be the `same` for layers with one of the names `by` in their path; otherwise they are
                not loaded.
            others: word in that line for layers that were not loaded.
            adapt: makes weights for the network from those of a file whose shapes differ, such as `widened`.

        Raises:
            UserError: no layer of the section's own file agrees.
        """
        file = self._file(name or self.section)
        if self.start == NONE or (name and not file.is_file()):
            return []
        tensors, foreign = load_weights(file, "choose another start")[0], not self.same(reads)
        shapes, stored_shapes = _shapes(net.state_dict()), _shapes(tensors)
        if adapt:
            tensors = adapt(net, tensors)
        # files need not have the weights of frozen networks that come from a package
        packaged = frozen_weights(net) - tensors.keys()
        layers: dict[str, list[str]] = {}
        for key in net.state_dict():
            if key not in packaged:
                layers.setdefault(_layer(key), []).append(key)
        file_shapes = _shapes(tensors)
        taken = {
            layer
            for layer, keys in layers.items()
            if all(file_shapes.get(key) == shapes[key] for key in keys)
            and not (foreign and set(by) & set(layer.split(".")))
        }
        if not taken and name:
            self._say(f"no layer of {file} fits; {others}")
            return list(layers)
        if not taken:
            raise UserError(f"{self.section}.start is {self.start!r}: no layer of {file} fits")
        net.load_state_dict({key: tensors[key] for layer in taken for key in layers[layer]}, strict=False)
        line = f"starts from {file}: "
        left = [layer for layer in layers if layer not in taken]
        if not left:
            self.whole.add(name or self.section)
            line += f"all {len(layers)} layers" + (", widened" if file_shapes != stored_shapes else "")
        else:
            count = sum(tensors[key].numel() for layer in taken for key in layers[layer])
            part = count / sum(value.numel() for value in net.state_dict().values())
            line += f"{len(taken)} of {len(layers)} layers, {part:.0%} of the weights; {others}: {_names(left, taken)}"
        if foreign:
            line += f"; it was made with another {reads}"
        self._say(line + (f"; no more than weights ({self._lacks})" if self._lacks and not name else ""))
        return left

    def _say(self, line: str) -> None:
        if os.environ.get("RANK", "0") == "0":
            print(f"{self.section}: {line}", flush=True)


def state_file(folder: Path, section: str, weights: Path) -> Path:
    """Path in a folder of the state that belongs to given weights, if it exists: its name has their digest."""
    return folder / f"{section}-{digest_of(weights)}.pt"


def _shapes(state: Mapping[str, Tensor] | None) -> dict[str, tuple[int, ...]]:
    return {key: tuple(value.shape) for key, value in (state or {}).items()}


def _layer(key: str) -> str:
    """The module that a tensor belongs to; for tensors of the network itself, their own name."""
    return key.split(PARAMETRISED)[0] if PARAMETRISED in key else key.rpartition(".")[0] or key


def _names(left: Iterable[str], taken: Collection[str]) -> str:
    """List layers that were not taken, by their shortest unambiguous prefixes."""
    short = []
    for layer in left:
        parts = layer.split(".")
        prefixes = [".".join(parts[: end + 1]) for end in range(len(parts))]
        short.append(next((p for p in prefixes if not any(f"{name}.".startswith(f"{p}.") for name in taken)), layer))
    names = list(dict.fromkeys(short))
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
