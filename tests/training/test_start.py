"""Trainings that start from an earlier run's weights, and runs that are kept for it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from torch import nn

from app.keep import keep
from creatures.artifacts import EMBEDDINGS, ENCODER, GENERATOR, PICTURES, PRETRAINED
from creatures.data.pictures import open_pictures
from creatures.data.provenance import ancestors, digest_of, sidecar
from creatures.data.weights import load_weights, save_weights
from creatures.nets.encoder.encoder import Encoder
from creatures.nets.generators.registry import build_generator
from creatures.runtime.errors import UserError
from creatures.training.origin import Origin
from creatures.translation.unet import UNet
from stages.gan.train import train
from tests.support.checkouts import dvc, ran, set_params
from tests.support.starts import begin_gan, new_encoder, same, stage, train_gan, untrained  # noqa: F401, a fixture
from tests.support.trainings import train_classifier
from tests.support.untrained import PX


def test_what_does_not_fit_a_state_starts_from_its_weights(capsys):
    train_gan(5)
    keep("half")
    capsys.readouterr()
    p, begin = begin_gan("half", batch=8)
    said = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r"gan: starts from models/half/gan\.safetensors: all \d+ layers; no more than weights \(other batch\)", said[0]
    )
    assert re.fullmatch(r"gan: starts from models/half/discriminator\.safetensors: all \d+ layers", said[1])
    assert same(begin.net_g.state_dict(), load_weights(GENERATOR)[0]) and begin.origin.state is None
    training = train(stage("gan"), p, begin, open_pictures(), 0, lambda *_: None, None)[1]
    assert training.history[0]["step"] == 9


@pytest.mark.parametrize("kimg", [0, 2])
def test_a_generator_that_pretraining_trained_further_from_the_same_start_is_taken(kimg, capsys):
    train_gan(5)
    keep("half")
    capsys.readouterr()
    tensors, header = load_weights(PRETRAINED)
    header["made_from"] |= {"start": digest_of(Path("models/half/gan.safetensors"))}
    save_weights(PRETRAINED, tensors, header | {"params": {"kimg": kimg, "coarse_kimg": 0}})
    _, begin = begin_gan("half", batch=8)
    said = capsys.readouterr().out.splitlines()
    expected = tensors if kimg else load_weights(Path("models/half/gan.safetensors"))[0]
    assert same(begin.net_g.state_dict(), expected)
    assert ("which was trained further from models/half" in said[0]) == bool(kimg)
    assert said[1].startswith("gan: starts from models/half/discriminator.safetensors: all ")
    assert "gan" in begin.origin.whole


def test_layers_of_another_shape_stay_as_they_were_and_are_named(capsys):
    given = build_generator({"name": "lite", "z_dim": 512, "image_px": PX, "width": 8}).state_dict()
    save_weights(GENERATOR, given, load_weights(GENERATOR)[1])
    keep("small")
    _, begin = begin_gan("small", px=64, init="random", **{"generator.width": 4})
    said = capsys.readouterr().out.splitlines()[-1]
    pattern = r"gan: starts from models/small/gan\.safetensors: (\d+) of (\d+) layers, (\d+)% of the weights; new: (.*)"
    found = re.fullmatch(pattern, said)
    assert found and 0 < int(found[1]) < int(found[2]) and 0 < int(found[3]) < 100
    assert "blocks.64" in found[4] and "blocks.32" not in found[4]
    assert torch.equal(begin.net_g.state_dict()["blocks.32.0.kept.weight"], given["blocks.32.0.kept.weight"])


def test_a_narrower_generator_is_widened(capsys):
    given = build_generator({"name": "lite", "z_dim": 512, "image_px": PX, "width": 4}).state_dict()
    save_weights(GENERATOR, given, load_weights(GENERATOR)[1])
    keep("narrow")
    capsys.readouterr()
    _, begin = begin_gan("narrow", init="random", **{"generator.width": 6})
    assert re.search(r"all \d+ layers, widened$", capsys.readouterr().out.splitlines()[0])
    assert begin.net_g.channels[PX] == 6 and "gan" in begin.origin.whole


@pytest.mark.parametrize("related", [True, False])
def test_the_layer_that_reads_embeddings_is_of_the_encoder_that_they_are_of(related, capsys):
    """Or of one that was started from that one."""
    torch.manual_seed(5)
    tensors, header = load_weights(PRETRAINED)
    save_weights(PRETRAINED, {key: torch.rand_like(value.float()) for key, value in tensors.items()}, header)
    keep("old")
    save_weights(PRETRAINED, tensors, header)
    new_encoder(Path("models/old/classifier.safetensors") if related else None)
    made_from = ancestors(PICTURES, ENCODER)
    net = nn.ModuleDict({"first": nn.ModuleList([nn.Linear(3, 3)]), "rest": nn.Linear(3, 3)})
    save_weights(Path("models/old/pretrain.safetensors"), net.state_dict(), header)
    fresh = nn.ModuleDict({"first": nn.ModuleList([nn.Linear(3, 3)]), "rest": nn.Linear(3, 3)})
    origin = Origin("pretrain", "old", made_from)
    origin.take(fresh, reads="encoder", by={"first"}, others="new")
    assert torch.equal(fresh["rest"].weight, net["rest"].weight)
    assert torch.equal(fresh["first"][0].weight, net["first"][0].weight) == related
    said = capsys.readouterr().out.splitlines()[-1]
    assert said.endswith("all 2 layers" if related else "new: first; it was made with another encoder")


def test_another_number_of_classes_has_a_new_head(capsys):
    keep("old")
    net = Encoder("resnet18", 5)
    Origin("classifier", "old").take(net)
    assert capsys.readouterr().out.endswith("; new: head\n")
    assert torch.equal(net.backbone.conv1.weight, load_weights(ENCODER)[0]["backbone.conv1.weight"])


def test_a_classifier_that_starts_from_a_trained_one_normalises_by_the_batch_again():
    tensors, header = load_weights(ENCODER)
    save_weights(ENCODER, tensors | {"frozen": torch.tensor(True)}, header)
    keep("old")
    assert (
        not train_classifier(stage("classifier"), 3, Origin("classifier", "old"))
        .checkpoint.state["best"]
        .weights["frozen"]
    )


def test_the_discriminator_learns_alone_only_if_it_has_learnt_nothing_yet():
    train_gan(5)
    keep("half")
    alone = {"handover.d_warmup_kimg": 0.02, "batch": 8, "kimg": 0.08}
    p, begin = begin_gan("half", **alone)
    assert "loss_g" in train(stage("gan"), p, begin, open_pictures(), 0, lambda *_: None, None)[1].history[0]
    p, begin = begin_gan("half", steps=7, **{"handover.g_warmup_kimg": 0.004, "handover.d_warmup_kimg": 0.02})
    training = train(stage("gan"), p, begin, open_pictures(), 0, lambda *_: None, None)[1]
    assert training.checkpoint.state["opt_g"].state_dict()["param_groups"][0]["lr"] > 0


def test_a_generator_trains_in_the_shortest_of_runs():
    p, begin = begin_gan("none", steps=1, **{"handover.d_warmup_kimg": 0.003})
    assert "loss_g" in train(stage("gan"), p, begin, open_pictures(), 0, lambda *_: None, None)[1].history[0]


def test_another_kind_of_discriminator_is_a_new_one_beside_the_generator_of_the_start(capsys):
    train_gan(2)
    keep("old")
    capsys.readouterr()
    begin_gan("old", **{"discriminator.name": "shallow", "batch": 8})
    generator, discriminator = capsys.readouterr().out.splitlines()
    assert generator.startswith("gan: starts from models/old/gan.safetensors: all ")
    assert discriminator == "gan: no layer of models/old/discriminator.safetensors fits; new"


# what is wrong, and what is said of it


def damage(path: str) -> None:
    file = next(Path("models/old").glob(path))
    file.write_bytes(file.read_bytes()[:50])


def outdate() -> None:
    """As of code that knew no LeCam yet."""
    file = next(Path("models/old").glob("gan-*.pt"))
    saved = torch.load(file)
    del saved["state"]["lecam"]
    torch.save(saved, file)


@pytest.mark.parametrize(
    ("does", "says"),
    [
        (lambda: None, r"gan\.start is 'new': there is no models/new/gan\.safetensors"),
        (lambda: damage("gan.safetensors"), r"models/old/gan\.safetensors is damaged.*; choose another start"),
        (lambda: damage("gan-*.pt"), r"models/old/gan-\w+\.pt is damaged.*delete it to start from weights alone"),
        (outdate, r"models/old/gan-\w+\.pt is damaged, or no such .*KeyError: 'lecam'.*delete it to start"),
        (
            lambda: save_weights(Path("models/old/gan.safetensors"), UNet(PX, 4, 2).state_dict(), {}),
            r"gan\.start is 'old': no layer of models/old/gan\.safetensors fits",
        ),
    ],
)
def test_a_start_that_cannot_be_is_one_line(does, says):
    train_gan(2)
    keep("old")
    does()
    with pytest.raises(UserError, match=says) as error:
        p, begin = begin_gan("new" if "new" in says else "old")
        train(stage("gan"), p, begin, open_pictures(), 0, lambda *_: None, None)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("start", ["", "/tmp/models", "../models", "a/../b", "a b", "a/"])
def test_a_start_is_a_folder_of_models(start):
    with pytest.raises(UserError, match=r"gan\.start is .*: must be none, or a folder of models/"):
        begin_gan(start)


@pytest.mark.parametrize("name", ["none", "export", "true", "8", "-a", "a/b", "../a", "a b", ""])
def test_a_name_that_cannot_be_used_is_refused(name):
    with pytest.raises(UserError, match=r"is no name|is reserved"):
        keep(name)
    assert not Path("models/none").exists()


def test_what_was_kept_is_replaced_only_if_asked_to_and_nothing_else_ever_is(capsys):
    keep("mine")
    first = digest_of(Path("models/mine/gan.safetensors"))
    assert capsys.readouterr().out.count("has no state of these weights any more") == 4
    train_gan(2)
    with pytest.raises(UserError, match=r"models/mine is there already: .* --force$"):
        keep("mine")
    assert digest_of(Path("models/mine/gan.safetensors")) == first
    keep("mine", force=True)
    assert digest_of(Path("models/mine/gan.safetensors")) == digest_of(GENERATOR) != first
    assert {path.name.split("-")[0] for path in Path("models/mine").iterdir()} >= {"gan", "discriminator.safetensors"}
    Path("models/other").mkdir()
    Path("models/other/notes.txt").write_text("mine")
    with pytest.raises(UserError, match="models/other is something else"):
        keep("other", force=True)
    with pytest.raises(UserError, match="there is no network in models"):
        for file in Path("models").glob("*.safetensors"):
            file.unlink()
        keep("nothing")


def test_what_starts_differ_are_used_together(capsys):
    """Of the encoder and of the generator: two files of two runs."""
    keep("one")
    new_encoder(Path("models/one/classifier.safetensors"))
    found = ancestors(PICTURES, ENCODER, EMBEDDINGS, PRETRAINED)
    assert found["start of encoder"] == digest_of(Path("models/one/classifier.safetensors"))
    assert json.loads(sidecar(EMBEDDINGS).read_text())["start of encoder"] == found["start of encoder"]
    header = {"made_from": found | {"start": "0123"}}
    save_weights(GENERATOR, load_weights(GENERATOR)[0], header)
    assert ancestors(GENERATOR, ENCODER)["start of generator"] == "0123"


# with DVC


def test_dvc_runs_a_stage_again_for_another_start_and_for_a_changed_one(trained_checkout_factory, monkeypatch):
    checkout = trained_checkout_factory()
    monkeypatch.chdir(checkout)
    keep("first")
    arguments = ("-S", "gan.start=first", "-S", "gan.kimg=0.128", "gan")
    result = dvc(checkout, "exp", "run", *arguments)
    assert ran(result) == ["gan"] and "gan: goes on from models/first, at step 8" in result.stdout
    assert ran(dvc(checkout, "repro", "gan")) == []
    mixture = Path("models/first/gmm.npz")
    mixture.write_bytes(mixture.read_bytes() + b"\0")
    assert "models/first" in dvc(checkout, "status", "gan").stdout
    set_params(checkout, {"gan.start": "none", "gan.kimg": 0.064})
    assert ran(dvc(checkout, "repro", "gan")) == []  # out of the cache
    assert not [line for line in dvc(checkout, "status").stdout.splitlines() if "models/" in line]
