"""What tests share: checkouts to run DVC in, an npm and servers of their own."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.closure import ROOT
from tests.creatures import draw_tiny_set
from tests.site_server import Answer, Asked, Serve, SiteServer, serving
from tests.web_fetch import fetch, server  # noqa: F401, fixtures

if TYPE_CHECKING:
    from stages.scrape.manifest import Row
    from stages.scrape.site import Site
    from stages.scrape.web.download import Wanted

# tests run side by side, a process a core; set before torch loads
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Small enough to run the whole pipeline in seconds
TINY: dict[str, Any] = {
    "common.image_px": 32,
    "scrape.sources": [{"from": "folder"}],
    "names.package": "",
    "clean.val_share": 0.2,
    "classifier.backbone": "resnet18",
    "classifier.epochs": 1,
    "classifier.batch": 8,
    "pretrain.coarse_kimg": 0.064,
    "pretrain.coarse_px": 8,
    "pretrain.kimg": 0.064,
    "pretrain.batch": 8,
    "pretrain.width": 8,
    "pretrain.dilated_px": [16],
    "gmm.components": 2,
    "gmm.pca_dims": 4,
    "gan.kimg": 0.064,
    "gan.alone_kimg": 0.016,
    "gan.ramp_kimg": 0.016,
    "gan.batch": 8,
    "gan.generator_width": 8,
    "gan.discriminator_width": 8,
    "gan.frames": 3,
    "gan.snapshots": 2,
    "gan.snapshot_samples": 16,
    "evaluate.samples": 64,
    "evaluate.reference": 64,
    "pix2pix.kimg": 0.064,
    "pix2pix.batch": 8,
    "pix2pix.width": 8,
    "pix2pix.field_px": 16,
    "pix2pix.discriminator_width": 8,
    "pix2pix.frames": 3,
    "pix2pix.snapshots": 2,
}


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of little creatures, a subfolder a label: PNG, animated GIF, SVG."""
    folder = tmp_path_factory.mktemp("tiny_set")
    draw_tiny_set(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_checkout_factory(tmp_path_factory: pytest.TempPathFactory, tiny_set: Path) -> Callable[[], Path]:
    """Makes checkouts with tiny parameters and pictures, ready for `dvc repro`; each call another."""
    return lambda: make_checkout(tmp_path_factory.mktemp("checkout"), tiny_set)


@pytest.fixture
def tiny_checkout(tiny_checkout_factory: Callable[[], Path]) -> Path:
    return tiny_checkout_factory()


def make_checkout(folder: Path, pictures: Path, params: dict[str, Any] | None = None) -> Path:
    """A git repository of the working tree's files, with the pictures in data/own.

    Args:
        folder: empty, or not there yet.
        pictures: copied to data/own, where the source `folder` looks.
        params: values by dotted key, over those of TINY.

    Returns:
        `folder`.
    """
    listing = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if (ROOT / ".git").exists():
        listed = git(ROOT, *listing)
    else:  # unpacked from a zip: listed as by a repository that has nothing yet
        with tempfile.TemporaryDirectory() as empty:
            git(Path(empty), "init", "--quiet", "--bare")
            listed = git(ROOT, f"--git-dir={empty}", f"--work-tree={ROOT}", *listing)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():  # not if deleted, but not yet from git
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / "dvc.lock").unlink(missing_ok=True)
    shutil.copytree(pictures, folder / "data/own", dirs_exist_ok=True)
    set_params(folder, TINY | (params or {}))
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=Begin")
    return folder


def set_params(checkout: Path, params: dict[str, Any]) -> None:
    """Change values of a checkout's params.yaml, by dotted key; a key must be there already."""
    from ruamel.yaml import YAML

    yaml, path = YAML(), checkout / "params.yaml"
    document = yaml.load(path.read_text(encoding="utf-8"))
    for dotted, value in params.items():
        *sections, key = dotted.split(".")
        values = document
        for section in sections:
            values = values[section]
        assert key in values, f"params.yaml has no {dotted}"
        values[key] = value
    with open(path, "w", encoding="utf-8") as out:
        yaml.dump(document, out)


def environment() -> dict[str, str]:
    """For processes in a checkout: nothing of the user's or of an outer DVC's settings, an identity for git."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("DVC_", "GIT_", "PYTHONPATH"))}
    return kept | {
        # the `python` of dvc.yaml is the one that runs the tests
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_AUTHOR_NAME": "Test",
        "GIT_AUTHOR_EMAIL": "test@example.org",
        "GIT_COMMITTER_NAME": "Test",
        "GIT_COMMITTER_EMAIL": "test@example.org",
    }


def dvc_command() -> list[str]:
    """The real `dvc` of this interpreter."""
    return [str(Path(sys.executable).with_name("dvc"))]


def dvc(checkout: Path, *args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run DVC in a checkout; the caller looks at how it ended."""
    command, settings = [*dvc_command(), *args], environment() | (env or {})
    return subprocess.run(command, cwd=checkout, env=settings, capture_output=True, text=True)


def ran(result: subprocess.CompletedProcess[str]) -> list[str]:
    """The stages that a `dvc repro` ran; its failure is one of the test."""
    assert result.returncode == 0, result.stdout + result.stderr
    return re.findall(r"^Running stage '(\w+)'", result.stdout, re.MULTILINE)


def git(checkout: Path, *args: str) -> str:
    """What a git command in a checkout writes; its failure is an error."""
    return subprocess.run(
        ["git", *args], cwd=checkout, env=environment(), check=True, capture_output=True, text=True
    ).stdout


FAKE_NPM = """#!{python}
import os, shutil, sys
if {code!r}:
    sys.exit("npm error code {code}\\nnpm error {code} something went wrong\\nnpm error A log is in /x")
shutil.copy({archive!r}, "package-1.0.0.tgz")
"""


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Puts an npm on PATH that hands out an archive, or fails with a code."""

    def install(members: list[tuple[str, bytes | tarfile.TarInfo]] | None = None, code: str = "") -> Path:
        archive = tmp_path / "made.tgz"
        with tarfile.open(archive, "w:gz") as tar:
            for name, content in members or []:
                if isinstance(content, bytes):
                    info = tarfile.TarInfo(name)
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
                else:
                    tar.addfile(content)
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        script = FAKE_NPM.format(python=sys.executable, code=code, archive=str(archive))
        (folder / "npm").write_text(script)
        (folder / "npm").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        return out

    return install


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts a server that may be asked although it is on this machine."""
    from stages.scrape.web.guard import LOOPBACK

    with ExitStack() as stack:

        def start(answer: Callable[[Asked], Answer]) -> SiteServer:
            server = stack.enter_context(serving(answer))
            monkeypatch.setenv(LOOPBACK, str(server.port))
            return server

        yield start


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Where a source works, in a hurry."""
    from stages.scrape.site import Site
    from stages.scrape.web.params import WebParams

    return Site(tmp_path / "out", WebParams(per_second=0, retries=2, timeout_s=5), tmp_path / "store")


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[Wanted]:
    """What sources hand to the downloader, which has tests of its own."""
    from stages.scrape import danbooru, search

    found: list[Wanted] = []

    def fetch_pictures(wanted: list[Wanted], site: Site) -> list[Row]:
        found.extend(wanted)
        return []

    for module in (search, danbooru):
        monkeypatch.setattr(module, "fetch_pictures", fetch_pictures)
    return found
