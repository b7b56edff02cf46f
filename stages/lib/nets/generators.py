"""All generators, by name."""

from __future__ import annotations

from typing import Any

from stages.lib.nets.base import Generator
from stages.lib.nets.dcgan import DCGANGenerator
from stages.lib.nets.lite import DilatedGenerator, LiteGenerator
from stages.lib.nets.resnet_gan import ResNetGenerator

GENERATORS: dict[str, type[Generator]] = {
    "lite": LiteGenerator,
    "dilated": DilatedGenerator,
    "dcgan": DCGANGenerator,
    "resnet": ResNetGenerator,
}


def build_generator(architecture: dict[str, Any]) -> Generator:
    """A generator from its description: `name` and the arguments of its class."""
    rest = {key: value for key, value in architecture.items() if key != "name"}
    return GENERATORS[architecture["name"]](**rest)
