"""Stage `scrape`: a source's pictures as they came, and a manifest."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from stages.lib.stage import Stage, run
from stages.scrape.fetch import ARCHIVES
from stages.scrape.manifest import figures, write_manifest
from stages.scrape.params import ScrapeParams
from stages.scrape.site import RAW, Site
from stages.scrape.sources import gather, names
from stages.scrape.web.download import finish


def main(stage: Stage) -> None:
    _, params = stage.params(ScrapeParams)
    entries, store = params.placed(), stage.root / ".ckpt" / "scrape" / "web"
    print(f"scrape: from {', '.join(names(entries))}", file=sys.stderr, flush=True)
    with _whole(RAW) as out:
        found = gather(Site(out, params.web, store), entries)
        write_manifest(out / "manifest.parquet", [row for rows in found.values() for row in rows])
    stage.write_metrics(figures(found))
    stage.on_success += [partial(finish, store), partial(shutil.rmtree, store / ARCHIVES, ignore_errors=True)]


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A folder beside, which takes `folder`'s place when all went well: never half a set."""
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield part
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


if __name__ == "__main__":
    run("scrape", main)
