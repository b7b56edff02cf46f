"""Networks as ONNX."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import app.export
from app.export import export
from stages.lib.colouring import Colourer
from stages.lib.nets.lite import LiteGenerator
from stages.lib.nets.unet import UNet
from stages.lib.params import UserError
from stages.lib.sampling import Latent, Sampler
from tests.closure import ROOT


@pytest.fixture
def models(monkeypatch):
    torch.manual_seed(0)
    net = LiteGenerator(6, 32, 4).eval().requires_grad_(False)
    monkeypatch.setattr(app.export, "load_sampler", lambda: Sampler(net, Latent(6)))
    colourer = Colourer(UNet(16, 4).eval().requires_grad_(False), "dropout")
    monkeypatch.setattr(app.export, "load_colourer", lambda: colourer)
    return net, colourer


def test_onnx_draws_what_torch_draws_in_batches_of_any_length(models, tmp_path, monkeypatch):
    net, colourer = models
    monkeypatch.chdir(ROOT)
    generator, pix2pix, card = export(["generator", "pix2pix"], tmp_path)
    for count in (1, 5):
        z = torch.randn(count, 6)
        (found,) = onnxruntime.InferenceSession(generator).run(["pictures"], {"z": z.numpy()})
        assert np.abs(found - net(z).numpy()).max() < 1e-4
    lines, noise = torch.ones(4, 1, 16, 16), torch.ones(4, colourer.net.noise_length)
    given = {"outlines": lines.numpy(), "noise": noise.numpy()}
    (found,) = onnxruntime.InferenceSession(pix2pix).run(["pictures"], given)
    assert np.abs(found - colourer.net(lines, noise).numpy()).max() < 1e-4
    about = {entry.key: entry.value for entry in onnx.load(pix2pix).metadata_props}
    assert set(about) == {"outlines", "noise", "pictures"} and "[-1, 1]" in about["pictures"]
    text = card.read_text()
    assert "GAME FREAK" in text
    figures = json.loads((ROOT / "metrics/evaluate.json").read_text())
    assert f'"kid": {figures["kid"]}' in text and '"lambda_l1": 100.0' in text


def test_a_file_that_differs_from_torch_is_not_written(models, tmp_path, monkeypatch):
    monkeypatch.setattr(app.export, "difference", lambda *_: float("nan"))
    with pytest.raises(UserError, match="nothing was written"):
        export(["pix2pix"], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_was_not_trained_is_named_before_anything_is_written(models, tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"gan\.safetensors is missing"):
        export(["generator", "pix2pix"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
