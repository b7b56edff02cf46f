"""Parameters of before are named with what they are called now."""

from __future__ import annotations

import pytest

from creatures.runtime.config import Common, load, lookup, parse, read_yaml
from creatures.runtime.errors import UserError
from creatures.runtime.renamed import RENAMED, SECTIONS
from stages.gan.params import GanParams
from tests.support.deps import ROOT

NOW = read_yaml(ROOT / "params.yaml")


@pytest.mark.parametrize(("before", "now"), [*RENAMED.items(), *SECTIONS.items()])
def test_a_key_of_before_is_named_with_one_that_is_there(before, now):
    assert lookup(NOW, now) is not None and not isinstance(lookup(NOW, now), dict)
    name = before.removeprefix("gan.")
    with pytest.raises(UserError, match=rf"^params\.yaml: {before} is called {now} now"):
        parse("gan", NOW["gan"] | {name: 1}, GanParams)


def test_a_file_of_before_says_in_one_readable_line_what_to_write_instead(tmp_path):
    """Its new names first, then what it lacks; not the values of whole sections."""
    sections = ("penalties", "handover", "accumulate")
    old = {key: value for key, value in NOW["gan"].items() if key not in sections}
    old |= {"generator": "lite", "generator_width": 32, "lecam": 0.0}
    with pytest.raises(UserError) as error:
        parse("gan", old, GanParams)
    lines = str(error.value).removeprefix("params.yaml: ").split("; ")
    assert sorted(lines[:3]) == [
        "gan.generator is called gan.generator.name now",
        "gan.generator_width is called gan.generator.width now",
        "gan.lecam is called gan.penalties.lecam now",
    ]
    assert sorted(lines[3:]) == ["gan.accumulate is missing", "gan.handover is missing", "gan.penalties is missing"]


def test_the_file_of_now_is_taken():
    common, p = load("gan", GanParams, ROOT / "params.yaml")
    assert isinstance(common, Common) and p.lr == NOW["gan"]["lr"]
