"""Archives of any kind: their pictures and labels, nothing outside, nothing endless."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path, PureWindowsPath

import pyarrow as pa
import pytest

from creatures.runtime.config import parse
from creatures.runtime.errors import UserError
from stages.scrape import unpack
from stages.scrape.archive import ArchiveParams
from stages.scrape.manifest import Row
from tests.stages.scrape.test_scrape import by_path, rows_of, site, written
from tests.support.pictures_zoo import flag, saved

PICTURE = saved(flag(), "PNG")
FILES = {
    "cats/1.png": PICTURE,
    "cats/deep/2.png": PICTURE,
    "dogs/3.png": PICTURE,
    "top.png": PICTURE,
    "cats/notes.md": b"",
    "README.md": b"",
}


def tar(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as out:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
    return path


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in files.items():
            out.writestr(name, data)
    return path


def lock(out: zipfile.ZipFile, name: str) -> None:
    locked = zipfile.ZipInfo(name)
    out.writestr(locked, b"1234")
    locked.flag_bits |= 1


def zstd(path: Path, files: dict[str, bytes]) -> Path:
    plain = tar(path.with_suffix(".plain"), files).read_bytes()
    with pa.CompressedOutputStream(str(path), "zstd") as out:
        out.write(plain)
    return path


def unpacked(tmp_path: Path, path: Path | str, **keys: object) -> dict[str, Row]:
    return by_path(rows_of(site(tmp_path / "out"), ArchiveParams(path=str(path), **keys)))


KINDS = {
    "a.tar": tar,
    "a.tar.gz": lambda path, files: tar(path, files, "w:gz"),
    "a.tar.bz2": lambda path, files: tar(path, files, "w:bz2"),
    "a.tar.xz": lambda path, files: tar(path, files, "w:xz"),
    "a.tar.zst": zstd,
    "a.zip": zipped,
    "no ending": zipped,
}


@pytest.mark.parametrize("kind", KINDS)
def test_archives_of_every_kind_give_pictures_and_the_labels_of_their_folders(kind, tmp_path):
    rows = unpacked(tmp_path, KINDS[kind](tmp_path / kind, FILES))
    assert {path: (row.label, row.reason) for path, row in rows.items()} == {
        "cats/1.png": ("cats", ""),
        "cats/deep/2.png": ("cats", ""),
        "dogs/3.png": ("dogs", ""),
        "top.png": ("", ""),
        "cats/notes.md": ("", "not a picture"),
    }
    assert rows["cats/1.png"].url == f"archive:{kind}/cats/1.png"
    assert written(tmp_path / "out") == {"cats/1.png", "cats/deep/2.png", "dogs/3.png", "top.png"}
    assert (tmp_path / "out/files/top.png").read_bytes() == PICTURE


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_damaged_archive_is_one_line(kind, tmp_path):
    import os

    path = KINDS[kind](tmp_path / kind, {f"{i}.png": os.urandom(9000) for i in range(9)})
    path.write_bytes(path.read_bytes()[:40_000])
    with pytest.raises(UserError, match="cannot unpack") as error:
        unpacked(tmp_path, path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("kind", "start"), [("7z", b"7z\xbc\xaf\x27\x1c"), ("rar", b"Rar!\x1a\x07\x01\x00")])
def test_an_archive_of_another_kind_is_named_with_what_to_do(kind, start, tmp_path):
    (tmp_path / "cats").write_bytes(start + bytes(40))
    with pytest.raises(UserError, match=f"cats is a {kind} archive, which is not read: unpack it"):
        unpacked(tmp_path, tmp_path / "cats")


def test_only_what_lies_inside_a_folder_and_no_more_than_asked_for(tmp_path):
    path = tar(tmp_path / "a.tar", {f"set/{kind}/{i}.png": PICTURE for kind in "ab" for i in range(3)} | {"x.png": b""})
    assert {row.label for row in unpacked(tmp_path, path, inside="set").values()} == {"a", "b"}
    assert len(unpacked(tmp_path / "2", path, inside="set", most=4)) == 4


def test_members_that_lead_out_or_are_links_are_never_written(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as out:
        for name in ("good.png", "../up.png", "a/../../up.png", "/tmp/root.png"):
            info = tarfile.TarInfo(name)
            info.size = len(PICTURE)
            out.addfile(info, io.BytesIO(PICTURE))
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        out.addfile(link)
    before = set(tmp_path.iterdir())
    reasons = {row.path: row.reason for row in rows_of(site(tmp_path / "out"), ArchiveParams(path=str(path)))}
    assert reasons == {
        "good.png": "",
        "../up.png": "path leads out of the archive",
        "a/../../up.png": "path leads out of the archive",
        "tmp/root.png": "absolute path",
        "link.png": "link",
    }
    assert written(tmp_path / "out") == {"good.png"}
    assert set(tmp_path.iterdir()) - before == {tmp_path / "out"}


def test_paths_of_another_system_lead_nowhere_either(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "PurePath", PureWindowsPath)
    names = ("a/good.png", "C:/Users/me/x.png", "C:x.png", "..\\..\\x.png", "\\\\host\\x.png", "a\0b.png")
    members = [unpack.Member(name, True, False, 1, io.BytesIO) for name in names]
    assert [unpack.is_inside(member) for member in members] == [True] + [False] * 5


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path):
    """WebDataset's shards may have an .npz, which is a zip, beside each picture."""
    packed = zipped(tmp_path / "arrays.npz", {"a.npy": b"1"}).read_bytes()
    path = tar(tmp_path / "a.tar", {"0.png": PICTURE, "0.npz": packed})
    assert {name for name, row in unpacked(tmp_path, path).items() if row.status == "ok"} == {"0.png"}


