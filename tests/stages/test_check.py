"""All sections of params.yaml are checked before anything runs."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from creatures.runtime.config import changed, read_yaml
from stages.check import main
from tests.support.deps import ROOT


def test_the_default_is_fine(tmp_path, monkeypatch):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    main()


def test_every_mistake_is_named_and_one_of_common_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wrong = {"gan.loss": "nss", "clean.margin": "x", "common.image_px": 63}
    Path("params.yaml").write_text(json.dumps(changed(read_yaml(ROOT / "params.yaml"), wrong)))
    with pytest.raises(SystemExit) as end:
        main()
    assert str(end.value).splitlines() == ["params.yaml: common.image_px is 63: must be a power of two, such as 64"]
    wrong.pop("common.image_px")
    Path("params.yaml").write_text(json.dumps(changed(read_yaml(ROOT / "params.yaml"), wrong)))
    with pytest.raises(SystemExit) as end:
        main()
    lines = str(end.value).splitlines()
    assert len(lines) == 2 and "clean.margin is 'x'" in lines[0] and "gan.loss is 'nss': must be one of" in lines[1]


@pytest.mark.parametrize(
    ("name", "line"), [(b"caf\xe9.png", r"caf\udce9.png: the name is not UTF-8"), (b"a.png", "a link")]
)
def test_names_at_which_dvc_stops_are_said(tmp_path, monkeypatch, name, line):
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    Path("data/own").mkdir(parents=True)
    os.symlink(b"none", b"data/own/" + name)
    with pytest.raises(SystemExit) as end:
        main()
    assert line in str(end.value) and "\n" not in str(end.value)
