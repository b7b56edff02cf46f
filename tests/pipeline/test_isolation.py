"""Tests are the same for everyone: no settings of the machine reach them, and they reach no network."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from creatures.npm import npm_command
from tests.support.checkouts import environment, free_port
from tests.support.isolation import HOME, NETWORK, plain
from tests.support.site_server import Answer

FOREIGN = {
    "OMP_NUM_THREADS": "7",
    "DVC_ROOT": "/x",
    "GIT_DIR": "/x",
    "PYTHONPATH": "/x",
    "PROCESSES": "2",
    "WORLD_SIZE": "2",
    "HF_TOKEN": "x",
    "AWS_PROFILE": "x",
    "LC_ALL": "C",
    "FORCE_COLOR": "1",
    "XDG_CONFIG_HOME": "/x",
    "npm_config_registry": "/x",
    "CHECKPOINT_SECONDS": "1",
    "SCRAPE_LOOPBACK_PORT": "80",
    "HOME": "/x",
}


def noted() -> list[str]:
    """What was asked of the network, which is forgotten so that the test does not fail of it."""
    asked, NETWORK.asked[:] = list(NETWORK.asked), []
    return asked


def test_settings_of_the_user_do_not_count():
    assert plain(FOREIGN, "/home") == plain({}, "/home")
    assert plain({"PATH": "/bin", "CUDA_VISIBLE_DEVICES": "1"}, "")["CUDA_VISIBLE_DEVICES"] == "1"
    assert os.environ["HOME"] == HOME == environment()["HOME"] and Path(HOME).is_dir()


def test_an_address_of_another_machine_is_not_connected_to():
    with pytest.raises(PermissionError, match="may not use the network"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(PermissionError), socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        datagrams.sendto(b"", ("192.0.2.1", 53))
    assert noted() == ["socket.connect: ('192.0.2.1', 80)", "socket.sendto: ('192.0.2.1', 53)"]


def test_a_name_is_not_looked_up():
    with pytest.raises(PermissionError):
        socket.getaddrinfo("example.invalid", 80)
    with pytest.raises(PermissionError):
        asyncio.run(asyncio.open_connection("example.invalid", 80))
    assert noted() == ["socket.getaddrinfo: example.invalid"] * 2


def test_who_swallows_it_is_noted_all_the_same():
    for url in ("http://example.invalid", "https://example.invalid"):
        with pytest.raises(httpx.HTTPError):  # by the proxy, where the client asks the environment
            httpx.get(url)
    with pytest.raises((PermissionError, httpx.HTTPError)):
        httpx.get("http://192.0.2.1", trust_env=False)
    assert len(noted()) == 3


def test_this_machine_may_be_asked(serve):
    server = serve(lambda asked: Answer(b"here"))
    assert httpx.get(server.url).content == b"here"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", free_port()))


PYTHON = [sys.executable, "-c", "import urllib.request; urllib.request.urlopen('http://example.invalid/a')"]
NPM, OF_NPM = npm_command()
NPM += ["view", "pokemon", "--fetch-retries=0"]


@pytest.mark.parametrize(("command", "env", "says"), [(PYTHON, {}, "example.invalid/a"), (NPM, OF_NPM, "CONNECT ")])
def test_what_other_processes_ask_for_is_noted_too(command, env, says, tmp_path):
    watched = {"PATH": env["PATH"]} if env else {}
    assert subprocess.run(command, cwd=tmp_path, env=environment() | watched, capture_output=True).returncode
    asked = noted()
    assert asked and all(line.startswith("a process: ") and says in line for line in asked)
