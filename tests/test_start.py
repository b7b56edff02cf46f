"""Trainings that start from an earlier run, or go on with it: were it wrong, hours of training would be lost unseen."""

from __future__ import annotations

import itertools
import json
import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from app.keep import keep
from stages.gan.build import Start, prepare
from stages.gan.params import GanParams
from stages.gan.train import train
from stages.lib.colouring import FILE as COLOURER_FILE
from stages.lib.nets.encoder import FILE as ENCODER_FILE
from stages.lib.nets.encoder import Encoder
from stages.lib.nets.generators import build_generator
from stages.lib.nets.unet import UNet
from stages.lib.params import Common, UserError, parse, read_yaml
from stages.lib.pictures import open_pictures
from stages.lib.provenance import EMBEDDINGS, PICTURES, ancestors, digest_of, sidecar, write_sidecar
from stages.lib.sampling import GAN_FILE, PRETRAIN_FILE
from stages.lib.training import loop
from stages.lib.training.log import Quiet
from stages.lib.training.loop import Training
from stages.lib.training.origin import Origin, state_file
from stages.lib.weights import load_weights, save_weights
from tests.checkouts import dvc, ran, set_params
from tests.closure import ROOT
from tests.trainings import SLOW, train_classifier, train_pix2pix, train_pretrain
from tests.untrained import PX, write_run

BATCH = 4
SMALL = {"discriminator": "sngan", "discriminator_width": 8, "condition": "none", "frames": 2, "snapshots": 3} | SLOW
STEERED = {"lecam": 0.1, "anchor": 1.0, "augment_p": 0.2, "augment_target": 0.3, "schedule": "constant"}
numbers = itertools.count()


