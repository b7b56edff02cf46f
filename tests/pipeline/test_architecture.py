"""The rules of the architecture: without them editing one stage reruns others,
or a change reruns none and old results pass for new ones.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from creatures.runtime.config import Common, Section, parse, read_yaml
from tests.support.deps import ROOT, closure, imports, written

PIPELINE = read_yaml(ROOT / "dvc.yaml")["stages"]
VALUES = read_yaml(ROOT / "params.yaml")
STAGES = sorted(PIPELINE)
FILES = sorted(
    str(p.relative_to(ROOT)) for folder in ("creatures", "stages", "app") for p in (ROOT / folder).rglob("*.py")
)


def package(name: str) -> str:
    return f"stages/{name}/"


def model(name: str) -> type[Section]:
    """The model of a section: `GanParams` in stages/gan/params.py, for `gan`."""
    if name == "common":
        return Common
    return getattr(importlib.import_module(f"stages.{name}.params"), f"{name.capitalize()}Params")


def covers(dep: str, path: str) -> bool:
    return path == dep or path.startswith(f"{dep}/")


@pytest.mark.parametrize("name", STAGES)
def test_deps_cover_the_closure_of_imports(name):
    """A file too few: an edit leaves old results in place. A package too many: it reruns a stage for nothing."""
    needed = closure(f"stages.{name}.__main__")
    stated = [dep for dep in PIPELINE[name]["deps"] if dep.startswith(("creatures", "stages"))]
    assert [path for path in sorted(needed) if not any(covers(dep, path) for dep in stated)] == []
    assert [dep for dep in stated if not any(covers(dep, path) for path in needed)] == []
    assert stated == sorted(stated)


def test_dependencies_are_as_written_by_make_deps():
    text = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    assert written(text) == text


@pytest.mark.parametrize("name", STAGES)
def test_no_file_of_a_stage_s_package_is_dead(name):
    """Its folder is a dependency: an edit of a file that nothing imports would rerun the stage."""
    reached = closure(f"stages.{name}.__main__")
    assert [path for path in FILES if path.startswith(package(name)) and path not in reached] == []


@pytest.mark.parametrize("path", FILES)
def test_packages_import_only_what_they_may(path):
    """Stages never import each other, the library imports no stage, app imports the library alone."""
    own = path.split("/")[:-1]
    allowed = {"creatures"} | ({"stages.harness", ".".join(own[:2])} if own[0] == "stages" else {own[0]})
    named = {name for name in imports(ROOT / path) if name != "stages"}
    assert [n for n in sorted(named) if not any(n == a or n.startswith(f"{a}.") for a in allowed)] == []


@pytest.mark.parametrize("name", STAGES)
def test_stage_is_a_table_of_contents(name):
    lines = len((ROOT / package(name) / "__main__.py").read_text(encoding="utf-8").splitlines())
    assert lines < 80
    assert PIPELINE[name]["cmd"] == f"sh stages/python -m stages.{name}"


@pytest.mark.parametrize("name", STAGES)
def test_stage_reads_its_own_section_and_common(name):
    assert {key for key in PIPELINE[name]["params"] if key.split(".")[0] != "common"} == {name}


def test_every_section_has_a_stage_and_every_stage_a_section():
    assert sorted(set(VALUES) - {"common"}) == STAGES


@pytest.mark.parametrize("name", sorted(VALUES))
def test_params_yaml_is_valid_and_states_every_key(name):
    """A key that is not written down cannot be changed by `dvc exp run -S`."""
    parse(name, VALUES[name], model(name))
    assert sorted(keys_of(VALUES[name], model(name))) == sorted(keys_of_model(model(name)))


def keys_of(values: dict[str, Any], section: type[Section], prefix: str = "") -> Iterator[str]:
    """Dotted keys of a section's values, as deep as the model has sections of its own."""
    for key, value in values.items():
        field = section.model_fields.get(key)
        inner = field.annotation if field else None
        if isinstance(value, dict) and isinstance(inner, type) and issubclass(inner, Section):
            yield from keys_of(value, inner, f"{prefix}{key}.")
        else:
            yield prefix + key


def keys_of_model(section: type[Section], prefix: str = "") -> Iterator[str]:
    for key, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from keys_of_model(field.annotation, f"{prefix}{key}.")
        else:
            yield prefix + key


