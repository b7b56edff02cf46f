"""The source `huggingface`: the pictures in a data set's Parquet files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from creatures.hub import ask_hub
from creatures.runtime.errors import UserError
from stages.scrape.folder import up_to
from stages.scrape.manifest import Row, failed, keep, text, why_none
from stages.scrape.site import LabelledParams, Site
from stages.scrape.unpack import MAX_BYTES
from stages.scrape.web.signature import NoPicture, suffix

ROWS = 16  # read at once: pictures may be large


class HuggingfaceParams(LabelledParams):
    dataset: str = Field(pattern=r"^[\w.-]+(/[\w.-]+)?$", description="owner/name")
    revision: str = Field("main", min_length=1, description="a branch, a tag or, always the same, a commit")
    files: str = Field("*.parquet", min_length=1, description="which of its files, such as */train-*.parquet")
    image: str = Field("image", min_length=1, description="the column of pictures")
    label_column: str = Field("label", description="the column of labels; '' for none")


def fetch_tables(site: Site, params: HuggingfaceParams) -> list[Row]:
    """Fetch a data set's Parquet files through huggingface_hub, which keeps them in its own
    cache, and write their pictures; label names are those of its ClassLabel.

    Raises:
        UserError: no network, no permission, no such data set or revision, no Parquet files
            in it, none of these columns in them, no pictures.
    """
    info = ask_hub(_named(params), lambda hub: hub.dataset_info(params.dataset, revision=params.revision, timeout=30))
    names = [file.rfilename for file in info.siblings or [] if file.rfilename.endswith(".parquet")]
    names = sorted(name for name in names if fnmatch(name, params.files))
    if not names:
        raise UserError(
            f"{params.dataset} has no file {params.files} at revision {params.revision};"
            " revision: refs/convert/parquet may have some"
        )
    licence = str((info.card_data or {}).get("license") or "unknown")
    rows = up_to(params.most, (row for name in names for row in _rows(site.out, params, name, info.sha, licence)))
    if not any(row.status == "ok" for row in rows):
        raise UserError(f"{params.dataset} holds no pictures in column {params.image}{why_none(rows)}")
    return rows


def _named(params: HuggingfaceParams) -> str:
    return f"data set {params.dataset} at revision {params.revision}"


def _rows(out: Path, params: HuggingfaceParams, name: str, commit: str, licence: str) -> Iterator[Row]:
    path = ask_hub(
        _named(params), lambda hub: hub.hf_hub_download(params.dataset, name, repo_type="dataset", revision=commit)
    )
    try:
        with pq.ParquetFile(path) as table:
            labels, columns = _labels(table.schema_arrow, params, name)
            number = 0
            for batch in table.iter_batches(ROWS, columns=columns):
                for values in batch.to_pylist():
                    file = f"{name.removesuffix('.parquet')}/{number:08}"
                    url = f"huggingface:{params.dataset}@{commit}/{name}#{number}"
                    saved_path, outcome = _keep(out / "files", file, values[params.image])
                    label = _label_text(values.get(params.label_column), labels)
                    yield Row(saved_path, label, "huggingface", url, licence, **outcome)
                    number += 1
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{params.dataset}: cannot read {name}: {' '.join(str(error).split())}") from None


def _labels(schema: pa.Schema, params: HuggingfaceParams, name: str) -> tuple[list[str], list[str]]:
    """The class names of a ClassLabel, [] if the labels are not one, and the columns to read."""
    columns = [params.image, params.label_column] if params.label_column else [params.image]
    for column in columns:
        if column not in schema.names:
            raise UserError(f"{params.dataset}: {name} has no column {column}, only {', '.join(schema.names)}")
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return list(features[params.label_column]["names"]), columns
    except (KeyError, TypeError, ValueError):
        return [], columns


def _label_text(value: Any, names: list[str]) -> str:
    """A label as text; "" for none, and for numbers without a class, such as -1 in sets without labels."""
    if names and isinstance(value, int):
        return text(names[value]) if 0 <= value < len(names) else ""
    return "" if value is None else text(str(value))


def _keep(files: Path, file: str, value: Any) -> tuple[str, dict[str, Any]]:
    """Write a picture; return its path, and the columns of Row for the outcome."""
    data = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(data, bytes):
        return file, failed("no bytes in the table")
    try:
        file += suffix(data)
    except NoPicture as reason:
        return file, failed(str(reason))
    if len(data) > MAX_BYTES:
        return file, failed("too large")
    return file, keep(files, file, data)
