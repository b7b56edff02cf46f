"""Settings of a machine and its user reach no test, and a test that reaches a network fails.

For tests/conftest.py alone: importing this changes the environment of the process.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address

# What is kept of the environment: where things lie, what the runner and its plugins are told, and what makes
# one processor pass for another
KEPT = ("PATH", "TMPDIR", "USER", "LOGNAME", "VIRTUAL_ENV", "CUDA_VISIBLE_DEVICES", "ACCELERATE_MIXED_PRECISION")
KEPT_PREFIXES = ("PYTEST_", "COV", "LD_", "ONEDNN_", "ATEN_", "MKL_")
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
LOOPBACK = "localhost,127.0.0.1,127.0.0.2,::1"
CONNECTS = ("socket.connect", "socket.sendto", "socket.sendmsg")


def plain(given: Mapping[str, str], home: str) -> dict[str, str]:
    """An environment that is the same for everyone, with a home that holds no settings.

    No GPU is seen unless CUDA_VISIBLE_DEVICES says so: tests compare bytes, which a GPU does not promise.
    """
    kept = {key: value for key, value in given.items() if key in KEPT or key.startswith(KEPT_PREFIXES)}
    return {"CUDA_VISIBLE_DEVICES": "", "PATH": os.defpath} | kept | {
        "HOME": home,
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",  # tests run side by side, a process a core
        # DVC's settings, and its notes on files, which all users of a machine share otherwise
        "DVC_GLOBAL_CONFIG_DIR": f"{home}/dvc",
        "DVC_SYSTEM_CONFIG_DIR": f"{home}/dvc",
        "DVC_SITE_CACHE_DIR": f"{home}/dvc/site",
        "DVC_NO_ANALYTICS": "1",  # outside of a checkout, which says so itself
        "AWS_EC2_METADATA_DISABLED": "true",
        "GRADIO_ANALYTICS_ENABLED": "False",  # as the page sets it
    }  # fmt: skip


class Network:
    """Notes in `asked` what this process and those it starts ask of other machines, a line each.

    In this process a connection to another machine, or the look-up of its name, raises. Other processes are
    given a proxy: a port of this machine where all is noted and nothing answered.
    """

    def __init__(self) -> None:
        self.allowed = False
        self.asked: list[str] = []
        self._proxy = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._refuse, daemon=True).start()
        sys.addaudithook(self._audit)

    def environment(self) -> dict[str, str]:
        """For the processes."""
        address = f"http://127.0.0.1:{self._proxy.getsockname()[1]}"
        return dict.fromkeys(PROXIES, address) | {"no_proxy": LOOPBACK, "NO_PROXY": LOOPBACK}

    def _refuse(self) -> None:
        while True:
            connection, _ = self._proxy.accept()
            with connection, suppress(OSError):
                connection.settimeout(10)
                line = connection.recv(200).partition(b"\r\n")[0]
                self.asked.append(f"a process: {line.decode(errors='replace')}")

    def _audit(self, event: str, args: tuple) -> None:
        if event == "socket.getaddrinfo":
            here, address = _is_no_name(args[0]), args[0]
        elif event in CONNECTS:
            here, address = _is_loopback(args[1]), args[1]
        else:
            return
        if not here and not self.allowed:
            self.asked.append(f"{event}: {address}")
            raise PermissionError(f"a test may not use the network: {event}: {address}")


def _is_no_name(host: object) -> bool:
    """Whether nobody need be asked for the address of a host."""
    host = os.fsdecode(host) if isinstance(host, bytes) else host
    if host in (None, "", "localhost"):
        return True
    with suppress(ValueError):
        return bool(ip_address(str(host).partition("%")[0]))
    return False


def _is_loopback(address: object) -> bool:
    """Of what sockets connect to; what is no pair is no address of the internet."""
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    return host == "localhost" or (_is_no_name(host) and ip_address(host or "0.0.0.0").is_loopback)


assert "creatures" not in sys.modules  # it and what it loads read the environment
# what a parent ignores, as nohup and some runners do SIGINT, all that are started would ignore too
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
OUTER = dict(os.environ)
IS_WORKER = "PYTEST_XDIST_WORKER" in OUTER  # of a run whose first process has made the home
HOME = OUTER["HOME"] if IS_WORKER else tempfile.mkdtemp(prefix="tests-home-")
NETWORK = Network()
os.environ.clear()
os.environ.update(plain(OUTER, HOME) | NETWORK.environment())
