"""Commands for the trained networks: `python -m app generate`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from app import draw_commands  # noqa: F401, its commands come first
from app.checkout import InCheckout
from app.cli import app, finish
from creatures.runtime.signals import STOPPED


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
    web: Annotated[
        Path | None, typer.Option(help="Instead, write a page to this folder that runs them in a browser.")
    ] = None,
) -> None:
    """Export the networks as ONNX, each checked against torch, with a model card; or as a page without a server."""
    if web:
        from app.web.build import build

        return finish("export", lambda: build(web))
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
def push(
    repo: Annotated[str, typer.Argument(help="OWNER/NAME on Hugging Face; created if there is none.")],
    private: Annotated[bool, typer.Option("--private", help="Create it as a private one.")] = False,
) -> None:
    """Upload the networks to the Hugging Face hub, with a model card; HF_TOKEN or `hf auth login` say who you are."""
    from app.hub import push

    finish("push", lambda: push(repo, private))


@app.command(cls=InCheckout)
def pull(
    repo: Annotated[str, typer.Argument(help="OWNER/NAME on Hugging Face.")],
    name: Annotated[str, typer.Argument(help="Name of the new folder in models/.")],
    revision: Annotated[str, typer.Option(help="A branch, a tag or a commit.")] = "main",
    force: Annotated[bool, typer.Option("--force", help="Replace what was kept under that name.")] = False,
) -> None:
    """Download networks that `push` uploaded: python -m app pull OWNER/NAME NAME.

    Then: python -m app --model models/NAME generate, or dvc exp run -S gan.start=NAME.
    """
    from app.hub import pull

    finish("pull", lambda: pull(repo, name, revision, force))


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
    root_path: Annotated[str, typer.Option(help="Path or address of the page behind a proxy: /creatures.")] = "",
    share: Annotated[
        bool, typer.Option("--share", help="Also show it by Gradio's tunnel, as from a notebook.")
    ] = False,
) -> None:
    """Serve a web page to hatch, fuse and colour creatures on."""
    from app.page.serve import serve
    from creatures.runtime.errors import UserError

    if root_path and not root_path.startswith(("/", "http://", "https://")):
        sys.exit(f"serve: --root-path {root_path} must begin with / or be an address")
    try:
        serve(host, port, root_path, share)
    except UserError as error:
        sys.exit(f"serve: {error}")


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
def pack(
    out: Annotated[Path, typer.Argument(help="A .zip file.")],
    split: Annotated[str, typer.Option(help="train, val, test or all.")] = "train",
) -> None:
    """Pack the cleaned pictures and their labels as a zip for stylegan2-ada and the programs that read its format."""
    from app.pack import pack

    finish("pack", lambda: pack(split, out))


@app.command(cls=InCheckout)
def check(
    place: Annotated[
        Path | None, typer.Argument(help="A folder or an archive of pictures; those of params.yaml if omitted.")
    ] = None,
    page: Annotated[Path | None, typer.Option("--html", help="Write a page of the pictures to this file.")] = None,
) -> None:
    """Say what would be made of your pictures: labels, splits, what is dropped and why, and the parameters to set."""
    from app.check import check
    from creatures.runtime.errors import UserError

    try:
        report = check(place, page is not None)
    except UserError as error:
        sys.exit(f"check: {error}")
    print(report.text)
    if page:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(report.page, encoding="utf-8")
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
