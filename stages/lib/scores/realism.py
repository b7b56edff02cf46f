"""How real each single picture looks."""

from __future__ import annotations

import faiss
import numpy as np
import torch

NEIGHBOURS = 3
AT_ONCE = 256  # rows: bounds memory


def realism(fake: np.ndarray, real: np.ndarray) -> np.ndarray:
    """The realism score of each fake, float32 (N,): 1 and more where it lies among real pictures.

    T. Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing Generative Models", 2019, eq. 3: the
    largest of radius / distance over the real pictures, whose radius is the distance to their third neighbour. As
    there, the half with the larger radii is left out: these are in sparse places, where anything would be near.

    Args:
        fake, real: feature vectors, float32 N x D and M x D; M is 2 or more.
    """
    real = np.ascontiguousarray(real, np.float32)
    index = faiss.IndexFlatL2(real.shape[1])
    index.add(real)
    radii = np.sqrt(index.search(real, min(NEIGHBOURS + 1, len(real)))[0][:, -1].clip(0))
    dense = radii <= np.median(radii)
    near, radius = torch.from_numpy(real[dense]), torch.from_numpy(radii[dense])
    parts = torch.from_numpy(np.ascontiguousarray(fake, np.float32)).split(AT_ONCE)
    return torch.cat([(radius / torch.cdist(part, near).clamp(min=1e-6)).amax(1) for part in parts]).numpy()
