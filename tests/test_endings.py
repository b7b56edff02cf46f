"""How stages end early: were it otherwise, hours would be lost, or half a result would pass for a whole one."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
import torch

from stages import INTERRUPTED
from stages.lib.sheets import save_sheet
from stages.lib.stage import say_interrupted
from stages.lib.training.loop import Training
from stages.lib.weights import save_weights
from stages.lib.whole import fresh_folder, room_for, whole_file, whole_folder
from tests.closure import ROOT
from tests.conftest import dvc, environment, ran
from tests.test_stage import checkout, finish, start  # noqa: F401, checkout is a fixture

LIMIT = 20_000  # bytes that a file may have where the disk is to be full


@pytest.fixture(scope="module")
def scraped(tiny_checkout_factory) -> Path:
    """A checkout whose pictures have been packed."""
    folder = tiny_checkout_factory()
    assert "edges" in ran(dvc(folder, "repro", "edges"))
    return folder


def stage(folder: Path, name: str, **settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", name],
        cwd=folder,
        env=environment() | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def hashes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# signals


@pytest.mark.parametrize("name", ["gan", "clean", "scrape"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stage_that_is_still_loading_its_libraries_ends_in_one_line(name, number):
    """`-X importtime` tells when: the first module that the stage itself imports."""
    command = [sys.executable, "-X", "importtime", "-m", f"stages.{name}"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    said = next(line for line in process.stderr if line.rstrip().endswith("numpy._core.multiarray"))
    process.send_signal(number)
    said = process.stderr.read()
    assert process.wait() == INTERRUPTED
    assert [line for line in said.splitlines() if not line.startswith("import time:")] == [f"{name}: interrupted"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(("name", "out"), [("clean", "data/clean"), ("edges", "data/edges")])
def test_a_stage_with_processes_leaves_its_old_outputs_whole(scraped, name, out, number):
    before = hashes(scraped / out)
    process = stage(scraped, f"stages.{name}")
    while not [child for child in psutil.Process(process.pid).children() if "python" in child.name()]:
        assert process.poll() is None
    time.sleep(0.3)
    os.killpg(process.pid, number)  # as a terminal does
    assert finish(process) == (INTERRUPTED, f"{name}: interrupted\n")
    assert hashes(scraped / out) == before
    assert [path.name for path in (scraped / "data").glob("*.part")] == []


def test_a_second_signal_ends_at_once(checkout):  # noqa: F811
    process = start(checkout, STUBBORN)
    assert process.stdout and process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "tidying\n"
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    code, said = finish(process)
    assert code not in (0, None) and said == "toy: interrupted\n" and time.monotonic() - began < 5


STUBBORN = """
try:
    print('ready', flush=True); time.sleep(30)
finally:
    print('tidying', flush=True); time.sleep(30)
"""


@pytest.mark.parametrize("where", ["class A:\n def __del__(self): time.sleep(9)\nA()", "sys.stdout.write('')"])
def test_an_interrupt_that_python_swallows_still_ends_it(checkout, where):  # noqa: F811
    process = start(checkout, f"print('ready', flush=True)\n{where}\ntime.sleep(30)")
    assert process.stdout and process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert finish(process) == (INTERRUPTED, "toy: interrupted\n")


def training(folder: Path) -> Training:
    """Of nine steps that change nothing."""
    toy = SimpleNamespace(name="toy", checkpoint_dir=folder / "ckpt", run_dir=folder / "runs")
    return Training(toy, 9, 2, 0, {"net": torch.nn.Linear(200, 9)})


def test_a_training_saves_after_the_step_under_way_and_says_so_once(tmp_path, capfd):
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    say_interrupted.cache_clear()
    try:
        with pytest.raises(KeyboardInterrupt), training(tmp_path) as run:
            for step in run:
                if step == 3:
                    os.kill(os.getpid(), signal.SIGINT)
                    time.sleep(0.01)
                    os.kill(os.getpid(), signal.SIGTERM)  # torchrun sends it after Ctrl-C
                    time.sleep(0.01)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert torch.load(tmp_path / "ckpt/checkpoint.pt", weights_only=True)["step"] == 4
    assert capfd.readouterr().err.count("toy: interrupted\n") == 1


def test_an_app_command_that_is_interrupted_says_so(tmp_path):
    for wait in (0.05, 0.4):
        process = subprocess.Popen(
            [sys.executable, "-c", APP], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout and process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert finish(process) == (130, "recipe: interrupted\n"), wait


APP = """
import sys, time
sys.argv = ["app", "recipe"]
from app import __main__ as it, recipe
def names():
    print("ready", flush=True)
    time.sleep(30)
