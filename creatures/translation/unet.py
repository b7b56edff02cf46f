"""U-Net from an outline to a picture.

P. Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks" (pix2pix), 2017.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from creatures.nets.common.base import tanh_fp32
from creatures.nets.generators.lite import UpConv

NOISY = 3  # inner decoder blocks with noise
NOISES: dict[str, Callable[[Tensor], Tensor]] = {
    "dropout": lambda u: 2 * (u < 0.5).float(),
    "none": torch.ones_like,
}


class UNet(nn.Module):
    """An encoder that halves maps down to 1 x 1, a decoder that doubles them, skips between maps of equal size.

    As in the paper, with two changes. Maps are upsampled by nearest neighbours and a 3x3 convolution,
    which leaves no checkerboard (A. Odena et al., "Deconvolution and Checkerboard Artifacts", 2016).
    Dropout, the paper's noise, drops whole channels (J. Tompson et al., "Efficient Object
    Localization", 2015) and is an input: so a colouring can be reproduced, and with ones for noise
    the network is a function of the outline.

    Beyond the paper, it may be conditioned on a palette and on hints, since an outline does not determine its
    colours: as planes concatenated with the outline, and a palette to choose from at each pixel (`blend_palette`).
    With hints it also predicts the palette's colour at each pixel, as a classifier, which can be sampled (`Painter`).

    Args:
        image_px: side of the pictures, a power of two, at least 16; there are log2(image_px) blocks.
        width: channels of the first map; doubles with each map, up to eight times as many.
        colours: number of colours of the palette that conditions it; 0 for none.
        hints: whether hints condition it.
        inputs: channels of the picture that is translated: 1 for outlines.
    """

    def __init__(self, image_px: int, width: int = 64, colours: int = 0, hints: bool = False, inputs: int = 1) -> None:
        super().__init__()
        self.image_px, self.colours, self.hints, self.inputs = image_px, colours, hints, inputs
        depth = image_px.bit_length() - 1
        widths = [min(width << i, 8 * width) for i in range(depth)]
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for i, (into, out) in enumerate(zip([inputs + 4 * (colours + hints), *widths], widths, strict=False)):
            normed = 0 < i < depth - 1  # nothing to normalise in a map of one pixel
            layers: list[nn.Module] = [nn.LeakyReLU(0.2)] if i else []
            layers.append(nn.Conv2d(into, out, 4, 2, 1, bias=not normed))
            self.down.append(nn.Sequential(*layers, *([nn.BatchNorm2d(out)] if normed else [])))
        for i in reversed(range(1, depth)):
            into = widths[i] * (1 if i == depth - 1 else 2)
            self.up.append(nn.Sequential(nn.ReLU(), UpConv(into, widths[i - 1]), nn.BatchNorm2d(widths[i - 1])))
        last = nn.Conv2d(width, 3 + colours * (1 + hints), 3, padding=1)
        self.last = nn.Sequential(nn.ReLU(), UpConv(2 * width, width), nn.ReLU(), last)
        self.noisy = [widths[i] for i in reversed(range(depth - 1))][:NOISY]

    @property
    def noise_length(self) -> int:
        """Length of the noise vector of a picture."""
        return sum(self.noisy)

    def forward(
        self, outlines: Tensor, noise: Tensor, palettes: Tensor | None = None, hints: Tensor | None = None
    ) -> Tensor:
        """Pictures, float32 N x 3 x H x W in [-1, 1]; the inputs are those of `paint`."""
        return self.paint(outlines, noise, palettes, hints)[0]

    def paint(
        self, outlines: Tensor, noise: Tensor, palettes: Tensor | None = None, hints: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Pictures, float32 N x 3 x H x W in [-1, 1], and logits of the palette's colours, float32 N x colours x H x W.

        Args:
            outlines: float N x inputs x H x W in [-1, 1]; -1 on lines, 1 elsewhere.
            noise: float N x noise_length: factors on channels, of mean 1; ones for none.
            palettes: float N x colours x 4: RGB in [-1, 1] and fraction of the foreground; zeros, or None, for none.
            hints: float N x 4 x H x W: RGB in [-1, 1] and mask, spread; zeros, or None, for none.
        """
        if palettes is None:
            palettes = outlines.new_zeros(outlines.shape[0], self.colours, 4)  # len() would be a constant in ONNX
        palette = palettes.flatten(1)[:, :, None, None].expand(-1, -1, *outlines.shape[2:])
        planes = [outlines, palette]
        if self.hints:
            planes.append(outlines.new_zeros(outlines.shape[0], 4, *outlines.shape[2:]) if hints is None else hints)
        x, maps = torch.cat(planes, dim=1).contiguous(memory_format=torch.channels_last), []
        for block in self.down:
            x = block(x)
            maps.append(x)
        factors = list(noise.split(self.noisy, dim=1))
        maps.pop()
        for block in self.up:
            x = block(x)
            if factors:
                x = x * factors.pop(0)[:, :, None, None].to(x.dtype)
            x = torch.cat([x, maps.pop()], dim=1)
        out = self.last(x).float()
        blend = out[:, 3 : 3 + self.colours]
        return tanh_fp32(out[:, :3] + blend_palette(blend, palettes)), out[:, -self.colours or out.shape[1] :]


def blend_palette(logits: Tensor, palettes: Tensor) -> Tensor:
    """Mean of a palette's colours at each pixel, weighted by softmax; before tanh, float N x 3 x H x W.

    Lets the network paint in exactly these colours, wherever it chooses to.

    Args:
        logits: float N x colours x H x W.
        palettes: float N x colours x 4.
    """
    colours, fractions = palettes[..., :3], palettes[..., 3:]
    pre_tanh = torch.atanh(0.98 * colours) * (fractions > 0)
    return torch.einsum("nkhw,nkc->nchw", logits.softmax(dim=1), pre_tanh)


def with_hints(net: UNet, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights for a network with hints that compute the same function, whatever the hints, as those of one without."""
    shapes = {key: value.shape for key, value in net.state_dict().items()}
    grown = dict(tensors)
    for key, value in tensors.items():
        if key.startswith(("down.0.", "last.3.")) and key in shapes and value.ndim == len(shapes[key]):
            more = [new - old for new, old in zip(shapes[key], value.shape, strict=True)]
            if min(more) >= 0:
                grown[key] = F.pad(value, [side for extra in reversed(more) for side in (0, extra)])
    return grown


def draw_noise(net: UNet, name: str, count: int, generator: torch.Generator | None = None) -> Tensor:
    """Draw the noise of a name in NOISES for `count` pictures, float count x noise_length, on the CPU."""
    return NOISES[name](torch.rand(count, net.noise_length, generator=generator))
