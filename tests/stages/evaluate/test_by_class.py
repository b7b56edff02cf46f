"""The sheet of samples by class."""

import numpy as np

from stages.evaluate.by_class import FAKE, REAL, by_class


def one_value(values):
    return np.repeat(np.array(values, np.uint8), 3 * 2 * 2).reshape(-1, 3, 2, 2)


def test_samples_stand_beside_the_class_they_are_nearest_to_and_what_is_never_drawn_is_white():
    train, labels = one_value(range(6)), np.array([0, 0, 0, 1, 1, -1])
    fake, neighbours = one_value([100, 101, 102]), np.array([1, 3, 0])
    sheet, drawn = by_class(fake, train, labels, np.array([2.0, 0.5, 1.0]), neighbours)
    rows = sheet[:, 0, 0, 0].reshape(3, REAL + FAKE)
    assert rows[:, :REAL].tolist() == [[0, 1, 2, 255], [3, 4, 255, 255], [5, 255, 255, 255]]
    assert rows[0, REAL : REAL + 3].tolist() == [102, 100, 255]
    assert rows[1, REAL : REAL + 2].tolist() == [101, 255]
    assert (rows[2, REAL:] == 255).all()
    assert drawn == 2 / 3
