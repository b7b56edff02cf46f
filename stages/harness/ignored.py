"""Files that are not inputs of a stage: those that DVC ignores, by .dvcignore."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

FILE = ".dvcignore"
ALWAYS = (".git", ".hg/", ".dvc/")  # patterns that DVC always ignores
ANYWHERE = "^(?:.+/)?"  # prefix of the regular expressions of patterns that apply in any folder


class Ignored:
    """The .dvcignore of a checkout; it applies only to paths below the checkout.

    Args:
        checkout: its folder; without a .dvcignore, almost nothing is ignored.
    """

    def __init__(self, checkout: Path = Path(".")) -> None:
        self.root = os.path.abspath(checkout)
        self.file = checkout / FILE

    def walk(self, folder: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
        """Like `os.walk`, but in a fixed order and without ignored paths; folders that the caller removes from the
        list are not entered.
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
        """Whether a path relative to the checkout is ignored; a folder's path ends with a slash."""
        if not self._any_pattern.search(path):
            return False
        ends = [place for place, letter in enumerate(path) if letter == "/"]
        return any(self._last_match(path[: end + 1]) for end in ends) or self._last_match(path)

    def _last_match(self, path: str) -> bool:
        """Whether the last pattern that matches the path itself ignores it, regardless of its parent folders."""
        for regex, ignores, of_folders in reversed(self._patterns):
            fits = path.endswith("/") or not of_folders
            if fits and (regex.match(path) or regex.match(path.rstrip("/"))):
                return ignores
        return False

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], bool, bool]]:
        """Regular expression, whether its matches are ignored, and whether it is for folders only, of each pattern."""
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []
        parsed = ((line, GitIgnoreSpecPattern(line)) for line in [*ALWAYS, *map(str.strip, lines)])
        return [(p.regex, bool(p.include), line.endswith("/")) for line, p in parsed if p.regex]

    @cached_property
    def _any_pattern(self) -> re.Pattern[str]:
        """Matches whatever any of the patterns does: nearly all of perhaps millions of paths need no second look."""
        regexes = [regex.pattern for regex, ignores, _ in self._patterns if ignores]
        plain = [re.sub(r"\?P<\w+>", "?:", regex) for regex in regexes]
        anywhere = [regex.removeprefix(ANYWHERE) for regex in plain if regex.startswith(ANYWHERE)]
        elsewhere = [regex for regex in plain if not regex.startswith(ANYWHERE)]
        return re.compile("|".join([f"{ANYWHERE}(?:{'|'.join(anywhere)})", *elsewhere]))
