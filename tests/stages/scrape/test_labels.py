"""Labels and splits of whole sources: layouts, tables among the pictures and beside them, and turning them off."""

from __future__ import annotations

import json
import zipfile
from unicodedata import normalize

import pyarrow.parquet as pq
import pytest

from creatures.runtime.errors import UserError
from stages.scrape.archive import ArchiveParams
from stages.scrape.folder import FolderParams
from stages.scrape.manifest import write_manifest
from stages.scrape.params import ScrapeParams
from tests.stages.scrape.test_archives import tar, unpacked, zipped
from tests.stages.scrape.test_scrape import PICTURE, by_path, rows_of, site, written
from tests.support.pictures_zoo import write


def labels_of(tmp_path, files, **keys):
    write(tmp_path / "mine", files)
    rows = by_path(rows_of(site(tmp_path / "out"), FolderParams(path=str(tmp_path / "mine"), **keys)))
    return {path: (row.label, row.split) for path, row in rows.items() if row.status == "ok"}


def test_a_stylegan_zip_has_the_labels_of_its_table(tmp_path, capsys):
    names = [f"00000/img{i:08d}.png" for i in range(4)]
    table = {"labels": [[name, i % 2] for i, name in enumerate(names)]}
    path = zipped(tmp_path / "a.zip", dict.fromkeys(names, PICTURE) | {"dataset.json": json.dumps(table).encode()})
    rows = unpacked(tmp_path, path)
    assert {name: row.label for name, row in rows.items()} == dict(zip(names, "0101", strict=True))
    assert capsys.readouterr().err == "scrape: archive: 2 labels by table (0, 1)\n"
    assert written(tmp_path / "out") == set(names) and not (tmp_path / "out/labels").exists()


def test_a_table_in_each_of_several_archives(tmp_path):
    for number, label in enumerate("ab"):
        line = json.dumps({"file_name": "1.png", "label": label}).encode()
        tar(tmp_path / f"s-{number}.tar", {"1.png": PICTURE, "metadata.jsonl": line})
    rows = unpacked(tmp_path, tmp_path / "s-{0..1}.tar")
    assert {path: row.label for path, row in rows.items()} == {"s-0/1.png": "a", "s-1/1.png": "b"}


def test_class_folders_across_several_archives(tmp_path):
    for number, label in enumerate(("cat", "dog")):
        tar(tmp_path / f"s-{number}.tar", {f"{label}/1.png": PICTURE})
    rows = unpacked(tmp_path, tmp_path / "s-{0..1}.tar")
    assert {path: row.label for path, row in rows.items()} == {"s-0/cat/1.png": "cat", "s-1/dog/1.png": "dog"}


def test_hugging_faces_metadata_names_labels_in_each_split(tmp_path):
    files = {"train/1.png": PICTURE, "train/2.png": PICTURE, "val/1.png": PICTURE}
    files |= {
        "train/metadata.csv": b"file_name,label\n1.png,cat\n2.png,dog\n",
        "val/metadata.csv": b"file_name,label\n1.png,dog\n",
    }
    found = labels_of(tmp_path, files)
    assert found == {"train/1.png": ("cat", "train"), "train/2.png": ("dog", "train"), "val/1.png": ("dog", "val")}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_table_in_a_folder_of_any_normal_form_is_that_of_its_pictures(tmp_path, form):
    folder = normalize(form, "Pokémon")
    files = {f"{folder}/{i}.png": PICTURE for i in (1, 2)}
    found = labels_of(tmp_path, files | {f"{folder}/metadata.csv": b"file_name,label\n1.png,cat\n2.png,dog\n"})
    assert [label for label, _ in found.values()] == ["cat", "dog"]


def test_metadata_with_captions_alone_leaves_labels_to_folders(tmp_path):
    files = {"cat/1.png": PICTURE, "dog/1.png": PICTURE, "metadata.csv": b"file_name,text\ncat/1.png,a cat\n"}
    assert labels_of(tmp_path, files) == {"cat/1.png": ("cat", ""), "dog/1.png": ("dog", "")}


def test_a_table_of_few_pictures_leaves_the_others_to_their_folders(tmp_path):
    files = {"cat/1.png": PICTURE, "cat/2.png": PICTURE, "dog/1.png": PICTURE}
    one = {"metadata.csv": b"file_name,label\ncat/2.png,kitten\n"}
    assert [label for label, _ in labels_of(tmp_path, files | one).values()] == ["cat", "kitten", "dog"]
    none = {"dataset.json": b'{"labels": {"cat": 0, "dog": 1}}'}
    assert [label for label, _ in labels_of(tmp_path / "2", files | none).values()] == ["cat", "cat", "dog"]


