"""Archives on a server that speaks S3."""

from __future__ import annotations

import shutil

import pytest
from pyarrow.fs import S3FileSystem

from creatures.runtime.errors import UserError
from stages.scrape.archive import ArchiveParams, unpack_archives
from stages.scrape.site import Site
from stages.scrape.web.params import WebParams
from tests.support.drawn_creatures import LABELS

server = pytest.importorskip("moto.server", reason="moto is not installed: pip install -e '.[dev]'")


@pytest.fixture
def store(monkeypatch):
    running = server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    values = {"AWS_ACCESS_KEY_ID": "user", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in (values | {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}).items():
        monkeypatch.setenv(name, value)
    made = S3FileSystem(endpoint_override=f"http://{host}:{port}", allow_bucket_creation=True)
    made.create_dir("pictures")
    yield made
    running.stop()


def unpack(tmp_path, url: str) -> list:
    out = tmp_path / "out"
    out.mkdir(exist_ok=True)
    params = ArchiveParams.model_validate({"from": "archive", "url": url})
    return unpack_archives(Site(out, WebParams(), tmp_path / "store"), params)


def test_archives_come_as_by_http(tmp_path, tiny_set, store):
    packed = shutil.make_archive(str(tmp_path / "made"), "tar", tiny_set)
    for number in range(2):
        with open(packed, "rb") as source, store.open_output_stream(f"pictures/deep/{number}.tar") as out:
            shutil.copyfileobj(source, out)
    rows = unpack(tmp_path, "s3://pictures/deep/{0..1}.tar")
    assert len({row.path.split("/")[1] for row in rows}) == LABELS
    assert {row.status for row in rows} == {"ok"}
    for row in rows:
        number, name = row.path.split("/", 1)
        assert (tmp_path / "out/files" / row.path).read_bytes() == (tiny_set / name).read_bytes()
        assert row.url == f"s3://pictures/deep/{number}.tar#{name}"


def test_what_is_not_there_is_said_in_one_line(tmp_path, store):
    with pytest.raises(UserError, match=r"^cannot fetch s3://pictures/none.tar: .*Path does not exist"):
        unpack(tmp_path, "s3://pictures/none.tar")
