"""What people use after training, on tiny models; tests/app/test_app.py has what needs none."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from app.__main__ import app as commands
from tests.support.checkouts import dvc, environment, ran, set_params


@pytest.fixture(scope="module")
def checkout(trained_checkout_factory) -> Path:
    return trained_checkout_factory()


@pytest.fixture(autouse=True)
def inside(checkout, monkeypatch) -> None:
    monkeypatch.chdir(checkout)


def app(*arguments: str) -> None:
    """As `python -m app` does, in this process. Raises SystemExit."""
    commands(list(arguments), standalone_mode=False)


COMMANDS = {
    "generated": ["generate", "--count", "5", "--seed", "3"],
    "fuse.png": ["fuse", "03-creature", "07-creature", "--count", "4", "--rows", "2"],
    "mix.png": ["mix", "03-creature", "07-creature"],
    "like.png": ["like", "03-creature", "--count", "3"],
    "vary.png": ["vary", "data/own/01-creature/drawing.svg", "--count", "3"],
    "colour.png": ["colour", "data/own/01-creature/drawing.svg", "data/own/02-creature/drawing.svg", "--count", "2"],
    "walk.gif": ["walk", "--frames", "5", "--stops", "3", "--scale", "1"],
    "walk.mp4": ["walk", "--frames", "5", "--stops", "3"],
}


@pytest.fixture(scope="module")
def elsewhere(checkout, tmp_path_factory) -> Path:
    """A folder of what another process has drawn, the last command first."""
    folder = tmp_path_factory.mktemp("elsewhere")
    calls = [[*arguments, "--out", str(folder / out)] for out, arguments in reversed(COMMANDS.items())]
    code = f"from app.__main__ import app\nfor call in {calls!r}: app(call, standalone_mode=False)"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=checkout, env=environment(), capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return folder


@pytest.mark.parametrize("out", COMMANDS)
def test_commands_draw_and_the_same_seed_draws_the_same(out, elsewhere, tmp_path):
    """In another process too, and whatever was drawn before."""
    one, other = elsewhere / out, tmp_path / out
    app(*COMMANDS[out], "--out", str(other))
    files = [Path("")] if one.is_file() else sorted(path.relative_to(one) for path in one.iterdir())
    for name in files:
        assert (one / name).read_bytes() == (other / name).read_bytes()
    if out == "generated":
        assert [str(name) for name in files] == ["000.png", "001.png", "002.png", "003.png", "004.png", "grid.png"]
    if out == "fuse.png":
        with Image.open(one) as sheet:  # 4 x 2 pictures of 32 pixels, gaps of 2, twice as large
            assert sheet.size == (2 * (4 * 34 + 2), 2 * (2 * 34 + 2))
    if out == "walk.gif":
        with Image.open(one) as film:
            assert film.n_frames == 5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fuse", "03-creature", "mew"], "fuse: 'mew' is no picture file, and no species of data/clean"),
        (["vary", "params.yaml"], "vary: params.yaml cannot be used: not a picture (unknown content)"),
        (
            ["mix", "03-creature", "07-creature", "--sheet", "8"],
            "mix: --sheet 8 must be COLUMNSxROWS, such as 8x4, of at most 65,536 cells",
        ),
        (
            ["colour", "data/own/01-creature/drawing.svg", "--sheet", "0x4"],
            "colour: --sheet 0x4 must be COLUMNSxROWS, such as 8x4, of at most 65,536 cells",
        ),
        (["walk", "--out", "walk.avi"], "walk: walk.avi must end in .gif or .png or .mp4 or .webm"),
    ],
)
def test_commands_end_in_one_line_where_they_cannot_work(arguments, says, capfd):
    with pytest.raises(SystemExit) as end:
        app(*arguments)
    assert (end.value.code, *capfd.readouterr()) == (says, "", "")


def test_a_step_is_taken_apart():
    command = [sys.executable, "-m", "bench.step", "--steps", "3"]
    result = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    parts = dict(re.findall(r"^(.*?) +[\d.]+ ms +([\d.]+)%$", result.stdout, re.MULTILINE))
    assert {"generator, forward", "discriminator, forward", "backward", "augmentation", "everything else"} <= set(parts)
    assert sum(map(float, parts.values())) == pytest.approx(100, abs=1)
    alone = re.search(r"convolutions alone: [\d.]+ ms, ([\d.]+)% of the step", result.stdout)
    assert alone and float(alone[1]) > 0


CHANGES = {  # of what `clean` reads, and a command that follows
    "a veto": ("like", "05-creature"),
    "another background": ("colour", "data/own/01-creature/drawing.svg", "--like", "05-creature"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_pictures_cleaned_anew_are_not_used_with_networks_of_before(checkout, change, capsys):
    """Rows of the embeddings would be other pictures': another species would be drawn, in silence."""
    command = CHANGES[change]
    changed = [checkout / name for name in ("data/vetoes.txt", "params.yaml")]
    before = [path.read_text() for path in changed]
    if change == "a veto":
        changed[0].write_text(before[0] + "drop 01-creature/drawing.svg\n")
    else:
        set_params(checkout, {"clean.background": "#eeeeee"})
    try:
        assert ran(dvc(checkout, "repro", "-s", "clean")) == ["clean"]
        with pytest.raises(SystemExit, match=r"run dvc repro$"):
            app(*command)
        assert capsys.readouterr().out == ""
    finally:
        for path, text in zip(changed, before, strict=True):
            path.write_text(text)
    assert ran(dvc(checkout, "repro")) == []
    app(*command)


def test_the_best_of_many_are_some_of_them_in_their_order(tmp_path, capsys):
    app("generate", "--count", "20", "--seed", "3", "--out", str(tmp_path / "all"))
    app("generate", "--count", "5", "--seed", "3", "--best", "0.25", "--out", str(tmp_path / "best"))
    assert "the most realistic of 20 generated" in capsys.readouterr().out
    drawn, best = ([file.read_bytes() for file in sorted((tmp_path / name).glob("0*.png"))] for name in ("all", "best"))
    assert len(best) == 5 and [picture for picture in drawn if picture in best] == best
