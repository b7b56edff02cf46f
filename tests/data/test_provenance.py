"""Files of one run are used together, or not at all: parts of two runs, and parameters changed after training."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from app.colour import colour
from app.explore import fuse, near
from app.export import generator
from app.film import walk
from app.generate import write_samples
from app.mixing import mix
from app.page.studio import Studio
from creatures.artifacts import (
    CLEAN,
    COLOURER,
    EMBEDDINGS,
    ENCODER,
    GENERATOR,
    MIXTURE,
    OUTLINES,
    PICTURES,
    PRETRAINED,
)
from creatures.data.pictures import open_pictures
from creatures.data.provenance import ancestors, sidecar
from creatures.data.weights import load_weights, save_weights
from creatures.latents.mixture import load_mixture, save_mixture
from creatures.runtime.config import Common, parse, read_yaml
from creatures.runtime.errors import UserError
from creatures.translation.drawings import svg
from stages.gan.build import prepare
from stages.gan.params import GanParams
from stages.gmm.__main__ import main as gmm
from stages.pretrain.__main__ import main as pretrain
from tests.support.deps import ROOT
from tests.support.untrained import PX, write_params, write_run

FILES = (PICTURES, OUTLINES, ENCODER, EMBEDDINGS, MIXTURE, PRETRAINED, GENERATOR, COLOURER)
OUT = Path("out.png")
DRAWING = Path("drawing.svg")
KINDS = ("kind-1", "kind-2")


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> list[Path]:
    """Two runs, of other pictures each."""
    made = [tmp_path_factory.mktemp(f"run{seed}") for seed in range(2)]
    with pytest.MonkeyPatch.context() as monkeypatch:
        for seed, folder in enumerate(made):
            monkeypatch.chdir(folder)
            write_run(seed)
            DRAWING.write_text(svg("fox"))
    return made


@pytest.fixture
def run(runs, tmp_path, monkeypatch) -> Path:
    """A copy of the first run, to work in."""
    shutil.copytree(runs[0], tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def take(path: Path, other: Path) -> None:
    """Put a file of another run in the place of this one's, with what lies beside it."""
    for part in {PICTURES: [CLEAN], EMBEDDINGS: [EMBEDDINGS, sidecar(EMBEDDINGS)]}.get(path, [path]):
        if part.is_dir():
            shutil.rmtree(part)
            shutil.copytree(other / part, part)
        else:
            shutil.copy(other / part, part)


def studio_encoder() -> object:
    return Studio().encoder


def start_gan() -> object:
    values = read_yaml(ROOT / "params.yaml")["gan"] | {"msg": False, "start": "none"}
    return prepare(parse("gan", values, GanParams), Common(image_px=PX), open_pictures())


def as_stage(main: Callable, section: str) -> Callable[[], None]:
    def begin() -> None:
        from importlib import import_module

        model = getattr(import_module(f"stages.{section}.params"), f"{section.capitalize()}Params")
        p = parse(section, read_yaml(ROOT / "params.yaml")[section], model)
        main(SimpleNamespace(params=lambda _: (Common(image_px=PX), p)))

    return begin


# what uses files, and each file of another run that it must refuse
USES: dict[str, tuple[Callable[[], object], tuple[Path, ...]]] = {
    "like": (lambda: near("kind-1", 3, 0, 0.8, OUT), (PICTURES, EMBEDDINGS, MIXTURE, GENERATOR)),
    "vary": (lambda: near(str(DRAWING), 3, 0, 0.8, OUT), (ENCODER, MIXTURE, GENERATOR)),
    "fuse": (lambda: fuse(*KINDS, 3, 2, 0, 0.8, OUT), (PICTURES, EMBEDDINGS, MIXTURE, GENERATOR)),
    "mix": (lambda: mix(KINDS, 0, 0, 0.8, OUT), (PICTURES, EMBEDDINGS, MIXTURE, GENERATOR)),
    "walk": (lambda: walk([], "", 3, 3, 0, 0.8, 1, Path("out.gif")), (MIXTURE, GENERATOR)),
    "generate": (lambda: write_samples(2, 0, 0.8, Path("generated")), (MIXTURE, GENERATOR)),
    "export": (lambda: generator(), (MIXTURE, GENERATOR)),
    "colour": (lambda: colour([DRAWING], "auto", 2, 0, "kind-1", OUT), (PICTURES, COLOURER)),
    "page": (lambda: Studio().embedding("kind-1"), (PICTURES, EMBEDDINGS, GENERATOR)),
    "page's encoder": (studio_encoder, (ENCODER, EMBEDDINGS, GENERATOR)),
    "gan": (start_gan, (PICTURES, EMBEDDINGS, MIXTURE, PRETRAINED)),
    "gmm": (as_stage(gmm, "gmm"), (PICTURES, EMBEDDINGS)),
    "pretrain": (as_stage(pretrain, "pretrain"), (PICTURES, ENCODER)),
    "pix2pix": (lambda: ancestors(PICTURES, OUTLINES), (PICTURES, OUTLINES)),
}


