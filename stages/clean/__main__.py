"""Stage `clean`: scraped files to one packed set of pictures, without copies, split."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from stages.clean.decode import decode_all
from stages.clean.files import list_files
from stages.clean.near import copy_rule, exact_copies, near_copies
from stages.clean.pack import write_dropped, write_images, write_index
from stages.clean.params import CleanParams
from stages.clean.report import copy_rows, drop_rows, figures, index_columns, tell
from stages.clean.spool import Spool, fresh_folder
from stages.lib.params import UserError
from stages.lib.pictures import FOLDER, SPLITS, open_pictures
from stages.lib.progress import track
from stages.lib.reading.unusable import EXACT, NEAR
from stages.lib.sheets import save_sheet, spread
from stages.lib.stage import Stage, run

RAW = Path("data/raw")
SHEET, COLUMNS = 120, 15  # pictures on a contact sheet, and in a row of it


def main(stage: Stage) -> None:
    common, params = stage.params(CleanParams)
    files = list_files(RAW / "manifest.parquet")
    paths = [str((RAW / "files" / file["path"]).absolute()) for file in files]

    shutil.rmtree(FOLDER, ignore_errors=True)  # may be links into DVC's cache: replaced, never written to
    FOLDER.mkdir(parents=True)
    with fresh_folder(FOLDER.with_name("clean.part")) as folder:
        spool = Spool(folder, common.image_px)
        for decoded in track(decode_all(paths, params, common.image_px), len(paths), "clean: files"):
            spool.add(decoded)
        frames = spool.frames()
        if not len(frames):
            raise UserError(f"no picture is left of {len(files)} files: {tell(spool.dropped)}")
        species = np.array([file["label"] for file in files], object)[frames.file]
        exact = exact_copies(frames.sha256)
        alike = copy_rule(spool.thumbs(), frames.place, species, params.near_colour, params.recolours)
        near = near_copies(frames.phash, np.flatnonzero(exact < 0), params.near_hash, alike)
        kept = np.flatnonzero((exact < 0) & (near < 0))
        dropped = drop_rows(spool.dropped, files) + copy_rows(frames, files, {EXACT: exact, NEAR: near})
        index = index_columns(frames, kept, files, params.val_share, params.test_share)
        write_images(FOLDER / "images.npy", len(kept), common.image_px, spool.pixels(frames.place[kept]))
    write_index(FOLDER / "index.parquet", index)
    write_dropped(FOLDER / "dropped.parquet", dropped)

    for split, share in (("train", "test_share or val_share"), ("val", "val_share")):
        if split not in index["split"]:
            change = "lower" if split == "train" else "raise"
            raise UserError(f"no picture fell into {split}: add pictures, or {change} clean.{share}")
    pictures = open_pictures()
    for split in SPLITS:
        rows = spread(pictures.rows(split), SHEET)
        save_sheet(stage.plot_path(f"{split}.png"), pictures.images[rows], COLUMNS)
    stage.write_metrics(figures(index, len(files), dropped))


if __name__ == "__main__":
    run("clean", main)
