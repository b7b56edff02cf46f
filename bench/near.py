"""Time of the search for near copies among pictures no two of which are alike, in one memory and by joins.

    python -m bench.near [COUNT ...]

Of random hashes, at clean.near_hash of 4 bits. The joins run on this machine; with DAFT_RUNNER=ray, on a cluster.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from stages.clean.bands import near_pairs
from stages.clean.near import near_copies

BITS = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", nargs="*", type=int, metavar="COUNT", default=(100_000, 1_000_000))
    for count in parser.parse_args().counts:
        hashes = np.unique(np.random.default_rng(0).integers(0, 2**64, count, np.uint64))
        began = time.monotonic()
        near_copies(hashes, np.arange(len(hashes)), BITS, lambda one, other: np.zeros(len(one), bool))
        searched = time.monotonic()
        near_pairs(hashes, BITS)
        joined = time.monotonic()
        print(f"{count:,}: in one memory {searched - began:.1f} s, by joins {joined - searched:.1f} s", flush=True)


if __name__ == "__main__":
    main()
