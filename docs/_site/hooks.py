"""Hooks of MkDocs: pages from README.md, from the models of params.yaml and the library; links out of docs/."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from posixpath import dirname, normpath, relpath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from creatures.runtime.config import Common  # noqa: E402

LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\]\([^)]*\))*)\]\(([^)\s#:]+)(#[^)\s]*)?\)")
LIBRARY = ROOT / "creatures"
OF_ROOT = {"index.md": "README.md", "CONTRIBUTING.md": "CONTRIBUTING.md"}  # pages that lie outside docs/
BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here, and copies of what pages outside docs/ link to."""
    made = {uri: (ROOT / path).read_text(encoding="utf-8") for uri, path in OF_ROOT.items()}
    made |= {"parameters.md": parameters(), **api()}
    for uri, text in made.items():
        files.append(File.generated(config, uri, content=text))
    for file in list(files.documentation_pages()):
        for _, target, _ in LINK.findall(file.content_string):
            path = place(file.src_uri, target)
            if (ROOT / path).is_file() and files.get_file_from_path(uri_of(path)) is None:
                files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    return files


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the library's packages in the navigation."""
    for item in config.nav:
        if item.get("Python API"):
            item["Python API"] = list(api())
    return config


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links out of docs/ at their copies; links to folders become plain text."""
    uri = page.file.src_uri

    def replaced(match: re.Match[str]) -> str:
        text, target, anchor = match.groups()
        text, path = LINK.sub(replaced, text), place(uri, target)
        if (ROOT / path).is_dir():
            return text
        return f"[{text}]({relpath(uri_of(path), dirname(uri) or '.')}{anchor or ''})"

    return LINK.sub(replaced, markdown)


def place(uri: str, target: str) -> str:
    """Where a page's link leads, relative to the checkout; made pages are as in docs/."""
    return normpath(f"{'.' if uri in OF_ROOT else dirname(f'docs/{uri}')}/{target}")


def uri_of(path: str) -> str:
    """Where a file of the checkout is on the site."""
    return {page: uri for uri, page in OF_ROOT.items()}.get(path, path.removeprefix("docs/"))


def parameters() -> str:
    """A table of each section of params.yaml: key, default, allowed values, effect."""
    document = YAML().load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    lines = [
        "# Parameters",
        "",
        "Every parameter of `params.yaml`: its default, what it may be, and what it does.",
        "`dvc exp run -S gan.lr=2e-4` sets one for an experiment. Lengths of training are in thousands of pictures",
        "(kimg), sides in pixels; learning rates and weights of losses have no unit.",
    ]
    for section, values in document.items():
        name = f"{section.capitalize()}Params"
        model = Common if section == "common" else getattr(import_module(f"stages.{section}.params"), name)
        lines += ["", f"## {section}", "", "| parameter | default | allowed | |", "| --- | --- | --- | --- |"]
        lines += rows(model.model_json_schema(), values, section)
    return "\n".join(lines) + "\n"


def rows(schema: dict[str, Any], values: Any, prefix: str) -> list[str]:
    """A row of the table for each key of a section, and of those in it."""
    found, definitions = [], schema.get("$defs", {})

    def add(properties: dict[str, Any], values: Any, prefix: str) -> None:
        for key, value in values.items():
            about = dict(properties[key])
            kind = definitions.get(about.get("$ref", "").rpartition("/")[2], about)
            if isinstance(value, dict) and "properties" in kind:
                add(kind["properties"], value, f"{prefix}.{key}")
                continue
            effect = about.get("description") or comment(values, key)
            cells = f"`{prefix}.{key}`", f"`{plain(value)}`", allowed(kind, definitions), effect
            found.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")

    add(schema["properties"], values, prefix)
    return found


def comment(values: Any, key: str) -> str:
    """The comment behind a key in params.yaml."""
    token = (values.ca.items.get(key) or [None] * 3)[2]
    return token.value.strip().lstrip("# ").split("\n")[0].removesuffix(" ...") if token else ""


def plain(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(plain, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {plain(item)}" for key, item in value.items()) + "}"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value) or "''"


def allowed(about: dict[str, Any], definitions: dict[str, Any]) -> str:
    """What a JSON schema allows, in words."""
    if "$ref" in about:
        about = definitions[about["$ref"].rpartition("/")[2]]
    if "anyOf" in about:
        return " or ".join(dict.fromkeys(allowed(each, definitions) for each in about["anyOf"]))
    if names := about.get("enum"):
        return ", ".join(f"`{name}`" for name in names)
    if "const" in about:
        return f"`{about['const']}`"
    if about.get("type") == "array":
        return f"list of {allowed(about.get('items', {}), definitions) or 'values'}"
    kind = {"integer": "whole number", "number": "number", "string": "text", "boolean": "`true`, `false`"}
    bounds = [f"{sign} {about[name]:,}" for name, sign in BOUNDS.items() if name in about]
    return " ".join([kind.get(about.get("type", ""), about.get("type", "")), ", ".join(bounds)]).strip()


def api() -> dict[str, str]:
    """A page of each package of the library, by its place."""
    pages = {}
    for package in sorted(path.parent for path in LIBRARY.rglob("__init__.py")):
        modules = sorted(path for path in package.glob("*.py") if path.name != "__init__.py")
        if modules:
            name = ".".join(package.relative_to(ROOT).parts)
            blocks = [f"::: {name}.{module.stem}" for module in modules]
            pages[f"api/{name}.md"] = "\n\n".join([f"# {name}", *blocks]) + "\n"
    return pages
