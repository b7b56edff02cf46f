"""The source `folder`: any folder of pictures on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from creatures.intake.names import is_litter, is_picture
from creatures.intake.tables import MAX_BYTES, is_table
from creatures.runtime.errors import UserError
from stages.harness.ignored import Ignored
from stages.scrape.labels import keep_table
from stages.scrape.manifest import Row, failed, keep, text, why_none
from stages.scrape.sidecar_labels import CAPTIONS
from stages.scrape.site import LabelledParams, Site

COPIES = {".dvc", "tmp", "exps"}  # folders of such copies


class FolderParams(LabelledParams):
    by_folder: ClassVar[bool] = True
    path: str = Field(
        ".", min_length=1, description="below scrape.own, or that folder itself; its subfolders become labels"
    )


def copy_folder(site: Site, params: FolderParams) -> list[Row]:
    """Copy every picture below a folder, without labels; tables of labels are put aside.

    Captions (a .txt of a picture's name), hidden files, those that .dvcignore names, README.md and what macOS and
    Windows add are skipped; everything else that is not a readable picture inside the folder, including unreadable
    folders, becomes a failed row.

    Raises:
        UserError: there is no such folder, it cannot be read, or no picture in it.
    """
    return copy_below(Path(params.path), site.out, "folder", "folder:", params.most)


def copy_below(root: Path, out: Path, source: str, address: str, most: int) -> list[Row]:
    """Do what `copy_folder` does for a folder that another source has fetched.

    Args:
        address: prefix of the rows' `url`.
        most: at most so many pictures; 0 for all.
    """
    if not root.is_dir():
        raise UserError(f"{root}: there is no such folder{in_a_copy(root)}")
    rows = up_to(most, (row for entry in _files(root) for row in _copy(root, *entry, out, source, address)))
    if not any(row.status == "ok" for row in rows):
        raise UserError(f"{root}: no pictures there{why_none(rows)}{in_a_copy(root)}")
    return rows


def in_a_copy(path: Path) -> str:
    """Advice about a path that is missing because the experiment runs in DVC's copy of the checkout, which has
    only what git and DVC track; "" elsewhere.
    """
    if path.is_absolute() or not COPIES.issubset(Path.cwd().parts):
        return ""
    return "; queued experiments run in a copy of what git tracks: make scrape.own an absolute path"


def up_to(most: int, rows: Iterator[Row]) -> list[Row]:
    """The rows up to the `most`-th picture, 0 for all; later rows are never generated."""
    result: list[Row] = []
    count = 0
    for row in rows:
        result.append(row)
        count += row.status == "ok"
        if count == most and most:
            break
    return result


def _files(root: Path) -> Iterator[tuple[Path, str]]:
    """Everything to report on, sorted, and the reason why it cannot be read, else ""; a link to a folder counts as
    a file.
    """
    ignored, errors = Ignored(), list[OSError]()
    for parent, folders, files in os.walk(root, onerror=errors.append):
        yield from _unreadable(root, errors)
        below = os.path.relpath(parent, root) + "/"
        below = below.removeprefix("./")
        folders[:] = sorted(n for n in folders if not is_litter(n) and not ignored.matches(f"{below}{n}/"))
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        captioned = {Path(name).stem for name in files if is_picture(name)}
        for name in sorted(files + links):
            if Path(name).suffix.lower() in CAPTIONS and Path(name).stem in captioned:
                continue
            if not is_litter(name) and not ignored.matches(below + name):
                yield Path(parent) / name, ""
    yield from _unreadable(root, errors)


def _unreadable(root: Path, errors: list[OSError]) -> Iterator[tuple[Path, str]]:
    """The folders that `os.walk` could not read, each once."""
    while errors:
        error = errors.pop(0)
        if Path(error.filename) == root:
            raise UserError(f"{root} cannot be read: {str(error.strerror).lower()}")
        yield Path(error.filename), f"folder: {str(error.strerror).lower()}"


def _copy(root: Path, path: Path, reason: str, out: Path, source: str, address: str) -> Iterator[Row]:
    """The row of a file; none for a table of labels."""
    relative = str(path.relative_to(root))
    if not reason and is_table(relative) and path.is_file() and path.stat().st_size <= MAX_BYTES:
        keep_table(out, relative, path.read_bytes())
        return
    name = text(relative)
    outcome = failed(reason) if (reason := reason or _refusal(root, path)) else _keep(out / "files", relative, path)
    yield Row(name, "", source, f"{address}{name}", "unknown", **outcome)


def _refusal(root: Path, path: Path) -> str:
    try:
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            return "link leads out of the folder"
        if path.is_dir():
            return "link to a folder"
        if not is_picture(path.name):
            return "not a picture"
        if not path.is_file():  # a broken link, or a pipe, which would block forever
            return "not a file"
    except OSError as error:  # its folder can be listed, but not entered
        return str(error.strerror).lower()
    return ""


def _keep(files: Path, relative: str, path: Path) -> dict[str, object]:
    try:
        data = path.read_bytes()
    except OSError as error:
        return failed(str(error.strerror).lower())
    return keep(files, relative, data)
