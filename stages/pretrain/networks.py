"""The frozen networks whose maps are compared."""

from __future__ import annotations

from collections.abc import Callable

from creatures.nets.encoder.encoder import Encoder
from creatures.nets.frozen.efficientnet_lite import EfficientNetLite

# functions of the pipeline's own encoder; both networks have `feature_maps`
NETWORKS: dict[str, Callable[[Encoder], Encoder | EfficientNetLite]] = {
    "lite0": lambda encoder: EfficientNetLite(0),
    "encoder": lambda encoder: encoder,
}
