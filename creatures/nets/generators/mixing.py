"""Generator of style mixing: the shape of one latent in the colours of another."""

from __future__ import annotations

from typing import TypeGuard

from torch import Tensor, nn

from creatures.nets.common.base import Generator
from creatures.nets.generators.lite import EXCITED, LiteGenerator
from creatures.runtime.errors import UserError


class Mixing(Generator):
    """A generator with two latents, of shape and of colours, one after the other: N x 2Z to pictures.

    The maps are those of the first; the gates of skip-layer excitation are computed from the coarse maps of the
    second. B. Liu et al., "Towards Faster and Stabilized GAN Training" (FastGAN), 2021: what is gated keeps the
    content, and the gates bring the style.

    Raises:
        UserError: the generator has no skip-layer excitation.
    """

    def __init__(self, net: nn.Module) -> None:
        if not can_mix(net):
            raise UserError("this generator cannot mix: it has no skip-layer excitation (gan.generator)")
        super().__init__(2 * net.z_dim, net.image_px, {})
        self.net = net

    def maps(self, z: Tensor) -> dict[int, Tensor]:
        """Feature maps of the first latent, by their side."""
        shape, colours = z.chunk(2, dim=1)
        return self.net.maps(shape, gates=self.net.maps(colours, self.image_px // EXCITED))

    def draw(self, maps: dict[int, Tensor]) -> Tensor:
        return self.net.draw(maps)


def can_mix(net: nn.Module) -> TypeGuard[LiteGenerator]:
    """Whether a generator can be used by `Mixing`."""
    return isinstance(net, LiteGenerator) and len(net.skips) > 0
