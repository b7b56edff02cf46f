"""Layouts of pictures in folders, as data sets have them: what is a label, what is a split, what is neither."""

from __future__ import annotations

from collections import Counter

import pytest

from creatures.intake.layout import Layout, described, recognise
from creatures.intake.tables import LabelTable, read_table
from creatures.runtime.errors import UserError

LAYOUTS = {
    "class folders": (["cat/1.png", "cat/2.png", "dog/1.png"], ["cat", "cat", "dog"], ["", "", ""]),
    "class folders and a picture without": (["cat/1.png", "dog/1.png", "2.png"], ["cat", "dog", ""], ["", "", ""]),
    "deep class folders": (["cat/siamese/1.png", "dog/1.png"], ["cat", "dog"], ["", ""]),
    "splits above class folders": (
        ["train/cat/1.png", "train/dog/1.png", "valid/cat/2.png", "Test/dog/3.png"],
        ["cat", "dog", "cat", "dog"],
        ["train", "train", "val", "test"],
    ),
    "splits below class folders": (
        ["cat/train/1.png", "cat/test/2.png", "dog/train/1.png", "dog/test/1.png"],
        ["cat", "cat", "dog", "dog"],
        ["train", "test", "train", "test"],
    ),
    "splits without labels": (["train/1.png", "validation/2.png"], ["", ""], ["train", "val"]),
    "splits around a folder": (["train/images/1.png", "val/images/2.png"], ["", ""], ["train", "val"]),
    "a folder around splits": (
        ["images/train/cat/1.png", "images/val/dog/2.png"],
        ["cat", "dog"],
        ["train", "val"],
    ),
    "one folder": (["flowers/jpg/1.jpg", "flowers/jpg/2.jpg"], ["", ""], ["", ""]),
    "one folder around class folders": (["pets/cat/1.png", "pets/dog/2.png"], ["cat", "dog"], ["", ""]),
    "one class folder beside pictures": (["cat/1.png", "2.png"], ["", ""], ["", ""]),
    "splits and a picture beside": (
        ["train/cat/1.png", "test/dog/2.png", "cover.png", "unlabelled/3.png"],
        ["cat", "dog", "", ""],
        ["train", "test", "", ""],
    ),
    "a split and another folder are labels": (["train/1.png", "bus/1.png"], ["train", "bus"], ["", ""]),
    "numbered folders of stylegan2-ada": (
        ["00000/img00000000.png", "00001/img00001000.png"],
        ["", ""],
        ["", ""],
    ),
    "numbered class folders": (["001/a.png", "025/b.png"], ["001", "025"], ["", ""]),
    "no folders": (["1.png", "2.png"], ["", ""], ["", ""]),
    "names in another normal form": (["Flabe\u0301be\u0301/1.png", "a/1.png"], ["Flab\u00e9b\u00e9", "a"], ["", ""]),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_gives_labels_and_splits(name):
    paths, labels, splits = LAYOUTS[name]
    layout = recognise(paths)
    assert [layout.label_of(path) for path in paths] == labels
    assert [layout.split_of(path) for path in paths] == splits


def test_splits_can_be_left_to_the_cleaning():
    layout = recognise(["train/cat/1.png", "val/dog/1.png"], splits=False)
    assert layout == Layout(label=1) and layout.split_of("train/cat/1.png") == ""


def test_levels_that_are_the_sources_own_are_skipped():
    paths = ["shard-0/cat/1.png", "shard-1/dog/1.png", "shard-1/2.png"]
    assert [recognise(paths, 1).label_of(path) for path in paths] == ["cat", "dog", ""]
    assert recognise([]) == Layout()


@pytest.mark.parametrize(
    ("paths", "line"),
    [
        (["a/1.png", "b/1.png", "b/2.png", "3.png"], "2 labels by folder (a, b), 1 without"),
        (["jpg/1.png"], "no labels (all pictures are in jpg)"),
        (["00000/img00000000.png"], "no labels (numbered folders are none)"),
        (["1.png"], "no labels"),
        (["train/1.png", "val/2.png", "val/3.png"], "no labels; splits by folder: 1 train, 2 val"),
        ([f"{kind}/1.png" for kind in "abcd"], "4 labels by folder (a, b, c, …)"),
    ],
)
def test_what_was_recognised_is_said(paths, line):
    layout = recognise(paths)
    labels, splits = Counter(map(layout.label_of, paths)), Counter(map(layout.split_of, paths))
    assert described(layout, labels, splits, "by folder") == line


TABLES = {
    "dataset.json": ('{"labels": [["00000/a.png", 3], ["00000/b.png", 0]]}', {"00000/a.png": "3", "00000/b.png": "0"}),
    "null.json": ('{"labels": null}', {}),
    "metadata.csv": ("file_name,text,label\na.png,hello,cat\n", {"a.png": "cat"}),
    "captions.csv": ("file_name,text\na.png,hello\n", {}),
    "metadata.jsonl": ('{"file_name": "a.png", "label": 2}\n\n{"file_name": "b.png"}\n', {"a.png": "2", "b.png": ""}),
    "late.jsonl": ('{"file_name": "a.png"}\n{"file_name": "b.png", "label": "\u2028x"}', {"a.png": "", "b.png": "x"}),
    "semicolons.csv": ("\ufeffid;breed\n1;pug\n", {"1": "pug"}),
    "tabs.tsv": ("path\tspecies\tx\nd/1.png\te\u0301\t\n", {"d/1.png": "\u00e9"}),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_labels(name):
    content, labels = TABLES[name]
    assert read_table(name, content.encode()) == labels


def test_a_table_may_have_a_cell_too_many_and_be_utf_16():
    assert read_table("a.csv", "file_name,label\na.png,cat,more\n".encode("utf-16")) == {"a.png": "cat"}


def test_a_column_can_be_chosen():
    content = b"file,label,kind\na.png,1,cat\n"
    assert read_table("a.csv", content, "kind") == {"a.png": "cat"}
    with pytest.raises(UserError, match=r"^a\.csv has no column x, only file, label, kind$"):
        read_table("a.csv", content, "x")


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.json", b"{", "cannot be read as a table of labels"),
        ("a.jsonl", b"[1]", "its lines must be objects"),
        ("a.json", b'{"labels": [1, 2]}', "cannot be read as a table of labels"),
        ("a.csv", b"\xff\xfe\x00", "cannot be read as a table of labels"),
        ("a.csv", b"x,label\n1,2\n", "no column with the pictures' names, such as file_name"),
    ],
)
def test_tables_that_cannot_be_used_end_in_a_line(name, content, error):
    with pytest.raises(UserError, match=error) as caught:
        read_table(name, content)
    assert "\n" not in str(caught.value)


def test_a_table_may_write_paths_their_ends_or_no_endings():
    table = LabelTable({"a\\1.png": "x", "2.png": "y", "3": "z", "./4.png": "w"}, ends=True)
    found = [table.get(path) for path in ("a/1.png", "b/1.png", "jpg/2.png", "c/3.jpg", "4.png", "5.png")]
    assert found == ["x", None, "y", "z", "w", None]
    assert LabelTable({"2.png": "y"}).get("jpg/2.png") is None
    below = LabelTable({"1.png": "x"}, "train")
    assert below.get("train/1.png") == "x" and below.get("val/1.png") is None and below.get("1.png") is None
