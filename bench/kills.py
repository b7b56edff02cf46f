"""Whether a pipeline that is disturbed at any moment and started again ends with the bytes of one that was not.

    python -m bench.kills [--times N] [--seed N]

Runs `dvc repro` in a tiny checkout (bench/kills.yaml), then from nothing again and again, each run disturbed three
times: by SIGKILL, SIGTERM or SIGINT to the stage or, as Ctrl-C does, to all that DVC has started, or by a disk that
is full for the stage. Prints a line a disturbance, and ends with 1 if any output differs or a trace was printed.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from PIL import Image, ImageDraw
from ruamel.yaml import YAML

from app.recipe import overlaid

ROOT = Path(__file__).parents[1]
PER_RUN = 3  # disturbances
KINDS = ("KILL stage", "KILL all", "TERM stage", "INT stage", "INT all", "full disk")
TRACE, FULL = "Traceback", 2000  # bytes of a file that the full disk still takes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20, help="disturbances in all")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # nohup ignores it, and so would the stages
    rng, bad = random.Random(args.seed), 0
    with TemporaryDirectory() as name:
        begin, folder = Path(name, "begin"), Path(name, "run")
        make_checkout(begin)
        shutil.copytree(begin, folder)
        took, _, status, messages = repro(folder)
        assert status == "0", messages
        expected = outputs(folder)
        print(f"undisturbed: {took:.0f} s\n\n| time, s | stage | kind | status | on stderr | |\n| --- |" + " --- |" * 5)
        left = args.times
        while left:
            shutil.rmtree(folder)
            shutil.copytree(begin, folder)
            lines, spent = [], 0.0
            for _ in range(min(left, PER_RUN)):
                kind, moment = rng.choice(KINDS), rng.uniform(0, max(took - spent, 1))
                seconds, stage, status, messages = repro(folder, kind, moment)
                spent += seconds
                if stage == "none":  # the run ended before the disturbance
                    break
                left -= 1
                lines.append(f"| {moment:.1f} | {stage} | {kind} | {status} | {messages} |")
            _, _, status, messages = repro(folder)
            actual = outputs(folder)
            differ = sorted(path for path in expected.keys() | actual.keys() if expected.get(path) != actual.get(path))
            end = f"then {status}: {messages}" if status != "0" else f"differ: {differ}" if differ else "same bytes"
            bad += end != "same bytes" or TRACE in " ".join([*lines, messages])
            if lines:
                print(*lines[:-1], f"{lines[-1]} {end} |", sep=" |\n", flush=True)
    sys.exit(bad > 0)


def make_checkout(folder: Path) -> None:
    """Create a git repository of the tracked files, with tiny parameters and pictures in data/own."""
    for name in filter(None, subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")):
        if (ROOT / name).is_file() and name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    draw(folder / "data/own")
    yaml = YAML()
    params, tiny = (yaml.load(path.read_text()) for path in (folder / "params.yaml", ROOT / "bench/kills.yaml"))
    yaml.dump(overlaid(params, tiny), folder / "params.yaml")
    subprocess.check_call(["git", "init", "--quiet"], cwd=folder)


def draw(folder: Path) -> None:
    """Draw noisy discs, one colour per label."""
    rng = random.Random(0)
    for number in range(48):
        image, label = Image.new("RGBA", (64, 64)), number % 6
        pen = ImageDraw.Draw(image)
        pen.ellipse((8, 8, rng.randint(40, 60), rng.randint(40, 60)), f"hsl({label * 60}, 80%, 50%)", "black")
        for _ in range(40):
            pen.point((rng.randint(16, 36), rng.randint(16, 36)), f"hsl({rng.randint(0, 360)}, 70%, 40%)")
        (folder / f"label{label}").mkdir(parents=True, exist_ok=True)
        image.save(folder / f"label{label}/{number}.png")


def repro(folder: Path, kind: str = "", moment: float = 0) -> tuple[float, str, str, str]:
    """Run `dvc repro`, and disturb it after `moment` seconds if `kind` is given: seconds, the stage that was disturbed,
    the exit status of the stage that failed (else DVC's), and the stages' messages on stderr.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env, began, stage = os.environ | {"CHECKPOINT_SECONDS": "0", "PATH": path}, time.monotonic(), "none"
    with open(folder / ".dvc/said", "w+") as stderr:
        run = subprocess.Popen(
            ["dvc", "repro"], cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=stderr, start_new_session=True
        )
        while kind and run.poll() is None:
            time.sleep(0.01)
            if time.monotonic() - began > moment and (running := stage_of(run.pid)):
                stage = running[0]
                disturb(kind, run.pid, running[1])
                break
        status = run.wait()
        stderr.seek(0)
        output = stderr.read()
    lines = [line for line in output.splitlines() if re.match(r"[a-z]\w*: |" + TRACE, line)]
    return (
        time.monotonic() - began,
        stage,
        [str(status), *re.findall(r"exited with (-?\d+)", output)][-1],
        "; ".join(lines),
    )


def stage_of(pid: int) -> tuple[str, int] | None:
    """The stage that runs below a process, and its process id."""
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children(recursive=True):
            command = child.cmdline()
            if command[1:2] == ["-m"] and command[2].startswith("stages."):
                return command[2].removeprefix("stages."), child.pid
    return None


def disturb(kind: str, group: int, stage: int) -> None:
    with suppress(ProcessLookupError):
        if kind == "full disk":
            resource.prlimit(stage, resource.RLIMIT_FSIZE, (FULL, FULL))
        elif kind.endswith("all"):
            os.killpg(group, getattr(signal, f"SIG{kind.split()[0]}"))
        else:
            os.kill(stage, getattr(signal, f"SIG{kind.split()[0]}"))


def outputs(folder: Path) -> dict[str, str]:
    """Hashes of all outputs in dvc.lock, by path."""
    lock = folder / "dvc.lock"
    stages = YAML(typ="safe").load(lock.read_text())["stages"] if lock.exists() else {}
    return {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", [])}


if __name__ == "__main__":
    main()
