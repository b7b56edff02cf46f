"""Write the page as static files: networks in ONNX with 8-bit weights, onnxruntime-web, and the page itself."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from torch import Tensor

from app.directions import directions
from app.explore import Explorer
from app.export import DATA, Exported, difference, generator, pix2pix, write
from app.networks import colourer_file, generator_file
from app.trained import cleaning_of
from creatures.data.provenance import digest_of
from creatures.latents.sampler import load_sampler
from creatures.nets.generators.mixing import Mixing, can_mix
from creatures.npm import pack
from creatures.runtime.errors import UserError
from creatures.translation.colouring import load_colourer
from creatures.translation.drawings import DRAWINGS

LISTED = re.compile(r"FILES = JSON\.parse\('(\[.*\])'\)")  # in sw.js
STATIC = Path(__file__).parent / "static"
RUNTIME = "onnxruntime-web@1.30.0"
RUNTIME_FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
PALETTES = 200
LARGE = 4096  # numbers: smaller weights stay float32
LEVELS = 127
EXACT = 1e-5  # relative error of weights that are such numbers already
MOST = 2 / 127.5  # largest difference of a pixel, in [-1, 1], that 8-bit weights may make: two levels of 255
CHECKED = 8  # pictures that compressed networks are checked with
ICON_PX = 64


def build(out: Path) -> list[Path]:
    """Write the page to a folder; nothing is there until all of it is. An earlier page there is replaced, other files
    beside it are kept.

    Returns:
        The page.

    Raises:
        UserError: a model is missing, the folder has files but no such page, or onnxruntime-web cannot be fetched.
    """
    earlier = files_of(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=out.parent) as folder:
        site = Path(folder) / "site"
        shutil.copytree(STATIC, site)
        (site / "models").mkdir()
        for name, model in (("generator", creatures()), ("pix2pix", pix2pix())):
            compress(write(name, model, site / "models" / f"{name}.onnx"), model)
        about, numbers = contents()
        (site / "about.json").write_text(json.dumps(about), encoding="utf-8")
        (site / "numbers.bin").write_bytes(b"".join(array.astype("<f8").tobytes() for array in numbers))
        icon = load_sampler(generator_file()).sample(1, 0, 0.8)[0].transpose(1, 2, 0)
        Image.fromarray(icon).resize((ICON_PX, ICON_PX)).save(site / "icon.png")
        fetch_runtime(site / "ort")
        list_files(site)
        for file in earlier:
            (out / file).unlink(missing_ok=True)
        shutil.copytree(site, out, dirs_exist_ok=True, copy_function=shutil.move)
    return [out / "index.html"]


def files_of(out: Path) -> list[str]:
    """Files of the page in a folder, relative to it; none if there is nothing in it.

    Raises:
        UserError: it has files, but no such page.
    """
    if not out.exists() or not any(out.iterdir()):
        return []
    worker = out / "sw.js"
    listed = re.search(LISTED, worker.read_text(encoding="utf-8", errors="replace")) if worker.is_file() else None
    if not listed:
        raise UserError(f"{out} has files but no such page: choose another folder")
    files = [*json.loads(listed[1]), worker.name]
    return [file for file in files if file != "./" and (out / file).resolve().is_relative_to(out.resolve())]


def creatures() -> Exported:
    """The generator, with a latent of colours beside that of shapes if it can mix them."""
    model = generator()
    if not can_mix(model.net):
        return model

    def inputs(count: int) -> dict[str, Tensor]:
        z = model.inputs(count)["z"]
        return {"z": torch.cat([z, z.flip(0)], dim=1)}

    return replace(model, net=Mixing(model.net), inputs=inputs)


def contents() -> tuple[dict[str, Any], list[np.ndarray]]:
    """What the page has to know of the networks: about.json, and the arrays of numbers.bin in order."""
    file, colours = generator_file(), colourer_file()
    sampler, colourer = load_sampler(file), load_colourer(colours)
    latent, net = sampler.latent, colourer.net
    if net.inputs != 1:
        raise UserError("the page colours outlines, and this network was trained on pairs (pix2pix.pairs)")
    arrays: dict[str, np.ndarray] = {}
    if latent.mixture is not None:
        mixture = latent.mixture
        arrays = {name: getattr(mixture, name) for name in ("weights", "means", "factors", "centre", "back")}
    elif latent.class_probs is not None:
        arrays = {"classes": latent.class_probs}
    palettes = colourer.palettes[:PALETTES].numpy()
    arrays["palettes"] = palettes
    about = {
        "network": digest_of(file),
        "side": sampler.net.image_px,
        "latent": {
            "kind": "gmm" if latent.mixture is not None else "normal",
            "length": latent.length,
            "zDim": latent.z_dim,
        },
        "mixing": can_mix(sampler.net),
        "directions": directions(file, Explorer(sampler.net, latent.mixture)) if latent.mixture is not None else [],
        "colourSide": net.image_px,
        "colours": net.colours,
        "palettes": len(palettes),
        "hints": net.hints,
        "noise": net.noise_length,
        "dropout": colourer.noise == "dropout",
        "margin": cleaning_of(colours)["clean.margin"],
        "drawings": DRAWINGS,
        "numbers": {name: int(array.size) for name, array in arrays.items()},
        "credit": " ".join(DATA[1:]),
    }
    return about, list(arrays.values())


def compress(path: Path, model: Exported) -> None:
    """Store a network's large weights as 8-bit integers with a step per output channel; their sums stay float32.

    If that changes a pixel by more than MOST, those that are not such numbers already, as released ones are (see
    `creatures.data.compact`), are stored as float16.
    """
    exact = onnx.load(path)
    for most_error in (np.inf, EXACT):
        document = onnx.ModelProto()
        document.CopyFrom(exact)
        for weight in [each for each in document.graph.initializer if np.prod(each.dims) >= LARGE]:
            if weight.data_type == TensorProto.FLOAT and len(weight.dims) > 1:
                store_small(document.graph, weight, most_error)
        onnx.save(document, path)
        if difference(path, model.net, model.inputs(CHECKED)) <= MOST:
            return
    raise UserError(f"{path.stem}: compressed weights change its pictures; nothing was written")


def store_small(graph: onnx.GraphProto, weight: onnx.TensorProto, most_error: float) -> None:
    """Replace a weight by 8-bit integers and a node that multiplies them by a step per output channel, or, if their
    mean relative error is above `most_error`, by float16 and a node that casts it.
    """
    values, name = numpy_helper.to_array(weight), weight.name
    axis = int(any(name in node.input and node.op_type == "ConvTranspose" for node in graph.node))  # in x out x …
    others = tuple(i for i in range(values.ndim) if i != axis)
    steps = (np.abs(values).max(axis=others).clip(1e-30) / LEVELS).astype(np.float32)
    rows = np.expand_dims(steps, others)
    integers = (values / rows).round().astype(np.int8)
    if np.abs(values - integers * rows).mean() <= most_error * np.abs(values).mean():
        parts, node = {"integers": integers, "steps": steps}, "DequantizeLinear"
        attributes: dict[str, Any] = {"axis": axis}
    else:
        parts, node, attributes = {"halves": values.astype(np.float16)}, "Cast", {"to": int(TensorProto.FLOAT)}
    graph.initializer.remove(weight)
    graph.initializer.extend(numpy_helper.from_array(part, f"{name} {key}") for key, part in parts.items())
    graph.node.insert(0, helper.make_node(node, [f"{name} {key}" for key in parts], [name], **attributes))


def fetch_runtime(folder: Path) -> None:
    """Fetch onnxruntime-web from npm and keep what the page needs of it.

    Raises:
        UserError: it cannot be fetched.
    """
    folder.mkdir()
    with TemporaryDirectory() as name, tarfile.open(pack(RUNTIME, Path(name))) as archive:
        for file in RUNTIME_FILES:
            source = archive.extractfile(f"package/dist/{file}")
            assert source is not None
            (folder / file).write_bytes(source.read())


def list_files(site: Path) -> None:
    """Tell the service worker all files, and a version that changes when one of them does."""
    files = sorted(path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file())
    digest = sha256()
    for file in files:
        digest.update(file.encode() + (site / file).read_bytes())
    worker = site / "sw.js"
    text = worker.read_text(encoding="utf-8").replace("@VERSION@", digest.hexdigest()[:16])
    listed = ["./", *(file for file in files if file != "sw.js")]
    worker.write_text(text.replace("@FILES@", json.dumps(listed)), encoding="utf-8")
