"""The source `folder`: any folder of pictures on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field

from stages.lib.ignored import Ignored
from stages.lib.params import UserError
from stages.scrape.manifest import Row, failed, is_picture, keep, text
from stages.scrape.site import Site, SourceParams


class FolderParams(SourceParams):
    path: str = Field(
        ".", min_length=1, description="below scrape.own, or that folder itself; its first subfolders become labels"
    )


def copy_folder(site: Site, params: FolderParams) -> list[Row]:
    """Copy every picture below a folder; the first subfolder on its way is its label.

    Hidden files, what .dvcignore names and README.md are passed over; everything else that is no readable
    picture inside the folder becomes a failed row.

    Raises:
        UserError: there is no such folder, or no picture in it.
    """
    return copy_below(Path(params.path), site.out / "files", "folder", "folder:", params.most)


def copy_below(root: Path, files: Path, source: str, address: str, most: int) -> list[Row]:
    """What `copy_folder` does, for a folder that another source has fetched.

    Args:
        address: what the rows' `url` begins with.
        most: at most so many pictures; 0 for all.
    """
    if not root.is_dir():
        raise UserError(f"{root}: there is no such folder")
    rows = up_to(most, (_copy(root, path, files, source, address) for path in _files(root)))
    if not any(row.status == "ok" for row in rows):
        found = f"; its {len(rows)} other files are no pictures that can be read" if rows else ""
        raise UserError(f"{root}: no pictures there{found}")
    return rows


def up_to(most: int, rows: Iterator[Row]) -> list[Row]:
    """The rows up to the picture of this number, 0 for all; what comes after it is never made."""
    found: list[Row] = []
    kept = 0
    for row in rows:
        found.append(row)
        kept += row.status == "ok"
        if kept == most and most:
            break
    return found


def _files(root: Path) -> Iterator[Path]:
    """Everything to report on, sorted; a link to a folder counts as a file."""
    ignored = Ignored()
    for parent, folders, files in os.walk(root):
        below = os.path.relpath(parent, root) + "/"
        below = below.removeprefix("./")
        folders[:] = sorted(n for n in folders if not n.startswith(".") and not ignored.matches(f"{below}{n}/"))
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        for name in sorted(files + links):
            if not name.startswith(".") and name != "README.md" and not ignored.matches(below + name):
                yield Path(parent) / name


def _copy(root: Path, path: Path, files: Path, source: str, address: str) -> Row:
    relative = str(path.relative_to(root))
    name = text(relative)
    outcome = failed(reason) if (reason := _refusal(root, path)) else _keep(files, relative, path)
    return Row(name, text(first_folder(relative)), source, f"{address}{name}", "unknown", **outcome)


def first_folder(path: str) -> str:
    """The label of a picture: the first folder on the way to it, "" where there is none."""
    first, slash, _ = path.partition("/")
    return first if slash else ""


def _refusal(root: Path, path: Path) -> str:
    if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
        return "link leads out of the folder"
    if path.is_dir():
        return "link to a folder"
    if not is_picture(path.name):
        return "not a picture"
    if not path.is_file():  # a broken link, a pipe: reading that would wait forever
        return "not a file"
    return ""


def _keep(files: Path, relative: str, path: Path) -> dict[str, object]:
    try:
        data = path.read_bytes()
    except OSError as error:
        return failed(str(error.strerror).lower())
    return keep(files, relative, data)
