"""Stage `clean`: scraped files to one packed set of pictures, without copies, split."""

from __future__ import annotations

import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from creatures.artifacts import CLEAN, MANIFEST, RAW
from creatures.data.pictures import IMAGES, SPLITS, evenly_spaced
from creatures.data.shards import write_shards
from creatures.data.sheets import save_sheet
from creatures.data.vetoes import read_vetoes
from creatures.intake.splits import check_enough
from creatures.runtime.atomic import atomic_folder, fresh_folder
from creatures.runtime.errors import UserError
from creatures.runtime.progress import track
from stages.clean.decode import decode_all
from stages.clean.files import list_files
from stages.clean.pack import shard_order, write_images, write_index
from stages.clean.params import CleanParams
from stages.clean.report import dropped_table, held_out, index_table, metrics, splits_of, why_dropped
from stages.clean.select import Verdict, select
from stages.clean.spool import Spool
from stages.harness.stage import Stage, run

SHEET, COLUMNS = 120, 15  # pictures on a contact sheet, and in a row of it


def main(stage: Stage) -> None:
    common, params = stage.params(CleanParams)
    vetoes = read_vetoes()
    files = list_files(MANIFEST)
    root, nothing = (pa.scalar(text, pa.large_string()) for text in (f"{(RAW / 'files').absolute()}/", ""))
    paths = pc.binary_join_element_wise(root, files.path, nothing)

    with atomic_folder(CLEAN) as out, fresh_folder(CLEAN.with_name("clean.spool")) as folder:
        spool = Spool(folder, common.image_px)
        for decoded in track(decode_all(paths, params, common.image_px), len(files), "clean: files"):
            spool.add(decoded)
        frames = spool.frames()
        nothing_kept = Verdict(np.empty(0, int))
        verdict = select(frames, spool, files, params, vetoes, folder) if len(frames) else nothing_kept
        kept_rows = verdict.kept
        dropped = dropped_table(frames, files, spool.dropped, verdict)
        reasons = why_dropped(dropped, params)
        if not len(kept_rows):
            raise UserError(f"no picture is left of {len(files)} files: {reasons}")
        split = splits_of(files, params.val_share, params.test_share)[frames.file]
        check_enough(split[kept_rows])
        sharded = len(kept_rows) > params.shards_past
        if sharded:
            kept_rows = kept_rows[shard_order(split[kept_rows], frames.sha256[kept_rows])]
        index = index_table(frames, kept_rows, files, split)
        print(f"clean: {held_out(index)}", file=sys.stderr)
        print(f"clean: {len(dropped):,} dropped{reasons and f': {reasons}'}", file=sys.stderr, flush=True)
        if sharded:
            labels, images = index["label"].to_numpy(), spool.pictures(frames.place[kept_rows])
            write_shards(out, split[kept_rows], labels, images, to=params.shards_to)
        else:
            write_images(out / IMAGES, len(kept_rows), common.image_px, spool.pictures(frames.place[kept_rows]))
        rows_by_split = {name: kept_rows[split[kept_rows] == name] for name in SPLITS}
        for name, rows in (rows_by_split | {"dropped": np.array([*verdict.unwanted], int)}).items():
            blank = np.full((1, 3, common.image_px, common.image_px), 255, np.uint8)
            sheet = [*spool.pictures(frames.place[evenly_spaced(rows, SHEET)])] or [blank]
            save_sheet(stage.plot_path(f"{name}.png"), np.concatenate(sheet), COLUMNS)
        write_index(out / "index.parquet", index, common.image_px, params.model_dump())
        pq.write_table(dropped, out / "dropped.parquet")
    stage.write_metrics(metrics(index, len(files), dropped))


if __name__ == "__main__":
    run("clean", main)