def test_a_table_of_something_else_is_passed_over(tmp_path, capsys):
    files = {"cat/1.png": PICTURE, "dog/1.png": PICTURE, "metadata.csv": b"camera,lens\nx,y\n"}
    assert labels_of(tmp_path, files) == {"cat/1.png": ("cat", ""), "dog/1.png": ("dog", "")}
    assert "passed over a table: metadata.csv has no column with the pictures' names" in capsys.readouterr().err


def test_a_captioned_archive_has_no_labels_and_counts_no_failures(tmp_path):
    """As img2dataset writes it."""
    files = {
        f"{i}.{kind}": data for i in range(3) for kind, data in (("jpg", PICTURE), ("txt", b"a cat"), ("json", b"{}"))
    }
    rows = unpacked(tmp_path, tar(tmp_path / "a.tar", files))
    assert [(row.label, row.status) for row in rows.values()] == [("", "ok")] * 3


CLASSES = {"train/cat/1.png": PICTURE, "train/dog/1.png": PICTURE, "valid/cat/2.png": PICTURE}


@pytest.mark.parametrize(
    ("keys", "labels", "splits"),
    [
        ({}, ["cat", "dog", "cat"], ["train", "train", "val"]),
        ({"labels": "none"}, ["", "", ""], ["train", "train", "val"]),
        ({"splits": "none"}, ["cat", "dog", "cat"], ["", "", ""]),
        ({"labels": "folder"}, ["cat", "dog", "cat"], ["train", "train", "val"]),
    ],
)
def test_labels_and_splits_can_be_turned_off(tmp_path, keys, labels, splits):
    assert [*labels_of(tmp_path, CLASSES, **keys).values()] == [*zip(labels, splits, strict=True)]


def test_one_folder_is_a_label_if_asked_for(tmp_path):
    below = {"train/cat/1.png": PICTURE, "test/cat/2.png": PICTURE}
    found = labels_of(tmp_path / "3", below, labels="folder")
    assert found == {"test/cat/2.png": ("cat", "test"), "train/cat/1.png": ("cat", "train")}
    assert [*labels_of(tmp_path, {"jpg/1.png": PICTURE}).values()] == [("", "")]
    assert [*labels_of(tmp_path / "2", {"jpg/1.png": PICTURE}, labels="folder").values()] == [("jpg", "")]


def test_labels_come_from_a_table_that_is_named(tmp_path):
    table = tmp_path / "kinds.csv"
    table.write_text("id,breed,colour\n1,pug,red\n2,boxer,blue\n")
    files = {"jpg/1.png": PICTURE, "jpg/2.png": PICTURE, "jpg/3.png": PICTURE}
    assert [label for label, _ in labels_of(tmp_path, files, labels=str(table)).values()] == ["pug", "boxer", ""]
    found = labels_of(tmp_path / "2", files, labels=str(table), column="colour")
    assert [label for label, _ in found.values()] == ["red", "blue", ""]
    with pytest.raises(UserError, match=r"kinds\.csv has labels for none of the 1 pictures, such as x\.png"):
        labels_of(tmp_path / "3", {"x.png": PICTURE}, labels=str(table))
    with pytest.raises(UserError, match=r"sources\.0 \(folder\): .*none\.csv: no such file"):
        labels_of(tmp_path / "4", files, labels=str(tmp_path / "none.csv"))


def test_a_table_must_lie_where_dvc_watches():
    params = ScrapeParams.model_validate({"own": "data/own", "sources": [{"from": "folder", "labels": "kinds.csv"}]})
    (placed,) = params.placed()
    assert placed.labels == "data/own/kinds.csv"
    (placed,) = ScrapeParams.model_validate({"sources": [{"from": "folder", "labels": "none"}]}).placed()
    assert placed.labels == "none"
    with pytest.raises(ValueError, match="lies outside of data/own"):
        ScrapeParams.model_validate({"sources": [{"from": "folder", "labels": "../kinds.csv"}]})


