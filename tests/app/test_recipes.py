"""Recipes: each is valid, can be given to DVC, and trains."""

import re
import shlex
import subprocess
import sys
from itertools import product
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from app.recipe import FOLDER, SWEEPS, flags, names
from app.recipe import overlaid as lay
from creatures.adversarial.objective import Adversarial
from creatures.data.pictures import Pictures
from creatures.data.provenance import write_sidecar
from creatures.data.weights import load_weights, save_weights
from creatures.latents.mixture import Mixture, load_mixture, save_mixture
from creatures.latents.sampler import Latent
from creatures.nets.generators.registry import build_generator
from creatures.runtime.config import Common, changed, parse, read_yaml
from creatures.runtime.errors import UserError
from creatures.training.batches import Batches
from creatures.training.loop import mix
from stages.gan.build import prepare
from stages.gan.params import GanParams
from stages.gan.train import anchor_loss, train
from stages.pix2pix.params import Pix2pixParams
from stages.pretrain.params import PretrainParams
from tests.support.checkouts import dvc, git
from tests.support.deps import ROOT

DIMS, COUNT = 16, 12


def overlaid(recipe: str) -> dict:
    """params.yaml as `dvc exp run` would leave it."""
    values = read_yaml(ROOT / "params.yaml")
    for key, value in (flag.split("=", 1) for flag in flags(recipe)[1::2]):
        *sections, last = key.split(".")
        section = values
        for name in sections:
            section = section[name]
        assert last in section, f"params.yaml has no {key}"
        section[last] = read_yaml_value(value)
    return values


def read_yaml_value(text: str):
    from ruamel.yaml import YAML

    return YAML(typ="safe").load(text)


def test_the_manual_of_recipes_names_options_that_are_there():
    import re

    manual = (ROOT / "docs/RECIPES.md").read_text(encoding="utf-8")
    assert "not there yet" not in manual
    values = read_yaml(ROOT / "params.yaml")
    named = [key.split(".") for key in re.findall(r"[`=\s](\w+\.\w+)[:`=]", manual) if key.split(".")[0] in values]
    assert {"pix2pix", "scrape", "gan"} <= {section for section, _ in named}
    assert [f"{section}.{key}" for section, key in named if key not in values[section]] == []


RECIPES = [name for name in names() if not name.startswith(SWEEPS)]


@pytest.mark.parametrize("recipe", RECIPES)
def test_flags_say_what_the_file_says_and_no_shell_splits_them(recipe):
    printed = " ".join(flags(recipe))
    assert shlex.split(printed) == flags(recipe)
    values, found = read_yaml(FOLDER / f"{recipe}.yaml"), overlaid(recipe)
    base = values.pop("base", None)
    assert lay(found, values) == found
    assert lay(overlaid(base) if base else read_yaml(ROOT / "params.yaml"), values) == found


@pytest.mark.parametrize("sweep", sorted(set(names()) - set(RECIPES)))
def test_every_run_of_a_sweep_is_possible(sweep):
    choices = [(key.split("."), values.split(",")) for key, values in (f.split("=") for f in flags(sweep)[1::2])]
    assert any(len(values) > 1 for _, values in choices)
    for picked in product(*(values for _, values in choices)):
        values = read_yaml(ROOT / "params.yaml")["pix2pix"]
        for ((section, name), _), value in zip(choices, picked, strict=True):
            assert section == "pix2pix" and name in values
            values[name] = read_yaml_value(value)
        parse("pix2pix", values, Pix2pixParams)


def test_an_unknown_recipe_is_one_line_that_names_the_others():
    with pytest.raises(UserError, match="no recipe 'stylegan'; there are cpu, dcgan, dcgan-pokegen"):
        flags("stylegan")


