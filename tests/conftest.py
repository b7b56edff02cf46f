"""What tests share: checkouts to run DVC in, an npm and servers of their own."""

from __future__ import annotations

import io
import os
import random
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, chdir, suppress
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from filelock import FileLock

from tests.closure import ROOT
from tests.creatures import draw_tiny_set
from tests.isolation import HOME, IS_WORKER, NETWORK, OUTER
from tests.site_server import Answer, Asked, Serve, SiteServer, serving
from tests.web_fetch import fetch, server  # noqa: F401, fixtures

if TYPE_CHECKING:
    from stages.scrape.manifest import Row
    from stages.scrape.site import Site
    from stages.scrape.web.download import Wanted

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


# The longest first, and of them those that wait for no others' run of the pipeline: no core is idle at the end
LONG = ["test_pipeline", "test_graph", "test_many", "test_recipes", "test_resume", "test_commands", "test_page"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """A worker for each core that this process may use, as long as they fit in usual memory."""
    return min(8, len(os.sched_getaffinity(0)))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist what the environment was."""
    node.workerinput["outer"] = OUTER


def pytest_unconfigure() -> None:
    if not IS_WORKER:
        shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(autouse=True)
def network(request: pytest.FixtureRequest) -> Iterator[None]:
    """Only a test that is marked so has a network, and the settings of whoever runs it."""
    NETWORK.allowed = request.node.get_closest_marker("network") is not None
    if NETWORK.allowed:
        outer = getattr(request.config, "workerinput", {}).get("outer", OUTER)
        with patch.dict(os.environ, outer, clear=True):
            yield
    else:
        yield
    NETWORK.allowed = False
    asked, NETWORK.asked[:] = list(NETWORK.asked), []
    assert not asked, f"a test may not use the network: {asked}"


@pytest.fixture(scope="session", autouse=True)
def here() -> Iterator[None]:
    """Tests run in the project's folder, wherever they were started."""
    with chdir(ROOT):
        yield


@pytest.fixture(autouse=True)
def draws() -> None:
    """What a test draws without a seed of its own does not depend on the tests before it."""
    random.seed(0)
    for module, seed in (("numpy", "random.seed"), ("torch", "manual_seed")):
        if loaded := sys.modules.get(module):
            attrgetter(seed)(loaded)(0)


STAGES = ["classifier", "clean", "edges", "evaluate", "gan", "gmm", "names", "pix2pix", "pretrain", "scrape"]


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


@pytest.fixture(scope="session")
def trained_checkout_factory(
    tmp_path_factory: pytest.TempPathFactory, tiny_checkout_factory: Callable[[], Path]
) -> Callable[[], Path]:
    """Makes copies of a tiny checkout after one whole `dvc repro`, which all workers of a run share."""
    base = tmp_path_factory.getbasetemp()
    trained = (base.parent if IS_WORKER else base) / "trained"

    def copy() -> Path:
        with FileLock(f"{trained}.lock"):
            if not trained.exists():
                made = tiny_checkout_factory()
                assert sorted(ran(dvc(made, "repro"))) == STAGES
                made.rename(trained)
        return Path(shutil.copytree(trained, tmp_path_factory.mktemp("trained") / "checkout", symlinks=True))

    return copy


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
    """For processes in a checkout: its own code alone, nothing of the user's settings, an identity for git."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return kept | {
        # the `python` of dvc.yaml is the one that runs the tests
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_CONFIG_COUNT": "1",  # the project's folder may be another user's
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
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


def free_port() -> int:
    """A port of this machine where nothing listens, of those that the system gives to nobody by itself."""
    while True:
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", random.SystemRandom().randrange(20_000, 32_000)))
            return free.getsockname()[1]


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
        does = f"exec cp {shlex.quote(str(archive))} package-1.0.0.tgz"
        if code:
            said = f"npm error code {code}\nnpm error {code} something went wrong\nnpm error A log is in /x"
            does = f"echo {shlex.quote(said)} >&2; exit 1"
        (folder / "npm").write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
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
