"""A wrong value must end a stage at once, in a line that says what to write instead."""

from __future__ import annotations

import io
import shutil
from typing import Annotated, Literal

import pytest
from pydantic import Field, model_validator

from creatures.runtime.config import Common, Section, flat, load, one_of, parse, read_yaml
from creatures.runtime.errors import UserError
from tests.support.deps import ROOT


class Inner(Section):
    rate: float = Field(gt=0)


class Toy(Section):
    batch: int = Field(ge=2)
    lr: float = Field(gt=0, lt=1)
    loss: Annotated[str, one_of({"hinge", "bce"})]
    task: Literal["species", "rotation"]
    pretrained: bool
    inner: Inner

    @model_validator(mode="after")
    def _pair(self) -> Toy:
        if self.loss == "bce" and self.task == "rotation":
            raise ValueError("loss bce does not go with task rotation; use hinge")
        return self


GOOD = {"batch": 8, "lr": 2e-5, "loss": "hinge", "task": "species", "pretrained": False, "inner": {"rate": 1.0}}


def message(changes: dict) -> str:
    with pytest.raises(UserError) as error:
        parse("toy", GOOD | changes, Toy)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"bach": 8}, "toy.bach is not a parameter; toy has batch, lr, loss, task, pretrained, inner"),
        ({"batch": "8"}, "toy.batch is '8': input should be a valid integer"),
        ({"batch": 8.0}, "toy.batch is 8.0: input should be a valid integer"),
        ({"batch": True}, "toy.batch is True: input should be a valid integer"),
        ({"batch": None}, "toy.batch is None: input should be a valid integer"),
        ({"batch": 1}, "toy.batch is 1: input should be greater than or equal to 2"),
        ({"lr": "2e-05"}, "toy.lr is '2e-05': input should be a valid number"),
        ({"lr": 1.0}, "toy.lr is 1.0: input should be less than 1"),
        ({"loss": "wgan"}, "toy.loss is 'wgan': must be one of bce, hinge"),
        ({"task": "colour"}, "toy.task is 'colour': input should be 'species' or 'rotation'"),
        ({"pretrained": "no"}, "toy.pretrained is 'no': input should be a valid boolean"),
        ({"inner": {"rate": 0.0}}, "toy.inner.rate is 0.0: input should be greater than 0"),
        ({"loss": "bce", "task": "rotation"}, "toy: loss bce does not go with task rotation; use hinge"),
    ],
)
def test_wrong_value_is_named_with_what_is_allowed(changes, line):
    assert message(changes) == f"params.yaml: {line}"


def test_unknown_key_of_an_inner_section_is_named_with_the_keys_that_are_there():
    assert "toy.inner.rat is not a parameter; toy.inner has rate" in message({"inner": {"rate": 1.0, "rat": 1}})


def test_all_mistakes_are_named_at_once():
    line = message({"batch": 1, "lr": -1.0, "extra": 0})
    assert all(key in line for key in ("toy.batch", "toy.lr", "toy.extra"))


def test_missing_key_is_named():
    with pytest.raises(UserError, match=r"^params\.yaml: toy\.batch is missing$"):
        parse("toy", {key: value for key, value in GOOD.items() if key != "batch"}, Toy)


def test_whole_numbers_are_numbers():
    assert parse("toy", GOOD | {"inner": {"rate": 2}}, Toy).inner.rate == 2.0


@pytest.mark.parametrize("text", ["2e-05", "2e-5", "2E-5", "0.00002", "+2e-05"])
def test_numbers_are_those_of_yaml_1_2(tmp_path, text):
    """`-S gan.lr=2e-5` writes 2e-05, which YAML 1.1 reads as text."""
    path = tmp_path / "params.yaml"
    path.write_text(f"toy: {{rate: {text}}}\n")
    assert read_yaml(path)["toy"]["rate"] == 2e-5


def test_words_of_yaml_1_1_are_no_booleans(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("toy: {label: no, other: on, true_one: true}\n")
    assert read_yaml(path)["toy"] == {"label": "no", "other": "on", "true_one": True}


def test_what_dvc_writes_is_read_as_a_number(tmp_path):
    """The same through DVC's own writer, as `dvc exp run -S` uses it."""
    from dvc.utils.serialize import modify_yaml

    path = tmp_path / "params.yaml"
    path.write_text("toy: {rate: 1.0}  # kept\n")
    with modify_yaml(path) as document:
        document["toy"]["rate"] = 2e-5
    assert "2e-05" in path.read_text()
    _, inner = load("toy", Inner, path)
    assert inner.rate == 2e-5


def test_an_experiment_changes_one_line_of_params_yaml(tmp_path):
    """DVC writes the whole file anew: it is written as DVC would, so that a diff shows what was set."""
    from dvc.utils.hydra import apply_overrides

    path, before = tmp_path / "params.yaml", (ROOT / "params.yaml").read_text()
    path.write_text(before)
    apply_overrides(path, ["gan.batch=32"])
    lines = zip(before.splitlines(), path.read_text().splitlines(), strict=True)
    assert [new.split("#")[0].strip() for old, new in lines if new != old] == ["batch: 32"]


def test_an_experiment_can_empty_any_list_of_params_yaml(tmp_path):
    """With a comment behind the key of a list in several lines, ruamel.yaml would write broken YAML."""
    from dvc.utils.hydra import apply_overrides

    values = flat(read_yaml(ROOT / "params.yaml"))
    lists = [name for name, value in values.items() if isinstance(value, list)]
    assert len(lists) > 5
    for name in [*lists, "edges.canny"]:
        shutil.copy(ROOT / "params.yaml", tmp_path)
        apply_overrides(tmp_path / "params.yaml", [f"{name}=[1, 2]"])  # as one that was empty may have been filled
        apply_overrides(tmp_path / "params.yaml", [f"{name}=[]"])
        assert flat(read_yaml(tmp_path / "params.yaml")) == values | {name: []}


@pytest.mark.parametrize(
    ("text", "line"),
    [("toy: [1", "params.yaml: "), ("- toy", "must be a mapping"), ("a: 1\na: 2\n", "duplicate key"), ("", "mapping")],
)
def test_broken_file_ends_in_one_line(tmp_path, text, line):
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(UserError) as error:
        read_yaml(tmp_path / "params.yaml")
    assert line in str(error.value) and "\n" not in str(error.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"params\.yaml is missing"):
        read_yaml(tmp_path / "params.yaml")


def test_a_stage_reads_its_own_section_and_common_alone(tmp_path):
    """A mistake in another stage's section is that stage's to tell."""
    from ruamel.yaml import YAML

    out = io.StringIO()
    YAML().dump({"common": {"image_px": 32}, "toy": GOOD, "gan": {"nonsense": 1}}, out)
    (tmp_path / "params.yaml").write_text(out.getvalue())
    common, toy = load("toy", Toy, tmp_path / "params.yaml")
    assert (common.image_px, common.seed, toy.batch) == (32, 0, 8)


@pytest.mark.parametrize("value", [0, 48, 2048, 64.0, "64"])
def test_picture_side_must_be_possible(value):
    with pytest.raises(UserError, match=r"common\.image_px is "):
        parse("common", {"image_px": value}, Common)