@pytest.mark.parametrize(("use", "file"), [(use, file) for use in USES for file in USES[use][1]])
def test_a_file_of_another_run_is_refused_in_one_line(run, runs, use, file):
    """With as many pictures of the same sides in both, nothing else would tell: other species would be drawn."""
    take(file, runs[1])
    with pytest.raises(UserError, match=r"^[^\n]* are of different runs: not the same [a-z ]+; run dvc repro$"):
        USES[use][0]()
    assert not OUT.exists()


@pytest.mark.parametrize("use", [use for use in USES if use not in ("gmm", "pretrain")])
def test_files_of_one_run_are_used(run, use, capsys):
    USES[use][0]()
    assert "note" not in capsys.readouterr().err


def test_what_a_file_was_made_from_is_all_that_its_inputs_were(run):
    made_from = load_weights(GENERATOR)[1]["made_from"]
    names = {"pictures", "encoder", "embeddings", "mixture", "pretrained generator"}
    assert set(made_from) == names
    assert set(ancestors(*FILES)) == names | {"outlines", "canny", "generator", "colourer"}
    assert ancestors(*FILES).items() >= made_from.items()


def test_files_that_do_not_say_are_refused(run):
    save_mixture(MIXTURE, load_mixture())
    with pytest.raises(UserError, match=r"gmm\.npz does not say what it was made from; run dvc repro"):
        USES["generate"][0]()
    for file in (GENERATOR, COLOURER):
        tensors, header = load_weights(file)
        save_weights(file, tensors, {key: header[key] for key in ("architecture", "params")} | {"latent": "gmm"})
    with pytest.raises(UserError, match=r"gan\.safetensors does not say what it was made from; run dvc repro"):
        USES["like"][0]()
    with pytest.raises(UserError, match=r"pix2pix\.safetensors does not say how its pictures were cleaned"):
        USES["colour"][0]()


def test_the_bytes_of_a_run_are_the_same_each_time(run, tmp_path_factory, monkeypatch):
    again = tmp_path_factory.mktemp("again")
    monkeypatch.chdir(again)
    write_run()
    assert all((run / path).read_bytes() == path.read_bytes() for path in (*FILES, sidecar(EMBEDDINGS)))


@pytest.mark.parametrize("change", [{"px": 64}, {"margin": 0.2}])
@pytest.mark.parametrize("use", ["vary", "colour", "page"])
def test_own_pictures_are_refused_where_they_would_be_cleaned_otherwise(run, change, use, capsys):
    write_params(**change)
    with pytest.raises(
        UserError, match=r"trained on pictures cleaned with (common\.image_px 32|clean\.margin 0\.05), p"
    ):
        if use == "page":
            Studio().picture(None)
        USES[use][0]()
    assert capsys.readouterr().err == ""  # that line alone


def test_own_pictures_are_cleaned_as_those_were_that_were_trained_on(run):
    """Also where there is no params.yaml: a folder of models alone."""
    Path("params.yaml").unlink()
    for use in ("vary", "colour", "like", "generate"):
        USES[use][0]()


def test_parameters_changed_since_training_are_noted_and_it_goes_on(run, capsys):
    write_params(kimg=60)
    for use in ("generate", "like", "walk", "vary"):
        USES[use][0]()
        note = (
            "note: models/gan.safetensors was trained with gan.kimg 40.0, params.yaml says 60: dvc repro trains anew\n"
        )
        assert capsys.readouterr().err == note
    Path("params.yaml").write_text("[")  # no matter of what only draws
    USES["generate"][0]()
    assert capsys.readouterr().err == ""


def test_a_parameter_of_a_section_is_noted_alone(run, capsys):
    values = read_yaml("params.yaml")
    trained = {"generator": "lite", "handover": {"blur": 1.0, "anchor": 0.0}, "gone": 1}  # generator: of before
    weights, header = load_weights(GENERATOR)
    save_weights(GENERATOR, weights, header | {"params": trained})
    now = {"generator": {"name": "lite"}, "handover": {"blur": 2.0, "anchor": 0.0}}
    Path("params.yaml").write_text(json.dumps(values | {"gan": now}))
    USES["generate"][0]()
    assert capsys.readouterr().err == (
        "note: models/gan.safetensors was trained with gan.handover.blur 1.0, params.yaml says 2.0: "
        "dvc repro trains anew\n"
    )


def test_the_files_that_a_run_takes_are_those_of_the_pipeline():
    """What a stage writes beside its outputs would not be there after `dvc checkout`."""
    stages = read_yaml(ROOT / "dvc.yaml")["stages"]
    outs = {path: name for name, stage in stages.items() for path in stage.get("outs", [])}
    assert outs[str(sidecar(EMBEDDINGS))] == "pretrain"
    for name in ("gmm", "gan", "evaluate"):
        assert {str(EMBEDDINGS), str(sidecar(EMBEDDINGS))} <= set(stages[name]["deps"])
    assert np.all([str(path.parent) in outs or str(path) in outs for path in FILES])
