"""The registry of artifacts, against dvc.yaml."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from creatures.artifacts import ARTIFACTS, VETOES
from creatures.runtime.config import read_yaml
from creatures.runtime.errors import UserError
from tests.support.deps import ROOT

STAGES = read_yaml(ROOT / "dvc.yaml")["stages"]


def covered(path: Path, listed: list[str]) -> bool:
    return any(str(place) in listed for place in (path, *path.parents))


@pytest.mark.parametrize("path", ARTIFACTS, ids=str)
def test_an_artifact_is_an_output_of_its_stage(path):
    assert covered(path, STAGES[ARTIFACTS[path].stage]["outs"])


@pytest.mark.parametrize("path", [path for path, artifact in ARTIFACTS.items() if artifact.loader], ids=str)
def test_what_opens_an_artifact_says_in_a_line_that_it_is_missing(path, tmp_path):
    module, function = ARTIFACTS[path].loader.split(":")
    arguments = {"open_pictures": [tmp_path], "open_array": [tmp_path / path.name, 2, np.float32]}
    with pytest.raises(UserError, match=r"^\S+ is missing"):
        getattr(import_module(module), function)(*arguments.get(function, [tmp_path / path.name]))


@pytest.mark.parametrize("saver", sorted({artifact.saver for artifact in ARTIFACTS.values()} - {""}))
def test_what_saves_an_artifact_is_there(saver):
    module, function = saver.split(":")
    assert callable(getattr(import_module(module), function))


def test_every_output_that_another_stage_depends_on_is_registered():
    outputs = {out for stage in STAGES.values() for out in stage.get("outs", [])}
    read = {dep for stage in STAGES.values() for dep in stage["deps"]} & outputs
    names = {str(place) for path in ARTIFACTS for place in (path, *path.parents)}
    sidecars = {f"{path.with_suffix('')}.json" for path in ARTIFACTS}  # of provenance
    assert read <= names | sidecars


def test_data_that_stages_read_and_people_write_is_named():
    assert str(VETOES) in STAGES["clean"]["deps"]
