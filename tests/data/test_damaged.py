"""Whatever file is damaged, and however: one line that names it and says what to do."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.explore import load_embeddings
from app.inspect.items import Items
from app.page.names import load_names
from app.trained import cleaning_of
from creatures.artifacts import (
    CLEAN,
    COLOURER,
    EMBEDDINGS,
    ENCODER,
    GENERATOR,
    MANIFEST,
    MIXTURE,
    OUTLINES,
    PICTURES,
    SPECIES_NAMES,
)
from creatures.data.pictures import IMAGES, open_pictures
from creatures.data.provenance import ancestors, sidecar
from creatures.data.shards import write_shards
from creatures.data.vetoes import read_vetoes
from creatures.latents.mixture import load_mixture
from creatures.latents.sampler import load_sampler
from creatures.nets.encoder.encoder import load_encoder
from creatures.runtime.config import read_yaml
from creatures.runtime.errors import UserError
from creatures.translation.colouring import load_colourer
from stages.clean.files import list_files
from stages.pix2pix.outlines import open_outlines
from stages.scrape.manifest import Row, write_manifest
from tests.support.untrained import COUNT, write_run

CANNY = OUTLINES.with_name("canny.npy")
SHARD = CLEAN / "train-000000.tar"


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        write_run()
        MANIFEST.parent.mkdir()
        write_manifest(MANIFEST, [Row(f"{n}.png", "", "folder", "", "") for n in range(COUNT)])
        shutil.copy(PICTURES, CLEAN / "dropped.parquet")
        SPECIES_NAMES.write_text(json.dumps({"1": "Bulbasaur"}))
        Path("data/vetoes.txt").write_text("drop 1.png#0\n")
    return folder


@pytest.fixture
def run(whole, tmp_path, monkeypatch) -> None:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


def in_shards() -> None:
    images = np.load(CLEAN / IMAGES)
    (CLEAN / IMAGES).unlink()
    write_shards(CLEAN, np.array(["train"] * COUNT), np.zeros(COUNT, int), [images], per_shard=4)


def read_shards() -> None:
    if not (CLEAN / "shards.json").exists():
        in_shards()
    open_pictures().images[np.arange(COUNT)]


LOADERS: dict[Path, tuple[Callable[[], object], ...]] = {
    GENERATOR: (load_sampler, lambda: ancestors(GENERATOR)),
    ENCODER: (load_encoder, lambda: cleaning_of(ENCODER)),
    COLOURER: (load_colourer,),
    MIXTURE: (load_mixture, lambda: ancestors(MIXTURE)),
    EMBEDDINGS: (load_embeddings,),
    sidecar(EMBEDDINGS): (load_embeddings,),
    OUTLINES: (lambda: ancestors(OUTLINES),),
    CANNY: (lambda: open_outlines("mixed", open_pictures()),),
    PICTURES: (open_pictures,),
    CLEAN / IMAGES: (open_pictures,),
    CLEAN / "dropped.parquet": (Items,),
    MANIFEST: (Items, lambda: list_files(MANIFEST)),
    SHARD: (read_shards,),
    CLEAN / "train-000001.tar": (read_shards,),
    CLEAN / "shards.json": (read_shards,),
    Path("params.yaml"): (lambda: read_yaml("params.yaml"),),
    Path("data/vetoes.txt"): (read_vetoes,),
}


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def forbid(path: Path) -> None:
    if os.geteuid():
        return path.chmod(0)
    path.unlink()  # root may read all: something else that the system refuses to open
    path.symlink_to(path.name)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[: max(1, path.stat().st_size // 2)]),
    "empty": lambda path: path.write_bytes(b""),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "folder": folder_instead,
    "text": lambda path: path.write_text("not this at all\n"),
    "other": lambda path: path.write_bytes(OTHER[path.suffix]()),
    "unreadable": forbid,
}
# good files of the kind, with something else in them
OTHER: dict[str, Callable[[], bytes]] = {
    ".safetensors": lambda: Path("models/pretrain.safetensors").read_bytes()[:40],
    ".npz": lambda: EMBEDDINGS.read_bytes(),
    ".npy": lambda: MIXTURE.read_bytes(),
    ".json": lambda: b"[1]",
    ".parquet": lambda: EMBEDDINGS.read_bytes(),
    ".tar": lambda: MIXTURE.read_bytes(),
    ".yaml": lambda: b"[1]",
    ".txt": lambda: b"\xff\xfe",
}
# still whole lines; and for root a file that is there, which a link to itself is not
HARMLESS = {("data/vetoes.txt", "truncated"), ("data/vetoes.txt", "empty"), ("params.yaml", "truncated")}
HARMLESS |= {(name, "unreadable") for name in ("data/vetoes.txt", "data/clean/shards.json") if not os.geteuid()}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize(("path", "load"), [(path, load) for path in LOADERS for load in LOADERS[path]])
def test_a_damaged_file_is_one_line_that_names_it(run, path, load, damage):
    if path.suffix == ".tar" or path.name == "shards.json":
        in_shards()
    else:
        load()
    if (str(path), damage) in HARMLESS:
        pytest.skip("what is left is well-formed")
    DAMAGE[damage](path)
    with pytest.raises(UserError) as error:
        load()
    assert str(path) in str(error.value) and "\n" not in str(error.value)
    assert len(str(error.value)) < 400
    if path.suffix not in (".yaml", ".txt"):
        assert "dvc repro" in str(error.value)


@pytest.mark.parametrize("damage", [damage for damage in DAMAGE if os.geteuid() or damage != "unreadable"])
def test_damaged_names_are_one_line_and_the_page_goes_on(run, damage, capsys):
    DAMAGE[damage](SPECIES_NAMES)
    assert load_names() == {}
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "data/names.json" in said and "dvc repro -f -s names" in said
