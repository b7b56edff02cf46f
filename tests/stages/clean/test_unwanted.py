"""What clean drops because it is not what was asked for: by outliers, by hand; and which copy stays."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from creatures.data.vetoes import read_vetoes, write_veto
from creatures.runtime.errors import UserError
from stages.clean.__main__ import main as clean
from stages.clean.copies import copies
from stages.clean.outliers import strangeness
from stages.harness.stage import Stage
from stages.scrape.__main__ import main as scrape
from tests.stages.clean.test_clean_stage import figure, run
from tests.stages.scrape.test_archives import tar
from tests.support.deps import ROOT
from tests.support.drawn_creatures import draw_tiny_set
from tests.support.pictures_zoo import saved, write

LOOSE = "val_share: 0.3, test_share: 0"  # so that few pictures are enough for each split


def noise(seed: int, side: int = 300) -> Image.Image:
    """As a photograph is: no plain ground, light that changes, grain."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (4, 4, 3), np.uint8)).resize((side, side))
    return Image.fromarray((np.asarray(coarse) + random.normal(0, 12, (side, side, 3))).clip(0, 255).astype(np.uint8))


def larger(picture: bytes) -> bytes:
    image = Image.open(io.BytesIO(picture))
    return saved(image.resize((280, 280), Image.Resampling.NEAREST), "WEBP", lossless=True)


def reasons() -> dict[str, str]:
    return {row["source"]: row["reason"] for row in pq.read_table("data/clean/dropped.parquet").to_pylist()}


def test_photographs_among_drawings_are_outliers_with_labels_and_without(tmp_path, monkeypatch):
    draw_tiny_set(tmp_path / "mine")
    photos = {f"{label:02}-creature/photo.png": saved(noise(label), "PNG") for label in range(1, 7)}
    run(tmp_path, monkeypatch, photos, f"outliers: 4, {LOOSE}")
    assert set(reasons()) >= set(photos) and Counter(reasons().values())["outlier"] <= len(photos) + 4
    rows = pq.read_table("data/raw/manifest.parquet").to_pylist()
    two = sorted(photos)[:2]
    rows = [row | {"label": ""} for row in rows if row["path"] in two or row["path"] not in photos]
    pq.write_table(pa.Table.from_pylist(rows), "data/raw/manifest.parquet")
    clean(Stage("clean"))
    assert set(reasons()) >= set(two) and Counter(reasons().values())["outlier"] <= len(two) + 4


def test_strangeness_is_of_the_label_and_small_labels_are_left_alone():
    random = np.random.default_rng(0)
    centres = np.eye(8, dtype=np.float32)
    labels = np.array(["a"] * 20 + ["b"] * 20 + ["few"] * 4, object)
    at = np.array([0] * 20 + [1] * 20 + [2, 3, 4, 5])
    at[7] = 1  # an "a" that lies among the "b"
    points = centres[at] + random.normal(0, 0.05, (44, 8))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    found = strangeness(points.astype(np.float16), labels, np.arange(44))
    assert found.argmax() == 7 and found[7] > 20 and (np.delete(found, 7) < 6).all() and (found[-4:] == 0).all()


def test_frames_of_one_file_are_no_company_for_each_other():
    random = np.random.default_rng(0)
    points = np.eye(8)[[0] * 20 + [1] * 20] + random.normal(0, 0.05, (40, 8))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    files = np.r_[np.arange(20), np.full(20, 99)]  # one animation of something else
    found = strangeness(points.astype(np.float16), np.array(["a"] * 40, object), files)
    assert found[:20].max() < found[20:].min()


def test_of_many_pictures_a_sample_is_compared(monkeypatch):
    monkeypatch.setattr("stages.clean.outliers.SAMPLE", 50)
    monkeypatch.setattr("stages.clean.outliers.BATCH", 64)
    points = np.random.default_rng(0).normal(0, 0.1, (400, 16)) + np.eye(16)[0]
    points[123] = np.eye(16)[5]
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    assert strangeness(points.astype(np.float16), np.array([""] * 400, object), np.arange(400)).argmax() == 123


def test_a_veto_drops_and_takes_its_copies_along_and_keep_spares(tmp_path, monkeypatch):
    files = {f"{seed}.png": figure(seed) for seed in range(9)} | {"copy.png": figure(0), "line\nbreak.png": figure(20)}
    files |= {"near.webp": larger(figure(3)), "z.png": saved(noise(1), "PNG")}
    run(tmp_path, monkeypatch, files, f"upright: [photo], {LOOSE}")
    assert reasons() == {"copy.png": "exact copy", "near.webp": "near copy", "z.png": "photo"}
    said = ["# by hand", "drop 0.png", "keep z.png#0", "keep near.webp", "drop line\\nbreak.png#0"]
    Path("data/vetoes.txt").write_text("\n".join(said))
    run(tmp_path, monkeypatch, {}, f"upright: [photo], {LOOSE}")
    assert reasons() == {"0.png": "vetoed", "copy.png": "exact copy", "line\nbreak.png": "vetoed"}
    Path("data/vetoes.txt").write_text("drop 0.png\nkeep copy.png\n")  # it takes the other's place
    run(tmp_path, monkeypatch, {}, LOOSE)
    assert reasons() == {"0.png": "vetoed", "near.webp": "near copy"}
    Path("data/vetoes.txt").write_text("keep copy.png\n")  # but nothing is there twice
    run(tmp_path, monkeypatch, {}, LOOSE)
    assert reasons()["copy.png"] == "exact copy"


