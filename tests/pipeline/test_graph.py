"""What reruns when: the real dvc.yaml, with stages that only hash what they depend on."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkouts import environment, set_params
from tests.support.deps import ROOT

ALL = ["scrape", "clean", "edges", "pix2pix", "classifier", "pretrain", "gmm", "gan", "evaluate"]
# a key of each section of params.yaml, another value, and exactly the stages that rerun
KEYS = {
    "common.image_px": (64, ALL[1:]),
    "common.seed": (1, ["classifier", "pretrain", "gmm", "gan", "evaluate", "pix2pix"]),
    "scrape.sources": ([{"from": "folder", "most": 9}], ALL),
    "names.version": ("3.3.0", ["names"]),
    "clean.margin": (0.1, ALL[1:]),
    "edges.sketch_level": (100, ["edges", "pix2pix"]),
    "classifier.lr": (1e-3, ["classifier", "pretrain", "gmm", "gan", "evaluate"]),
    "pretrain.lr": (1e-3, ["pretrain", "gan", "evaluate"]),
    "gmm.components": (3, ["gmm", "gan", "evaluate"]),
    "gan.lr": (2e-4, ["gan", "evaluate"]),
    "evaluate.samples": (100, ["evaluate"]),
    "pix2pix.lambda_l1": (50.0, ["pix2pix"]),
}
CODE = {
    "stages/gan/train.py": ["gan", "evaluate"],
    "stages/pix2pix/outline_augment.py": ["pix2pix"],
    "creatures/adversarial/losses.py": ["gan", "evaluate", "pix2pix"],
    "creatures/nets/encoder/encoder.py": ["classifier", "pretrain", "gmm", "gan", "evaluate"],
}


# `dvc repro` for each line that comes in; DVC takes longer to load than to look at such a graph
REPROS = """
import sys
from dvc.cli import main

for _ in sys.stdin:
    print("ended with", main(["repro"]), flush=True)
"""


class Repros:
    """Runs `dvc repro` in a checkout, with a stand-in for what runs its stages."""

    def __init__(self, folder: Path) -> None:
        (folder / "stages/python").write_text(
            f'exec "{sys.executable}" "{ROOT / "tests/support/stub_python.py"}" "$@"\n'
        )
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self.process = subprocess.Popen(
            [sys.executable, "-c", REPROS], cwd=folder, env=environment(), text=True, **pipes
        )

    def __call__(self) -> list[str]:
        """The stages that ran."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.startswith("ended with "):
                break
            lines.append(line)
        assert line == "ended with 0\n", "".join(lines)
        return re.findall(r"^Running stage '(\w+)'", "".join(lines), re.MULTILINE)


@pytest.fixture(scope="module")
def checkout(tiny_checkout_factory):
    folder = tiny_checkout_factory()
    repro = Repros(folder)
    assert sorted(repro()) == sorted([*ALL, "names"])
    yield folder, repro
    repro.process.stdin.close()
    assert repro.process.wait(120) == 0


def test_every_section_is_in_the_table():
    from creatures.runtime.config import read_yaml

    assert {key.split(".")[0] for key in KEYS} == set(read_yaml(ROOT / "params.yaml"))


@pytest.mark.parametrize("key", KEYS)
def test_a_key_reruns_exactly_its_stages_and_going_back_runs_nothing(checkout, key):
    folder, repro = checkout
    value, wanted = KEYS[key]
    before = (folder / "params.yaml").read_text()
    set_params(folder, {key: value})
    assert sorted(repro()) == sorted(wanted)
    (folder / "params.yaml").write_text(before)
    assert repro() == []


@pytest.mark.parametrize("file", CODE)
def test_an_edit_reruns_exactly_the_stages_that_import_it(checkout, file):
    folder, repro = checkout
    before = (folder / file).read_text()
    (folder / file).write_text(before + "\n# edited\n")
    assert sorted(repro()) == sorted(CODE[file])
    (folder / file).write_text(before)
    assert repro() == []
