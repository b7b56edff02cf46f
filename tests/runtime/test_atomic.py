"""Files that are complete or absent."""

from __future__ import annotations

import pytest

from creatures.runtime.atomic import atomic_file


def test_an_error_names_the_file_and_not_its_temporary_one(tmp_path):
    path = tmp_path / "sheet.png"
    with pytest.raises(FileNotFoundError) as error, atomic_file(path) as part:
        part.read_bytes()
    assert error.value.filename == str(path)
