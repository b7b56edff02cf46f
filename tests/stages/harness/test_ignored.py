"""Files beside the code and the pictures: an editor's swap file would else end hours of training."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from stages.harness.ignored import Ignored
from stages.scrape.folder import copy_below
from tests.stages.harness.test_stage import checkout as toy  # noqa: F401, a fixture
from tests.stages.harness.test_stage import fingerprint
from tests.support.deps import ROOT
from tests.support.pictures_zoo import GOOD, write

LITTER = (
    *(
        ".train.py.swp",
        ".train.py.swo",
        "train.py~",
        ".#train.py",
        "#train.py#",
        "4913",
        ".train.py.un~",
        "~$notes.docx",
    ),
    *("train.py.orig", "train.py.rej", "train.py.bak", "train.py.tmp", ".train.py.kate-swp", "train.py___jb_tmp___"),
    *(
        ".DS_Store",
        "._train.py",
        "Thumbs.db",
        "desktop.ini",
        "Desktop.ini",
        ".directory",
        ".nfs000000000047b",
        ".~lock.a#",
    ),
    *(
        "__pycache__/train.cpython-311.pyc",
        ".ipynb_checkpoints/train.py",
        ".idea/workspace.xml",
        ".vscode/settings.json",
    ),
    *(".mypy_cache/3.11/a.json", ".ruff_cache/0.1/a", ".pytest_cache/v/a", ".stversions/train.py", ".dropbox"),
    *(".syncthing.train.py.tmp", ".goutputstream-AB12C3", "train.pyc", "deep/er/.train.py.swp"),
)
INPUTS = (
    "train.py",
    "deep/er/params.py",
    "swp.py",
    "notes~.txt",
    "a#b#.py",
    "bak",
    "tmp/orig.py",
    "DS_Store.py",
    "4913.png",
    "deep/4913/1.png",
    "old.bak/train.py",
    "photos.orig/1.png",
)


def files(folder: Path, names: tuple[str, ...]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def seen(checkout: Path, folder: Path) -> set[str]:
    walk = Ignored(checkout).walk(folder)
    return {str((parent / name).relative_to(folder)) for parent, _, names in walk for name in names}


def seen_by_dvc(checkout: Path, folder: Path) -> set[str]:
    from dvc.fs import localfs
    from dvc.ignore import DvcIgnoreFilter

    found = DvcIgnoreFilter(localfs, str(checkout)).find(localfs, str(folder))
    return {str(Path(path).relative_to(folder)) for path in found}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    shutil.copy(ROOT / ".dvcignore", tmp_path / "project")
    return tmp_path / "project"


@pytest.mark.parametrize("place", ["stages/gan", "data/own", "data/raw/files", "old.bak/in"])
def test_litter_is_no_input_and_dvc_sees_the_same(project, place):
    folder = files(project / place, LITTER + INPUTS)
    assert seen(project, folder) == seen_by_dvc(project, folder)
    if place in ("stages/gan", "data/own"):
        assert seen(project, folder) == set(INPUTS)


def test_pictures_outside_of_the_checkout_all_count_as_they_do_for_dvc(project, tmp_path):
    folder = files(tmp_path / "elsewhere", LITTER + INPUTS)
    assert seen(project, folder) == seen_by_dvc(project, folder) == {*LITTER, *INPUTS}


def test_scraped_pictures_count_whatever_their_folders_are_called(project):
    """Else DVC would not keep them, and a checkout would lack them."""
    folder = files(project / "data/raw/files", ("old.bak/1.png", "4913/1.png", ".DS_Store"))
    assert seen(project, folder) == {"old.bak/1.png", "4913/1.png"}


@pytest.mark.parametrize(
    "line", ["keep/\n!keep/this.txt", "*.txt\n!keep/*.txt", "/keep/**\n!/keep/a/", "a/\n# no\n\n  b.txt"]
)
def test_other_patterns_mean_what_they_mean_to_dvc(project, line):
    (project / ".dvcignore").write_text(line)
    names = ("keep/this.txt", "keep/other.txt", "keep/a/b.txt", "a/this.txt", "b.txt", "sub/keep/this.txt")
    folder = files(project / "stages", names)
    assert seen(project, folder) == seen_by_dvc(project, folder)
    assert seen(project, project / "stages/keep") == seen_by_dvc(project, project / "stages/keep")


def test_a_swap_file_that_comes_while_a_stage_runs_changes_nothing(toy, monkeypatch):  # noqa: F811
    before = fingerprint(toy, monkeypatch)
    files(toy / "data/in", LITTER)
    assert fingerprint(toy, monkeypatch) == before
    files(toy / "data/in", ("new.txt",))
    assert fingerprint(toy, monkeypatch) != before


def test_the_same_names_are_no_pictures_of_a_folder(project, tmp_path, monkeypatch):
    monkeypatch.chdir(project)
    picture = next(data for name, (data, _) in GOOD.items() if name.endswith(".png"))
    write(tmp_path / "own", {"a/1.png": picture, "a/1.png~": picture, "a/Thumbs.db": b"", "a/x.bak/2.png": picture})
    rows = copy_below(tmp_path / "own", tmp_path / "out", "folder", "folder:", 0)
    assert [(row.path, row.status) for row in rows] == [("a/1.png", "ok"), ("a/x.bak/2.png", "ok")]
