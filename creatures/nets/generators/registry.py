"""All generators, by name."""

from __future__ import annotations

from typing import Any

from creatures.nets.common.base import Generator
from creatures.nets.generators.dcgan import DCGANGenerator
from creatures.nets.generators.lite import DilatedGenerator, LiteGenerator
from creatures.nets.generators.resnet import ResNetGenerator

GENERATORS: dict[str, type[Generator]] = {
    "lite": LiteGenerator,
    "dilated": DilatedGenerator,
    "dcgan": DCGANGenerator,
    "resnet": ResNetGenerator,
}


def build_generator(architecture: dict[str, Any]) -> Generator:
    """Build a generator from its description: `name` and the arguments of its class."""
    arguments = {key: value for key, value in architecture.items() if key != "name"}
    return GENERATORS[architecture["name"]](**arguments)