recipe.names = names
it.main()
"""


# two at once


def test_a_stage_that_runs_twice_in_a_folder_says_so(checkout):  # noqa: F811
    first = start(checkout, "print('ready', flush=True); time.sleep(30)")
    assert first.stdout and first.stdout.readline() == "ready\n"
    try:
        said = "toy: another process is running toy here (.ckpt/toy.lock)\n"
        assert finish(start(checkout, "pass")) == (1, said)
    finally:
        first.kill()
        first.communicate()
    assert finish(start(checkout, "pass")) == (0, "")


# a full disk


def test_a_full_disk_is_one_line_that_names_the_file(checkout):  # noqa: F811
    code = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (5, 5))"
    assert finish(start(checkout, code)) == (1, "toy: metrics/toy.json: File too large\n")
    assert not (checkout / "metrics/toy.json").exists()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("OSError(28, 'No space left on device', 'data/a')", "data/a: No space left on device"),
        ("OSError(122, 'Disk quota exceeded', 'data/a')", "data/a: Disk quota exceeded"),
        ("OSError(5, 'Input/output error', 'data/a')", "data/a: Input/output error"),
        ("OSError(30, 'Read-only file system', 'data/a')", "data/a: Read-only file system"),
        ("PermissionError(13, 'Permission denied', 'data/a')", "data/a: Permission denied"),
        ("OSError('data/a ends before its picture 3')", "data/a ends before its picture 3"),
        ("MemoryError()", "out of memory: lower common.image_px, or end what else is running"),
        (
            "RuntimeError('[enforce fail] DefaultCPUAllocator: can\\'t allocate memory: you tried')",
            "out of memory: lower",
        ),
        ("RuntimeError('CUDA out of memory. Tried to allocate')", "out of memory: lower"),
    ],
)
def test_what_the_machine_lacks_is_one_line(checkout, error, said):  # noqa: F811
    code, errors = finish(start(checkout, f"raise {error}"))
    assert code == 1 and errors.startswith(f"toy: {said}") and errors.count("\n") == 1


def test_a_lack_of_memory_names_the_batch_of_the_stage(checkout):  # noqa: F811
    params = checkout / "params.yaml"
    params.write_text(params.read_text().replace("toy: {", "toy: {batch: 8, "))
    said = "toy: out of memory: lower toy.batch or common.image_px, or end what else is running\n"
    assert finish(start(checkout, "raise MemoryError")) == (1, said)


@pytest.fixture
def full(tmp_path, monkeypatch):
    """Makes the disk one that takes no larger file, for as long as the test runs."""
    monkeypatch.chdir(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda most=LIMIT: resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


WRITERS = {
    "a.safetensors": lambda path: save_weights(path, {"a": torch.zeros(LIMIT)}, {}),
    "a.png": lambda path: save_sheet(path, np.random.default_rng(0).integers(0, 255, (9, 3, 64, 64), np.uint8), 3),
    "a.npy": lambda path: np.save(path, np.zeros(LIMIT)),
    "a.npz": lambda path: np.savez(path, a=np.zeros(LIMIT)),
    "a.pt": lambda path: torch.save({"a": torch.zeros(LIMIT)}, path.open("wb")),
    "a.txt": lambda path: path.write_text("a" * 2 * LIMIT),
}


@pytest.mark.parametrize("name", WRITERS)
def test_whatever_library_writes_a_full_disk_names_the_file_and_keeps_the_old_one(full, tmp_path, name):
    (tmp_path / name).write_text("old")
    full()
    with pytest.raises(OSError, match="File too large") as caught, whole_file(Path(name)) as part:
        WRITERS[name](part)
    assert Path(caught.value.filename).name.endswith(name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "old"


def test_a_full_disk_keeps_the_checkpoint_that_was_there(full, tmp_path):
    with pytest.raises(OSError, match=r"ckpt/checkpoint\.pt"), training(tmp_path) as run:
        for step in run:
            if step == 2:
                run.save()
                saved = run._file.read_bytes()
                full(1000)
            if step == 5:
                run.save()
    assert run._file.read_bytes() == saved and not list(run.folder.glob(".part*"))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_curves_that_cannot_be_written_end_no_training(full, tmp_path, capfd):
    with training(tmp_path) as run:
        for step in run:
            if step == 2:
                full(300)
            run.note(score=1.0)
    said = capfd.readouterr().err
    assert run.step == 9 and said.count("no more curves") == 1 and "Traceback" not in said


def test_room_is_taken_when_a_mapped_file_is_made(full):
    """Else the kernel would end the process where the disk is full."""
    full()
    with pytest.raises(OSError, match=r"a\.npy"):
        room_for(Path("a.npy"), np.uint8, (LIMIT,))


@pytest.mark.parametrize(("name", "out"), [("scrape", "data/raw"), ("clean", "data/clean"), ("edges", "data/edges")])
def test_a_full_disk_leaves_old_outputs_whole(scraped, name, out):
    before = hashes(scraped / out)
    process = stage(scraped, f"stages.{name}")
    if name == "clean":  # that its processes, which hand pictures over in /dev/shm, do not inherit it
        while not psutil.Process(process.pid).children():
            assert process.poll() is None
        time.sleep(0.2)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1000, 1000))
    code, said = finish(process)
    assert code == 1 and said.splitlines()[-1].startswith(f"{name}: {out}") and said.endswith("File too large\n")
    assert "Traceback" not in said
    assert hashes(scraped / out) == before


# what the kernel kills


@pytest.mark.parametrize("name", ["clean", "edges"])
@pytest.mark.parametrize("wait", [0, 0.5])
def test_a_killed_process_of_a_stage_is_one_line(scraped, name, wait):
    process = stage(scraped, f"stages.{name}")
    parts = ("udf_worker", "spawn_main")
    while not (
        found := [
            child
            for child in psutil.Process(process.pid).children()
            if any(part in " ".join(child.cmdline()) for part in parts)
        ]
    ):
        assert process.poll() is None
    time.sleep(wait)
    found[0].kill()
    code, said = finish(process)
    if code:  # else it had done its part
        assert code == 1 and "was killed" in said and said.count("\n") == 1


# whole or not at all


def test_a_folder_takes_its_place_when_all_went_well(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old").touch()
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "out") as part:
        (part / "new").touch()
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "old"]
    with whole_folder(tmp_path / "out") as part:
        (part / "new").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "new"]


def test_what_a_killed_run_left_is_in_nobodys_way(tmp_path):
    (tmp_path / "work/half").mkdir(parents=True)
    with fresh_folder(tmp_path / "work") as folder:
        assert not list(folder.iterdir())
    assert not folder.exists()


def test_a_link_into_a_cache_is_replaced_and_never_written_to(tmp_path):
    (tmp_path / "cached").write_text("of another run")
    (tmp_path / "a.json").symlink_to(tmp_path / "cached")
    with whole_file(tmp_path / "a.json") as part:
        part.write_text("new")
    assert (tmp_path / "cached").read_text() == "of another run"
    assert (tmp_path / "a.json").read_text() == "new" and not (tmp_path / "a.json").is_symlink()
