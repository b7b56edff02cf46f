"""The light generator and its blocks."""

import pytest
import torch

from creatures.nets.generators.lite import LiteGenerator, SmoothUpConv, UpConv
from creatures.nets.generators.widen import widened


def test_the_light_generator_is_light():
    """At most 0.3 billion multiplications a picture of 64 pixels; BatchNorm and gates are left out of the count."""
    net, macs = LiteGenerator(512, 64, 32), []

    def count(module, inputs, output):  # those that enlarge: 16 taps on the smaller map
        side = 2 if isinstance(module, UpConv | SmoothUpConv) else 1
        taps = 16 if side == 2 else module.weight[0, 0].numel()
        places = inputs[0][0, 0].numel() if side == 2 else output[0, 0].numel()
        macs.append(module.in_channels * module.out_channels * taps * places)

    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(count)
    net.eval()(torch.randn(1, 512))
    assert 0.05e9 < sum(macs) < 0.3e9


def test_dilation_is_where_the_parameters_say():
    net = LiteGenerator(8, 64, 4, dilation=3, dilated_px=[16, 32])
    found = {n.split(".")[1]: m.dilation for n, m in net.named_modules() if getattr(m, "dilation", (1, 1)) != (1, 1)}
    assert found == {"16": (3, 3), "32": (3, 3)}


def test_the_last_blocks_are_smooth_and_as_many_as_the_parameters_say():
    for many in (0, 2, 9):
        net = LiteGenerator(8, 64, 4, smooth_blocks=many)
        found = [
            side for side, block in net.blocks.items() if any(isinstance(m, SmoothUpConv) for m in block.modules())
        ]
        assert found == ["8", "16", "32", "64"][::-1][:many][::-1]


def test_upconv_is_nearest_upsampling_and_a_convolution():
    layer, x = UpConv(5, 7), torch.randn(2, 5, 6, 6)
    wanted = torch.nn.functional.conv2d(torch.nn.functional.interpolate(x, scale_factor=2), layer.weight, padding=1)
    assert torch.allclose(layer(x), wanted, atol=1e-5)


def test_smooth_upconv_is_a_transposed_convolution_and_a_low_pass():
    layer, x = SmoothUpConv(5, 7), torch.randn(2, 5, 6, 6)
    sparse = torch.nn.functional.conv_transpose2d(x, layer.weight.transpose(0, 1), stride=2)
    wanted = torch.stack([torch.nn.functional.conv2d(row[:, None], layer.low_pass, padding=1)[:, 0] for row in sparse])
    assert torch.allclose(layer(x), wanted, atol=1e-5)


def test_smooth_upconv_makes_no_pattern_of_a_flat_map():
    """Each pixel becomes four, which are the same; nearest upsampling and a convolution would set a mesh there."""
    drawn = SmoothUpConv(5, 7)(torch.randn(1, 5, 1, 1).expand(1, 5, 8, 8))[..., 2:-2, 2:-2]
    assert torch.allclose(drawn, drawn[..., :1, :1].expand_as(drawn), atol=1e-5)


def test_a_pixel_is_the_mean_of_its_samples():
    net, z = LiteGenerator(8, 16, 4, samples=2).eval(), torch.randn(2, 8)
    first, second = torch.tanh(net.draw(net.maps(z))).split(3, dim=1)
    assert torch.allclose(net(z), (first + second) / 2, atol=1e-6)


def test_a_wider_generator_starts_as_the_same_function_with_copies_that_can_part():
    torch.manual_seed(0)
    narrow, wide = LiteGenerator(10, 32, 4).eval(), LiteGenerator(10, 32, 6).eval()
    for module in narrow.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # as after training
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            torch.nn.init.normal_(module.weight)
    weights = widened(wide, narrow.state_dict())
    wide.load_state_dict(weights)
    z = torch.randn(3, 10)
    with torch.no_grad():
        torch.testing.assert_close(wide(z), narrow(z))
    read = weights["to_rgb.weight"]
    assert not torch.equal(read[:, :2], read[:, 4:])  # the copies' gradients differ


@pytest.mark.parametrize("other", [(10, 32, 8), (12, 32, 4), (10, 64, 4)], ids=["wider", "latents", "larger"])
def test_only_narrower_networks_that_are_otherwise_equal_are_widened(other):
    weights = LiteGenerator(*other).state_dict()
    kept = widened(LiteGenerator(10, 32, 6), weights)
    assert kept.keys() == weights.keys() and all(kept[name] is weights[name] for name in kept)