def test_archives_as_people_have_them(tmp_path, capsys):
    kinds = ("cat", "dog")

    def labels(name: str, files: dict[str, bytes], **keys: object) -> set[str]:
        rows = unpacked(tmp_path / name, zipped(tmp_path / f"{name}.zip", files), **keys)
        return {row.label for row in rows.values() if row.status == "ok"}

    assert labels("top", {f"pets-master/{kind}/1.png": PICTURE for kind in kinds}) == {*kinds}
    assert labels("dot", {f"./{kind}/1.png": PICTURE for kind in kinds}) == {*kinds}
    assert labels("windows", {f"{kind}\\1.png": PICTURE for kind in kinds}) == {*kinds}
    macos = {f"pets/{kind}/1.png": PICTURE for kind in kinds} | {
        f"__MACOSX/pets/{kind}/._1.png": b"x" for kind in kinds
    }
    assert labels("macos", macos | {"pets/.DS_Store": b"x"}) == {*kinds}
    yolo = {f"images/{i}.png": PICTURE for i in range(2)} | {f"labels/{i}.txt": b"0 0.5 0.5" for i in range(2)}
    assert labels("yolo", yolo) == {""}

    with zipfile.ZipFile(tmp_path / "plain.zip", "w") as out:
        for name in ("AAAA/1.png", "BBBB/1.png"):
            out.writestr(name, PICTURE)
    names = {b"AAAA": "猫咪".encode("gbk"), b"BBBB": "小狗".encode("gbk")}
    data = (tmp_path / "plain.zip").read_bytes()
    for plain, name in names.items():
        data = data.replace(plain, name)
    (tmp_path / "gbk.zip").write_bytes(data)
    capsys.readouterr()
    unpacked(tmp_path / "guessed", tmp_path / "gbk.zip")
    assert "gbk.zip does not say how its names are encoded" in capsys.readouterr().err
    rows = unpacked(tmp_path / "gbk", tmp_path / "gbk.zip", encoding="gbk")
    assert {row.label for row in rows.values()} == {"猫咪", "小狗"}
    assert "does not say" not in capsys.readouterr().err
    with pytest.raises(ValueError, match="an encoding that Python knows"):
        ArchiveParams(path="a.zip", encoding="klingon")

    with pytest.raises(UserError, match="2 an archive in the archive: unpack it"):
        labels("nested", {f"{kind}.zip": b"PK" for kind in kinds})


def test_the_manifest_has_splits_only_where_there_are_some(tmp_path):
    for name, files in (("with", CLASSES), ("without", {"cat/1.png": PICTURE, "dog/1.png": PICTURE})):
        write(tmp_path / name, files)
        rows = rows_of(site(tmp_path / f"{name}-out"), FolderParams(path=str(tmp_path / name)))
        write_manifest(tmp_path / f"{name}.parquet", rows)
    assert pq.read_table(tmp_path / "with.parquet")["split"].to_pylist() == ["train", "train", "val"]
    assert "split" not in pq.read_table(tmp_path / "without.parquet").column_names


def test_in_a_queued_experiment_missing_pictures_are_explained(tmp_path, monkeypatch):
    """DVC copies what git tracks, and git ignores data/own."""
    copy = tmp_path / ".dvc/tmp/exps/tmpabc"
    (copy / "data/own").mkdir(parents=True)
    monkeypatch.chdir(copy)
    for params in (FolderParams(path="data/own"), FolderParams(path="none"), ArchiveParams(path="data/own/a.zip")):
        with pytest.raises(UserError, match=r"; queued experiments .* make scrape\.own an absolute path$"):
            rows_of(site(tmp_path / "out"), params)
    with pytest.raises(UserError, match=r"no such folder$"):
        rows_of(site(tmp_path / "out"), FolderParams(path=str(tmp_path / "none")))


def test_a_link_to_a_folder_elsewhere_is_refused_as_dvc_would_not_follow_it(tmp_path):
    (tmp_path / "own/kept").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "own/inside").symlink_to(tmp_path / "own/kept")
    (tmp_path / "own/link").symlink_to(tmp_path / "elsewhere")
    for path in ("kept", "inside", "new"):
        ScrapeParams.model_validate({"own": str(tmp_path / "own"), "sources": [{"from": "folder", "path": path}]})
    for path in ("link", "link/below"):
        with pytest.raises(ValueError, match="lies outside of"):
            ScrapeParams.model_validate({"own": str(tmp_path / "own"), "sources": [{"from": "folder", "path": path}]})
