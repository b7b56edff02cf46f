"""Score a folder of pictures against another, real one: python examples/score.py FAKE REAL"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from creatures.metrics.defects import defects
from creatures.metrics.features import features
from creatures.metrics.scores import kid, precision_recall_density_coverage
from creatures.nets.frozen.efficientnet_lite import EfficientNetLite

PX = 64


def read(folder: str) -> np.ndarray:
    """uint8, N x 3 x PX x PX."""
    files = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in {".png", ".jpg", ".webp"})
    return np.stack([np.asarray(Image.open(f).convert("RGB").resize((PX, PX))).transpose(2, 0, 1) for f in files])


fake, real = read(sys.argv[1]), read(sys.argv[2])
net = EfficientNetLite(2)  # frozen, of ImageNet
of_fake, of_real = features(net, fake), features(net, real)
print({"kid": kid(of_fake, of_real)[0], **precision_recall_density_coverage(of_fake, of_real), **defects(fake, real)})
