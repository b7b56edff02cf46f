"""All discriminators, by name."""

from __future__ import annotations

from creatures.nets.common.base import Discriminator
from creatures.nets.discriminators.dcgan import DCGANDiscriminator, ShallowDiscriminator, SNGANDiscriminator
from creatures.nets.discriminators.projected import ProjectedDiscriminator
from creatures.nets.discriminators.resnet import ResNetDiscriminator

DISCRIMINATORS: dict[str, type[Discriminator]] = {
    "dcgan": DCGANDiscriminator,
    "sngan": SNGANDiscriminator,
    "resnet": ResNetDiscriminator,
    "projected": ProjectedDiscriminator,
    "shallow": ShallowDiscriminator,
}
