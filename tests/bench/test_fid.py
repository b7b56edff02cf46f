"""`bench.fid`, with an Inception of random weights: its own are for those who fetch them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch_fidelity import feature_extractor_inceptionv3 as inception

from bench import fid


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of them."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("inception") / "weights.pth"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inception.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        patch.setattr(inception, "load_state_dict_from_url", lambda *_, **__: {})
        torch.save(inception.FeatureExtractorInceptionV3("inception", ["2048"]).state_dict(), path)
    return path


def test_it_says_how_many_there_were_and_how_far_apart(weights, trained_checkout_factory, monkeypatch, capsys):
    monkeypatch.chdir(trained_checkout_factory())
    fid.main(weights, samples=8)
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["generator"] == "models/gan.safetensors" and found["samples"] == 8 < found["real"]
    assert found["fid"] > 0 and np.isfinite(found["kid"])


def test_the_same_pictures_are_at_no_distance(weights):
    pictures = np.random.default_rng(0).integers(0, 256, (6, 3, 32, 32), np.uint8)
    found = fid.features(fid.inception(weights), pictures, "pictures")
    assert found.shape == (6, 2048) and fid.frechet_distance(found, found) == pytest.approx(0, abs=1e-3)


def test_weights_that_are_none_end_in_a_line(tmp_path, trained_checkout_factory, monkeypatch):
    monkeypatch.chdir(trained_checkout_factory())
    (tmp_path / "weights.pth").write_text("no weights")
    with pytest.raises(SystemExit, match=r"fid: the weights .*weights.pth cannot be read"):
        fid.main(tmp_path / "weights.pth")
    monkeypatch.setattr(inception, "load_state_dict_from_url", lambda *_, **__: 1 / 0)
    with pytest.raises(SystemExit, match="cannot be fetched; get them elsewhere and give --weights"):
        fid.main(None)
