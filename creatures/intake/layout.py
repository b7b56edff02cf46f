"""Layout of pictures in folders: which level of folders names their labels, and which their splits."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

SPLIT_NAMES = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
UNSPLIT = ("unlabelled", "unlabeled", "unsup", "extra")  # folders beside splits, whose pictures are in none
STYLEGAN = re.compile(r"img\d{8}\.\w+")  # as stylegan2-ada's dataset_tool.py names pictures, in folders 00000, 00001 …
NAMED = 3  # labels in a message

Folders = tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """Levels of folders, counted from 0 at the top; None where no level names it.

    Attributes:
        around: folders that are around all pictures, and therefore no label.
        chunks: whether the folders are only there because a folder with too many files is slow.
    """

    label: int | None = None
    split: int | None = None
    around: Folders = ()
    chunks: bool = False

    def label_of(self, path: str) -> str:
        """The label of a picture by its path, "" for none."""
        return normal(_part(path, self.label))

    def split_of(self, path: str) -> str:
        """`train`, `val` or `test`, "" where the folders do not say."""
        return SPLIT_NAMES.get(_part(path, self.split).casefold(), "")


def recognise(paths: Iterable[str], start: int = 0, splits: bool = True) -> Layout:
    """Find the layout of pictures.

    Recognised are class folders; `train`, `val` (`valid`, `validation`, `dev`) and `test` above or below them;
    folders around all of these; and the numbered folders of stylegan2-ada. Folders with only one name are no labels.

    Args:
        paths: with `/`, relative to the set's folder.
        start: number of levels that are skipped.
        splits: whether folders may name splits; if not, such folders are passed over.
    """
    folders = set[Folders]()
    chunks = True
    for path in paths:
        *above, name = path.split("/")
        folders.add(tuple(above))
        chunks = chunks and STYLEGAN.fullmatch(name) is not None and all(part.isdecimal() for part in above[-1:])
    level = _inside(folders, start)
    around = next(iter(folders), ())[start:level]
    if not folders or chunks:
        return Layout(around=around, chunks=chunks and bool(folders))
    if _name_splits(folders, level):
        label = _inside(folders, level + 1)
        found = Layout(label if _several(folders, label) else None, level, around)
    elif _several(folders, level) and _name_splits(folders, level + 1):
        found = Layout(level, level + 1, around)
    else:
        return Layout(level if _several(folders, level) else None, None, around)
    return found if splits else Layout(found.label, None, around)


def described(layout: Layout, labels: Counter[str], splits: Counter[str], origin: str) -> str:
    """The recognised layout in a few words, from the number of pictures by label and by split.

    Args:
        origin: where the labels are from, such as "by folder".
    """
    names = sorted(labels.keys() - {""})
    if names:
        some = " ".join(", ".join(names[:NAMED]).split()) + (", …" if len(names) > NAMED else "")
        result = " ".join(filter(None, (f"{len(names):,} label{'s' * (len(names) > 1)}", origin, f"({some})")))
        result += f", {labels['']:,} without" if labels[""] else ""
    elif layout.chunks:
        result = "no labels (numbered folders are none)"
    elif layout.around:
        result = f"no labels (all pictures are in {'/'.join(layout.around)})"
    else:
        result = "no labels"
    counts = ", ".join(f"{splits[name]:,} {name}" for name in ("train", "val", "test") if splits[name])
    return f"{result}; splits by folder: {counts}" if counts else result


def normal(name: str) -> str:
    """A name in Unicode's normal form C, in which names are compared: macOS writes another."""
    return unicodedata.normalize("NFC", name)


def _part(path: str, level: int | None) -> str:
    """The folder of a path at a level, "" where there is none."""
    parts = path.split("/")[:-1]
    return parts[level] if level is not None and level < len(parts) else ""


def _names(folders: Iterable[Folders], level: int) -> set[str | None]:
    """The names of the folders at a level; None stands for pictures above it."""
    return {folder[level] if len(folder) > level else None for folder in folders}


def _inside(folders: Iterable[Folders], level: int) -> int:
    """The first level, from this one on, that has more than one name or pictures."""
    while len(names := _names(folders, level)) == 1 and None not in names:
        level += 1
    return level


def _several(folders: Iterable[Folders], level: int) -> bool:
    return len(_names(folders, level) - {None}) > 1


def _name_splits(folders: Iterable[Folders], level: int) -> bool:
    """Whether a level consists of splits, more than one of them; pictures beside their folders are in none."""
    names = {name.casefold() for name in _names(folders, level) if name is not None} - {*UNSPLIT}
    return len(names) > 1 and names <= SPLIT_NAMES.keys()
