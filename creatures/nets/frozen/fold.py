"""Fold BatchNorm into convolutions: a frozen network computes the same function faster."""

from __future__ import annotations

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batchnorm(module: nn.Module) -> nn.Module:
    """Fold every BatchNorm that follows a convolution into it, for inference; keeps activations."""
    previous: tuple[str, nn.Conv2d] | None = None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d) and previous is not None:
            setattr(module, previous[0], fuse_conv_bn_eval(previous[1], child))
            setattr(module, name, getattr(child, "act", nn.Identity()))
        else:
            fold_batchnorm(child)
        if isinstance(child, nn.Conv2d):
            previous = (name, child)
        elif not isinstance(child, nn.Identity):
            previous = None
    return module
