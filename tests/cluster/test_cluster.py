"""A Ray cluster gives what this machine alone gives, and a node that dies costs nothing but time."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest

from stages.scrape.web.guard import LOOPBACK
from tests.support.checkouts import environment, set_params
from tests.support.deps import ROOT
from tests.support.web_server import HOSTS, WebServer, web_server

cluster_utils = pytest.importorskip("ray.cluster_utils", reason="Ray is not installed: pip install -e '.[cluster]'")

NODE = {"num_cpus": 1, "object_store_memory": 200 << 20}


@pytest.fixture(scope="module")
def server() -> Iterator[WebServer]:
    with web_server() as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv(LOOPBACK, str(running.port))
        yield running


def patiently(start: Callable[[], Any]) -> Any:
    """Ray gives a node up that does not start in half a minute, as on a busy machine."""
    for _ in range(5):
        try:
            return start()
        except Exception as error:
            failed = error
    raise failed


@pytest.fixture(scope="module")
def head(server):
    with pytest.MonkeyPatch.context() as patch:
        # Ray would look for a cloud's server, and tell its makers even that it must not tell them anything
        Path("~/ray_bootstrap_config.yaml").expanduser().write_text("{}")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_USAGE_STATS_REPORT_URL", server.url("gone"))
        patch.setenv("RAY_health_check_period_ms", "300")  # not 3000: so that a lost node is soon known
        args = NODE | {"include_dashboard": False}
        made = patiently(lambda: cluster_utils.Cluster(initialize_head=True, head_node_args=args))
        yield made
        made.shutdown()


@pytest.fixture
def cluster(head):
    """Two nodes of one core each; the second may be killed."""
    head.second = patiently(lambda: head.add_node(**NODE))
    yield head
    if head.second in head.worker_nodes:
        head.remove_node(head.second)


def settings(cluster: Any = None) -> dict[str, str]:
    of_ray = {"DAFT_RUNNER": "ray", "RAY_ADDRESS": cluster.address} if cluster else {"DAFT_RUNNER": "native"}
    return environment() | of_ray


def run_stages(checkout: Path, env: dict[str, str]) -> None:
    for name in ("scrape", "clean"):
        done = subprocess.run(
            [sys.executable, "-m", f"stages.{name}"], cwd=checkout, env=env, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


def outputs(checkout: Path) -> dict[str, str]:
    """Digests of all that came of it, and the manifest less its times."""
    files = [*(checkout / "data/clean").iterdir(), *(checkout / "metrics").rglob("*.*")]
    found = {path.name: sha256(path.read_bytes()).hexdigest() for path in files}
    rows = pq.read_table(checkout / "data/raw/manifest.parquet").drop_columns("time")
    return found | {"manifest": str(rows.to_pylist())}


def test_both_stages_give_the_same_bytes(tiny_checkout_factory, server, cluster):
    there, here = tiny_checkout_factory(), tiny_checkout_factory()
    pages = [server.url(f"ok/{number}", HOSTS[number % 2]) for number in range(20)]
    for checkout, env in ((here, settings()), (there, settings(cluster))):
        (checkout / "data/own/urls.txt").write_text("\n".join([*pages, server.url("gone")]))
        set_params(checkout, {"scrape.sources": [{"from": "folder"}, {"from": "urls"}], "scrape.web.per_second": 0})
        run_stages(checkout, env)
    assert outputs(there) == outputs(here)


# Prints each answer's key and digest as it comes
SCRIPT = """
import json, sys
from hashlib import sha256
from creatures import cluster

cluster.WAVE = 60
def tell(key, answer):
    print("answer", json.dumps([key, sha256(repr(sorted(answer.items())).encode()).hexdigest()]), flush=True)
"""
DECODE = """
from stages.clean import decode
from stages.clean.params import CleanParams

decode.SHARE = 4
for answer in decode.decode_all(sys.argv[1:], CleanParams(), 256):
    tell(answer["file"], answer)
