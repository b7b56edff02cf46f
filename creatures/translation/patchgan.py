"""PatchGAN, a discriminator of image patches.

P. Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks" (pix2pix), 2017.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from creatures.nets.common.base import Discriminator
from creatures.nets.common.parts import NORMS, apply_spectral_norm

FIELDS = {16: 1, 34: 2, 70: 3, 142: 4}  # number of halvings by the pixels that one logit sees


class PatchGAN(Discriminator):
    """One logit for each patch of a picture and its outline.

    Args:
        field_px: side of the patches, one of FIELDS.
        width: channels of the first layer; doubles with each layer, up to eight times as many.
        norm: batch (on all layers but the first and the last), none or spectral (on all).
        inputs: channels of the picture beside which another is looked at: 1 for outlines.
    """

    def __init__(self, field_px: int, width: int = 64, norm: str = "batch", inputs: int = 1) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3 + inputs, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        into = width
        for i in range(1, FIELDS[field_px] + 1):
            out, stride = min(width << i, 8 * width), 2 if i < FIELDS[field_px] else 1
            layers += [nn.Conv2d(into, out, 4, stride, 1, bias=norm != "batch"), NORMS[norm](out), nn.LeakyReLU(0.2)]
            into = out
        self.layers = nn.Sequential(*layers, nn.Conv2d(into, 1, 4, 1, 1))
        if norm == "spectral":
            apply_spectral_norm(self)

    def discriminate(self, features: list[Tensor], condition: Tensor | None = None) -> Tensor:
        """Logits, float N x patches, of pictures, in a list of one, and their outlines, float N x 1 x H x W."""
        if condition is None:
            raise ValueError("a picture is looked at beside its outline")
        pair = torch.cat([condition, features[0].float()], dim=1)
        return self.layers(pair.contiguous(memory_format=torch.channels_last)).flatten(1)
