"""The tiny checkout of bench.kills."""

from __future__ import annotations

from importlib import import_module

import pytest

from bench.kills import make_checkout
from creatures.runtime.config import Section, load


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkout")
    make_checkout(folder)
    return folder


@pytest.mark.parametrize(
    "stage", ["scrape", "names", "clean", "edges", "classifier", "pretrain", "gmm", "gan", "pix2pix", "evaluate"]
)
def test_its_parameters_are_whole(stage, checkout):
    module = import_module(f"stages.{stage}.params")
    (model,) = (
        value
        for name, value in vars(module).items()
        if name == f"{stage.capitalize()}Params" and issubclass(value, Section)
    )
    load(stage, model, checkout / "params.yaml")


def test_it_has_pictures_and_a_repository(checkout):
    assert len(list((checkout / "data/own").rglob("*.png"))) == 48 and (checkout / ".git").is_dir()
