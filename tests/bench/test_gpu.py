"""`bench.gpu` at tiny lengths on the CPU: all its paths but CUDA's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from ruamel.yaml import YAML

from app.recipe import overlaid
from bench import gpu
from bench.trainings import DIMS, MODULES, Trainings
from creatures.nets.generators.lite import LiteGenerator
from creatures.runtime.config import parse, read_yaml
from stages.pretrain.params import PretrainParams
from tests.support.deps import ROOT
from tests.support.trainings import pictures

RECIPE = """
common: {image_px: 32}
classifier: {backbone: resnet18, batch: 8}
pretrain: {batch: 8, width: 8, dilated_px: [16], coarse_px: 8}
gan: {batch: 8, discriminator: {width: 8}, augment: {p: 0.0, target: 0.6, kimg: 200}, start: none, kimg: 1}
evaluate: {samples: 64, reference: 64}
pix2pix: {batch: 8, width: 8, discriminator_width: 8, field_px: 16}
"""


@pytest.fixture(scope="module")
def found(scraped, tmp_path_factory) -> dict:
    """What a run of it wrote, in a checkout whose pictures are scraped and recipes are the test's own."""
    out = tmp_path_factory.mktemp("gpu")
    (scraped / "tiny.yaml").write_text(RECIPE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(scraped)
        patch.setattr(gpu, "STEPS", 4)
        gpu.main(["tiny.yaml"], minutes=0.01, seconds=0.01, batches="8", sets=out / "sets", out=out)
    return json.loads((out / "gpu.json").read_text()) | {"sheet": out / "tiny.png"}


def test_speeds_are_of_every_training_in_both_precisions(found):
    assert found["machine"]["device"].startswith("CPU")
    assert {(row["stage"], row["precision"]) for row in found["speeds"]} == {
        (name, kind) for name in MODULES for kind in ("bf16", "no")
    }
    assert all(row["images_per_second"] > 0 for row in found["speeds"])


@pytest.mark.parametrize("name", MODULES)
def test_trainings_end_with_the_same_bytes_again_and_when_stopped(found, name):
    (row,) = (row for row in found["repeated"] if row["stage"] == name)
    assert row == {"stage": name, "again": True, "stopped": True, "again_apart": 0, "stopped_apart": 0}


def test_the_gan_is_measured_with_the_generator_of_pretraining(tmp_path):
    values = overlaid(read_yaml(ROOT / "params.yaml"), YAML(typ="safe").load(RECIPE))
    net = Trainings(values, pictures()).fit("gan", tmp_path, steps=1)
    arguments = parse("pretrain", values["pretrain"], PretrainParams).architecture(DIMS, pictures().image_px)
    assert [x.shape for x in net.parameters()] == [x.shape for x in LiteGenerator(**arguments).parameters()]


def test_a_recipe_is_scored_and_has_a_sheet(found):
    (row,) = found["recipes"]
    assert row["recipe"] == "tiny" and row["kimg"]["gan"] > 0
    assert {"kid_lite1", "recall", "grid", "one_piece", "memorised", "memorised_px"} <= set(row)
    assert Image.open(found["sheet"]).size == (274, 274)


def test_recipes_without_pictures_end_in_a_line(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(gpu, "RAW", Path("data/nothing"))
    with pytest.raises(SystemExit, match="data/nothing are missing; run dvc repro scrape"):
        gpu.main(["gpu-64"], sets=tmp_path, out=tmp_path)
