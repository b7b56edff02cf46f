"""What species are called."""

import json
import re
from types import SimpleNamespace

import pytest

from app.page.names import load_names
from creatures.runtime.config import parse, read_yaml
from creatures.runtime.errors import UserError
from stages.names.__main__ import fetch_names, main
from stages.names.params import NamesParams
from tests.support.deps import ROOT

P = parse("names", read_yaml(ROOT / "params.yaml")["names"], NamesParams)


def test_names_come_from_a_file_of_a_package(npm):
    npm([("package/data/en.json", json.dumps(["Bulbasaur", "Nidoran\u2640"]).encode())])
    assert fetch_names(P) == ["Bulbasaur", "Nidoran♀"]


def test_species_are_numbered_from_one(npm, tmp_path, monkeypatch):
    npm([("package/data/en.json", b'["Bulbasaur", "Ivysaur"]')])
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    main(SimpleNamespace(params=lambda model: (None, P)))
    assert load_names() == {"1": "Bulbasaur", "2": "Ivysaur"}


@pytest.mark.parametrize("content", [b"{}", b"[1]", b"no json", None])
def test_a_package_without_a_list_of_names_is_one_line(npm, content):
    npm([("package/data/en.json" if content else "package/other", content or b"")])
    with pytest.raises(UserError, match=r"^pokemon@3.3.1 has no list of names data/en.json$"):
        fetch_names(P)


@pytest.mark.parametrize("code", ["ENOTFOUND", "E503", "ETIMEDOUT"])
def test_training_does_not_wait_for_names_that_cannot_be_fetched(npm, tmp_path, monkeypatch, capsys, code):
    """The stage ends well, says what to do, and so does the page for as long as it is not done."""
    npm(code=code)
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    main(SimpleNamespace(params=lambda model: (None, P)))
    said = capsys.readouterr().err
    assert re.fullmatch(r"names: .*pokemon@3\.3\.1.*; species have no names; .*dvc repro -f -s names.*\n", said)
    assert load_names() == {}
    assert capsys.readouterr().err == said
    npm([("package/data/en.json", b'["Bulbasaur"]')])
    main(SimpleNamespace(params=lambda model: (None, P)))
    assert load_names() == {"1": "Bulbasaur"} and capsys.readouterr().err == ""


@pytest.mark.parametrize("code", ["E404", "ETARGET"])
def test_a_package_that_is_not_there_is_a_mistake_to_mend(npm, code):
    npm(code=code)
    with pytest.raises(UserError, match=code):
        fetch_names(P)


def test_names_are_known_by_label_and_there_are_none_before_their_stage_has_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_names() == {}
    (tmp_path / "data").mkdir()
    (tmp_path / "data/names.json").write_text('{"1": "Bulbasaur"}')
    assert load_names()["1"] == "Bulbasaur"
