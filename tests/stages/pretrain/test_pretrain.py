"""The perceptual loss, the rebuilds and the baselines they are held against."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from creatures.data.pictures import Pictures
from creatures.nets.encoder.encoder import Encoder
from creatures.training.perceptual import PerceptualLoss
from stages.pretrain.score import errors, mean_picture, nearest_rows
from stages.pretrain.train import lr_factor_of_part


@pytest.fixture(scope="module")
def perceptual() -> PerceptualLoss:
    torch.manual_seed(0)
    return PerceptualLoss(Encoder("resnet18").eval().requires_grad_(False), [2, 8])


def test_a_picture_is_at_no_distance_from_itself_and_nearer_to_its_like(perceptual):
    x = torch.rand(2, 3, 32, 32)
    assert perceptual(x, x).item() == 0
    assert perceptual(x + 0.01 * torch.randn_like(x), x) < perceptual(torch.rand_like(x), x)


def test_all_strides_count(perceptual):
    x, y = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)
    alone = [PerceptualLoss(perceptual.net, [stride])(x, y).item() for stride in (2, 8)]
    assert min(alone) > 0 and perceptual(x, y).item() == pytest.approx(sum(alone), rel=1e-5)


def test_errors_are_in_units_of_the_range(perceptual):
    black, white = np.zeros((3, 3, 32, 32), np.uint8), np.full((3, 3, 32, 32), 255, np.uint8)
    assert errors(perceptual, black, white)[0] == pytest.approx(1)
    assert errors(perceptual, white, white) == (0, 0)


def test_the_mean_picture_is_the_mean_of_train_alone():
    images = np.stack([np.full((3, 4, 4), v, np.uint8) for v in (10, 20, 200)])
    pictures = Pictures(images, pa.table({"split": ["train", "train", "val"]}))
    assert (mean_picture(pictures, pictures.rows("train")) == 15).all()


def test_the_nearest_train_picture_is_by_embedding():
    embeddings = np.array([[0.0, 0], [5, 5], [4, 4], [0, 1]], np.float32)
    assert nearest_rows(embeddings, np.array([0, 1]), np.array([2, 3])).tolist() == [1, 0]


def test_the_rate_falls_in_each_of_the_two_parts():
    rates = [lr_factor_of_part(step, 10, 20) for step in range(30)]
    assert rates[0] == rates[10] == 1
    assert np.all(np.diff(rates[:10]) < 0) and np.all(np.diff(rates[10:]) < 0)
    assert [lr_factor_of_part(step, 0, 20) for step in range(20)] == rates[10:]
