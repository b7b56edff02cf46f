"""The networks that come with the project: written, drawn with, started from."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

import bench.release
from app.generate import write_samples
from app.networks import RELEASED, _tell, colourer_file, encoder_file, generator_file
from app.trained import cleaning_of
from bench.report import COLUMNS
from creatures.artifacts import COLOURER, EMBEDDINGS, ENCODER, GENERATOR, PICTURES
from creatures.data.pictures import Pictures, open_pictures
from creatures.data.provenance import ancestors, digest_of
from creatures.data.weights import load_weights, save_weights
from creatures.latents.sampler import load_sampler
from creatures.nets.encoder.encoder import load_encoder
from creatures.runtime.config import parse, read_yaml
from creatures.runtime.errors import UserError
from creatures.training.origin import Origin
from creatures.training.perceptual import PerceptualLoss
from stages.classifier.params import ClassifierParams
from stages.classifier.train import train as train_encoder
from stages.pretrain.params import PretrainParams
from stages.pretrain.train import train
from tests.support.deps import ROOT
from tests.support.starts import begin_gan, new_encoder, same, stage, train_gan, untrained  # noqa: F401, a fixture
from tests.support.untrained import COUNT, DIMS, PX, write_params

NAMES = ["classifier.safetensors", "discriminator.safetensors", "gan.safetensors", "gmm.npz", "pix2pix.safetensors"]


@pytest.fixture()
def released(monkeypatch) -> Path:
    """What bench.release writes of a run that was hardly trained."""
    train_gan(3)
    evaluate = "evaluate: {samples: 16, reference: 16}\n"
    Path("params.yaml").write_text(Path("params.yaml").read_text() + evaluate)
    monkeypatch.setattr(bench.release, "scores", lambda *_: dict.fromkeys(COLUMNS, 0.5))
    _tell.cache_clear()
    Path("docs").mkdir()
    bench.release.release()
    return RELEASED


def test_released_again_what_did_not_change_keeps_its_bytes(released):
    before = {path.name: path.read_bytes() for path in released.iterdir()}
    tensors, header = load_weights(released / COLOURER.name)
    save_weights(COLOURER, tensors, header | {"made_by": "another run"})
    bench.release.release()
    assert {path.name: path.read_bytes() for path in released.iterdir()} == before


def forget_own() -> None:
    for path in (GENERATOR, COLOURER):
        path.unlink()


def test_the_folder_has_all_and_belongs_together(released):
    assert sorted(path.name for path in released.iterdir()) == NAMES
    found = ancestors(*(released / name for name in NAMES if name != "pix2pix.safetensors"))
    assert found["encoder"] == digest_of(released / ENCODER.name)
    whole, compact = load_weights(GENERATOR), load_weights(released / GENERATOR.name)
    assert whole[0].keys() == compact[0].keys() and whole[1]["architecture"] == compact[1]["architecture"]
    card = Path("docs/MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| 0.500 |" in card and all(Path("docs", name).is_file() for name in ("released/samples.png",))


def test_commands_draw_with_them_until_there_is_a_generator_of_ones_own(released, tmp_path, capsys):
    """And the encoder is that of the generator, though there is another."""
    assert (generator_file(), encoder_file(), colourer_file()) == (GENERATOR, ENCODER, COLOURER)
    write_samples(4, 0, 1.0, tmp_path / "own")
    assert capsys.readouterr().err == ""
    forget_own()
    assert generator_file() == released / GENERATOR.name and colourer_file() == released / COLOURER.name
    assert ENCODER.is_file() and encoder_file() == released / ENCODER.name
    write_params(margin=0.2)  # no matter of networks that are finished
    write_samples(4, 0, 1.0, tmp_path / "released")
    said = capsys.readouterr().err.splitlines()
    assert said == ["note: there are no networks of your own yet, so the released ones are used (docs/MODEL_CARD.md)"]
    assert cleaning_of(encoder_file())["clean.margin"] == 0.05
    drawn = load_sampler(released / GENERATOR.name).sample(4, 0)
    assert drawn.shape[0] == 4 and drawn.dtype == np.uint8


def test_a_generator_alone_is_no_network_of_ones_own_without_its_mixture(released):
    """The two are never mixed: a missing part of one's own is an error."""
    Path("models/gmm.npz").unlink()
    with pytest.raises(UserError, match="gmm"):
        load_sampler(generator_file())


