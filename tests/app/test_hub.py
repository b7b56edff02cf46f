"""Networks to a hub and back, from a server that answers as Hugging Face's does."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from app import networks
from app.__main__ import app
from app.explore import near
from app.hub import CARD, DIGESTS, PARAMS, SAMPLES, pull, push
from app.page.onnx_colourer import quick_colourer
from app.page.studio import Studio
from creatures.artifacts import CLEAN, COLOURER, DISCRIMINATOR, ENCODER, GENERATOR, MIXTURE
from creatures.data.pictures import IMAGES
from creatures.latents.sampler import load_sampler
from creatures.runtime.errors import UserError
from creatures.translation.colouring import load_colourer
from tests.support.site_server import Answer, Asked, Serve, as_json
from tests.support.untrained import COUNT, write_run

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "some/creatures"


@pytest.fixture()
def hub(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, bytes]:
    """The files of its one repository, once there is one; a run lies in the working directory."""
    files: dict[str, bytes] = {}

    def answer(asked: Asked) -> Answer:
        url = f"http://{asked.headers['host']}/{REPO}"
        match asked.path.removeprefix("/api/").split("/"):
            case ["repos", "create"]:
                return as_json({"url": url})
            case ["validate-yaml"]:
                return as_json({"errors": [], "warnings": []})
            case ["models", *_, "preupload", "main"]:
                paths = [file["path"] for file in json.loads(asked.body)["files"]]
                return as_json(
                    {"files": [{"path": path, "uploadMode": "regular", "shouldIgnore": False} for path in paths]}
                )
            case ["models", *_, "commit", "main"]:
                for line in map(json.loads, asked.body.splitlines()):
                    if line["key"] == "file":
                        files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
                    elif line["key"] == "deletedFile":
                        del files[line["value"]["path"]]
                return as_json({"commitUrl": f"{url}/commit/{COMMIT}", "commitOid": COMMIT})
            case ["models", "some", "creatures", "revision", "main"] if files:
                return as_json({"id": REPO, "sha": COMMIT})
            case ["models", "some", "creatures"]:
                return as_json({"id": REPO, "private": False})
            case ["models", *_, "tree", _]:
                about = {"type": "file", "oid": COMMIT}
                return as_json([about | {"path": name, "size": len(body)} for name, body in files.items()])
        name = asked.path.removeprefix(f"/{REPO}/resolve/{COMMIT}/")
        if name in files:
            return Answer(files[name], 200, {"ETag": f'"{name}"', "X-Repo-Commit": COMMIT})
        return Answer(b"{}", 404, {"X-Error-Code": "RepoNotFound"})

    server = serve(answer)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
    address = server.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", address)
    monkeypatch.setenv("HF_TOKEN", "hf_ours")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(networks, "_named", None)
    write_run()
    return files


def test_networks_come_back_as_they_went_and_are_drawn_with(hub):
    assert push(REPO).endswith(REPO)
    assert set(hub) == {path.name for path in (ENCODER, MIXTURE, GENERATOR, COLOURER)} | {
        CARD,
        DIGESTS,
        PARAMS,
        SAMPLES,
    }
    assert f"python -m app pull {REPO} NAME" in hub[CARD].decode() and hub[CARD].startswith(b"---\n")
    hub["evil.py"] = hub["gan.pt"] = b"import os"
    folder = pull(REPO, "theirs")
    assert {path.name for path in folder.iterdir()} == set(hub) - {"evil.py", "gan.pt"}
    assert all((folder / name).read_bytes() == hub[name] for name in (GENERATOR.name, MIXTURE.name))

    wanted = load_sampler(GENERATOR).sample(4, 5)
    write_run(seed=1)  # own ones are others now
    result = CliRunner().invoke(app, ["--model", "models/theirs", "generate", "--count", "4", "--out", "made"])
    assert result.exit_code == 0, result.output
    assert networks.generator_file() == folder.resolve() / GENERATOR.name
    assert np.array_equal(load_sampler(networks.generator_file()).sample(4, 5), wanted)
    assert len(list(Path("made").glob("00*.png"))) == 4
    with pytest.raises(UserError, match="theirs is there already"):
        pull(REPO, "theirs")
    assert pull(REPO, "theirs", force=True) == folder


def test_nothing_is_left_of_an_earlier_upload(hub):
    push(REPO)
    hub["mine.txt"] = b"mine"
    COLOURER.unlink()
    networks.use(GENERATOR.parent.resolve())  # which are none of this checkout's run, so without its parameters
    push(REPO)
    assert hub["mine.txt"] and not {COLOURER.name, PARAMS} & {*hub}
    assert pull(REPO, "theirs").is_dir()


def put_another_network_for_the_discriminator(files: dict[str, bytes]) -> None:
    """One whose digest is right."""
    files[DISCRIMINATOR.name] = files[GENERATOR.name]
    digests = json.loads(files[DIGESTS])
    files[DIGESTS] = json.dumps(digests | {DISCRIMINATOR.name: digests[GENERATOR.name]}).encode()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda files: files.update({GENERATOR.name: files[GENERATOR.name][:-1] + b"!"}), "gan.safetensors differs"),
        (lambda files: files.pop(MIXTURE.name), "gmm.npz differs from what was uploaded, or is missing"),
        (lambda files: files.pop(DIGESTS), "has no digests.json"),
        (lambda files: put_another_network_for_the_discriminator(files), "discriminator.safetensors is damaged"),
        (lambda files: files.clear(), "has no model some/creatures at revision main, or it is private"),
    ],
)
def test_what_was_tampered_with_is_refused_and_nothing_is_left(hub, change: Callable[[dict], object], says):
    push(REPO)
    change(hub)
    with pytest.raises(UserError, match=says):
        pull(REPO, "theirs")
    assert not list(Path("models").glob("theirs*"))


def test_the_page_colours_with_the_networks_that_are_named(hub):
    push(REPO)
    folder = pull(REPO, "theirs")
    write_run(seed=1)
    networks.use(folder.resolve())
    lines = np.full((1, 32, 32), 255, np.uint8)
    lines[:, 8:24, 8] = 0
    theirs, own = load_colourer(folder / COLOURER.name).colour(lines, 0), load_colourer().colour(lines, 0)
    quick = quick_colourer().colour(lines, 0).astype(int)
    assert np.abs(quick - theirs).max() <= 1 < np.abs(quick - own).max()


def test_pictures_of_another_size_are_not_mixed_with_those_of_networks_that_are_named(hub):
    push(REPO)
    networks.use(pull(REPO, "theirs").resolve())
    np.save(CLEAN / IMAGES, np.zeros((COUNT, 3, 16, 16), np.uint8))
    with pytest.raises(UserError, match=r"have 16 pixels, .* takes 32: name a file"):
        near("kind-1", 3, 0, 0.8, Path("near.png"))
    with pytest.raises(UserError, match=r"have 16 pixels, .* takes 32: name a file"):
        Studio().embedding("kind-1")


def test_a_public_repository_is_not_taken_for_a_private_one(hub):
    with pytest.raises(UserError, match="is there already, and public"):
        push(REPO, private=True)
    assert not hub


def test_networks_of_different_runs_are_not_uploaded(hub):
    before = ENCODER.read_bytes()
    write_run(seed=1)
    ENCODER.write_bytes(before)
    with pytest.raises(UserError, match="are of different runs"):
        push(REPO)
    assert not hub