def recipe_command(name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "app", "recipe", name], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("name", ["sngam", "sn gan; $(x)'*"])
def test_a_mistyped_recipe_stops_dvc_too(tmp_path, name):
    """`dvc exp run -n sngam $(python -m app recipe sngam)` would otherwise record the default as sngam."""
    result = recipe_command(name)
    assert result.returncode == 1 and result.stderr.startswith(f"recipe: there is no recipe {name!r}; there are cpu")
    words = result.stdout.split()
    assert len(words) == 1 and re.fullmatch(r"no-such-recipe:[\w.-]+", words[0])
    (tmp_path / "params.yaml").write_text("a: {b: 1}\n")
    (tmp_path / "dvc.yaml").write_text("stages: {s: {cmd: touch ran, params: [a], outs: [ran]}}\n")
    git(tmp_path, "init", "--quiet")
    assert dvc(tmp_path, "init", "--quiet").returncode == 0
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=Begin")
    for more in ([], ["--queue"]):
        stopped = dvc(tmp_path, "exp", "run", *more, "-n", "typo", "-S", "a.b=2", *words)
        assert stopped.returncode != 0 and f"'{words[0]}' does not exist" in stopped.stderr
    assert not (tmp_path / "ran").exists() and git(tmp_path, "status", "--porcelain") == ""
    assert dvc(tmp_path, "exp", "list").stdout == "" and "No experiment" in dvc(tmp_path, "queue", "status").stdout


def inputs(root, values, px: int) -> Pictures:
    """What `gan` reads: noise as pictures, and the files of the stages before, untrained, below `root`."""
    rng = np.random.default_rng(0)
    (root / "data").mkdir()
    np.save(root / "data/embeddings.npy", rng.standard_normal((COUNT, DIMS)).astype(np.float32))
    mixture = Mixture(np.full(2, 0.5), np.zeros((2, DIMS)), np.stack([np.eye(DIMS)] * 2), np.zeros(DIMS), np.eye(DIMS))
    save_mixture(root / "models/gmm.npz", mixture, {})
    write_sidecar(root / "data/embeddings.npy", {})
    pretrain = parse("pretrain", values["pretrain"], PretrainParams)
    knobs = {
        key: getattr(pretrain, key)
        for key in ("width", "smooth_blocks", "samples", "dilation", "dilated_px", "excitation")
    }
    architecture = {"name": "lite", "z_dim": DIMS, "image_px": px, **knobs}
    header = {"architecture": architecture, "latent": "gmm", "made_from": {}}
    save_weights(root / "models/pretrain.safetensors", build_generator(architecture).state_dict(), header)
    index = pa.table({"split": ["train"] * COUNT, "label": [row % 3 for row in range(COUNT)]})
    (root / "data/clean").mkdir()
    pq.write_table(index, root / "data/clean/index.parquet")
    return Pictures(rng.integers(0, 255, (COUNT, 3, px, px)).astype(np.uint8), index)


def takes_two_steps(values: dict, tmp_path) -> list[dict[str, float]]:
    """Train as `gan` does, look that both networks change, and give the history."""
    common = parse("common", values["common"], Common)
    short = {"start": "none", "batch": 4, "kimg": 0.008, "snapshots": 1}
    short |= {"handover.d_warmup_kimg": 0.0, "handover.g_warmup_kimg": 0.0}
    p = parse("gan", changed(values["gan"], short), GanParams)
    pictures = inputs(tmp_path, values, common.image_px)
    start = prepare(p, common, pictures, tmp_path)
    nets = (start.net_g, start.net_d)
    before = [{k: v.clone() for k, v in module.state_dict().items()} for module in nets]
    stage = SimpleNamespace(name="gan", checkpoint_dir=tmp_path / "ckpt", run_dir=tmp_path / "runs")
    seen: list[int] = []
    net, run = train(stage, p, start, pictures, 0, lambda folder, step, net: seen.append(step), None)
    run.discard()
    assert seen[0] == 0 and seen[-1] == 2
    assert all(np.isfinite(v) for row in run.history for v in row.values())
    for module, was in zip(nets, before, strict=True):
        trained = {name for name, weight in module.named_parameters() if weight.requires_grad}
        assert any(not torch.equal(module.state_dict()[name], was[name]) for name in trained)
    assert net(torch.zeros(1, start.latent.length)).shape == (1, 3, common.image_px, common.image_px)
    return run.history


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_takes_two_steps(recipe, tmp_path):
    """With its own networks, loss and augmentation; small batches of small sets."""
    values = overlaid(recipe)
    values["gan"]["n_critic"] = 1  # or the generator would learn but once
    if values["common"]["image_px"] > 64:  # as deep and as wired, half as wide
        for part in (values["pretrain"], values["gan"]["generator"], values["gan"]["discriminator"]):
            part["width"] //= 2
    takes_two_steps(values, tmp_path)


SMALL = {"generator.width": 8, "discriminator.width": 8}
UNTOLD = SMALL | {"condition": "none"}
RANDOM = UNTOLD | {"init": "random", "latent": "normal"}


