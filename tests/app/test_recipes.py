"""Recipes: each is valid, can be given to DVC, and trains."""

import json
import re
import shlex
import subprocess
import sys
from itertools import product

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

import app.recipe
from app.__main__ import recipe
from app.recipe import FOLDER, SWEEPS, flags, names, overlaid, written
from creatures.runtime.config import lookup, parse, read_yaml
from creatures.runtime.errors import UserError
from stages.pix2pix.params import Pix2pixParams
from tests.support.checkouts import dvc, git
from tests.support.deps import ROOT
from tests.support.recipes import params_of, read_yaml_value, takes_two_steps


def test_the_manual_of_recipes_names_options_that_are_there():
    import re

    manual = (ROOT / "docs/RECIPES.md").read_text(encoding="utf-8")
    assert "not there yet" not in manual
    values = read_yaml(ROOT / "params.yaml")
    named = [key for key in re.findall(r"[`=\s](\w+(?:\.\w+)+)[:`=]", manual) if key.split(".")[0] in values]
    assert {"pix2pix", "scrape", "gan"} <= {key.split(".")[0] for key in named}
    assert any(key.count(".") == 2 for key in named)
    assert [key for key in named if lookup(values, key) is None] == []


RECIPES = [name for name in names() if not name.startswith(SWEEPS)]


@pytest.mark.parametrize("recipe", RECIPES)
def test_flags_say_what_the_file_says_and_no_shell_splits_them(recipe):
    printed = " ".join(flags(recipe))
    assert shlex.split(printed) == flags(recipe)
    values, found = read_yaml(FOLDER / f"{recipe}.yaml"), params_of(recipe)
    base = values.pop("base", None)
    assert overlaid(found, values) == found
    assert overlaid(params_of(base) if base else read_yaml(ROOT / "params.yaml"), values) == found


@pytest.mark.parametrize("sweep", sorted(set(names()) - set(RECIPES)))
def test_every_run_of_a_sweep_is_possible(sweep):
    choices = [(key.split("."), values.split(",")) for key, values in (f.split("=") for f in flags(sweep)[1::2])]
    assert any(len(values) > 1 for _, values in choices)
    for picked in product(*(values for _, values in choices)):
        values = read_yaml(ROOT / "params.yaml")["pix2pix"]
        for ((section, name), _), value in zip(choices, picked, strict=True):
            assert section == "pix2pix" and name in values
            values[name] = read_yaml_value(value)
        parse("pix2pix", values, Pix2pixParams)


def test_an_unknown_recipe_is_one_line_that_names_the_others():
    with pytest.raises(UserError, match="no recipe 'stylegan'; there are cpu, dcgan, dcgan-pokegen"):
        flags("stylegan")


def recipe_command(name: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "app", "recipe", name], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("name", ["sngam", "sn gan; $(x)'*"])
def test_a_mistyped_recipe_stops_dvc_too(tmp_path, name):
    """`dvc exp run -n sngam $(python -m app recipe sngam)` would otherwise record the default as sngam."""
    result = recipe_command(name)
    assert result.returncode == 1 and result.stderr.startswith(f"recipe: there is no recipe {name!r}; there are cpu")
    words = result.stdout.split()
    assert len(words) == 1 and re.fullmatch(r"no-such-recipe:[\w.-]+", words[0])
    (tmp_path / "params.yaml").write_text("a: {b: 1}\n")
    (tmp_path / "dvc.yaml").write_text("stages: {s: {cmd: touch ran, params: [a], outs: [ran]}}\n")
    git(tmp_path, "init", "--quiet")
    assert dvc(tmp_path, "init", "--quiet").returncode == 0
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=Begin")
    for more in ([], ["--queue"]):
        stopped = dvc(tmp_path, "exp", "run", *more, "-n", "typo", "-S", "a.b=2", *words)
        assert stopped.returncode != 0 and f"'{words[0]}' does not exist" in stopped.stderr
    assert not (tmp_path / "ran").exists() and git(tmp_path, "status", "--porcelain") == ""
    assert dvc(tmp_path, "exp", "list").stdout == "" and "No experiment" in dvc(tmp_path, "queue", "status").stdout


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_takes_two_steps(recipe, tmp_path):
    """With its own networks, loss and augmentation; small batches of small sets."""
    values = params_of(recipe)
    values["gan"]["n_critic"] = 1  # or the generator would learn but once
    if values["common"]["image_px"] > 64:  # as deep and as wired, half as wide
        for part in (values["pretrain"], values["gan"]["generator"], values["gan"]["discriminator"]):
            part["width"] //= 2
    takes_two_steps(values, tmp_path)


def test_a_recipe_with_keys_of_before_ends_in_a_line_that_names_the_new_ones(tmp_path, monkeypatch):
    (tmp_path / "mine.yaml").write_text("gan: {generator_width: 8, augment: [flip], kimg: 1}\n")
    monkeypatch.setattr("app.recipe.FOLDER", tmp_path)
    says = "gan.augment is called gan.augment.ops now; gan.generator_width is called gan.generator.width now"
    with pytest.raises(UserError, match=f"^recipe mine: {says}$"):
        flags("mine")


STRINGS = ["#000000", "/my pictures", "it's", "a\\", "a\\'b", "", "true", "1", "null", "a,b", "{x}", "a=b", "ü"]
LISTS = [["a b", 1], [{"from": "folder", "path": "cats and dogs"}]]


@pytest.mark.parametrize("value", [*STRINGS, *LISTS, 2e-4, True, None])
def test_dvc_reads_what_a_recipe_says(value):
    override = OverridesParser.create().parse_override(f"clean.background={written(value)}")
    found = override.value()
    assert json.loads(json.dumps(found, default=str)) == json.loads(json.dumps(value))


def test_values_with_spaces_are_named_with_the_quoting_that_works(monkeypatch, capsys):
    monkeypatch.setattr(app.recipe, "flags", lambda name: ["-S", "scrape.own='/my pictures'"])
    with pytest.raises(SystemExit, match=r"run eval \"dvc exp run \$\(python -m app recipe mine --eval\)\""):
        recipe("mine")
    assert capsys.readouterr().out.startswith("no-such-recipe:")
    recipe("mine", for_eval=True)
    assert shlex.split(capsys.readouterr().out) == ["-S", "scrape.own='/my pictures'"]
