"""Commands that draw."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from app.checkout import InCheckout, is_given
from app.cli import app, finish
from app.options import A_PICTURE, MOST_SEED, Holes, Scale, Seed, Sheet, Spread, Sprite, Transparent, form_of

# options of `generate` that choose pictures, and those that these would leave without effect
CHOOSE = {
    "--seeds": ("count", "seed"),
    "--numbers": ("count",),
    "--from": ("count", "seed", "truncation", "species"),
    "--latents": ("count", "seed", "truncation", "species"),
}


@app.command(cls=InCheckout)
def generate(
    ctx: typer.Context,
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
        typer.Option(min=0.01, max=1.0, help="Fraction to keep, whole and realistic; 0.25 generates 4 times as many."),
    ] = 1.0,
    from_: Annotated[Path | None, typer.Option("--from", help="A generated PNG: generate it again.")] = None,
    latents: Annotated[Path | None, typer.Option(help="An .npz file with z, instead of random ones.")] = None,
    save_latents: Annotated[Path | None, typer.Option(help="Write the pictures' z to this .npz file.")] = None,
    transparent: Transparent = False,
    holes: Holes = False,
    sprite: Sprite = 0,
    scale: Scale = 1,
    sheet: Sheet = "",
    out: Annotated[Path, typer.Option(help="Output folder, for PNGs in place of an earlier call's.")] = Path("samples"),
) -> None:
    """Generate new pictures and write them, with a sheet of all, as PNG."""
    # torch takes seconds to import: only commands that need it do
    from app.generate import GRID, address_in, addresses_of, drawn_for, write_samples
    from app.pictures import spare
    from creatures.runtime.errors import UserError

    try:
        form = form_of(transparent, holes, sprite, scale, sheet)
        given = dict(zip(CHOOSE, (seeds, numbers, from_, latents), strict=True))
        if len(named := [name for name, value in given.items() if value]) > 1:
            raise UserError(f"{' and '.join(named)} exclude each other")
        for option in CHOOSE[named[0]] if named else ():
            if is_given(ctx, option):
                raise UserError(f"--{option} chooses other pictures: not with {named[0]}")
        if named and best < 1:
            raise UserError(f"--best chooses from many: not with {named[0]}")
        addresses = [address_in(from_)] if from_ else addresses_of(seeds, numbers, seed, truncation, species)
        spare([str(from_)] if from_ else [], out, out / GRID)
        grid = write_samples(count, seed, truncation, out, best, form, addresses, species, latents, save_latents)
        count = len(addresses) or count
    except UserError as error:
        sys.exit(f"generate: {error}")
    except OSError as error:
        sys.exit(f"generate: {error.filename or out}: {error.strerror or error}")
    chosen = f", the most realistic of {drawn_for(count, best)} generated" if best < 1 else ""
    print(f"{'pictures' if latents else f'{count} pictures'} in {out}{chosen}, all of them in {grid}")


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
def mix(
    whats: Annotated[list[str] | None, typer.Argument(help=f"{A_PICTURE} None: new creatures.")] = None,
    count: Annotated[int, typer.Option(min=2, max=50, help="Number of new creatures.")] = 6,
    seed: Seed = 0,
    truncation: Annotated[float, typer.Option(min=0.0, max=2.0, help="Of new creatures; below 1: more typical.")] = 0.8,
    transparent: Transparent = False,
    holes: Holes = False,
    sprite: Sprite = 0,
    scale: Scale = 1,
    sheet: Sheet = "",
    out: Annotated[Path, typer.Option(help="A .png file.")] = Path("samples/mix.png"),
) -> None:
    """Give creatures the colours of others: python -m app mix 25 6 133.

    A row keeps the shape of a creature, a column the colours of one.
    """
    from app.mixing import mix

    finish(
        "mix",
        lambda: mix(whats or [], count, seed, truncation, out, form_of(transparent, holes, sprite, scale, sheet)),
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
    whats: Annotated[list[str] | None, typer.Argument(help=f"{A_PICTURE} None: new creatures.")] = None,
    seeds: Annotated[str, typer.Option(help="Also through the first creature of each of these seeds: 3,7-9.")] = "",
    stops: Annotated[int, typer.Option(min=3, max=1000, help="Number of new creatures, if none are given.")] = 8,
    frames: Annotated[int, typer.Option(min=3, max=1000, help="Number of frames.")] = 96,
    seed: Seed = 0,
    truncation: Spread = 0.8,
    scale: Annotated[int, typer.Option(min=1, max=8, help="Factor by which frames are enlarged.")] = 4,
    out: Annotated[Path, typer.Option(help="A .gif, .mp4, .webm or (animated) .png file.")] = Path("samples/walk.gif"),
) -> None:
    """Write a video of a smooth loop through creatures: python -m app walk 25 6 133 --out walk.mp4."""
    from app.film import walk

    finish("walk", lambda: walk(whats or [], seeds, stops, frames, seed, truncation, scale, out))


@app.command(cls=InCheckout)
def colour(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Drawings, pictures or photos.")],
    kind: Annotated[
        Literal["auto", "drawing", "picture"], typer.Option(help="Line drawings, or pictures to extract outlines from.")
    ] = "auto",
    count: Annotated[int, typer.Option(min=1, max=100, help="Number of colourings per file.")] = 5,
    like: Annotated[str, typer.Option(help="Species or picture file whose colours are used; any by default.")] = "",
    ink: Annotated[bool, typer.Option(help="Lay a drawing's own lines over its colours.")] = True,
    seed: Seed = 0,
    transparent: Transparent = False,
    holes: Holes = False,
    sprite: Sprite = 0,
    scale: Scale = 1,
    sheet: Sheet = "",
    out: Annotated[Path, typer.Option(help="A .png file.")] = Path("samples/colour.png"),
) -> None:
    """Colour drawings, or the outlines of pictures: python -m app colour my-drawing.png.

    In a drawing in black, coloured strokes say which colour goes where.
    """
    from app.colour import colour

    finish(
        "colour",
        lambda: colour(files, kind, count, seed, like, out, form_of(transparent, holes, sprite, scale, sheet), ink),
    )
