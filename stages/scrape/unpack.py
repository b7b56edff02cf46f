"""Archives, member by member: no paths that lead outside, no unlimited sizes."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from lzma import LZMAError
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from creatures.runtime.errors import UserError
from stages.scrape.manifest import NO_ROOM, failed, keep

MAX_BYTES = 1 << 28  # of one picture: a compressed file of zeros must not fill memory
BROKEN = (tarfile.TarError, zipfile.BadZipFile, LZMAError, zlib.error, EOFError, OSError, UnicodeError)
UNREADABLE = (RuntimeError, zipfile.BadZipFile, zlib.error, EOFError)  # one member of a zip: encrypted, damaged

UTF8 = 0x800  # flag of a zip's member: its name is UTF-8
ZSTD = b"\x28\xb5\x2f\xfd"
USTAR = b"ustar"  # bytes 257 to 261 of a tar
OTHERS = {b"7z\xbc\xaf": "7z", b"Rar!": "rar"}  # kinds that are not read, by their first bytes


@dataclass(frozen=True)
class Member:
    """A file, folder or link of an archive; `opened` works until the next member is read.

    `guessed` says that the archive does not tell the encoding of its name.
    """

    name: str
    is_file: bool
    is_folder: bool
    length: int
    opened: Callable[[], Any]
    guessed: bool = False


@contextmanager
def members(archive: Path, name: str, encoding: str = "") -> Iterator[Iterator[Member]]:
    """The members of a zip or a tar (plain, gzip, bzip2, xz, zstd).

    Args:
        name: its name in errors.
        encoding: of names in a zip that are not marked as UTF-8; "" for code page 437, as the format has it.

    Raises:
        UserError: it is neither, or damaged.
        OSError: what is taken from it cannot be written.
    """
    try:
        if kind := OTHERS.get(_start(archive)):
            raise UserError(f"{name} is a {kind} archive, which is not read: unpack it, or pack it as a zip")
        if zipfile.is_zipfile(archive) and not _start(archive, 262).endswith(USTAR):  # which may end with a zip
            with zipfile.ZipFile(archive, metadata_encoding=encoding or None) as packed:
                yield (_of_zip(packed, info) for info in packed.infolist())
        else:
            with _tar(archive) as tar:
                yield _of_tar(tar)
    except BROKEN as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:  # which is no fault of the archive
            raise
        raise UserError(f"cannot unpack {name}: {' '.join(str(error).split())}") from None


def taken(member: Member, path: str, files: Path) -> dict[str, Any]:
    """Write a member's bytes below `files`; the archive's owners, modes and links are ignored.

    Returns:
        The columns of Row for the outcome.
    """
    if member.name.startswith("/"):
        return failed("absolute path")
    if not is_inside(member):
        return failed("path leads out of the archive")
    if not member.is_file:
        return failed("link")
    if member.length > MAX_BYTES:
        return failed("too large")
    try:
        data = member.opened().read(MAX_BYTES)
    except UNREADABLE:
        return failed("cannot be unpacked")
    return keep(files, path, data)


def is_inside(member: Member) -> bool:
    """Whether a member's path leads nowhere but into the archive."""
    path = PurePath(member.name)  # as this system understands it
    return "\0" not in member.name and not path.anchor and ".." not in path.parts


def _tar(archive: Path) -> tarfile.TarFile:
    if _start(archive) != ZSTD:
        return tarfile.open(archive)
    import pyarrow as pa  # Python 3.11's library has no zstd

    return tarfile.open(fileobj=pa.CompressedInputStream(str(archive), "zstd"), mode="r|")


def _start(archive: Path, length: int = 4) -> bytes:
    """The first bytes of a file."""
    with open(archive, "rb") as start:
        return start.read(length)


def _of_tar(tar: tarfile.TarFile) -> Iterator[Member]:
    while info := tar.next():
        yield Member(info.name, info.isfile(), info.isdir(), info.size, partial(tar.extractfile, info))
        tar.members.clear()  # type: ignore[attr-defined]  # else it keeps a kilobyte of each


def _of_zip(packed: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    kind = info.external_attr >> 28  # Unix file type: 8 is a file, 10 a link, 0 unknown
    name = info.filename if "/" in info.filename else info.filename.replace("\\", "/")  # as some Windows programs write
    guessed = not info.flag_bits & UTF8 and not name.isascii()
    is_file = not info.is_dir() and kind in (0, 8)
    return Member(name, is_file, info.is_dir(), info.file_size, lambda: packed.open(info), guessed)


def below(inside: str, name: str) -> str:
    """A member's path relative to a folder of the archive; "" if it does not lie below it."""
    path = PurePosixPath(name.lstrip("/"))
    return str(path.relative_to(inside)) if path.is_relative_to(inside) else ""
