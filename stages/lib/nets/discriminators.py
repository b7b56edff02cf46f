"""All discriminators, by name."""

from __future__ import annotations

from stages.lib.nets.base import Discriminator
from stages.lib.nets.dcgan import DCGANDiscriminator, ShallowDiscriminator, SNGANDiscriminator
from stages.lib.nets.projected import ProjectedDiscriminator
from stages.lib.nets.resnet_gan import ResNetDiscriminator

DISCRIMINATORS: dict[str, type[Discriminator]] = {
    "dcgan": DCGANDiscriminator,
    "sngan": SNGANDiscriminator,
    "resnet": ResNetDiscriminator,
    "projected": ProjectedDiscriminator,
    "shallow": ShallowDiscriminator,
}
