"""Stage `scrape`: the sources' pictures, unchanged, and a manifest."""

from __future__ import annotations

import shutil
import sys
from functools import partial

from creatures.artifacts import RAW
from creatures.runtime.atomic import atomic_folder
from stages.harness.stage import Stage, run
from stages.scrape.fetch import ARCHIVES
from stages.scrape.manifest import metrics, write_manifest
from stages.scrape.params import ScrapeParams
from stages.scrape.site import Site
from stages.scrape.sources import gather, names
from stages.scrape.web.download import finish


def main(stage: Stage) -> None:
    _, params = stage.params(ScrapeParams)
    entries, store = params.placed(), stage.root / ".ckpt" / "scrape" / "web"
    print(f"scrape: from {', '.join(names(entries))}", file=sys.stderr, flush=True)
    with atomic_folder(RAW) as out:
        rows_by_source = gather(Site(out, params.web, store), entries)
        write_manifest(out / "manifest.parquet", [row for rows in rows_by_source.values() for row in rows])
    stage.write_metrics(metrics(rows_by_source))
    stage.on_success += [partial(finish, store), partial(shutil.rmtree, store / ARCHIVES, ignore_errors=True)]


if __name__ == "__main__":
    run("scrape", main)
