"""The command line: what it says where it cannot work."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from app.colour import colour
from app.explore import species_rows
from app.generate import Address, address_in, addresses_of, latents_at, numbers_in, write_samples
from app.page.studio import Studio
from app.pictures import PLAIN
from creatures.artifacts import EMBEDDINGS, PICTURES
from creatures.data.loading import open_array
from creatures.data.pictures import open_pictures
from creatures.latents.sampler import Latent, load_sampler
from creatures.runtime.errors import UserError
from creatures.translation.colouring import Colourer
from creatures.translation.drawings import svg
from creatures.translation.repaint import repainted
from creatures.translation.unet import UNet
from tests.support.checkouts import environment, hashes
from tests.support.deps import ROOT
from tests.support.untrained import PX, write_run


def app(cwd, *arguments):
    command = [sys.executable, "-m", "app", *arguments]
    env = environment() | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=env)


def test_without_models_it_says_what_to_do_in_one_line(tmp_path):
    for name in ("dvc.yaml", "params.yaml"):
        (tmp_path / name).write_text("")
    result = app(tmp_path, "generate")
    assert result.returncode == 1
    assert result.stderr == (
        "generate: models/gan.safetensors is missing; run the stages before this one (dvc repro)\n"
    )
    assert not (tmp_path / "samples").exists()


def test_numbers_out_of_range_are_refused(tmp_path):
    for option, value in (("--count", "0"), ("--truncation", "-1"), ("--seed", "x")):
        result = app(tmp_path, "generate", option, value)
        assert result.returncode == 2
        assert option in result.stderr and "Traceback" not in result.stderr


def test_help_names_the_command_and_its_options(tmp_path):
    result = app(tmp_path, "generate", "--help")
    assert result.returncode == 0
    assert all(option in result.stdout for option in ("--count", "--seed", "--truncation", "--out"))


@pytest.fixture
def checkout(tmp_path) -> Path:
    """Untrained networks, and a folder below."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(tmp_path)
        write_run()
        Path("dvc.yaml").write_text("stages: {}")
        Path("docs/deep").mkdir(parents=True)
        Path("docs/deep/mine.svg").write_text(svg("fox"))
    return tmp_path


def test_commands_find_the_checkout_that_they_are_called_in(checkout):
    """And paths are seen from where the user stands, but for those that nobody gave."""
    deep = checkout / "docs/deep"
    for command in (["generate", "--count", "2"], ["generate", "--count", "2", "--out", "mine"]):
        result = app(deep, *command)
        assert (result.returncode, result.stderr) == (0, f"generate: in {checkout}\n")
    assert (checkout / "samples/grid.png").read_bytes() == (deep / "mine/grid.png").read_bytes()
    for command in (["vary", "mine.svg"], ["fuse", "mine.svg", "kind-1"], ["colour", "mine.svg", "--like", "mine.svg"]):
        result = app(deep, *command, "--out", f"{command[0]}.png")
        assert result.returncode == 0, result.stderr
        assert (deep / f"{command[0]}.png").is_file()


def test_outside_of_any_checkout_it_says_where_it_looked(tmp_path):
    result = app(tmp_path, "like", "25")
    assert (result.returncode, result.stdout) == (1, "")
    wanted = "there is no checkout, a folder with dvc.yaml and params.yaml, in"
    assert result.stderr == f"like: {wanted} {tmp_path} or above it\n"
    assert app(tmp_path, "recipe", "sngan").returncode == 0  # which needs none


def test_fewer_pictures_leave_none_of_an_earlier_call(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    out, mine = Path("mine"), ("012.png", "2.png", "photo.png", "notes.txt", "00000.png")
    for count in (11, 4):
        write_samples(count, 0, 0.8, out)
        for name in mine:
            (out / name).write_bytes(b"mine")
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [*mine, *(f"{n:03d}.png" for n in range(4)), "grid.png"]
    )
    write_samples(4, 0, 0.8, Path("other"))
    assert all((out / path.name).read_bytes() == path.read_bytes() for path in Path("other").iterdir())


@pytest.mark.parametrize("sheet", [False, True])
def test_numbered_pictures_of_ones_own_stay(checkout, monkeypatch, sheet):
    """Also beside a sheet that says nothing of them, as one's own or that of an older version."""
    monkeypatch.chdir(checkout)
    Path("mine").mkdir()
    for name in (*(f"{number:03d}.png" for number in range(6)), *["grid.png"] * sheet):
        Image.new("RGB", (8, 8)).save(Path("mine", name))
    before = hashes(Path("mine"))
    with pytest.raises(UserError, match=r"^mine/000\.png would be replaced: choose another --out$"):
        write_samples(2, 0, 0.8, Path("mine"))
    assert hashes(Path("mine")) == before