@pytest.fixture(autouse=True)
def run(tmp_path, monkeypatch) -> Path:
    """A run that has not been trained, in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(loop, "Log", lambda *_: Quiet())
    write_run()
    return tmp_path


def stage(name: str) -> Any:
    number = next(numbers)
    return SimpleNamespace(name=name, checkpoint_dir=Path(f".ckpt/{name}/{number}"), run_dir=Path(f"runs/{number}"))


def begin_gan(start: str, steps: int = 9, px: int = PX, **changes: Any) -> tuple[GanParams, Start]:
    values = read_yaml(ROOT / "params.yaml")["gan"] | SMALL | {"batch": BATCH, "alone_kimg": 0.0, "ramp_kimg": 0.0}
    p = parse("gan", values | {"kimg": steps * changes.get("batch", BATCH) / 1000, "start": start} | changes, GanParams)
    return p, prepare(p, Common(image_px=px), open_pictures())


def train_gan(steps: int, start: str = "none", **changes: Any) -> Training:
    """Train and write models/gan.safetensors, as the stage does; scores fall, so that the best is the last."""
    p, begin = begin_gan(start, steps, **changes)
    scores = itertools.count(0, -1)
    net, training = train(stage("gan"), p, begin, open_pictures(), 0, lambda *_: None, lambda _: float(next(scores)))
    header = {"architecture": begin.architecture, "latent": p.latent, "made_from": begin.made_from | begin.origin.mark}
    save_weights(GAN_FILE, net.state_dict(), header)
    training.finish(GAN_FILE)
    return training


def states(training: Training) -> dict[str, Any]:
    return {name: item.state_dict() for name, item in training.state.items()}


def same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return len(a) == len(b) and all(map(same, a, b)) if isinstance(a, list | tuple) else a == b


def rows(training: Training) -> list[dict[str, float]]:
    """Without scores, which the shorter run has of its own."""
    return [row for row in training.history if "val_kid" not in row]


# going on


@pytest.mark.parametrize("steps", [7, 20])
def test_a_gan_that_is_gone_on_with_is_one_of_that_length_from_the_start(steps, capsys):
    """To the byte, if its rates do not depend on the length; 7 steps end within a row of the table."""
    whole = train_gan(2 * steps, **STEERED)
    wanted = GAN_FILE.read_bytes()
    train_gan(steps, **STEERED)
    keep("half")
    capsys.readouterr()
    went_on = train_gan(2 * steps, "half", **STEERED)
    assert capsys.readouterr().out == f"gan: goes on from models/half, at step {steps}\n"
    assert same(states(went_on), states(whole)) and rows(went_on) == rows(whole)
    tensors, header = load_weights(GAN_FILE)
    assert header["made_from"].pop("start") == digest_of(Path("models/half/gan.safetensors"))
    save_weights(GAN_FILE, tensors, header)
    assert GAN_FILE.read_bytes() == wanted


def test_a_colourer_that_is_gone_on_with_is_one_of_that_length_from_the_start():
    fixed = {"schedule": "constant"}
    whole = train_pix2pix(stage("pix2pix"), 8, **fixed)
    train_pix2pix(stage("pix2pix"), 4, Origin("pix2pix"), **fixed).finish(COLOURER_FILE)
    keep("half")
    went_on = train_pix2pix(stage("pix2pix"), 8, Origin("pix2pix", "half"), **fixed)
    assert same(states(went_on), states(whole)) and went_on.history == whole.history


@pytest.mark.parametrize(
    ("section", "file", "training"),
    [("classifier", ENCODER_FILE, train_classifier), ("pretrain", PRETRAIN_FILE, train_pretrain)],
)
def test_a_rate_that_falls_goes_on_at_the_rates_of_the_whole_length(section, file, training):
    short, whole = (training(stage(section), steps) for steps in (6, 12))
    ended = {key: value.clone() for key, value in short.state["net"].state_dict().items()}
    short.finish(file)
    keep("half")
    went_on = training(stage(section), 12, Origin(section, "half"))
    assert [row["step"] for row in went_on.history] == [12]  # one row of all the steps
    assert not same(went_on.state["net"].state_dict(), ended)
    for name in ("optimiser", "schedule"):
        groups = [run.state[name].state_dict() for run in (went_on, whole)]
        if name == "optimiser":
            assert groups[0]["param_groups"] == groups[1]["param_groups"]
            assert next(iter(groups[0]["state"].values()))["step"] == 12
        else:
            assert groups[0] == groups[1]


def test_a_run_that_goes_on_can_be_interrupted_too(monkeypatch):
    train_gan(6, **STEERED)
    keep("half")
    wanted = states(train_gan(12, "half", **STEERED))
    where, scores = stage("gan"), itertools.count(0, -1)
    monkeypatch.setattr("stages.gan.train.Training", partial(Training, log_every=1))
    monkeypatch.setattr(loop, "SAVE_EVERY_SECONDS", 0.0)

    def score(_: nn.Module) -> float:
        if (found := next(scores)) == -1:
            raise RuntimeError("killed")
        return float(found)

    p, begin = begin_gan("half", 12, **STEERED)
    with pytest.raises(RuntimeError):
        train(where, p, begin, open_pictures(), 0, lambda *_: None, score)
    assert torch.load(where.checkpoint_dir / "checkpoint.pt")["step"] > 6
    p, begin = begin_gan("half", 12, **STEERED)
    _, training = train(where, p, begin, open_pictures(), 0, lambda *_: None, score)
    assert same(states(training) | {"best": None}, wanted | {"best": None})


def test_a_best_snapshot_of_the_second_half_stays_the_best_until_it_is_beaten():
    train_gan(8)
    keep("half")
    best = torch.load(next(Path("models/half").glob("gan-*.pt")))["state"]["best"]
    assert best["step"] == 7

    def best_of(steps: int) -> dict[str, Any]:
        p, begin = begin_gan("half", steps)
        worse = train(stage("gan"), p, begin, open_pictures(), 0, lambda *_: None, lambda _: 99.0)[1]
        return worse.state["best"].state_dict()

    assert same(best_of(10), best)
    assert best_of(16)["step"] == 15  # of 16 steps the second half begins with step 8


def test_a_run_that_is_no_longer_than_the_one_it_goes_on_from_is_one_line():
    train_gan(6)
    keep("half")
    for steps in (5, 6):
        with pytest.raises(UserError, match=rf"gan\.start is 'half', a run of 6 steps.* {steps}: raise gan\.kimg$"):
            train_gan(steps, "half")


def test_only_the_last_state_of_a_stage_is_there():
    for steps in (2, 3):
        train_gan(steps)
    assert list(Path(".ckpt/gan").glob("**/*.pt")) == [state_file(Path(".ckpt/gan"), "gan", GAN_FILE)]


# from weights


def test_what_does_not_fit_a_state_starts_from_its_weights(capsys):
    p, begin = begin_gan("none")
    train_gan(5)
    keep("half")
    capsys.readouterr()
    p, begin = begin_gan("half", batch=8)
    said = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r"gan: starts from models/half/gan\.safetensors: all \d+ layers; no more than weights \(other batch\)", said[0]
    )
    assert re.fullmatch(r"gan: starts from models/half/discriminator\.safetensors: all \d+ layers", said[1])
    assert same(begin.net_g.state_dict(), load_weights(GAN_FILE)[0]) and begin.origin.state is None
    training = train(stage("gan"), p, begin, open_pictures(), 0, lambda *_: None, None)[1]
    assert training.history[0]["step"] == 9


def test_layers_of_another_shape_stay_as_they_were_and_are_named(capsys):
    given = build_generator({"name": "lite", "z_dim": 512, "image_px": PX, "width": 8}).state_dict()
    save_weights(GAN_FILE, given, load_weights(GAN_FILE)[1])
    keep("small")
    _, begin = begin_gan("small", px=64, init="random", generator_width=4)
    said = capsys.readouterr().out.splitlines()[-1]
    pattern = r"gan: starts from models/small/gan\.safetensors: (\d+) of (\d+) layers, (\d+)% of the weights; new: (.*)"
    found = re.fullmatch(pattern, said)
    assert found and 0 < int(found[1]) < int(found[2]) and 0 < int(found[3]) < 100
    assert "blocks.64" in found[4] and "blocks.32" not in found[4]
    assert torch.equal(begin.net_g.state_dict()["blocks.32.0.weight"], given["blocks.32.0.weight"])


def new_encoder(start: Path | None) -> None:
    """Another encoder, with the embeddings, mixture and pretrained generator of its own."""
    tensors, header = load_weights(ENCODER_FILE)
    header["made_from"] |= {"start": digest_of(start)} if start else {}
    save_weights(ENCODER_FILE, {key: value + 1 for key, value in tensors.items()}, header)
    write_sidecar(EMBEDDINGS, ancestors(PICTURES, ENCODER_FILE))
    tensors, header = load_weights(PRETRAIN_FILE)
    save_weights(PRETRAIN_FILE, tensors, header | {"made_from": ancestors(EMBEDDINGS)})


@pytest.mark.parametrize("related", [True, False])
def test_the_layer_that_reads_embeddings_is_of_the_encoder_that_they_are_of(related, capsys):
    """Or of one that was started from that one."""
    torch.manual_seed(5)
    tensors, header = load_weights(PRETRAIN_FILE)
    save_weights(PRETRAIN_FILE, {key: torch.rand_like(value.float()) for key, value in tensors.items()}, header)
    keep("old")
    save_weights(PRETRAIN_FILE, tensors, header)
    new_encoder(Path("models/old/classifier.safetensors") if related else None)
    made_from = ancestors(PICTURES, ENCODER_FILE)
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
    assert torch.equal(net.backbone.conv1.weight, load_weights(ENCODER_FILE)[0]["backbone.conv1.weight"])


def test_a_classifier_that_starts_from_a_trained_one_normalises_by_the_batch_again():
    tensors, header = load_weights(ENCODER_FILE)
    save_weights(ENCODER_FILE, tensors | {"frozen": torch.tensor(True)}, header)
    keep("old")
    assert not train_classifier(stage("classifier"), 3, Origin("classifier", "old")).state["best"].weights["frozen"]


def test_the_discriminator_learns_alone_only_if_it_has_learnt_nothing_yet():
    train_gan(5)
    keep("half")
    alone = {"alone_kimg": 0.02, "batch": 8, "kimg": 0.08}
    p, begin = begin_gan("half", **alone)
    assert "loss_g" in train(stage("gan"), p, begin, open_pictures(), 0, lambda *_: None, None)[1].history[0]
    p, begin = begin_gan("half", steps=7, ramp_kimg=0.004, alone_kimg=0.02)
    training = train(stage("gan"), p, begin, open_pictures(), 0, lambda *_: None, None)[1]
    assert training.state["opt_g"].state_dict()["param_groups"][0]["lr"] > 0


# what is wrong, and what is said of it


def damage(path: str) -> None:
    file = next(Path("models/old").glob(path))
    file.write_bytes(file.read_bytes()[:50])


@pytest.mark.parametrize(
    ("does", "says"),
    [
        (lambda: None, r"gan\.start is 'new': there is no models/new/gan\.safetensors"),
        (lambda: damage("gan.safetensors"), r"models/old/gan\.safetensors is damaged.*; choose another start"),
        (lambda: damage("gan-*.pt"), r"models/old/gan-\w+\.pt is damaged.*delete it to start from weights alone"),
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
        begin_gan("new" if "new" in says else "old")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("start", ["", "/tmp/models", "../models", "a/../b", "a b", "a/"])
def test_a_start_is_a_folder_of_models(start):
    with pytest.raises(UserError, match=r"gan\.start is .*: must be none, or a folder of models/"):
        begin_gan(start)


@pytest.mark.parametrize("name", ["none", "export", "true", "8", "-a", "a/b", "../a", "a b", ""])
def test_a_name_that_cannot_be_used_is_refused(name):
    with pytest.raises(UserError, match="is no name"):
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
    assert digest_of(Path("models/mine/gan.safetensors")) == digest_of(GAN_FILE) != first
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
    found = ancestors(PICTURES, ENCODER_FILE, EMBEDDINGS, PRETRAIN_FILE)
    assert found["start of encoder"] == digest_of(Path("models/one/classifier.safetensors"))
    assert json.loads(sidecar(EMBEDDINGS).read_text())["start of encoder"] == found["start of encoder"]
    header = {"made_from": found | {"start": "0123"}}
    save_weights(GAN_FILE, load_weights(GAN_FILE)[0], header)
    assert ancestors(GAN_FILE, ENCODER_FILE)["start of generator"] == "0123"


# with DVC


def test_dvc_runs_a_stage_again_for_another_start_and_for_a_changed_one(trained_checkout_factory, monkeypatch):
    checkout = trained_checkout_factory()
    monkeypatch.chdir(checkout)
    keep("first")
    arguments = ("-S", "gan.start=first", "-S", "gan.kimg=0.128", "gan")
    result = dvc(checkout, "exp", "run", *arguments)
    assert ran(result) == ["gan"] and "gan: goes on from models/first, at step 8" in result.stdout
    assert ran(dvc(checkout, "repro", "gan")) == []
    damage_free = Path("models/first/gmm.npz")
    damage_free.write_bytes(damage_free.read_bytes() + b"\0")
    assert "models/first" in dvc(checkout, "status", "gan").stdout
    set_params(checkout, {"gan.start": "none", "gan.kimg": 0.064})
    assert ran(dvc(checkout, "repro", "gan")) == []  # out of the cache
    assert not [line for line in dvc(checkout, "status").stdout.splitlines() if "models/" in line]