@pytest.mark.parametrize(
    "options",
    [
        SMALL | {"condition": "component"},
        SMALL | {"handover.anchor": 10.0},  # told embeddings of rebuilds and samples
        UNTOLD | {"handover.anchor": 10.0},
        RANDOM | {"condition": "species", "discriminator.name": "sngan", "penalties.r2": 1.0},
        RANDOM | {"condition": "species", "discriminator.name": "resnet", "discriminator.norm": "spectral"},
        RANDOM | {"discriminator.name": "sngan", "penalties.r1": 1.0, "penalties.every": 2, "n_critic": 2},
        RANDOM | {"discriminator.name": "sngan", "discriminator.attention_px": 16, "loss": "rpgan"},
        RANDOM | {"generator.name": "resnet", "discriminator.name": "sngan", "msg": True},
        UNTOLD | {"discriminator.name": "sngan", "msg": True},
        SMALL | {"handover.blur": 2.0, "handover.blur_kimg": 0.004},
        SMALL | {"penalties.lecam": 0.1},
    ],
)
def test_options_train_together(options, tmp_path):
    values = overlaid("cpu")
    values["gan"] = changed(values["gan"], options)
    (row,) = takes_two_steps(values, tmp_path)
    assert ("r1" in row, "r2" in row) == ("penalties.r1" in options, "penalties.r2" in options)
    assert ("lecam" in row) == ("penalties.lecam" in options)
    assert (row.get("anchor", 0) > 0) == ("handover.anchor" in options)


def test_the_anchor_holds_samples_to_what_pretraining_drew(tmp_path, monkeypatch):
    """The second half of a batch; the first are rebuilds of its pictures."""
    goals: list[torch.Tensor] = []

    def noted(drawn: torch.Tensor, goal: torch.Tensor, px: int) -> torch.Tensor:
        goals.append(goal)
        return anchor_loss(drawn, goal, px)

    monkeypatch.setattr("stages.gan.train.anchor_loss", noted)
    values = overlaid("cpu")
    values["gan"]["handover"]["anchor"] = 10.0
    takes_two_steps(values, tmp_path)
    weights, header = load_weights(tmp_path / "models/pretrain.safetensors")
    pretrained = build_generator(header["architecture"]).eval()
    pretrained.load_state_dict(weights)
    latent = Latent(DIMS, load_mixture(tmp_path / "models/gmm.npz"), None)
    assert len(goals) == 2
    for step, goal in enumerate(goals):
        z, _ = latent.draw(4, np.random.default_rng(mix(0, step)))
        assert len(goal) == 4
        drawn = pretrained(torch.from_numpy(z[2:]))
        assert torch.allclose(goal[2:], drawn, atol=3e-3)  # the goal's may be bfloat16
        own, other = ((goal[2:] - x).abs().mean() for x in (drawn, drawn.flip(0)))
        assert own < 0.3 * other


def test_a_random_generator_is_the_pretrained_one_but_for_its_weights(tmp_path):
    """So that leaving pretraining out changes nothing else."""
    values = overlaid("cpu")
    common = parse("common", values["common"], Common)
    pictures, shapes = inputs(tmp_path, values, common.image_px), []
    for init in ("pretrained", "random"):
        p = parse("gan", values["gan"] | {"init": init, "start": "none"}, GanParams)
        weights = prepare(p, common, pictures, tmp_path).net_g.state_dict()
        shapes.append({name: weight.shape for name, weight in weights.items()})
    assert shapes[0] == shapes[1]


def test_the_discriminator_is_told_the_embeddings_that_pictures_have_and_fakes_were_drawn_from(tmp_path, monkeypatch):
    condition: list[tuple[torch.Tensor, torch.Tensor]] = []

    inner = Adversarial.discriminator_loss

    def noted(self, batch, penalised):
        condition.append((batch.real.condition, batch.fake.condition))
        return inner(self, batch, penalised)

    monkeypatch.setattr(Adversarial, "discriminator_loss", noted)
    takes_two_steps(overlaid("cpu"), tmp_path)
    embeddings = np.load(tmp_path / "data/embeddings.npy")
    latent = Latent(DIMS, load_mixture(tmp_path / "models/gmm.npz"), None)
    batches = Batches(np.arange(COUNT), 4, 0)
    assert len(condition) == 2
    for step, (real, fake) in enumerate(condition):
        assert np.array_equal(real, embeddings[batches[step]])
        assert np.array_equal(fake, latent.draw(4, np.random.default_rng(mix(0, step)))[0])
