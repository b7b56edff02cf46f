"""Transposed convolutions.

A. Radford et al., "Unsupervised Representation Learning with DCGANs", 2016.
"""

from __future__ import annotations

from torch import Tensor, nn

from creatures.nets.common.base import FIRST_PX, Generator
from creatures.nets.common.parts import ACTIVATIONS


class DCGANGenerator(Generator):
    """Transposed convolutions.

    Args:
        z_dim: length of the latent.
        image_px: side of the pictures, a power of two, at least 16.
        width: channels of the last hidden layer; doubles with each layer before it.
        activation: relu or leaky.
        dropout: after the first layer.
        first_px: side of the first map.
        kernel: size of the kernels that upsample, 4 or 5.
        msg: output smaller pictures too (multi-scale gradients).
    """

    def __init__(
        self,
        z_dim: int,
        image_px: int,
        width: int = 64,
        activation: str = "relu",
        dropout: float = 0.0,
        first_px: int = FIRST_PX,
        kernel: int = 4,
        msg: bool = False,
    ) -> None:
        channels = {image_px // 2**i: width * 2 ** (i - 1) for i in range(1, 12) if image_px // 2**i >= first_px}
        super().__init__(z_dim, image_px, channels if msg else {})
        self.first = nn.Sequential(
            nn.Unflatten(1, (z_dim, 1, 1)),
            nn.ConvTranspose2d(z_dim, channels[first_px], first_px, bias=False),
            nn.BatchNorm2d(channels[first_px]),
            ACTIVATIONS[activation](),
            nn.Dropout(dropout),
        )

        def enlarge(into: int, out: int, bias: bool) -> nn.Module:
            return nn.ConvTranspose2d(into, out, kernel, 2, (kernel - 1) // 2, output_padding=kernel % 2, bias=bias)

        self.blocks = nn.ModuleDict()
        for side in sorted(channels)[1:]:
            layers = [enlarge(channels[side // 2], channels[side], bias=False), nn.BatchNorm2d(channels[side])]
            self.blocks[str(side)] = nn.Sequential(*layers, ACTIVATIONS[activation]())
        self.last = enlarge(width, 3, bias=True)

    def maps(self, z: Tensor) -> dict[int, Tensor]:
        x = self.first(z)  # N x channels x first_px x first_px
        maps = {x.shape[-1]: x}
        for side, block in self.blocks.items():
            maps[int(side)] = x = block(x)  # of twice the side
        return maps

    def draw(self, maps: dict[int, Tensor]) -> Tensor:
        return self.last(maps[self.image_px // 2])
