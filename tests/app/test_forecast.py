"""What `python -m app forecast` says beforehand."""

import json
import re
from pathlib import Path

import pytest

import app.forecast
from app.forecast import REFERENCE, forecast, pace, seconds
from app.recipe import overlaid, overlay_of, recipe_file
from creatures.runtime.config import read_yaml
from creatures.runtime.errors import UserError
from tests.support.deps import ROOT


@pytest.fixture()
def params():
    return read_yaml(ROOT / "params.yaml")


def test_what_is_trained_longer_takes_longer_and_nothing_else_does(params):
    usual = seconds(params, REFERENCE)
    longer = seconds(overlaid(params, {"gan": {"kimg": params["gan"]["kimg"] + 10}}), REFERENCE)
    assert {stage for stage in usual if usual[stage] != longer[stage]} == {"gan"} and longer["gan"] > usual["gan"]
    larger = seconds(overlaid(params, {"common": {"image_px": 128}}), REFERENCE)
    assert larger["pix2pix"] == pytest.approx(4 * usual["pix2pix"])


def test_a_slower_machine_trains_for_longer(params):
    usual, slower = seconds(params, REFERENCE), seconds(params, REFERENCE / 4)
    assert slower["gan"] == pytest.approx(4 * usual["gan"]) and slower["scrape"] == usual["scrape"]


def test_recipe_quick_is_the_shortest(params):
    totals = {}
    for name in ("quick", "cpu", "scratch"):
        totals[name] = sum(seconds(overlaid(params, overlay_of(recipe_file(name))), REFERENCE).values())
    assert totals["quick"] < totals["cpu"] < totals["scratch"]


def test_wrong_parameters_are_one_line(params, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    del params["gan"]["snapshots"]
    Path("params.yaml").write_text(json.dumps(params))
    with pytest.raises(UserError, match=r"^params\.yaml: gan\.snapshots is missing$"):
        forecast()


def test_it_measures_and_says_minutes(monkeypatch, params):
    monkeypatch.setattr(app.forecast, "MEASURED_SECONDS", 0.01)
    assert pace() > 0
    monkeypatch.setattr(app.forecast, "pace", lambda: REFERENCE)
    found = re.match(r"All stages take about (\d+) minutes here.* \(.*gan (\d+\.\d).*\)", forecast())
    assert found and int(found[1]) == round(sum(seconds(params, REFERENCE).values()) / 60)
    assert float(found[2]) == pytest.approx(seconds(params, REFERENCE)["gan"] / 60, abs=0.06)
