"""Networks as ONNX."""

from __future__ import annotations

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import app.export
from app.export import export, write
from app.page.onnx_colourer import quick_colourer
from creatures.artifacts import COLOURER, GENERATOR
from creatures.data.weights import save_weights
from creatures.latents.sampler import Latent, Sampler
from creatures.nets.generators.lite import LiteGenerator
from creatures.runtime.errors import UserError
from creatures.translation.colouring import Colourer, load_colourer
from creatures.translation.unet import UNet
from tests.support.deps import ROOT


@pytest.fixture
def models(monkeypatch):
    torch.manual_seed(0)
    net = LiteGenerator(6, 32, 4).eval().requires_grad_(False)
    monkeypatch.setattr(
        app.export, "generator_file", lambda: GENERATOR
    )  # though there may be none but the released one
    monkeypatch.setattr(app.export, "colourer_file", lambda: COLOURER)
    monkeypatch.setattr(app.export, "load_sampler", lambda _: Sampler(net, Latent(6)))
    colourer = Colourer(UNet(16, 4, 2).eval().requires_grad_(False), "dropout", "mixed", torch.zeros(0, 2, 4))
    monkeypatch.setattr(app.export, "load_colourer", lambda _: colourer)
    monkeypatch.setattr(app.export, "read_header", lambda path: {"params": {"of": path.stem}})
    monkeypatch.setattr(app.export, "note_changes", lambda *paths: None)
    return net, colourer


def test_onnx_draws_what_torch_draws_in_batches_of_any_length(models, tmp_path, monkeypatch):
    net, colourer = models
    monkeypatch.chdir(ROOT)
    for _ in range(2):  # the second time in place of the first
        generator, pix2pix, card = export(tmp_path)
    for count in (1, 5):
        z = torch.randn(count, 6)
        (found,) = onnxruntime.InferenceSession(generator).run(["pictures"], {"z": z.numpy()})
        assert np.abs(found - net(z).numpy()).max() < 1e-4
    lines, noise = torch.ones(4, 1, 16, 16), torch.ones(4, colourer.net.noise_length)
    palettes = torch.rand(4, 2, 4)
    given = {"outlines": lines.numpy(), "noise": noise.numpy(), "palettes": palettes.numpy()}
    (found,) = onnxruntime.InferenceSession(pix2pix).run(["pictures"], given)
    assert np.abs(found - colourer.net(lines, noise, palettes).numpy()).max() < 1e-4
    about = {entry.key: entry.value for entry in onnx.load(pix2pix).metadata_props}
    assert set(about) == {"outlines", "noise", "palettes", "pictures"} and "[-1, 1]" in about["pictures"]
    text = card.read_text()
    assert "GAME FREAK" in text
    metrics = json.loads((ROOT / "metrics/evaluate.json").read_text())
    assert f'"kid": {metrics["kid"]}' in text and '"of": "pix2pix"' in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "generator.onnx", "pix2pix.onnx"]


@pytest.mark.parametrize("hints", [False, True])
def test_the_page_s_colourer_draws_what_torch_draws(tmp_path, monkeypatch, hints):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    net, params = UNet(16, 4, 2, hints), {"noise": "dropout", "outline": "mixed"}
    architecture = {"image_px": 16, "width": 4, "colours": 2, "hints": hints}
    tensors = net.state_dict() | {"palettes": torch.rand(3, 2, 4)}
    save_weights(COLOURER, tensors, {"architecture": architecture, "params": params})
    quick, plain, outlines = quick_colourer(), load_colourer(), np.full((5, 16, 16), 255, np.uint8)
    outlines[:, 4:12, 5] = 0
    assert quick.net.paint.__name__ == "by_onnxruntime"
    for seed in (None, 0, 1):
        apart = quick.colour(outlines, seed).astype(int) - plain.colour(outlines, seed)
        assert np.abs(apart).max() <= 1  # of 255: rounding


def test_a_colourer_without_palettes_takes_batches_of_any_length(models, tmp_path, monkeypatch):
    plain = Colourer(UNet(16, 4).eval().requires_grad_(False), "none", "mixed", torch.zeros(0, 0, 4))
    monkeypatch.setattr(app.export, "load_colourer", lambda _: plain)
    assert write("pix2pix", app.export.pix2pix(), tmp_path / "pix2pix.onnx").exists()  # it checks that itself


def test_a_file_that_differs_from_torch_is_not_written(models, tmp_path, monkeypatch):
    monkeypatch.setattr(app.export, "difference", lambda *_: float("nan"))
    with pytest.raises(UserError, match="nothing was written"):
        export(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_readme_of_others_is_not_replaced(models, tmp_path):
    (tmp_path / "README.md").write_text("# My project\n")
    with pytest.raises(UserError, match=r"README\.md would be replaced: choose another --out"):
        export(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_a_file_says_what_its_inputs_are(models, monkeypatch):
    net, _ = models
    shares = np.array([0.5, 0.5])
    monkeypatch.setattr(app.export, "load_sampler", lambda _: Sampler(net, Latent(4, None, shares)))
    assert "batch x 6: 4 numbers drawn from N(0, I), then a one for the class" in app.export.generator().about["z"]
    plain = Colourer(UNet(16, 4).eval(), "none", "mixed", torch.zeros(0, 0, 4))
    assert "0 and 2" in app.export.pix2pix().about["noise"]
    monkeypatch.setattr(app.export, "load_colourer", lambda _: plain)
    about = app.export.pix2pix().about
    assert "0 and 2" not in about["noise"] and "palettes" not in about


def test_what_was_not_trained_is_named_before_anything_is_written(models, tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"gan\.safetensors is missing"):
        export(tmp_path / "out")
    assert not (tmp_path / "out").exists()
