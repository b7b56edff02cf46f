"""Which files are no input of a stage: those that DVC leaves out of a folder, by .dvcignore."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

FILE = ".dvcignore"
ALWAYS = (".git", ".hg/", ".dvc/")  # that DVC ignores by itself
ANYWHERE = "^(?:.+/)?"  # how patterns for any folder begin


class Ignored:
    """The .dvcignore of a checkout, for paths below it; of paths elsewhere it says nothing.

    Args:
        checkout: its folder; one without a .dvcignore ignores next to nothing.
    """

    def __init__(self, checkout: Path = Path(".")) -> None:
        self.root = os.path.abspath(checkout)
        self.file = checkout / FILE

    def walk(self, folder: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
        """As `os.walk`, in a fixed order and without what is ignored; folders that are taken out of the list are
        not gone into.
        """
        for parent, folders, files in os.walk(folder):
            below = os.path.relpath(parent, self.root) + "/"
            if below.startswith("../"):
                folders.sort()
                files.sort()
            else:
                below = below.removeprefix("./")
                folders[:] = sorted(name for name in folders if not self.matches(f"{below}{name}/"))
                files = sorted(name for name in files if not self.matches(f"{below}{name}"))
            yield Path(parent), folders, files

    def matches(self, path: str) -> bool:
        """Whether a path relative to the checkout, a folder's with a slash at its end, is ignored."""
        if not self._perhaps.search(path):
            return False
        ends = [place for place, letter in enumerate(path) if letter == "/"]
        return any(self._last(path[: end + 1]) for end in ends) or self._last(path)

    def _last(self, path: str) -> bool:
        """Whether the last pattern that matches a path as such ignores it, whatever becomes of the folders it is in."""
        for regex, ignores, of_folders in reversed(self._patterns):
            fits = path.endswith("/") or not of_folders
            if fits and (regex.match(path) or regex.match(path.rstrip("/"))):
                return ignores
        return False

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], bool, bool]]:
        """Regular expression, whether what it matches is ignored, and whether it is for folders alone."""
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []
        found = ((line, GitIgnoreSpecPattern(line)) for line in [*ALWAYS, *map(str.strip, lines)])
        return [(p.regex, bool(p.include), line.endswith("/")) for line, p in found if p.regex]

    @cached_property
    def _perhaps(self) -> re.Pattern[str]:
        """Matches whatever any of the patterns does: all but a few of perhaps millions of paths need no second look."""
        found = [regex.pattern for regex, ignores, _ in self._patterns if ignores]
        plain = [re.sub(r"\?P<\w+>", "?:", regex) for regex in found]
        anywhere = [regex.removeprefix(ANYWHERE) for regex in plain if regex.startswith(ANYWHERE)]
        elsewhere = [regex for regex in plain if not regex.startswith(ANYWHERE)]
        return re.compile("|".join([f"{ANYWHERE}(?:{'|'.join(anywhere)})", *elsewhere]))
