"""Files that are complete or absent."""

from __future__ import annotations

import numpy as np
import pytest

from creatures.runtime.atomic import atomic_file, scratch_array


def test_an_error_names_the_file_and_not_its_temporary_one(tmp_path):
    path = tmp_path / "sheet.png"
    with pytest.raises(FileNotFoundError) as error, atomic_file(path) as part:
        part.read_bytes()
    assert error.value.filename == str(path)


def test_a_scratch_array_leaves_no_file(tmp_path):
    array = scratch_array(tmp_path / "data", np.float32, (3, 2))
    array[:] = 5
    assert array.sum() == 30 and not list((tmp_path / "data").iterdir())
