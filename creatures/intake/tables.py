"""Tables of labels beside pictures: stylegan2-ada's dataset.json, Hugging Face's metadata, any CSV or JSON Lines."""

from __future__ import annotations

import csv
import io
import json
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from creatures.intake.layout import normal
from creatures.runtime.errors import UserError

KNOWN = ("dataset.json", "metadata.csv", "metadata.jsonl")  # read without being named in params.yaml
MAX_BYTES = 1 << 28
FILE_COLUMNS = ("file_name", "filename", "file", "path", "image", "image_path", "image_id", "id", "name")
LABEL_COLUMNS = ("label", "labels", "class", "species", "category", "breed", "target")


def is_table(path: str) -> bool:
    """Whether a file has a name by which tables of labels are known."""
    return PurePosixPath(path).name in KNOWN


def read_table(name: str, data: bytes, column: str = "") -> dict[str, str]:
    """The labels of a table by the names of their pictures, as the table writes them; empty if it has no labels.

    Args:
        name: the file's name; its ending says what it is: .json, .jsonl, .csv or .tsv.
        column: with the labels, "" for the first of LABEL_COLUMNS that is there.

    Raises:
        UserError: it cannot be read, or has no such column, or none with the pictures' names.
    """
    try:
        text = data.decode("utf-16" if data.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
        if name.endswith(".json"):
            return _of_dataset(json.loads(text))
        rows = _records(name, text)
    except (ValueError, TypeError, csv.Error, RecursionError) as error:
        raise UserError(f"{name} cannot be read as a table of labels: {' '.join(str(error).split())}") from None
    columns = list(dict.fromkeys(column for row in rows for column in row if column))
    file = _column(columns, FILE_COLUMNS)
    label = column or _column(columns, LABEL_COLUMNS)
    if column and column not in columns:
        raise UserError(f"{name} has no column {column}, only {', '.join(columns)}")
    if not file:
        raise UserError(f"{name} has no column with the pictures' names, such as {FILE_COLUMNS[0]}")
    return {str(row[file]): _plain(row.get(label)) for row in rows if row.get(file)} if label else {}


class LabelTable:
    """Labels of pictures by path, with or without its ending.

    Args:
        labels: by the pictures' names as the table writes them.
        folder: of the table, which its names are relative to.
        ends: whether it may also write only the ends of paths.
    """

    def __init__(self, labels: Mapping[str, str], folder: str = "", ends: bool = False) -> None:
        self.above, self.ends = normal(f"{folder}/") if folder else "", ends
        names = {name.replace("\\", "/").removeprefix("./").lstrip("/"): label for name, label in labels.items()}
        self.labels = {normal(self.above + name): label for name, label in names.items()}

    def get(self, path: str) -> str | None:
        """A picture's label, None where the table does not have it."""
        path = normal(path)
        if not path.startswith(self.above):
            return None
        parts = path[len(self.above) :].split("/")
        for start in range(len(parts) if self.ends else 1):
            end = self.above + "/".join(parts[start:])
            for name in (end, end.rpartition(".")[0]):
                if name in self.labels:
                    return self.labels[name]
        return None


def first_label(tables: Iterable[LabelTable], path: str) -> str | None:
    """The label in the first of some tables that has the picture."""
    return next((label for table in tables if (label := table.get(path)) is not None), None)


def _of_dataset(content: Any) -> dict[str, str]:
    """The labels of a dataset.json, `{"labels": [["00000/img00000000.png", 6], …]}`, or null for none."""
    labels = content.get("labels") if isinstance(content, dict) else None
    pairs = labels.items() if isinstance(labels, dict) else labels or []
    return {str(name): _plain(label) for name, label in pairs}


def _records(name: str, text: str) -> list[dict[str, Any]]:
    if name.endswith(".jsonl"):
        rows = [json.loads(line) for line in text.split("\n") if line.strip()]
        if not all(isinstance(row, dict) for row in rows):
            raise ValueError("its lines must be objects")
        return rows
    delimiter = "\t" if name.endswith(".tsv") else ","
    first = text.partition("\n")[0]
    if delimiter == "," and ";" in first and "," not in first:  # as spreadsheets write it in much of Europe
        delimiter = ";"
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def _column(columns: Iterable[str], known: Iterable[str]) -> str:
    """The column with the first of the known names, "" for none."""
    by_name = {str(column).strip().casefold(): column for column in reversed(list(columns))}
    return next((by_name[name] for name in known if name in by_name), "")


def _plain(value: Any) -> str:
    """A label as text; a list, such as a one-hot vector, as its numbers."""
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return normal(str(value).strip())