def test_pictures_beyond_those_of_an_earlier_call_stay(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    for count in (3, 2):
        write_samples(count, 0, 0.8, Path("mine"))
        Path("mine/003.png").write_bytes(b"mine")
    assert sorted(hashes(Path("mine"))) == ["000.png", "001.png", "003.png", "grid.png"]
    with pytest.raises(UserError, match=r"mine/003\.png would be replaced"):
        write_samples(4, 0, 0.8, Path("mine"))


def pixels(path: Path) -> bytes:
    with Image.open(path) as image:
        return image.tobytes()


def test_a_picture_has_an_address(checkout, monkeypatch):
    """Number n of a seed is the same bytes whatever is generated besides, and its file says how to get it again."""
    monkeypatch.chdir(checkout)
    write_samples(20, 5, 0.8, Path("many"))
    write_samples(3, 5, 0.8, Path("few"))
    assert [pixels(Path(f"many/{n:03}.png")) for n in range(3)] == [pixels(Path(f"few/{n:03}.png")) for n in range(3)]
    write_samples(1, 0, 0.8, Path("some"), addresses=addresses_of("", "17,2", 5, 0.8, ""))
    assert pixels(Path("some/000.png")) == pixels(Path("many/017.png")) != pixels(Path("some/001.png"))
    write_samples(1, 0, 0.8, Path("seeds"), addresses=addresses_of("4-5", "", 0, 0.8, ""))
    assert pixels(Path("seeds/001.png")) == pixels(Path("few/000.png"))
    address = address_in(Path("many/017.png"))
    assert (address.seed, address.number, address.truncation) == (5, 17, 0.8)
    write_samples(1, 0, 0.1, Path("again"), addresses=[address])
    assert Path("again/000.png").read_bytes() == Path("many/017.png").read_bytes()


def test_the_page_python_and_the_command_generate_the_same(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    write_samples(9, 7, 0.8, Path("command"))
    pictures, z, numbers = Studio().hatch(4, 7, 0.8)
    assert numbers.tolist() == [0, 1, 2, 3]
    sampler = load_sampler()
    alone = sampler.draw(sampler.latent.draw_each(7, [3], 0.8)[0])[0]
    for picture in (pictures[3], alone, sampler.draw(z)[3]):
        assert picture.transpose(1, 2, 0).tobytes() == pixels(Path("command/003.png"))


def test_latents_can_be_kept_edited_and_drawn_again(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    write_samples(3, 1, 0.8, Path("first"), save_latents=Path("z.npz"))
    write_samples(3, 0, 0.8, Path("second"), latents=Path("z.npz"))
    assert all(pixels(Path(f"first/00{n}.png")) == pixels(Path(f"second/00{n}.png")) for n in range(3))
    np.savez("wrong.npz", z=np.zeros((2, 3)))
    with pytest.raises(UserError, match=r"wrong\.npz: z must be finite numbers, N x \d+ .* not \(2, 3\)"):
        write_samples(3, 0, 0.8, Path("third"), latents=Path("wrong.npz"))
    with pytest.raises(UserError, match="has no address"):
        address_in(Path("second/grid.png"))
    np.save("z.npy", np.zeros((2, 3)))
    Path("empty.npz").touch()
    for name in ("z.npy", "empty.npz"):
        with pytest.raises(UserError, match=f"{name} is no .npz file with z: "):
            write_samples(3, 0, 0.8, Path("third"), latents=Path(name))


def test_a_picture_of_another_network_is_not_generated_again(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    write_samples(1, 0, 0.8, Path("mine"))
    address = replace(address_in(Path("mine/000.png")), network="0" * 16)
    with pytest.raises(UserError, match="by another network"):
        write_samples(1, 0, 0.8, Path("again"), addresses=[address])


@pytest.mark.parametrize(("text", "numbers"), [("3", [3]), ("3,7-9", [3, 7, 8, 9]), (" 1 , 2 ", [1, 2]), ("4-4", [4])])
def test_lists_of_numbers(text, numbers):
    assert numbers_in(text) == numbers


@pytest.mark.parametrize("text", ["x", "1,,2", "-3", "1-", "0-100000", "5-3"])
def test_what_is_no_list_of_numbers_is_one_line(text):
    with pytest.raises(UserError, match=r"no list of numbers|more than"):
        numbers_in(text)


def test_options_that_exclude_each_other_are_named(checkout):
    result = app(checkout, "generate", "--seeds", "1", "--numbers", "2")
    assert (result.returncode, result.stderr) == (1, "generate: --seeds and --numbers exclude each other\n")
    given = (("--from", "--truncation"), ("--seeds", "--count"), ("--numbers", "--count"), ("--latents", "--seed"))
    for chosen, option in given:
        result = app(checkout, "generate", chosen, "1", option, "1")
        said = f"generate: {option} chooses other pictures: not with {chosen}\n"
        assert (result.returncode, result.stderr) == (1, said)
    result = app(checkout, "generate", "--sheet", "8", "--count", "1")
    assert "--sheet 8 must be COLUMNSxROWS" in result.stderr


def test_a_file_that_cannot_be_written_is_named(checkout):
    result = app(checkout, "generate", "--count", "1", "--save-latents", "params.yaml/z.npz")
    assert (result.returncode, result.stderr) == (1, "generate: params.yaml: File exists\n")


def test_pictures_can_resemble_a_species(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    write_samples(5, 3, 0.8, Path("first"), species="kind-1")
    write_samples(1, 0, 0.8, Path("again"), addresses=[address_in(Path("first/004.png"))])
    assert Path("again/000.png").read_bytes() == Path("first/004.png").read_bytes()
    sampler, pictures = load_sampler(), open_pictures()
    address = address_in(Path("first/000.png"))
    still, _ = latents_at(sampler, [replace(address, truncation=0.0, number=n) for n in range(20)])
    own = open_array(EMBEDDINGS, 2, np.float32)[species_rows("KIND-1", pictures)]
    assert {z.tobytes() for z in still} <= {embedding.tobytes() for embedding in own}
    with pytest.raises(UserError, match=r"'kind-99' is no picture file, and no species of data/clean; it has kind-"):
        write_samples(1, 0, 0.8, Path("none"), species="kind-99")


def test_a_species_is_the_class_of_a_conditional_generator(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    conditional = load_sampler()
    index = pq.read_table(PICTURES)
    species = np.array(index["species"].to_pylist())
    names = sorted({*species})
    first, held_out = names[0], {names[0], names[-1]}
    index = index.append_column("label", pa.array([names.index(name) for name in species]))
    split = pa.array(np.where(np.isin(species, [*held_out]), "test", "train"))
    index = index.set_column(index.schema.get_field_index("split"), "split", split)
    pq.write_table(index, PICTURES)
    monkeypatch.setattr("app.generate.ancestors", lambda *_: {})
    labels = len(names) - len(held_out)
    conditional = replace(conditional, latent=Latent(4, None, np.full(labels, 1 / labels)))
    addresses = [Address("", 0, number, 0.5, "kind-1") for number in range(3)]
    z, _ = latents_at(conditional, addresses)
    assert z.shape == (3, 4 + labels) and len(np.unique(z[:, 0])) == 3
    trained = [name for name in names if name not in held_out]
    np.testing.assert_array_equal(z[:, 4:], np.eye(labels)[[trained.index("kind-1")] * 3])
    assert "kind-1" in trained != names[:labels]
    with pytest.raises(UserError, match=f"{first} was held out"):
        latents_at(conditional, [Address("", 0, 0, 0.5, first)])
    with pytest.raises(UserError, match="it knows no species"):
        latents_at(replace(conditional, latent=Latent(4)), addresses)


def test_a_colourer_of_pairs_takes_the_colours_of_a_file_that_is_not_cleaned(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    palettes = torch.zeros(1, 2, 4)
    pairs = Colourer(UNet(PX, 8, colours=2, inputs=3).eval(), "none", "canny", palettes)
    monkeypatch.setattr("app.colour.load_colourer", lambda *_: pairs)
    monkeypatch.setattr("app.colour.cleaning_of", lambda *_: pytest.fail("pairs are not cleaned"))
    monkeypatch.setattr("app.colour.picture_of", lambda *_: pytest.fail("pairs are not cleaned"))
    colour([Path("docs/deep/mine.svg")], "auto", 1, 0, "docs/deep/mine.svg", Path("out.png"))
    assert Image.open("out.png").width > 2 * PX


@pytest.mark.parametrize(("scale", "ink", "again"), [(1, True, 0), (2, False, 0), (2, True, 1), (4, True, 1)])
def test_enlarged_drawings_are_painted_again_below_their_lines(checkout, monkeypatch, scale, ink, again):
    monkeypatch.chdir(checkout)
    write_run(hints=True)
    painted = []
    monkeypatch.setattr("app.colour.repainted", lambda *given: painted.append(repainted(*given)) or painted[-1])
    style = replace(PLAIN.style, scale=scale)
    colour([Path("docs/deep/mine.svg")], "auto", 2, 0, "", Path("out.png"), replace(PLAIN, style=style), ink)
    assert [pictures.shape for pictures in painted] == [(2, 3, 2 * PX, 2 * PX)] * again
    names = sorted(path.name for path in Path("out").iterdir())
    assert len(names) == 3 and all(Image.open(Path("out", name)).size == (scale * PX,) * 2 for name in names)
