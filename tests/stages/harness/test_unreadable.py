"""What of a folder cannot be read is said: a data set that lacks it in silence is the wrong one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from creatures.runtime.errors import UserError
from stages.scrape.folder import FolderParams, copy_folder
from tests.stages.scrape.test_scrape import site
from tests.support.pictures_zoo import write


def test_links_to_another_disk_are_the_reason_that_is_given(tmp_path):
    write(tmp_path, {"disk/a.png": b"", "disk/b.png": b"", "mine/notes.txt": b""})
    for name in ("a.png", "b.png"):
        (tmp_path / "mine" / name).symlink_to(tmp_path / "disk" / name)
    says = r"no pictures there; of 3 files: 2 link leads out of the folder, 1 not a picture$"
    with pytest.raises(UserError, match=says):
        copy_folder(site(tmp_path / "out"), FolderParams(path=str(tmp_path / "mine")))


def test_a_folder_that_cannot_be_read_is_a_failed_row_and_the_whole_one_line(tmp_path, monkeypatch):
    """Else a label would be missing from the data set, and nothing would say so."""
    write(tmp_path, {"mine/cat/a.png": b"", "mine/dog/b.png": b"", "mine/fox/deep/c.png": b""})
    scandir = os.scandir

    def closed(*names):
        def scan(path):
            if Path(path).name in names:
                raise PermissionError(13, "Permission denied", str(path))
            return scandir(path)

        monkeypatch.setattr(os, "scandir", scan)

    closed("dog", "deep")
    rows = copy_folder(site(tmp_path / "out"), FolderParams(path=str(tmp_path / "mine")))
    assert {(row.path, row.status, row.reason) for row in rows} == {
        ("cat/a.png", "ok", ""),
        ("dog", "failed", "folder: permission denied"),
        ("fox/deep", "failed", "folder: permission denied"),
    }
    closed("mine")
    with pytest.raises(UserError, match=r"mine cannot be read: permission denied$"):
        copy_folder(site(tmp_path / "out"), FolderParams(path=str(tmp_path / "mine")))


def test_a_folder_that_may_be_listed_but_not_entered_is_rows_with_the_reason(tmp_path, monkeypatch):
    write(tmp_path, {"mine/cat/a.png": b"", "mine/dog/b.png": b""})
    is_symlink = Path.is_symlink

    def closed(path):
        if path.name == "b.png":
            raise PermissionError(13, "Permission denied", str(path))
        return is_symlink(path)

    monkeypatch.setattr(Path, "is_symlink", closed)
    rows = copy_folder(site(tmp_path / "out"), FolderParams(path=str(tmp_path / "mine")))
    assert [(row.path, row.reason) for row in rows] == [("cat/a.png", ""), ("dog/b.png", "permission denied")]
