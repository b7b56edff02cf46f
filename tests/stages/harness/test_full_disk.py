"""Stages where the machine has no more room or memory, and files that are whole or not there at all."""

from __future__ import annotations

import resource
import time
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import psutil
import pytest
import torch
from PIL import Image

from app.film import write_mp4
from creatures.data.sheets import save_sheet
from creatures.data.weights import save_weights
from creatures.runtime.atomic import atomic_file, atomic_folder, fresh_folder, preallocate, scratch_array
from tests.stages.harness.test_endings import training
from tests.stages.harness.test_stage import checkout, finish, start  # noqa: F401, checkout is a fixture
from tests.support.checkouts import git, hashes, stage

LIMIT = 20_000  # bytes that a file may have where the disk is to be full


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
    "a.mp4": lambda path: write_mp4(path, [Image.effect_noise((256, 256), 99).convert("RGB") for _ in range(9)]),
}


@pytest.mark.parametrize("name", WRITERS)
def test_whatever_library_writes_a_full_disk_names_the_file_and_keeps_the_old_one(full, tmp_path, name):
    (tmp_path / name).write_text("old")
    full()
    with pytest.raises(OSError, match="File too large") as caught, atomic_file(Path(name)) as part:
        WRITERS[name](part)
    assert Path(caught.value.filename).name.endswith(name)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "old"


@pytest.mark.parametrize("error", [MemoryError(), OSError(5, "Input/output error")])
def test_a_checkpoint_that_cannot_be_read_for_now_stays(tmp_path, monkeypatch, error):
    with training(tmp_path) as run:
        for step in run:
            if step == 2:
                run.save()
    saved = run.checkpoint.path.read_bytes()
    run._lock.release()
    monkeypatch.setattr(torch, "load", Mock(side_effect=error))
    with pytest.raises(type(error)), training(tmp_path):
        pass
    assert run.checkpoint.path.read_bytes() == saved


def test_a_repository_without_a_commit_has_curves_too(tmp_path, monkeypatch):
    git(tmp_path, "init", "--quiet")
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    with training(tmp_path) as run:
        for _ in run:
            run.log_metrics(score=1.0)
    assert list((tmp_path / "runs/tensorboard").iterdir())


def test_a_full_disk_keeps_the_checkpoint_that_was_there(full, tmp_path):
    with pytest.raises(OSError, match=r"ckpt/checkpoint\.pt"), training(tmp_path) as run:
        for step in run:
            if step == 2:
                run.save()
                saved = run.checkpoint.path.read_bytes()
                full(1000)
            if step == 5:
                run.save()
    assert run.checkpoint.path.read_bytes() == saved and not list(run.folder.glob(".part*"))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_curves_that_cannot_be_written_end_no_training(full, tmp_path, capfd):
    with training(tmp_path) as run:
        for step in run:
            if step == 2:
                full(300)
            run.log_metrics(score=1.0)
    said = capfd.readouterr().err
    assert run.step == 9 and said.count("no more curves") == 1 and "Traceback" not in said


def test_room_is_taken_when_a_mapped_file_is_made(full):
    """Else the kernel would end the process where the disk is full."""
    full()
    with pytest.raises(OSError, match=r"a\.npy"):
        preallocate(Path("a.npy"), np.uint8, (LIMIT,))
    with pytest.raises(OSError, match=r"File too large: 'data'"):
        scratch_array(Path("data"), np.uint8, (LIMIT + 1,))


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


# whole or not at all


def test_a_folder_takes_its_place_when_all_went_well(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old").touch()
    with pytest.raises(ZeroDivisionError), atomic_folder(tmp_path / "out") as part:
        (part / "new").touch()
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "old"]
    with atomic_folder(tmp_path / "out") as part:
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
    with atomic_file(tmp_path / "a.json") as part:
        part.write_text("new")
    assert (tmp_path / "cached").read_text() == "of another run"
    assert (tmp_path / "a.json").read_text() == "new" and not (tmp_path / "a.json").is_symlink()
