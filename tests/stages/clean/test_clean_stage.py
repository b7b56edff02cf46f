"""The whole clean stage on folders of pictures that the tests draw."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageOps

from creatures.data.pictures import SPLITS, open_pictures
from creatures.runtime.errors import UserError
from stages.clean.__main__ import main as clean
from stages.harness.stage import Stage
from stages.scrape.__main__ import main as scrape
from tests.support.pictures_zoo import BAD, GOOD, gif, saved, write

PARAMS = "scrape: {{own: mine, sources: [{{from: folder}}]}}\nclean: {{{}}}\n"
ROOT = Path(__file__).parents[3]


def figure(seed: int) -> bytes:
    """A picture like no other."""
    small = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), np.uint8)
    return saved(Image.fromarray(small).resize((70, 70), Image.Resampling.NEAREST), "PNG")


def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], params: str = "") -> dict:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for Daft's processes
    write(tmp_path / "mine", files)
    (tmp_path / "params.yaml").write_text(PARAMS.format(params))
    scrape(Stage("scrape"))
    clean(Stage("clean"))
    return json.loads((tmp_path / "metrics/clean.json").read_text())


def hashes(folder: Path) -> dict[str, str]:
    files = [*(folder / "data/clean").iterdir(), *(folder / "metrics").rglob("*.*")]
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in files}


def test_good_and_bad_side_by_side(tmp_path, monkeypatch):
    odd = {f"other/{seed}.png": figure(seed) for seed in range(12)}
    odd |= {"other/line\nbreak.png": figure(20), "sp ace/ünï 図.png": figure(21), "loop/l.gif": gif(6)}
    files = odd | {f"kinds/{n}": d for n, (d, _) in GOOD.items()} | {f"bad/{n}": d for n, (d, _) in BAD.items()}
    metrics = run(tmp_path, monkeypatch, files, "frames_per_gif: all, near_colour: 1.0")

    dropped = pq.read_table("data/clean/dropped.parquet").to_pylist()
    bad = {row["source"]: row["reason"] for row in dropped if row["source"].startswith("bad/")}
    assert bad == {f"bad/{name}": reason for name, (_, reason) in BAD.items()}
    assert sum(metrics["drops"].values()) == metrics["dropped"] == len(dropped)

    pictures = open_pictures()
    assert metrics["pictures"] == len(pictures) == sum(metrics[split] for split in SPLITS)
    assert pictures.images.shape == (len(pictures), 3, 64, 64) and pictures.images.dtype == np.uint8
    sources = set(pictures.column("source"))
    assert {"other/line\nbreak.png", "sp ace/ünï 図.png"} <= sources
    names = sorted(set(pictures.column("species")))
    assert [names[label] for label in pictures.column("label")] == list(pictures.column("species"))
    for row, digest in enumerate(pictures.column("sha256")):
        assert sha256(pictures.images[row].tobytes()).hexdigest() == digest
    assert pictures.column("style")[0] == "drawing"  # drawings come first, then names in order
    copies = {row["source"]: row["copy_of"] for row in dropped if row["copy_of"]}
    assert copies["kinds/opaque.png"] == "kinds/a.bmp"

    first = hashes(tmp_path)
    clean(Stage("clean"))
    assert hashes(tmp_path) == first


def test_adding_files_moves_no_other_and_frames_stay_together(tmp_path, monkeypatch):
    files = {f"{s}/{i}.png": figure(10 * s + i) for s in range(30) for i in range(9)} | {"0/loop.gif": gif(5)}

    def splits() -> dict[str, str]:
        index = open_pictures().index.to_pydict()
        found = dict(zip(index["source"], index["split"], strict=True))
        assert len(set(zip(index["source"], index["split"], strict=True))) == len(found)
        return found

    run(tmp_path, monkeypatch, files, "frames_per_gif: all, near_colour: 0, test_share: 0.3, val_share: 0.3")
    before = splits()
    assert set(before.values()) == set(SPLITS)
    more = {f"{s}/new {i}.png": figure(500 + 10 * s + i) for s in range(35) for i in range(2)}
    run(tmp_path, monkeypatch, more, "frames_per_gif: all, near_colour: 0, test_share: 0.3, val_share: 0.3")
    after = splits()
    assert len(after) > len(before)
    assert {path: after[path] for path in before} == before


def test_a_set_of_which_nothing_is_left_ends_in_one_line(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"^no picture is left of 2 files: 1 not a picture, 1 blank$"):
        run(tmp_path, monkeypatch, {"a.png": b"text", "b.png": BAD["blank.png"][0]})
    assert not list(tmp_path.glob("data/clean.*"))


def test_pictures_that_cannot_be_seen_are_said_with_what_helps(tmp_path, monkeypatch, capsys):
    glyphs = {f"{i}.png": saved(ImageOps.expand(Image.new("RGBA", (40, 40 + i), "white"), 9), "PNG") for i in range(3)}
    message = r"^no picture is left of 3 files: 3 blank; 3 cannot be seen on clean\.background, #ffffff: set it to auto"
    with pytest.raises(UserError, match=message):
        run(tmp_path, monkeypatch, glyphs)
    run(tmp_path, monkeypatch, glyphs | {f"dark {i}.png": figure(i) for i in range(8)})
    said = capsys.readouterr().err
    assert "clean: 8 pictures: 6 train, 1 val, 1 test\n" in said
    assert "clean: 3 dropped: 3 blank; 3 cannot be seen" in said


def test_photos_of_phones_that_cannot_be_read_are_said_with_what_helps(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("creatures.decoding.raster._can_read_heif", lambda: False)
    heic = {f"{i}.heic": BAD["picture.heic"][0] + bytes([i]) for i in range(2)}
    run(tmp_path, monkeypatch, heic | {f"dark {i}.png": figure(i) for i in range(8)})
    assert "clean: 2 dropped: 2 undecodable; 2 are HEIC: pip install pillow-heif reads them" in capsys.readouterr().err


def test_splits_of_the_source_are_kept(tmp_path, monkeypatch, capsys):
    places = [f"{split}/{kind}" for split in ("train", "valid", "test") for kind in ("cat", "dog")]
    run(
        tmp_path,
        monkeypatch,
        {f"{place}/{i}.png": figure(10 * n + i) for n, place in enumerate(places) for i in range(4)},
    )
    index = open_pictures().index.to_pydict()
    found = {path.split("/")[0]: split for path, split in zip(index["source"], index["split"], strict=True)}
    assert found == {"train": "train", "valid": "val", "test": "test"}
    assert json.loads(Path("metrics/clean.json").read_text())["test_species"] == 0
    assert ", of labels that are also in train" in capsys.readouterr().err


def test_a_missing_manifest_says_what_to_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("clean: {}\n")
    with pytest.raises(UserError, match="run the stages before"):
        clean(Stage("clean"))


def test_past_a_number_pictures_are_kept_in_shards(tmp_path, monkeypatch):
    files = {f"{number % 3}/{number}.png": figure(number) for number in range(40)}
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
    assert run(one, monkeypatch, files, "shards_past: 40") == run(other, monkeypatch, files, "shards_past: 39")
    assert (one / "data/clean/images.npy").exists()
    assert not (other / "data/clean/images.npy").exists()
    packed, sharded = open_pictures(one / "data/clean"), open_pictures(other / "data/clean")
    place = {digest: row for row, digest in enumerate(packed.column("sha256"))}
    rows = [place[digest] for digest in sharded.column("sha256")]
    np.testing.assert_array_equal(sharded.images[:], packed.images[rows])
    for name in ("source", "species", "split", "label", "phash", "ink"):
        assert list(sharded.column(name)) == list(packed.column(name)[rows])
    assert sharded.column("id").tolist() == list(range(40))
    first = hashes(other)
    run(other, monkeypatch, files, "shards_past: 39")
    assert hashes(other) == first


def test_too_few_to_train_on_is_said_before_anything_trains(tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"^one picture is too few: training needs at least 2"):
        run(tmp_path, monkeypatch, {"0.png": figure(0)})
