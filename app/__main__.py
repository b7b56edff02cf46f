"""Commands for the trained networks: `python -m app generate`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from app.checkout import InCheckout
from app.options import A_PICTURE, MOST_SEED, Holes, Scale, Seed, Sheet, Spread, Sprite, Transparent, form_of
from creatures.runtime.signals import STOPPED

app = typer.Typer(add_completion=False, no_args_is_help=True, help="New creatures from the trained models.")


@app.callback()
def commands() -> None:
    """New creatures from the trained models."""


@app.command(cls=InCheckout)
def generate(
    count: Annotated[int, typer.Option(min=1, max=100_000, help="Number of pictures.")] = 64,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Picture n of a seed is always the same.")] = 0,
    seeds: Annotated[str, typer.Option(help="The first picture of each of these seeds: 3,7-9.")] = "",
    numbers: Annotated[str, typer.Option(help="These pictures of the seed, counted from 0: 3,7-9.")] = "",
    species: Annotated[str, typer.Option(help="That pictures are to resemble: a number, or your subfolder.")] = "",
    truncation: Annotated[
        float, typer.Option(min=0.0, max=2.0, help="Below 1: more typical and less varied; above: the reverse.")
    ] = 0.8,
    best: Annotated[
        float,
        typer.Option(min=0.01, max=1.0, help="Fraction to keep, the most realistic; 0.25 generates 4 times as many."),
    ] = 1.0,
    from_: Annotated[Path | None, typer.Option("--from", help="A generated PNG: generate it again.")] = None,
    latents: Annotated[Path | None, typer.Option(help="An .npz file with z, instead of random ones.")] = None,
    save_latents: Annotated[Path | None, typer.Option(help="Write the pictures' z to this .npz file.")] = None,
    transparent: Transparent = False,
    holes: Holes = False,
    sprite: Sprite = 0,
    scale: Scale = 1,
    sheet: Sheet = "",
    out: Annotated[Path, typer.Option(help="Output folder for the PNGs and a sheet of them.")] = Path("samples"),
) -> None:
    """Generate new pictures and write them, with a sheet of all, as PNG."""
    # torch takes seconds to import: only commands that need it do
    from app.generate import address_in, addresses_of, drawn_for, write_samples
    from creatures.runtime.errors import UserError

    try:
        form = form_of(transparent, holes, sprite, scale, sheet)
        given = {"--seeds": seeds, "--numbers": numbers, "--from": from_, "--latents": latents}
        if len(named := [name for name, value in given.items() if value]) > 1:
            raise UserError(f"{' and '.join(named)} exclude each other")
        if named and best < 1:
            raise UserError(f"--best chooses from many: not with {named[0]}")
        addresses = [address_in(from_)] if from_ else addresses_of(seeds, numbers, seed, truncation, species)
        grid = write_samples(count, seed, truncation, out, best, form, addresses, species, latents, save_latents)
        count = len(addresses) or count
    except UserError as error:
        sys.exit(f"generate: {error}")
    except OSError as error:
        sys.exit(f"generate: cannot write to {out}: {error.strerror or error}")
    chosen = f", the most realistic of {drawn_for(count, best)} generated" if best < 1 else ""
    print(f"{'pictures' if latents else f'{count} pictures'} in {out}{chosen}, all of them in {grid}")


def finish(name: str, write: Callable[[], Path | list[Path]]) -> None:
    """Run a command and print the paths it wrote, or end in one line that says what is wrong."""
    from creatures.runtime.errors import UserError

    try:
        written = write()
        print(*(written if isinstance(written, list) else [written]), sep="\n")
    except UserError as error:
        sys.exit(f"{name}: {error}")
    except OSError as error:
        sys.exit(f"{name}: {error.filename}: {error.strerror}" if error.filename else f"{name}: {error}")


@app.command(cls=InCheckout)
def fuse(
    first: Annotated[str, typer.Argument(help=A_PICTURE)],
    second: Annotated[str, typer.Argument(help=A_PICTURE)],
    count: Annotated[int, typer.Option(min=2, max=100, help="Number of steps from the first to the second.")] = 8,
    rows: Annotated[int, typer.Option(min=1, max=100, help="Rows: the interpolation, then variations.")] = 3,
    seed: Seed = 0,
    truncation: Spread = 0.8,
    transparent: Transparent = False,
    holes: Holes = False,
    sprite: Sprite = 0,
    scale: Scale = 1,
    sheet: Sheet = "",
    out: Annotated[Path, typer.Option(help="A .png file.")] = Path("samples/fuse.png"),
) -> None:
    """Interpolate between two species or pictures: python -m app fuse 25 6."""
    from app.explore import fuse

    finish(
        "fuse",
        lambda: fuse(
            first, second, count, rows, seed, truncation, out, form_of(transparent, holes, sprite, scale, sheet)
        ),
    )


@app.command(cls=InCheckout)
def like(
    species: Annotated[str, typer.Argument(help="A species: a number, or the name of your subfolder.")],
    count: Annotated[int, typer.Option(min=1, max=1000, help="Number of pictures.")] = 31,
    seed: Seed = 0,
    truncation: Spread = 0.8,
    transparent: Transparent = False,
    holes: Holes = False,
    sprite: Sprite = 0,
    scale: Scale = 1,
    sheet: Sheet = "",
    out: Annotated[Path, typer.Option(help="A .png file.")] = Path("samples/like.png"),
) -> None:
    """Generate creatures near a species: its picture, its reconstruction, then variations."""
    from app.explore import near

    finish(
        "like", lambda: near(species, count, seed, truncation, out, form_of(transparent, holes, sprite, scale, sheet))
    )


@app.command(cls=InCheckout)
def vary(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A picture of your own.")],
    count: Annotated[int, typer.Option(min=1, max=1000, help="Number of pictures.")] = 31,
    seed: Seed = 0,
    truncation: Spread = 0.8,
    transparent: Transparent = False,
    holes: Holes = False,
    sprite: Sprite = 0,
    scale: Scale = 1,
    sheet: Sheet = "",
    out: Annotated[Path, typer.Option(help="A .png file.")] = Path("samples/vary.png"),
) -> None:
    """Generate variations of a picture file: the picture, its reconstruction, then variations."""
    from app.explore import near

    finish(
        "vary", lambda: near(str(file), count, seed, truncation, out, form_of(transparent, holes, sprite, scale, sheet))
    )


@app.command(cls=InCheckout)
def walk(
    stops: Annotated[int, typer.Option(min=3, max=1000, help="Number of creatures that the loop passes through.")] = 8,
    frames: Annotated[int, typer.Option(min=3, max=1000, help="Number of frames.")] = 96,
    seed: Seed = 0,
    truncation: Spread = 0.8,
    scale: Annotated[int, typer.Option(min=1, max=8, help="Factor by which frames are enlarged.")] = 4,
    out: Annotated[Path, typer.Option(help="A .gif or .mp4 file.")] = Path("samples/walk.gif"),
) -> None:
    """Write a video of a smooth loop through new creatures."""
    from app.explore import walk

    finish("walk", lambda: walk(stops, frames, seed, truncation, scale, out))


@app.command(cls=InCheckout)
def colour(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Drawings, pictures or photos.")],
    kind: Annotated[
        Literal["auto", "drawing", "picture"], typer.Option(help="Line drawings, or pictures to extract outlines from.")
    ] = "auto",
    count: Annotated[int, typer.Option(min=1, max=100, help="Number of colourings per file.")] = 5,
    like: Annotated[str, typer.Option(help="Species or picture file whose colours are used; any by default.")] = "",
    seed: Seed = 0,
    transparent: Transparent = False,
    holes: Holes = False,
    sprite: Sprite = 0,
    scale: Scale = 1,
    sheet: Sheet = "",
    out: Annotated[Path, typer.Option(help="A .png file.")] = Path("samples/colour.png"),
) -> None:
    """Colour drawings, or the outlines of pictures: python -m app colour my-drawing.png."""
    from app.colour import colour

    finish(
        "colour", lambda: colour(files, kind, count, seed, like, out, form_of(transparent, holes, sprite, scale, sheet))
    )


@app.command(cls=InCheckout)
def sweep_report(
    prefix: Annotated[str, typer.Argument(help="Prefix of the experiments' names.")],
    metric: Annotated[
        str, typer.Option(help="Metric to minimise, as FILE.KEY in metrics/.")
    ] = "pix2pix.own_palette.val_l1",
    out: Annotated[Path, typer.Option(help="Output folder.")] = Path("samples/sweep"),
) -> None:
    """Report on a sweep: table, curves, importance of parameters, parallel coordinates."""
    from app.sweep import report

    finish("sweep-report", lambda: report(prefix, metric, out))


@app.command(cls=InCheckout)
def export(
    out: Annotated[Path, typer.Option(help="Output folder for the files and their model card.")] = Path(
        "models/export"
    ),
) -> None:
    """Export the networks as ONNX, each checked against torch, with a model card."""
    from app.export import export

    finish("export", lambda: export(out))


@app.command(cls=InCheckout)
def keep(
    name: Annotated[str, typer.Argument(help="Name of the new folder in models/.")],
    force: Annotated[bool, typer.Option("--force", help="Replace what was kept under that name.")] = False,
) -> None:
    """Keep the trained networks, to resume or start from later: dvc exp run -S gan.start=NAME."""
    from app.keep import keep

    finish("keep", lambda: keep(name, force))


@app.command(cls=InCheckout)
def forecast() -> None:
    """Estimate how long `dvc repro` takes on this machine, from two seconds of measuring."""
    from app.forecast import forecast
    from creatures.runtime.errors import UserError

    try:
        print(forecast())
    except UserError as error:
        sys.exit(f"forecast: {error}")


@app.command(cls=InCheckout)
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0: all of them.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 7860,
) -> None:
    """Serve a web page to hatch, fuse and colour creatures on."""
    from app.page.serve import serve

    try:
        serve(host, port)
    except OSError as error:
        sys.exit(f"serve: cannot listen on {host}, port {port}: {error.strerror or error}")


@app.command(cls=InCheckout)
def inspect(
    html: Annotated[Path | None, typer.Option(help="Write the page to this .html file instead of serving it.")] = None,
    count: Annotated[int, typer.Option(min=1, help="Maximum number of pictures per reason in that file.")] = 1000,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 7861,
) -> None:
    """Browse kept and dropped pictures with the reasons, and veto with a click."""
    from app.inspect.page import write_html
    from app.inspect.serve import serve

    def show() -> Path | list[Path]:
        if html:
            return write_html(html, count)
        serve(port)
        return []

    finish("inspect", show)


@app.command(cls=InCheckout)
def check(
    place: Annotated[
        Path | None, typer.Argument(help="A folder or an archive of pictures; those of params.yaml if omitted.")
    ] = None,
    page: Annotated[Path | None, typer.Option("--html", help="Write a page of the pictures to this file.")] = None,
) -> None:
    """Say what would be made of your pictures: labels, splits, what is dropped and why, and the parameters to set."""
    from app.check import check, places
    from creatures.runtime.errors import UserError

    try:
        reports = [check(each, page is not None) for each in ([place] if place else places())]
    except UserError as error:
        sys.exit(f"check: {error}")
    print("\n\n".join(report.text for report in reports))
    if page:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(reports[0].page, encoding="utf-8")
        print(page)


@app.command(cls=InCheckout)
def start(
    place: Annotated[Path, typer.Argument(exists=True, help="A folder or an archive of pictures.")],
    run: Annotated[bool, typer.Option(help="Train; --no-run only changes params.yaml.")] = True,
) -> None:
    """Train on your own pictures: write what fits them into params.yaml, show what changed, and run `dvc repro`."""
    from app.start import start
    from creatures.runtime.errors import UserError

    try:
        sys.exit(start(place, run))
    except UserError as error:
        sys.exit(f"start: {error}")


@app.command()
def recipe(
    name: Annotated[str, typer.Argument(help="Name of a file in recipes/, without .yaml; lists them if omitted.")] = "",
    for_eval: Annotated[
        bool, typer.Option("--eval", help="Quote for the shell's eval, for values with spaces.")
    ] = False,
) -> None:
    """Print a recipe as flags of `dvc exp run`: dvc exp run -n sngan $(python -m app recipe sngan)."""
    import shlex

    from app.recipe import described, flags, names, no_recipe
    from creatures.runtime.errors import UserError

    try:
        parts = flags(name) if name else list(map(described, names()))
        if name and not for_eval and (split := [part for part in parts if len(part.split()) > 1]):
            command = f'eval "dvc exp run $(python -m app recipe {name} --eval)"'
            raise UserError(f"a shell would split {split[0]!r} at its spaces: run {command}")
        print((shlex.join(parts) if for_eval else " ".join(parts)) if name else "\n".join(parts))
    except UserError as error:
        print(no_recipe(name))  # without any flag DVC would record the default run as this recipe's
        sys.exit(f"recipe: {error}")


def main() -> None:
    """Run a command; end in one line if it is interrupted, or if the machine runs out of memory or disk space."""
    name = sys.argv[1] if len(sys.argv) > 1 else "app"
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, signal.default_int_handler)
    try:
        app(prog_name="python -m app")
    except SystemExit as end:
        if end.code == STOPPED:
            print(f"{name}: interrupted", file=sys.stderr)
        raise
    except Exception as error:
        from creatures.runtime.errors import out_of_memory

        if isinstance(error, OSError):
            sys.exit(f"{name}: {error.filename}: {error.strerror}" if error.filename else f"{name}: {error}")
        if out_of_memory(error):
            sys.exit(f"{name}: out of memory: ask for fewer or smaller pictures, or end what else is running")
        raise


if __name__ == "__main__":
    main()