def test_names_that_are_not_in_the_encoding_are_one_line(tmp_path):
    path = zipped(tmp_path / "a.zip", {"é.png": PICTURE})
    data = path.read_bytes().replace("é".encode(), b"\xc3\x28")
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"cannot unpack .*a\.zip: .*invalid continuation byte$"):
        unpacked(tmp_path, path)
    with pytest.raises(UserError, match="must be an encoding that Python knows"):
        parse("source", {"from": "archive", "path": "a.zip", "encoding": "base64"}, ArchiveParams)


def test_zip_links_locked_members_and_bombs_cost_a_row_each(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "MAX_BYTES", 1 << 16)
    path = zipped(tmp_path / "a.zip", {"good.png": PICTURE, "zeros.png": bytes(1 << 17), "lies.png": bytes(1 << 15)})
    with zipfile.ZipFile(path, "a") as out:
        link = zipfile.ZipInfo("link.png")
        link.external_attr = 0o120777 << 16
        out.writestr(link, "/etc/passwd")
        lock(out, "locked.png")
    packed = bytearray(path.read_bytes())
    entry = packed.rindex(b"lies.png") - 46  # in the central directory: declares fewer bytes than there are
    packed[entry + 24 : entry + 28] = (100).to_bytes(4, "little")
    path.write_bytes(packed)
    assert {name: row.reason for name, row in unpacked(tmp_path, path).items()} == {
        "good.png": "",
        "zeros.png": "too large",
        "lies.png": "cannot be unpacked",
        "link.png": "link",
        "locked.png": "cannot be unpacked",
    }


def test_a_missing_archive_and_one_without_pictures_are_one_line(tmp_path):
    with pytest.raises(UserError, match="there is no such file"):
        unpacked(tmp_path, tmp_path / "none.tar")
    with pytest.raises(UserError, match="no pictures there"):
        unpacked(tmp_path, tar(tmp_path / "a.tar", {"a.txt": b"1"}))


def test_archives_whose_names_begin_alike_come_into_folders_of_their_own(tmp_path):
    for name in ("data.0.zip", "data.1.tar.gz", "1/data.0.zip", "...zip"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        KINDS["a.zip"](tmp_path / name, {"x.png": PICTURE})
    rows = unpacked(tmp_path, tmp_path / "{data.0.zip,data.1.tar.gz,1/data.0.zip,...zip}")
    wanted = {"data.0/x.png", "data.1/x.png", "data.0-2/x.png", "archive/x.png"}
    assert {path for path, row in rows.items() if row.status == "ok"} == wanted == written(tmp_path / "out")


def test_a_missing_brace_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"\{a,b: a brace is missing"):
        unpacked(tmp_path, "{a,b")


@pytest.mark.parametrize(
    "keys", [{}, {"path": "a", "url": "http://b"}, {"path": "a", "sha256": "0" * 64}, {"url": "b"}]
)
def test_an_archive_is_in_one_place(keys):
    with pytest.raises(UserError):
        parse("scrape", keys, ArchiveParams)
