"""Options that several commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.pictures import Form

MOST_SEED = 2**63 - 1  # the largest that torch takes
MOST_CELLS = 65_536  # of a sprite sheet

Seed = Annotated[int, typer.Option(min=0, max=MOST_SEED, help="The same seed gives the same pictures.")]
Spread = Annotated[float, typer.Option("--truncation", min=0.0, max=2.0, help="Strength of the variations; 0: none.")]
A_PICTURE = "A species (a number, or the name of your subfolder) or a picture file."

Transparent = Annotated[bool, typer.Option("--transparent", help="Cut the background around the figure away.")]
Holes = Annotated[bool, typer.Option("--holes", help="Cut background that the figure encloses away, too.")]
Sprite = Annotated[
    int, typer.Option(min=0, max=255, help="Colours of each picture's own palette: indexed PNGs with hard edges.")
]
Scale = Annotated[int, typer.Option(min=1, max=16, help="Factor by which pictures are enlarged.")]
Sheet = Annotated[str, typer.Option(help="COLUMNSxROWS of sprite sheets, each with a JSON of its cells.")]


def form_of(transparent: bool, holes: bool, sprite: int, scale: int, sheet: str) -> Form:
    """The form that these options give pictures. Raises UserError for a wrong size of sheets."""
    from app.pictures import Form
    from app.sprites import Style
    from creatures.runtime.errors import UserError

    columns, _, rows = sheet.partition("x")
    cells = None
    if sheet:
        if not (columns.isdecimal() and rows.isdecimal() and 0 < int(columns) * int(rows) <= MOST_CELLS):
            raise UserError(f"--sheet {sheet} must be COLUMNSxROWS, such as 8x4, of at most {MOST_CELLS:,} cells")
        cells = int(columns), int(rows)
    return Form(Style(transparent or holes or sprite > 0, holes, sprite, scale), cells)