"""
ASK = """
from stages.scrape.web.engine import Asked, ask_all
from stages.scrape.web.params import WebParams

for answer in ask_all([Asked(url, url.split(":")[1][2:]) for url in sys.argv[1:]], WebParams(per_second=20)):
    del answer["time"]
    tell(answer["url"], answer)
"""
# So many that the halves of a join lie on the nodes, not with who asks for them
PAIRS = """
import numpy as np
from stages.clean import bands

bands.PARTS = 4
for seed in sys.argv[1:]:
    random = np.random.default_rng(int(seed))
    one = random.integers(0, 2**63, 100_000, np.uint64)
    other = one ^ (np.uint64(1) << random.integers(0, 64, 100_000, np.uint64))
    tell(seed, {"pairs": bands.near_pairs(np.concatenate([one, other]), 1).tolist()})
"""


def answers_of(script: str, arguments: list[str], env: dict[str, str], after: Callable[[int], None]) -> dict[Any, str]:
    """What a script prints, a line an answer; `after` is called with their number at each."""
    command = [sys.executable, "-c", SCRIPT + script, *arguments]
    rows: list[list[Any]] = []
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("answer "):  # Ray, too, writes there
                rows.append(json.loads(line.removeprefix("answer ")))
                after(len(rows))
    assert process.returncode == 0
    assert len(rows) == len(dict(rows)), "an answer came twice"
    return dict(rows)


def remove(cluster: Any) -> None:
    """Its raylet is killed; its workers notice and end."""
    cluster.remove_node(cluster.second, allow_graceful=False)


def kill(cluster: Any) -> None:
    """All its processes at once, as where a machine loses its power, and not just after an answer."""
    time.sleep(0.5)
    raylets = [psutil.Process(info.process.pid) for some in cluster.second.all_processes.values() for info in some]
    for process in [*raylets, *(child for raylet in raylets for child in raylet.children(recursive=True))]:
        with suppress(psutil.NoSuchProcess):
            process.kill()


@pytest.mark.parametrize(
    ("script", "lose", "count"),
    [(DECODE, remove, 10), (DECODE, kill, 10), (ASK, remove, 10), (PAIRS, kill, 1)],
    ids=["clean-removed", "clean-killed", "scrape-removed", "near_pairs-killed"],
)
def test_a_node_lost_in_the_middle_costs_nothing(tiny_set, server, cluster, script, lose, count):
    if script == DECODE:
        arguments = [str(path) for path in sorted(tiny_set.rglob("*.*"))] * 2
    elif script == ASK:
        arguments = [server.url(f"nap/{number}", HOSTS[number % 2]) for number in range(140)]
    else:
        arguments = ["1", "2", "3"]  # seeds

    def after(number: int) -> None:
        if number == count:
            lose(cluster)

    whole = answers_of(script, arguments, settings(), lambda number: None)
    assert answers_of(script, arguments, settings(cluster), after) == whole
    assert len(whole) == len(arguments)


# The node that worked on each row
WHERE = """
import time
from collections.abc import Sequence

import daft
import ray

@daft.func
def node(key: str) -> str:
    time.sleep(0.3)
    return ray.get_runtime_context().get_node_id()

def ask(keys: Sequence[str]) -> daft.DataFrame:
    table = daft.from_pydict({"key": list(keys)}).into_partitions(len(keys))
    return table.select("key", node(daft.col("key")).alias("node"))

for key, where in cluster.answers(sys.argv[1:], ask):
    print("answer", json.dumps([key, where]), flush=True)
"""


def test_a_node_that_joins_in_the_middle_takes_part(head):
    joined = []

    def after(number: int) -> None:
        if number == 1:
            joined.append(patiently(lambda: head.add_node(**NODE)))

    try:
        nodes = answers_of(WHERE, [str(number) for number in range(200)], settings(head), after)
        assert set(nodes.values()) == {head.head_node.node_id, joined[0].node_id}
    finally:
        for node in joined:
            head.remove_node(node)
