"""Parameters of recipes, and short trainings of gan with them."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from app.recipe import flags
from creatures.data.pictures import Pictures
from creatures.data.provenance import write_sidecar
from creatures.data.weights import save_weights
from creatures.latents.mixture import Mixture, save_mixture
from creatures.nets.generators.registry import build_generator
from creatures.runtime.config import Common, changed, parse, read_yaml
from stages.gan.build import prepare
from stages.gan.params import GanParams
from stages.gan.train import train
from stages.pretrain.params import PretrainParams
from tests.support.deps import ROOT

DIMS, COUNT = 16, 12  # of embeddings; pictures


def params_of(recipe: str) -> dict:
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


def gan_inputs(root, values, px: int) -> Pictures:
    """Write what `gan` reads: noise as pictures, and the files of the stages before, untrained, below `root`."""
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
    pictures = gan_inputs(tmp_path, values, common.image_px)
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
