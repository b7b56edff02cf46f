"""A server on loopback that speaks S3, as a fixture."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest
from pyarrow.fs import S3FileSystem


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3FileSystem]:
    """What is on it: an empty bucket `pictures`. The environment says where it is."""
    server = pytest.importorskip("moto.server", reason="moto is not installed: pip install -e '.[dev]'")
    running = server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    urlopen(Request(f"http://{host}:{port}/moto-api/reset", method="POST"))  # what another server of this process has
    values = {"AWS_ACCESS_KEY_ID": "user", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"}
    for name, value in (values | {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}).items():
        monkeypatch.setenv(name, value)
    store = S3FileSystem(endpoint_override=f"http://{host}:{port}", allow_bucket_creation=True)
    store.create_dir("pictures")
    yield store
    running.stop()
