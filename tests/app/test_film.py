"""Videos: what players find in them, and where they lead."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from app.film import WRITERS, walk
from app.generate import Address, latents_at
from app.networks import generator_file
from bench.browser import ALONE, CHROMIUM
from creatures.data.provenance import digest_of
from creatures.latents.sampler import load_sampler
from creatures.runtime.errors import UserError
from tests.support.untrained import write_run

PLAYED = """async () => {
    const video = document.querySelector('video')
    video.muted = true
    const end = new Promise(done => ['ended', 'error'].forEach(name => video.addEventListener(name, done)))
    await video.play()
    await end
    return {error: video.error && video.error.message, readyState: video.readyState, ended: video.ended,
            size: [video.videoWidth, video.videoHeight]}
}"""


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "h264"), (".webm", "vp9")])
def test_videos_are_of_codecs_that_browsers_and_telephones_play(tmp_path, suffix, codec):
    path = tmp_path / f"walk{suffix}"
    WRITERS[suffix](path, [Image.new("RGB", (64, 64), (25 * number, 90, 40)) for number in range(9)])
    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        assert (stream.codec.name, stream.pix_fmt, stream.width) == (codec, "yuv420p", 64)
        shown = [frame.to_ndarray(format="rgb24")[32, 32] for frame in video.decode(stream)]
    assert len(shown) == 9 and np.abs(shown[8] - np.array([200, 90, 40])).max() <= 6


@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")
def test_a_browser_plays_the_videos_to_their_ends(tmp_path):
    from playwright.sync_api import sync_playwright

    frames = [Image.new("RGB", (64, 64), (20 * number, 90, 40)) for number in range(12)]
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ALONE)
        tab = browser.new_page()
        for suffix in (".mp4", ".webm"):
            WRITERS[suffix](tmp_path / f"walk{suffix}", frames)
            tab.goto((tmp_path / f"walk{suffix}").as_uri())  # the browser puts it on a page of its own
            played = tab.evaluate(PLAYED)
            assert played == {"error": None, "readyState": 4, "ended": True, "size": [64, 64]}, suffix
        browser.close()


@pytest.mark.parametrize(("suffix", "within"), [(".gif", 12), (".png", 0)])
def test_pictures_that_move_keep_their_colours_and_repeat(tmp_path, suffix, within):
    """White stays white, and a pixel that does not change is the same in all frames."""
    rng, path = np.random.default_rng(0), tmp_path / f"walk{suffix}"
    frames = np.full((40, 32, 32, 3), 255, np.uint8)
    frames[:, 8:24, 8:24] = np.linspace(0, 250, 256).reshape(16, 16, 1)
    frames[:, 2:5, 2:30] = rng.integers(0, 8, (40, 1, 1, 3)) * 32
    WRITERS[suffix](path, [Image.fromarray(frame) for frame in frames])
    with Image.open(path) as moving:
        shown = np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(moving)])
        assert moving.info["loop"] == 0 and 60 <= moving.info["duration"] <= 63
    assert shown.shape == frames.shape
    apart = np.abs(shown.astype(int) - frames)
    assert apart.mean() <= within / 10 and apart.max() <= within
    assert (shown[:, 26:] == 255).all() and (shown[:, 8:24, 8:24] == shown[:1, 8:24, 8:24]).all()


def test_a_loop_leads_through_the_creatures_that_it_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_run()
    seen = {}
    monkeypatch.setitem(WRITERS, ".gif", lambda path, frames: seen.update(frames=frames) or path.touch())
    walk([], "3,7-8", 99, 12, 0, 0.8, 1, Path("walk.gif"))
    sampler = load_sampler(generator_file())
    wanted = [Address(digest_of(generator_file()), seed, 0, 0.8) for seed in (3, 7, 8)]
    for number, picture in enumerate(sampler.draw(latents_at(sampler, wanted)[0])):
        frame = np.asarray(seen["frames"][4 * number]).transpose(2, 0, 1)
        assert np.abs(frame.astype(int) - picture).max() <= 1
    kinds = walk(["kind-1", "kind-2"], "3", 99, 12, 0, 0.8, 2, Path("walk.gif"))
    assert kinds.is_file() and len(seen["frames"]) == 12 and seen["frames"][0].width == 2 * frame.shape[1]
    with pytest.raises(UserError, match="a loop needs at least two creatures"):
        walk([], "3", 99, 12, 0, 0.8, 1, Path("walk.gif"))
    with pytest.raises(UserError, match="must end in"):
        walk([], "", 4, 12, 0, 0.8, 1, Path("walk.avi"))
    Image.fromarray(frame.transpose(1, 2, 0)).save("mine.png")
    before = Path("mine.png").read_bytes()
    with pytest.raises(UserError, match=r"mine\.png would be replaced: choose another --out"):
        walk(["mine.png", "kind-1"], "", 4, 12, 0, 0.8, 1, Path("mine.png"))
    assert Path("mine.png").read_bytes() == before