def test_no_key_that_the_run_cache_ignores():
    """DVC drops keys of these names, at any depth, from the run cache's key: changing one
    would bring back the results of its old value.
    """

    def names(values: Any) -> Iterator[str]:
        if isinstance(values, dict):
            yield from map(str, values)
        for item in values.values() if isinstance(values, dict) else values if isinstance(values, list) else ():
            yield from names(item)

    assert {"size", "nfiles"} & set(names(VALUES)) == set()


@pytest.mark.parametrize("name", STAGES)
def test_small_results_are_in_git_and_large_ones_are_not(name):
    """A plain output with `cache: false` turns the run cache off, so reverting a value would train again."""
    stage = PIPELINE[name]
    assert [out for out in stage.get("outs", []) if not isinstance(out, str)] == []
    small = stage.get("metrics", []) + stage.get("plots", [])
    assert [out for out in small if isinstance(out, str) or list(out.values()) != [{"cache": False}]] == []


def test_pins_agree():
    """What pyproject.toml pins, constraints.txt pins alike, and neither names a place to fetch from."""
    import tomllib

    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {}
    for line in lines:
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            assert requirement.url is None and str(requirement.specifier).startswith("==")
            pins[canonicalize_name(requirement.name)] = str(requirement.specifier)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for text in chain(project["dependencies"], *project["optional-dependencies"].values()):
        requirement = Requirement(text)
        assert pins.get(canonicalize_name(requirement.name)) == str(requirement.specifier), text


def test_pinned_versions_install_on_each_python_that_set_up_takes():
    """Also on the first release of each, or on Debian 12's 3.11.2; the pinned versions are the installed ones."""
    from importlib.metadata import distributions

    from packaging.specifiers import SpecifierSet

    pythons = [f"{version}.0" for version in re.search(r"VERSIONS := (.*)", (ROOT / "Makefile").read_text())[1].split()]
    needs = {f"{d.name} {d.version}": SpecifierSet(d.metadata.get("Requires-Python", "")) for d in distributions()}
    assert len(pythons) == 3 and len(needs) > 100
    assert [name for name, versions in needs.items() if not all(map(versions.contains, pythons))] == []


def test_closure_sees_imports_in_functions_and_packages(tmp_path):
    """The test of deps is only as good as what it finds."""
    sources = {
        "stages/__init__.py": "",
        "stages/a/__init__.py": "from creatures import log",
        "stages/a/__main__.py": "import os\ndef f():\n    from .part import g",
        "stages/a/part.py": "import creatures.translation.unet as u",
        "stages/a/dead.py": "",
        "creatures/__init__.py": "",
        "creatures/log.py": "import json",
        "creatures/other.py": "",
        "creatures/translation/__init__.py": "",
        "creatures/translation/unet.py": "",
    }
    for path, text in sources.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    assert closure("stages.a.__main__", tmp_path) == set(sources) - {"stages/a/dead.py", "creatures/other.py"}


def test_tiny_set_is_the_same_each_time(tiny_set, tmp_path):
    """End-to-end tests compare hashes of what comes of it."""
    from tests.support.drawn_creatures import draw_tiny_set

    draw_tiny_set(tmp_path)
    files = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*.*"))
    assert files == sorted(p.relative_to(tiny_set) for p in tiny_set.rglob("*.*"))
    assert all((tmp_path / p).read_bytes() == (tiny_set / p).read_bytes() for p in files)


def test_tiny_checkout_is_a_repository_of_its_own(tiny_checkout):
    from tests.support.checkouts import dvc, git

    assert git(tiny_checkout, "status", "--porcelain") == ""
    listed = dvc(tiny_checkout, "stage", "list", "--name-only")
    assert listed.returncode == 0, listed.stderr
    assert sorted(listed.stdout.split()) == STAGES
    for name in STAGES:
        parse(name, read_yaml(tiny_checkout / "params.yaml")[name], model(name))


def test_dvc_passes_over_bytecode(tiny_checkout):
    """It would make the hash of a folder of code, and so dvc.lock, another one on each machine."""
    from tests.support.checkouts import dvc

    assert dvc(tiny_checkout, "check-ignore", "stages/edges/__pycache__/canny.cpython-311.pyc").returncode == 0