def test_a_line_that_says_nothing_ends_clean_before_any_work(tmp_path, monkeypatch):
    run(tmp_path, monkeypatch, {f"{seed}.png": figure(seed) for seed in range(9)}, LOOSE)
    Path("data/vetoes.txt").write_text("drop 1.png\nremove 2.png\n")
    before = Path("data/clean/images.npy").stat()
    with pytest.raises(UserError, match=r"line 2: 'remove 2\.png' is neither"):
        clean(Stage("clean"))
    assert Path("data/clean/images.npy").stat() == before


def test_a_veto_is_written_beside_the_others_and_taken_back(tmp_path):
    path = tmp_path / "vetoes.txt"
    path.write_text("# mine\nkeep a b.png\n")
    write_veto("ü#1.png#0", "drop", path)
    assert read_vetoes(path) == {"a b.png": "keep", "ü#1.png#0": "drop"}
    write_veto("ü#1.png#0", "keep", path)
    write_veto("a b.png", "", path)
    assert path.read_text() == "# mine\nkeep ü#1.png#0\n"
    path.write_bytes(b"drop caf\xe9.png\n")
    for use in (lambda: read_vetoes(path), lambda: write_veto("a", "drop", path)):
        with pytest.raises(UserError, match="is not UTF-8, from byte 8 on"):
            use()


def test_between_sources_the_largest_original_stays_and_within_one_the_first(tmp_path, monkeypatch):
    files = {f"{seed}.png": figure(seed) for seed in range(9)}
    files |= {"a.png": figure(0), "b.webp": larger(figure(0))}
    run(tmp_path, monkeypatch, files, LOOSE)
    assert set(reasons()) == {"a.png", "b.webp"}  # one source: the first stays
    assert pq.read_schema("data/raw/manifest.parquet").metadata is None  # and its manifest is as it always was
    rows = pq.read_table("data/raw/manifest.parquet").to_pylist()
    rows = [row | {"source": "web" if row["path"] == "b.webp" else row["source"]} for row in rows]
    pq.write_table(pa.Table.from_pylist(rows), "data/raw/manifest.parquet")
    clean(Stage("clean"))
    dropped = {row["source"]: row["copy_of"] for row in pq.read_table("data/clean/dropped.parquet").to_pylist()}
    assert dropped == {"0.png": "b.webp", "a.png": "0.png"}


def test_another_source_moves_no_copy_within_one():
    kind = np.array([0, 0, 1, 1, 0, 2])  # equal numbers are copies

    def search(rows: np.ndarray) -> np.ndarray:
        found, first = np.full(6, -1), {}
        for row in rows:
            found[row] = -1 if first.setdefault(kind[row], row) == row else first[kind[row]]
        return found

    source = np.array([0, 0, 0, 0, 1, 1])
    area = np.array([1, 9, 1, 9, 4, 1])

    def found(count: int) -> list[int]:
        return copies({"same": search}, np.arange(count), source, area)["same"].tolist()

    assert found(4) == [-1, 0, -1, 2, -1, -1]
    assert found(6) == [4, 4, -1, 2, -1, -1]


def test_a_picture_stays_out_that_is_near_one_which_another_source_has_too():
    def search(kind: list[int]) -> Callable[[np.ndarray], np.ndarray]:
        def found(rows: np.ndarray) -> np.ndarray:
            first: dict[int, int] = {}
            copy_of = [first.setdefault(kind[row], row) for row in rows]
            result = np.full(3, -1)
            result[rows] = np.where(copy_of == rows, -1, copy_of)
            return result

        return found

    searches = {"exact": search([0, 1, 0]), "near": search([0, 0, 0])}
    found = copies(searches, np.arange(3), np.array([0, 0, 1]), np.array([1, 9, 4]))
    assert {name: rows.tolist() for name, rows in found.items()} == {"exact": [2, -1, -1], "near": [-1, 0, -1]}


def test_of_copies_as_large_the_earlier_sources_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for Daft's processes
    monkeypatch.delenv("DVC_ROOT", raising=False)
    files = {f"{seed}.png": figure(seed) for seed in range(9)}
    write(tmp_path / "mine/pictures", files)
    tar(tmp_path / "mine/more.tar", files | {"new.png": figure(9)})
    told = "scrape: {{own: mine, sources: [{}]}}\nclean: {{{}}}\n"
    pictures, more = "{from: folder, path: pictures}", "{from: archive, path: more.tar}"
    for sources, kept in (([pictures, more], "folder"), ([more, pictures], "archive")):
        Path("params.yaml").write_text(told.format(", ".join(sources), LOOSE))
        scrape(Stage("scrape"))
        clean(Stage("clean"))
        assert reasons() == {f"{'archive' if kept == 'folder' else 'folder'}/{name}": "exact copy" for name in files}
