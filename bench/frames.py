"""Speed of scrape and clean when every frame of every animation is kept.

    python -m bench.frames [--limit FILES]

Runs both stages in a temporary folder with `clean.frames_per_gif: all`, and prints
frames, seconds, frames a second and the peak memory of all processes together.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pyarrow.parquet as pq

ROOT = Path(__file__).parent.parent


class Peak(threading.Thread):
    """Peak memory of a process and its children together, sampled ten times a second."""

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self.process, self.bytes, self.done = process, 0, threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.1):
            self.bytes = max(self.bytes, sum(map(_memory, [self.process, *self._children()])))

    def _children(self) -> list[psutil.Process]:
        try:
            return self.process.children(recursive=True)
        except psutil.NoSuchProcess:
            return []


def _memory(process: psutil.Process) -> int:
    """Proportional set size: pages that processes share count once. 0 if the process has ended."""
    try:
        return process.memory_full_info().pss
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return 0


def run_stage(name: str, folder: Path) -> tuple[float, int]:
    """Run one stage in `folder`; return its seconds and its peak memory in bytes."""
    started = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    process = subprocess.Popen([sys.executable, "-m", f"stages.{name}"], cwd=folder, env=environment)
    peak = Peak(psutil.Process(process.pid))
    peak.start()
    code = process.wait()
    peak.done.set()
    if code:
        sys.exit(code)
    return time.monotonic() - started, peak.bytes


def keep_spread(manifest: Path, limit: int) -> None:
    """Leave `limit` rows of a manifest, evenly spread."""
    table = pq.read_table(manifest)
    step = max(1, -(-len(table) // limit))
    pq.write_table(table.take(list(range(0, len(table), step))), manifest)


def main() -> None:
    from ruamel.yaml import YAML

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, help="clean only so many of the files")
    limit = parser.parse_args().limit
    with TemporaryDirectory() as name:
        folder = Path(name)
        for name in ("creatures", "stages"):
            shutil.copytree(ROOT / name, folder / name)
        shutil.copytree(ROOT / "data" / "own", folder / "data" / "own")
        shutil.copy(ROOT / "data" / "vetoes.txt", folder / "data")
        shutil.copy(ROOT / "dvc.yaml", folder)
        params = YAML().load((ROOT / "params.yaml").read_text())
        params["clean"]["frames_per_gif"] = "all"
        YAML().dump(params, folder / "params.yaml")

        scrape_s, scrape_peak = run_stage("scrape", folder)
        if limit:
            keep_spread(folder / "data" / "raw" / "manifest.parquet", limit)
        clean_s, clean_peak = run_stage("clean", folder)
        metrics = json.loads((folder / "metrics" / "clean.json").read_text())
    frames, seconds = metrics["pictures"] + metrics["dropped"], scrape_s + clean_s
    print(
        f"{frames:,} frames in {seconds:.1f} s (scrape {scrape_s:.1f}, clean {clean_s:.1f}): {frames / seconds:.0f}/s"
    )
    print(f"{metrics['pictures']:,} kept, peak memory {max(scrape_peak, clean_peak) / 2**20:,.0f} MiB")
    print(json.dumps(metrics["drops"]))


if __name__ == "__main__":
    main()
