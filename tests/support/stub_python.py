"""Stands in for `python` in dvc.yaml: each stage writes a hash of what it depends on.

So the real graph can be run in seconds. As in the real pipeline the embeddings depend on
the encoder and the pictures, not on the parameters of `pretrain`.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # it starts a hundred times
OF_DATA_ALONE = {"data/embeddings.npy", "data/embeddings.json"}


def main(stage: str) -> None:
    entry = read("dvc.yaml")["stages"][stage]
    params = read("params.yaml")
    deps = [re.sub(r"\$\{(.+?)\}", lambda m: str(lookup(params, m[1])), dep) for dep in entry["deps"]]
    data = digest(*(content(Path(dep)) for dep in deps if not dep.startswith(("stages", "creatures"))))
    code = digest(*(content(Path(dep)) for dep in deps))
    everything = digest(code, *(json.dumps(lookup(params, key), sort_keys=True) for key in entry["params"]))
    for out in entry.get("outs", []) + entry.get("metrics", []) + entry.get("plots", []):
        name = out if isinstance(out, str) else next(iter(out))
        path = Path(name) if Path(name).suffix else Path(name) / "file"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(json.dumps({"hash": data if name in OF_DATA_ALONE else everything}))


def read(path: str) -> Any:
    return yaml.load(Path(path).read_bytes(), LOADER)


def lookup(values: Any, dotted: str) -> Any:
    for key in dotted.split("."):
        values = values[key]
    return values


def content(path: Path) -> str:
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    return digest(*(f"{p.name}{digest(p.read_bytes())}" for p in files if "__pycache__" not in p.parts))


def digest(*parts: str | bytes) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part if isinstance(part, bytes) else part.encode())
    return found.hexdigest()


if __name__ == "__main__":
    main(sys.argv[2].removeprefix("stages."))  # called as `python -m stages.<stage>`
