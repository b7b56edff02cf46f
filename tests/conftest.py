"""What tests share: checkouts to run DVC in, an npm and servers of their own."""

from __future__ import annotations

import io
import os
import random
import shlex
import shutil
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, chdir
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from filelock import FileLock

from tests.support.checkouts import STAGES, dvc, make_checkout, ran
from tests.support.deps import ROOT
from tests.support.drawn_creatures import draw_tiny_set
from tests.support.isolation import HOME, IS_WORKER, NETWORK, OUTER
from tests.support.s3_server import s3  # noqa: F401, a fixture
from tests.support.site_server import Answer, Asked, Serve, SiteServer, serving
from tests.support.web_fetch import fetch, server  # noqa: F401, fixtures

if TYPE_CHECKING:
    from stages.scrape.manifest import Row
    from stages.scrape.site import Site
    from stages.scrape.web.download import Wanted

# The longest first, and of them those that wait for no others' run of the pipeline: no core is idle at the end
LONG = [
    "test_pipeline",
    "test_graph",
    "test_distributed",
    "test_recipes",
    "test_resume",
    "test_commands",
    "test_page",
    "test_notebook",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """A worker for each core that this process may use, as long as they fit in usual memory."""
    from creatures.runtime.system import usable_cores

    return min(8, usable_cores())


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
    from creatures.runtime.tuning import tune

    NETWORK.allowed = request.node.get_closest_marker("network") is not None
    if NETWORK.allowed:
        outer = getattr(request.config, "workerinput", {}).get("outer", OUTER)
        with patch.dict(os.environ, outer, clear=True):
            tune()  # a library that is first imported here must not report to its makers, now or in later tests
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
def fresh() -> None:
    """Seed all generators and let Accelerate decide anew: no test depends on those before it."""
    random.seed(0)
    for module, seed in (("numpy", "random.seed"), ("torch", "manual_seed")):
        if loaded := sys.modules.get(module):
            attrgetter(seed)(loaded)(0)
    if accelerate := sys.modules.get("accelerate.state"):  # keeps the precision that was asked for first
        accelerate.AcceleratorState._reset_state(True)


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

    large = shutil.ignore_patterns("classifier-*.pt")  # its last state, which no test goes on with

    def copy() -> Path:
        with FileLock(f"{trained}.lock"):
            if not trained.exists():
                made = tiny_checkout_factory()
                assert sorted(ran(dvc(made, "repro"))) == STAGES
                made.rename(trained)
        return Path(
            shutil.copytree(trained, tmp_path_factory.mktemp("trained") / "checkout", symlinks=True, ignore=large)
        )

    return copy


@pytest.fixture(scope="module")
def scraped(tiny_checkout_factory) -> Path:
    """A checkout whose pictures have been packed."""
    folder = tiny_checkout_factory()
    assert "edges" in ran(dvc(folder, "repro", "edges"))
    return folder


@pytest.fixture
def tiny_checkout(tiny_checkout_factory: Callable[[], Path]) -> Path:
    return tiny_checkout_factory()


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
