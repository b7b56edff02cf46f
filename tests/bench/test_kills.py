"""The tiny checkout of bench.kills."""

from __future__ import annotations

import pytest

from bench.kills import make_checkout
from stages import check


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkout")
    make_checkout(folder)
    return folder


def test_its_parameters_are_whole(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    check.main()


def test_it_has_pictures_and_a_repository(checkout):
    assert len(list((checkout / "data/own").rglob("*.png"))) == 48 and (checkout / ".git").is_dir()
