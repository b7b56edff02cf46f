"""Pictures in WebDataset shards: tar files of `.npy` members, with random access by a picture's number.

https://github.com/webdataset/webdataset. All members have the same length, so a picture's offset follows from its
number, and nothing has to be decoded. Next to each picture is its label, `.cls`, -1 for none; `shards.json` is
the index of shards that webdataset's `wids` reads. Shards may be on S3: then the index has their addresses,
lengths and digests, and they are copied to this machine when they are read.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from creatures.data.copies import CachedObject
from creatures.data.loading import reading
from creatures.data.provenance import digest_of
from creatures.data.records import Records
from creatures.runtime.errors import UserError
from creatures.s3 import AT_ONCE, S3, put_object, several_at_once

INDEX = "shards.json"
PER_SHARD = 10_000  # pictures
CHUNK = 512  # pictures read at once when iterating


def write_shards(
    folder: Path,
    splits: np.ndarray,
    labels: np.ndarray,
    pictures: Iterable[np.ndarray],
    per_shard: int = PER_SHARD,
    to: str = "",
) -> None:
    """Write pictures as `<split>-<number>.tar`, and their index; the same bytes for the same pictures.

    Args:
        splits: N names; each split is contiguous.
        labels: int, N, -1 for none.
        pictures: chunks, uint8, n x 3 x H x W each, N pictures in all.
        to: s3://bucket/path that the shards are moved to, several at a time; their names there end in their digests.

    Raises:
        UserError: they cannot be written there.
    """
    packed = _packed(folder, splits, labels, pictures, per_shard)
    if to:
        shards = list(several_at_once(partial(_moved, to=to), packed))
    else:
        shards = [{"url": path.name, "nsamples": count} for path, count in packed]
    (folder / INDEX).write_text(json.dumps({"wids_version": 1, "shardlist": shards}, indent=1) + "\n")


def _packed(
    folder: Path, splits: np.ndarray, labels: np.ndarray, pictures: Iterable[np.ndarray], per_shard: int
) -> Iterator[tuple[Path, int]]:
    """Each shard's file, and how many pictures are in it."""
    rows = iter(picture for chunk in pictures for picture in chunk)
    ends: list[int] = (np.flatnonzero(np.append(splits[1:] != splits[:-1], True)) + 1).tolist()
    for first, end in zip([0, *ends[:-1]], ends, strict=True):
        for shard, start in enumerate(range(first, end, per_shard)):
            path, count = folder / f"{splits[first]}-{shard:06d}.tar", min(per_shard, end - start)
            with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
                for number in range(start, start + count):
                    _add(tar, f"{number:09d}.npy", _npy(next(rows)))
                    _add(tar, f"{number:09d}.cls", str(labels[number]).encode())
            yield path, count


def _moved(shard: tuple[Path, int], to: str) -> dict[str, Any]:
    """The entry in the index of a shard, of so many pictures, that this moves to S3."""
    path, count = shard
    digest, length = digest_of(path), path.stat().st_size
    url = f"{to.rstrip('/')}/{path.stem}-{digest}.tar"
    put_object(path, url)
    path.unlink()
    return {"url": url, "nsamples": count, "filesize": length, "digest": digest}


def _npy(picture: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, picture)
    return out.getvalue()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def _blocks(count: int) -> int:
    """Round bytes up to whole blocks of a tar file."""
    return -(-count // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


class Shards:
    """Shards as one array that is read on indexing.

    Attributes:
        shape: (N, 3, H, W).
        limits: int (shards + 1,): the number of each shard's first picture, and N.

    Raises:
        UserError: there are none, or they are damaged.
    """

    def __init__(self, folder: Path) -> None:
        with reading(folder / INDEX):
            shards = json.loads((folder / INDEX).read_text(encoding="utf-8"))["shardlist"]
            counts = [int(shard["nsamples"]) for shard in shards]
            self.objects = {
                number: CachedObject(shard["url"], str(shard["digest"]), int(shard["filesize"]))
                for number, shard in enumerate(shards)
                if shard["url"].startswith(S3)
            }
            paths = [folder / shard["url"] for shard in shards]
        for number, copy in self.objects.items():
            paths[number] = copy.path
        self.limits = np.cumsum([0, *counts])
        self._fetch([0])
        with reading(paths[0]), open(paths[0], "rb") as file:
            file.seek(tarfile.BLOCKSIZE)  # past the tar header of the first picture
            first, end = np.load(file, allow_pickle=False), file.tell()
            file.seek(tarfile.BLOCKSIZE)
            header = file.read(end - first.nbytes - tarfile.BLOCKSIZE)
        step = _blocks(end) + 2 * tarfile.BLOCKSIZE  # two blocks for the label
        self.files = [Records(path, first.shape, tarfile.BLOCKSIZE, step, header) for path in paths]
        self.shape = (int(self.limits[-1]), *first.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: int | slice | np.ndarray) -> np.ndarray:
        """Pictures, uint8: one, 3 x H x W, or several, n x 3 x H x W.

        Args:
            rows: in an array, only numbers from 0 on.

        Raises:
            UserError: a shard cannot be read.
        """
        if not isinstance(rows, np.ndarray) or not rows.ndim:
            picked = range(len(self))[rows]
            return self[np.array(picked)] if isinstance(picked, range) else self[np.array([picked])][0]
        pictures = np.empty((len(rows), *self.shape[1:]), np.uint8)
        shard = self.shard_of(rows)
        numbers = np.unique(shard).tolist()
        for start in range(0, len(numbers), AT_ONCE):
            some = numbers[start : start + AT_ONCE]
            self._fetch(some)
            for number in some:
                mask = shard == number
                pictures[mask] = self._read(number, rows[mask] - self.limits[number])
        return pictures

    def _read(self, number: int, places: np.ndarray) -> np.ndarray:
        try:
            try:
                return self.files[number][places]
            except OSError:
                if number not in self.objects:
                    raise
                self.objects[number].fetch_anew()
                return self.files[number][places]
        except OSError as error:
            raise UserError(f"a shard of pictures cannot be read: {error}; run dvc checkout or dvc repro") from None

    def __iter__(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self), CHUNK):
            yield from self[start : start + CHUNK]

    def shard_of(self, rows: np.ndarray) -> np.ndarray:
        """The number of the shard that each of `rows` is in."""
        return np.searchsorted(self.limits, rows, side="right") - 1

    def read_ahead(self, rows: np.ndarray) -> None:
        """Let the system read the shards of `rows` in the background, or fetch them there."""
        for number in np.unique(self.shard_of(rows)).tolist():
            if number in self.objects:
                self.objects[number].fetch_ahead()
            else:
                self.files[number].read_ahead()

    def _fetch(self, numbers: Sequence[int]) -> None:
        """Copy those of these shards that are on S3 to this machine, unless they are here."""
        wanted = [self.objects[number] for number in numbers if number in self.objects]
        list(several_at_once(CachedObject.fetch, [copy for copy in wanted if not copy.here()]))
