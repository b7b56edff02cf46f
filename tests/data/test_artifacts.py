"""The registry of artifacts, against dvc.yaml."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from creatures.artifacts import ARTIFACTS, MODELS, VETOES
from creatures.runtime.config import read_yaml
from tests.support.deps import ROOT

STAGES = read_yaml(ROOT / "dvc.yaml")["stages"]


def covered(path: Path, listed: list[str]) -> bool:
    return any(str(place) in listed for place in (path, *path.parents))


@pytest.mark.parametrize("path", ARTIFACTS, ids=str)
def test_an_artifact_is_an_output_of_its_stage_and_can_be_opened(path):
    artifact = ARTIFACTS[path]
    assert covered(path, STAGES[artifact.stage]["outs"])
    if artifact.loader:
        module, function = artifact.loader.split(":")
        assert callable(getattr(import_module(module), function))


def test_every_output_that_another_stage_depends_on_is_registered():
    outputs = {out for stage in STAGES.values() for out in stage.get("outs", [])}
    read = {dep for stage in STAGES.values() for dep in stage["deps"]} & outputs
    names = {str(place) for path in ARTIFACTS for place in (path, *path.parents)}
    sidecars = {f"{path.with_suffix('')}.json" for path in ARTIFACTS}  # of provenance
    assert read <= names | sidecars


def test_data_that_stages_read_and_people_write_is_named():
    assert str(VETOES) in STAGES["clean"]["deps"] and Path("models") == MODELS
