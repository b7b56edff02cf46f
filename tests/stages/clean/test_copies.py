"""Copies are found as a search over all pairs would find them, and the first one stays."""

from __future__ import annotations

import numpy as np
import pytest

from stages.clean import near
from stages.clean.bands import near_pairs
from stages.clean.near import copy_rule, exact_copies, near_copies


def clusters(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Hashes, thumbs and species of pictures that are small changes of a few."""
    random = np.random.default_rng(seed)
    base = random.integers(0, count // 12, count)
    hashes = random.integers(0, 2**63, count // 12, np.uint64)[base]
    for _ in range(4):
        flips = np.uint64(1) << random.integers(0, 64, count, np.uint64)
        hashes ^= np.where(random.random(count) < 0.5, flips, np.uint64(0))
    colour = random.integers(0, 250, (count // 12, 768))[base]
    thumbs = (colour + random.integers(0, 6, (count, 1))).astype(np.uint8)
    return hashes, thumbs, np.array([str(s) for s in base % 5], object)


def by_all_pairs(hashes, thumbs, species, bits, colour, recolours) -> list[int]:
    kept, copy_of = [], []
    for i in range(len(hashes)):
        found = -1
        for j in kept:
            near_hash = int(hashes[i] ^ hashes[j]).bit_count() <= bits
            near_colour = np.abs(thumbs[i].astype(int) - thumbs[j]).mean() < colour
            if near_hash and (near_colour or (recolours == "drop" and species[i] == species[j])):
                found = j
                break
        copy_of.append(found)
        if found < 0:
            kept.append(i)
    return copy_of


@pytest.mark.parametrize("bits", [0, 3, 4, 9])
@pytest.mark.parametrize("recolours", ["keep", "drop"])
@pytest.mark.parametrize("joined", [False, True])
def test_near_copies_are_those_of_all_pairs(monkeypatch, bits, recolours, joined):
    if joined:
        monkeypatch.setattr(near, "IN_MEMORY", 0)
        monkeypatch.setattr(near, "on_ray", lambda: True)
    monkeypatch.setattr(near, "BATCH", 64)  # so that copies lie in the same batch and in others
    hashes, thumbs, species = clusters(400, seed=bits)
    place = np.random.default_rng(0).permutation(400)
    spooled = np.empty_like(thumbs)
    spooled[place] = thumbs
    rule = copy_rule(spooled, place, species, 3.0, recolours)
    found = near_copies(hashes, np.arange(400), bits, rule)
    assert found.tolist() == by_all_pairs(hashes, thumbs, species, bits, 3.0, recolours)
    assert 0 < (found >= 0).sum() < 390


@pytest.mark.parametrize("bits", [0, 4, 6])
def test_a_join_finds_the_pairs_that_faiss_finds(bits):
    hashes = np.unique(clusters(3000, seed=bits)[0])
    hashes = np.random.default_rng(bits).permutation(hashes)
    kept = near._Kept(bits)
    kept.add(np.arange(len(hashes)), hashes)
    mine, other = kept.within(hashes)
    faiss = {(i, j) for i, j in zip(mine.tolist(), other.tolist(), strict=True) if i < j}
    joined = near_pairs(hashes, bits)
    assert {tuple(pair) for pair in joined.tolist()} == faiss
    assert len(joined) == len(faiss)
    assert bool(faiss) == (bits > 0)


def test_other_colours_stay_unless_told():
    hashes = np.array([7, 7, 7], np.uint64)
    thumbs = np.repeat(np.array([[10], [90], [10]], np.uint8), 768, axis=1)
    species = np.array(["25", "25", "26"], object)
    rows = np.arange(3)
    assert near_copies(hashes, rows, 4, copy_rule(thumbs, rows, species, 3.0, "keep")).tolist() == [-1, -1, 0]
    species[:] = "25"
    assert near_copies(hashes, rows, 4, copy_rule(thumbs, rows, species, 3.0, "drop")).tolist() == [-1, 0, 0]
    species[:] = ""  # nothing is known of them: colours decide
    assert near_copies(hashes, rows, 4, copy_rule(thumbs, rows, species, 3.0, "drop")).tolist() == [-1, -1, 0]


def test_rows_that_are_not_asked_about_are_left_alone():
    hashes = np.zeros(4, np.uint64)
    thumbs = np.zeros((4, 768), np.uint8)
    rule = copy_rule(thumbs, np.arange(4), np.array([""] * 4, object), 3.0, "keep")
    assert near_copies(hashes, np.array([1, 3]), 4, rule).tolist() == [-1, -1, -1, 1]


def test_exact_copies_point_at_the_first():
    digests = np.array([b"b", b"a", b"b", b"a", b"c", b"b"], "S32")
    assert exact_copies(digests, np.arange(6)).tolist() == [-1, -1, 0, 1, -1, 0]
    assert exact_copies(digests, np.array([5, 1, 3, 2])).tolist() == [-1, -1, 5, 1, -1, -1]
