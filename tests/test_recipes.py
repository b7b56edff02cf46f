"""Recipes: each is valid, can be given to DVC, and trains."""

import shlex
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import torch

from app.recipe import FOLDER, flags, names
from stages.gan.build import build, new_architecture
from stages.gan.params import GanParams
from stages.gan.train import train
from stages.lib.mixture import Mixture
from stages.lib.params import Common, UserError, parse, read_yaml
from stages.lib.pictures import Pictures
from stages.lib.sampling import Latent
from stages.pretrain.params import PretrainParams
from tests.closure import ROOT

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


@pytest.mark.parametrize("recipe", names())
def test_flags_say_what_the_file_says_and_no_shell_splits_them(recipe):
    printed = " ".join(flags(recipe))
    assert shlex.split(printed) == flags(recipe)
    values, found = read_yaml(FOLDER / f"{recipe}.yaml"), overlaid(recipe)
    for section, wanted in values.items():
        assert found[section] | wanted == found[section]


def test_an_unknown_recipe_is_one_line_that_names_the_others():
    with pytest.raises(UserError, match="no recipe 'stylegan'; there are cpu, dcgan, dcgan-pokegen"):
        flags("stylegan")


@pytest.mark.parametrize("recipe", names())
def test_every_recipe_takes_two_steps(recipe, tmp_path):
    """With its own networks, loss and augmentation; small batches of small sets."""
    values = overlaid(recipe)
    px = parse("common", values["common"], Common).image_px
    pretrain = parse("pretrain", values["pretrain"], PretrainParams)
    short = {"batch": 4, "kimg": 0.008, "alone_kimg": 0.0, "ramp_kimg": 0.0, "n_critic": 1, "snapshots": 1}
    p = parse("gan", values["gan"] | short, GanParams)
    rng = np.random.default_rng(0)
    index = pa.table({"split": ["train"] * COUNT, "label": list(range(COUNT))})
    pictures = Pictures(rng.integers(0, 255, (COUNT, 3, px, px)).astype(np.uint8), index)
    mixture = Mixture(np.ones(1), np.zeros((1, DIMS)), np.eye(DIMS)[None], np.zeros(DIMS), np.eye(DIMS))
    latent = Latent(p.z_dim, mixture if p.latent == "gmm" else None)
    architecture = new_architecture(p, latent.length, px)
    if p.init == "pretrained":
        knobs = {key: getattr(pretrain, key) for key in ("width", "dilation", "dilated_px", "excitation")}
        architecture = {"name": "lite", "z_dim": DIMS, "image_px": px, "msg": p.msg, **knobs}
    net_g, net_d = build(p, architecture, None, 0, 0)
    before = [{k: v.clone() for k, v in module.state_dict().items()} for module in (net_g, net_d)]
    stage = SimpleNamespace(name=recipe, checkpoint_dir=tmp_path / "ckpt", run_dir=tmp_path / "runs")
    embeddings = rng.standard_normal((COUNT, DIMS)).astype(np.float32) if mixture else None
    seen: list[int] = []
    net, run = train(
        stage, p, net_g, net_d, latent, pictures, embeddings, None, 0, lambda folder, step, net: seen.append(step), None
    )
    run.discard()
    assert seen[0] == 0 and seen[-1] == 2
    assert all(np.isfinite(v) for row in run.history for v in row.values())
    for module, was in zip((net_g, net_d), before, strict=True):
        trained = {name for name, weight in module.named_parameters() if weight.requires_grad}
        assert any(not torch.equal(module.state_dict()[name], was[name]) for name in trained)
    assert net(torch.zeros(1, latent.length)).shape == (1, 3, px, px)
