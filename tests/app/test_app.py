"""The command line: what it says where it cannot work."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.generate import write_samples
from creatures.translation.drawings import svg
from tests.support.checkouts import environment
from tests.support.deps import ROOT
from tests.support.untrained import write_run


def app(cwd, *arguments):
    command = [sys.executable, "-m", "app", *arguments]
    env = environment() | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=env)


def test_without_models_it_says_what_to_do_in_one_line(tmp_path):
    for name in ("dvc.yaml", "params.yaml"):
        (tmp_path / name).write_text("")
    result = app(tmp_path, "generate")
    assert result.returncode == 1
    assert result.stderr == (
        "generate: models/gan.safetensors is missing; run the stages before this one (dvc repro)\n"
    )
    assert not (tmp_path / "samples").exists()


def test_numbers_out_of_range_are_refused(tmp_path):
    for option, value in (("--count", "0"), ("--truncation", "-1"), ("--seed", "x")):
        result = app(tmp_path, "generate", option, value)
        assert result.returncode == 2
        assert option in result.stderr and "Traceback" not in result.stderr


def test_help_names_the_command_and_its_options(tmp_path):
    result = app(tmp_path, "generate", "--help")
    assert result.returncode == 0
    assert all(option in result.stdout for option in ("--count", "--seed", "--truncation", "--out"))


@pytest.fixture
def checkout(tmp_path) -> Path:
    """Untrained networks, and a folder below."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(tmp_path)
        write_run()
        Path("dvc.yaml").write_text("stages: {}")
        Path("docs/deep").mkdir(parents=True)
        Path("docs/deep/mine.svg").write_text(svg("fox"))
    return tmp_path


def test_commands_find_the_checkout_that_they_are_called_in(checkout):
    """And paths are seen from where the user stands, but for those that nobody gave."""
    deep = checkout / "docs/deep"
    for command in (["generate", "--count", "2"], ["generate", "--count", "2", "--out", "mine"]):
        result = app(deep, *command)
        assert (result.returncode, result.stderr) == (0, f"generate: in {checkout}\n")
    assert (checkout / "samples/grid.png").read_bytes() == (deep / "mine/grid.png").read_bytes()
    for command in (["vary", "mine.svg"], ["fuse", "mine.svg", "kind-1"], ["colour", "mine.svg", "--like", "mine.svg"]):
        result = app(deep, *command, "--out", "out.png")
        assert result.returncode == 0, result.stderr
        (deep / "out.png").unlink()


def test_outside_of_any_checkout_it_says_where_it_looked(tmp_path):
    result = app(tmp_path, "like", "25")
    assert (result.returncode, result.stdout) == (1, "")
    wanted = "there is no checkout, a folder with dvc.yaml and params.yaml, in"
    assert result.stderr == f"like: {wanted} {tmp_path} or above it\n"
    assert app(tmp_path, "recipe", "sngan").returncode == 0  # which needs none


def test_fewer_pictures_leave_none_of_an_earlier_call(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    out, mine = Path("mine"), ("012.png", "2.png", "photo.png", "notes.txt", "00000.png")
    for count in (11, 4):
        write_samples(count, 0, 0.8, out)
        for name in mine:
            (out / name).write_bytes(b"mine")
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [*mine, *(f"{n:03d}.png" for n in range(4)), "grid.png"]
    )
    write_samples(4, 0, 0.8, Path("other"))
    assert all((out / path.name).read_bytes() == path.read_bytes() for path in Path("other").iterdir())


def test_numbered_pictures_of_ones_own_are_none_of_an_earlier_call(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    Path("mine").mkdir()
    for number in range(6):
        Path(f"mine/{number:03d}.png").write_bytes(b"mine")
    write_samples(2, 0, 0.8, Path("mine"))
    assert [Path(f"mine/{number:03d}.png").read_bytes() for number in range(2, 6)] == [b"mine"] * 4
