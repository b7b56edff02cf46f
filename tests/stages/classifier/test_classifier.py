"""The classifier's tasks, scores and messages."""

import numpy as np
import pyarrow as pa
import pytest
import torch

from creatures.data.pictures import Pictures
from creatures.runtime.config import parse, read_yaml
from creatures.runtime.errors import UserError
from stages.classifier import retrieval as retrieval_module
from stages.classifier import train
from stages.classifier.params import ClassifierParams


def pictures(labels, splits, styles=None, sources=None) -> Pictures:
    count = len(labels)
    index = {
        "label": pa.array(labels, pa.int32()),
        "split": splits,
        "style": styles or ["picture"] * count,
        "source": sources or [f"{i}.png" for i in range(count)],
    }
    return Pictures(np.zeros((count, 3, 16, 16), np.uint8), pa.table(index))


def params(**changes) -> ClassifierParams:
    return parse(
        "classifier",
        read_yaml("params.yaml")["classifier"] | {"start": "none", "epochs": 5} | changes,
        ClassifierParams,
    )


def test_val_pictures_of_species_that_train_lacks_are_not_asked_for():
    found = pictures([0, 0, 1, 0], ["train", "val", "val", "test"])
    assert train.known_rows(found, "val").tolist() == [1]


def test_pictures_without_a_label_are_neither_asked_for_nor_learned_from():
    found = pictures([-1, 0, 1, -1, 0], ["train", "train", "train", "val", "val"])
    assert train.known_rows(found, "val").tolist() == [4]
    assert train.known_rows(found, "val", "rotation").tolist() == [3, 4]
    assert train.score(None, found, "species", np.array([4])) is None


def test_turns_are_what_their_labels_say():
    torch.manual_seed(0)
    x = torch.rand(16, 3, 8, 8)
    turned, turns = train.turn(x)
    assert len(set(turns.tolist())) == 4
    for before, after, k in zip(x, turned, turns, strict=True):
        assert torch.equal(after.rot90(-int(k), (1, 2)), before)


def test_the_best_weights_are_kept():
    net, best = torch.nn.Linear(1, 1), train.Best()
    for score in (0.2, 0.7, 0.5):
        torch.nn.init.constant_(net.weight, score)
        best.update(score, net, 0)
    assert best.weights["weight"].item() == pytest.approx(0.7)


def test_a_hub_out_of_reach_is_one_line_that_says_what_to_set(monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("We couldn't connect to the hub\nmore")

    monkeypatch.setattr("timm.create_model", offline)
    with pytest.raises(UserError, match=r"classifier.pretrained to false") as error:
        train.build(params(pretrained=True), 3)
    assert "\n" not in str(error.value)


def test_weights_of_the_hub_are_not_overwritten_by_those_of_a_start():
    with pytest.raises(UserError, match="pretrained needs start: none"):
        params(pretrained=True, start="released")


def test_an_unknown_backbone_is_one_line():
    with pytest.raises(UserError, match="timm has no such model"):
        train.build(params(backbone="resnet9999"), 3)


def test_a_backbone_that_is_no_resnet_is_one_line():
    with pytest.raises(UserError, match="must be a ResNet"):
        train.build(params(backbone="mobilenetv3_small_050"), 3)


def test_retrieval_asks_for_test_drawings_among_sprites(monkeypatch):
    """Embeddings are one-hot by hand: of two test drawings one points at its own species."""
    found = pictures(
        [0, 0, 1, 1],
        ["test", "test", "test", "train"],
        ["drawing", "sprite", "drawing", "sprite"],
    )
    vectors = np.array([[1, 0], [1, 0], [1, 0.1], [0, 1]], np.float32)
    monkeypatch.setattr(retrieval_module, "embed_rows", lambda net, pictures, rows: vectors[rows])
    assert retrieval_module.retrieval(None, found) == 0.5


def test_retrieval_never_finds_another_frame_of_the_same_file(monkeypatch):
    found = pictures([0, 0, 0], ["test"] * 3, sources=["a.gif", "a.gif", "b.gif"])
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    monkeypatch.setattr(retrieval_module, "embed_rows", lambda net, pictures, rows: vectors[rows])
    assert retrieval_module.retrieval(None, found) == 1.0
    assert retrieval_module.retrieval(None, pictures([-1], ["test"])) is None
