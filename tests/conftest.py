"""What tests share: a picture set that they draw themselves, and checkouts to run DVC in."""

from __future__ import annotations

import io
import os
import random
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageDraw

from tests.closure import ROOT
from tests.site_server import Answer, Asked, Serve, SiteServer, serving

if TYPE_CHECKING:
    from stages.scrape.manifest import Row
    from stages.scrape.site import Site
    from stages.scrape.web.download import Wanted

# tests run side by side, a process a core; set before torch loads
os.environ.setdefault("OMP_NUM_THREADS", "1")

LABELS = 12
PNGS = 4  # stills a label, beside one GIF and one SVG

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
    listed = git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
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


def draw_tiny_set(folder: Path) -> None:
    """Draw LABELS kinds of creatures, the same on each call."""
    for label in range(LABELS):
        room = folder / f"{label + 1:02}-creature"
        room.mkdir(parents=True)
        kind = Kind(label)
        for number in range(PNGS):
            kind.draw(random.Random(f"{label}/{number}")).save(room / f"still{number}.png")
        first, *others = [kind.draw(random.Random(f"{label}/gif{i}")) for i in range(3)]
        first.save(room / "moving.gif", save_all=True, append_images=others, duration=100, loop=0, disposal=2)
        (room / "drawing.svg").write_text(kind.svg(), encoding="utf-8")


class Kind:
    """A body, two ears, two eyes and feet, in the shape and colours of a label."""

    def __init__(self, label: int) -> None:
        rng = random.Random(label)
        self.width, self.height = rng.uniform(0.4, 0.7), rng.uniform(0.4, 0.6)
        self.ear, self.feet = rng.uniform(0.1, 0.25), rng.randint(2, 4)
        self.body = f"hsl({label * 360 // LABELS}, 80%, 55%)"
        self.accent = f"hsl({(label * 360 // LABELS + 150) % 360}, 70%, 40%)"

    def shapes(self, rng: random.Random) -> list[tuple[str, str, list[tuple[float, float]]]]:
        """(ellipse or polygon, colour, points) in units of the picture's side, from back to front."""
        w, h = self.width * rng.uniform(0.8, 1.1), self.height * rng.uniform(0.8, 1.1)
        x, y, look = rng.uniform(0.46, 0.54), rng.uniform(0.5, 0.6), rng.uniform(-0.06, 0.06)
        left, right, top = x - w / 2, x + w / 2, y - h / 2
        found = [
            ("polygon", self.accent, [(left, y), (left + w * 0.1, top - self.ear), (x, top + h * 0.1)]),
            ("polygon", self.accent, [(right, y), (right - w * 0.1, top - self.ear), (x, top + h * 0.1)]),
        ]
        for foot in range(self.feet):
            at = left + w * (foot + 1) / (self.feet + 1)
            found.append(("ellipse", self.accent, [(at - 0.06, y + h * 0.35), (at + 0.06, y + h * 0.6)]))
        found.append(("ellipse", self.body, [(left, top), (right, y + h / 2)]))
        for eye in (x - w * 0.2 + look, x + w * 0.2 + look):
            found.append(("ellipse", "white", [(eye - 0.05, y - 0.1), (eye + 0.05, y)]))
            found.append(("ellipse", "black", [(eye - 0.02, y - 0.07), (eye + 0.02, y - 0.03)]))
        return found

    def draw(self, rng: random.Random, side: int = 72) -> Image.Image:
        """RGBA on nothing, side x side."""
        image = Image.new("RGBA", (side, side))
        pen = ImageDraw.Draw(image)
        for shape, colour, points in self.shapes(rng):
            scaled = [(px * side, py * side) for px, py in points]
            getattr(pen, shape)(scaled, fill=colour, outline="black")
        return image

    def svg(self) -> str:
        parts = []
        for shape, colour, points in self.shapes(random.Random("svg")):
            look = f'fill="{colour}" stroke="black" stroke-width="1"'
            if shape == "polygon":
                parts.append(
                    f'<polygon points="{" ".join(f"{x * 100:.2f},{y * 100:.2f}" for x, y in points)}" {look}/>'
                )
            else:
                (x0, y0), (x1, y1) = points
                centre = f'cx="{50 * (x0 + x1):.2f}" cy="{50 * (y0 + y1):.2f}"'
                parts.append(f'<ellipse {centre} rx="{50 * (x1 - x0):.2f}" ry="{50 * (y1 - y0):.2f}" {look}/>')
        return f'<svg xmlns="http://www.w3.org/2000/svg" width="100" height="100">{"".join(parts)}</svg>'


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