def test_trainings_start_from_all_of_them(released, capsys):
    kept = Path(shutil.copytree(released, "models/there"))
    new_encoder(kept / ENCODER.name)  # as `classifier` makes it of the released one
    _, begin = begin_gan("there")
    said = capsys.readouterr().out.splitlines()
    assert said[-2].startswith("gan: starts from models/there/gan.safetensors: all ")
    assert said[-1].startswith("gan: starts from models/there/discriminator.safetensors: all ")
    assert same(begin.net_g.state_dict(), load_weights(kept / GENERATOR.name)[0])


def test_what_is_too_far_from_the_original_is_not_released(released, monkeypatch):
    before = {path.name: path.stat().st_mtime_ns for path in released.iterdir()}
    with monkeypatch.context() as patched:
        patched.setattr(bench.release, "LEVELS", dict.fromkeys(bench.release.LEVELS, 1))
        with pytest.raises(UserError, match=r"the compacted \w+ is [\d.]+ from the original; at most"):
            bench.release.release()
    with monkeypatch.context() as patched:
        patched.setattr(bench.release, "MOST_MB", 0)
        with pytest.raises(UserError, match="MB; at most 0 are allowed"):
            bench.release.release()
    assert {path.name: path.stat().st_mtime_ns for path in released.iterdir()} == before


def test_a_generator_that_does_not_fit_is_not_taken_untrained(released, capsys):
    values = read_yaml(ROOT / "params.yaml")["pretrain"] | {"start": "released", "kimg": 0, "coarse_kimg": 0}
    p = parse("pretrain", values | {"width": 4}, PretrainParams)
    pictures, maps = open_pictures(), PerceptualLoss(load_encoder()[0], [2])
    embeddings = np.load(EMBEDDINGS)
    fits = {"z_dim": DIMS, "image_px": PX, "width": 4}
    new_encoder(released / ENCODER.name)
    made_from = ancestors(PICTURES, ENCODER)

    def pretrained(architecture):
        return train(
            stage("pretrain"), p, architecture, pictures, embeddings, maps, 0, Origin("pretrain", "released", made_from)
        )

    net, _ = pretrained(fits)
    assert same(net.state_dict(), load_weights(released / GENERATOR.name)[0])
    assert "pretrain: starts from models/released/gan.safetensors: all" in capsys.readouterr().out
    with pytest.raises(UserError, match=r"kimg is 0, but not all of pretrain\.start fits"):
        pretrained(fits | {"samples": 1})
    with pytest.raises(UserError, match="kimg 0 needs a start"):
        parse("pretrain", values | {"start": "none"}, PretrainParams)


def test_an_encoder_is_taken_as_it_is_and_normalised_anew(released):
    values = read_yaml(ROOT / "params.yaml")["classifier"] | {"start": "released", "epochs": 0, "batch": 4}
    p = parse("classifier", values | {"backbone": "resnet18"}, ClassifierParams)
    index = open_pictures().index.append_column("label", pa.array([number // 4 for number in range(COUNT)], pa.int32()))
    pictures = Pictures(open_pictures().images, index)

    def taken(p):
        return train_encoder(stage("classifier"), p, pictures, "species", 0, Origin("classifier", "released"))[0]

    found, given = taken(p).state_dict(), load_weights(released / ENCODER.name)[0]
    assert all(torch.equal(found[name], given[name]) for name in given if name not in ("mean", "var", "frozen"))
    assert found["frozen"] and not torch.equal(found["mean"], given["mean"])
    with pytest.raises(UserError, match=r"epochs is 0, but the network of classifier\.start is another"):
        taken(p.model_copy(update={"backbone": "resnet26"}))
    with pytest.raises(UserError, match="epochs 0 needs a start"):
        parse("classifier", values | {"start": "none"}, ClassifierParams)


def test_those_of_the_repository_are_of_one_run():
    made_from = ancestors(*(ROOT / RELEASED / name for name in NAMES if name != COLOURER.name))
    assert {"encoder", "mixture", "generator", "discriminator"} <= set(made_from)
