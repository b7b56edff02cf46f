"""Weights in less space."""

import json

import pytest
import torch
from safetensors import safe_open

from creatures.data.compact import LARGE, compacted, restored
from creatures.data.weights import load_weights, save_weights


@pytest.fixture()
def tensors():
    torch.manual_seed(0)
    rows = torch.randn(64, 32, 3, 3) * torch.rand(64, 1, 1, 1)
    rows[3] = 0
    return {
        "conv.weight": rows,
        "conv.bias": torch.randn(64),
        "steps": torch.tensor(7),
        "old": torch.full((70, 70), 0.5),
    }


@pytest.mark.parametrize("levels", [127, 63])
def test_every_number_is_within_half_a_step_of_its_row(tensors, levels):
    found = restored(*compacted(tensors, levels))
    assert found.keys() == tensors.keys()
    for name in ("conv.bias", "steps", "old"):
        assert torch.equal(found[name], tensors[name]) and found[name].dtype == tensors[name].dtype
    step = tensors["conv.weight"].abs().amax((1, 2, 3), keepdim=True) / levels
    apart = (found["conv.weight"] - tensors["conv.weight"]).abs()
    assert (apart <= step / 2 * 1.0001).all() and apart.max() > 0
    assert not found["conv.weight"][3].any()


def test_a_file_is_read_back_as_any_other_and_is_small(tensors, tmp_path):
    plain, small = tmp_path / "plain.safetensors", tmp_path / "small.safetensors"
    save_weights(plain, tensors, {"architecture": "x"})
    save_weights(small, tensors, {"architecture": "x"}, levels=127)
    found, header = load_weights(small)
    assert header == load_weights(plain)[1] == {"architecture": "x"}
    assert {name: value.shape for name, value in found.items()} == {
        name: value.shape for name, value in tensors.items()
    }
    assert all(value.dtype == tensors[name].dtype for name, value in found.items())
    assert small.stat().st_size < plain.stat().st_size / 3
    with safe_open(small, framework="pt") as file:
        assert json.loads(file.metadata()["header"])["compact"] == {"conv.weight": [64, 32, 3, 3], "old": [70, 70]}


def test_what_is_small_or_whole_numbers_stays_as_it_is():
    few = {"few": torch.rand(2, LARGE // 2 - 1), "many": torch.arange(2 * LARGE).view(2, LARGE)}
    stored, shapes = compacted(few)
    assert shapes == {} and all(torch.equal(stored[name], few[name]) for name in few)
    with pytest.raises(ValueError, match="levels"):
        compacted(few, 128)
