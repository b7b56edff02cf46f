"""Which files of the project a stage needs, read from its imports: `make deps` writes their packages into dvc.yaml.

A stage depends on whole packages: on a folder of creatures/ or stages/ if it imports any file of it. What that costs,
the files whose change reruns a stage that does not import them: `python -m tests.support.deps needless`.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
WIDTH = 112


def closure(module: str, root: Path = ROOT) -> set[str]:
    """Files of the project that are read when a module runs, its own included.

    Imports inside functions count, and so does the `__init__.py` of each package on the
    way. Paths are relative to `root`.
    """
    found: set[str] = set()
    todo = [module]
    while todo:
        for path in _files(todo.pop(), root) - found:
            found.add(path)
            todo += imports(root / path, root)
    return found


def imports(path: Path, root: Path = ROOT) -> Iterator[str]:
    """Modules of the project that a file names, as `stages.harness.stage`."""
    package = path.relative_to(root).parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if _files(name, root))


def _files(module: str, root: Path) -> set[str]:
    """The file of a module and those of the packages it is in; none if it is no module here."""
    parts = module.split(".")
    place = root.joinpath(*parts)
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    if not file.is_file():
        return set()
    above = (root.joinpath(*parts[:i], "__init__.py") for i in range(1, len(parts)))
    return {str(f.relative_to(root)) for f in (file, *above) if f.is_file()}


def package(path: str, root: Path = ROOT) -> str:
    """The entry of dvc.yaml that covers a file: its folder, or the file itself where its folder has others below it."""
    parent = (root / path).parent
    below = any((folder / "__init__.py").exists() for folder in parent.iterdir() if folder.is_dir())
    if path.startswith("stages/") and path.count("/") > 1:
        return "/".join(path.split("/")[:2])
    return path if below else str(parent.relative_to(root))


def code_of(stage: str, root: Path = ROOT) -> list[str]:
    """The packages that a stage depends on, sorted."""
    return sorted({package(path, root) for path in closure(f"stages.{stage}.__main__", root)})


def needless(stage: str, root: Path = ROOT) -> list[str]:
    """Files of its packages that a stage does not import, sorted: their change reruns it for nothing."""
    packages = [root / path for path in code_of(stage, root)]
    files = {file for path in packages for file in (path.rglob("*.py") if path.is_dir() else [path])}
    return sorted({str(file.relative_to(root)) for file in files} - closure(f"stages.{stage}.__main__", root))


STAGE = re.compile(r"^  (\w+):\n((?:    (?!deps)[^\n]*\n)*)    deps: \[(.*?)\]", re.DOTALL | re.MULTILINE)


def written(text: str, root: Path = ROOT) -> str:
    """dvc.yaml with the packages that its stages import from, and their data as it is."""

    def of_stage(found: re.Match[str]) -> str:
        name, before, deps = found.groups()
        items = [item.strip() for item in deps.split(",") if item.strip()]
        data = [item for item in items if not item.startswith(("creatures", "stages"))]
        lines = [*textwrap.wrap("".join(f"{item}, " for item in data), WIDTH, break_on_hyphens=False), ""]
        lines += textwrap.wrap(", ".join(code_of(name, root)), WIDTH, break_on_hyphens=False)
        listed = "\n      ".join([lines[0], *filter(None, lines[1:])])
        return f"  {name}:\n{before}    deps: [{listed}]"

    return STAGE.sub(of_stage, text)


if __name__ == "__main__":
    path = ROOT / "dvc.yaml"
    text = path.read_text(encoding="utf-8")
    if sys.argv[1:] == ["needless"]:
        for stage in [found[1] for found in STAGE.finditer(text)]:
            print(stage, len(closure(f"stages.{stage}.__main__")), *needless(stage))
    else:
        path.write_text(written(text), encoding="utf-8")
