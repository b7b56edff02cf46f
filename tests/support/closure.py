"""Which files of the project a module needs, read from its imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


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
