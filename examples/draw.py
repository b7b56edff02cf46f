"""Draw new creatures with the released networks: python examples/draw.py OUT.png"""

import sys
from pathlib import Path

from creatures.data.sheets import save_sheet
from creatures.latents.sampler import load_sampler

sampler = load_sampler(Path("models/released/gan.safetensors"))
pictures = sampler.sample(64, seed=0, truncation=0.8)  # uint8, 64 x 3 x 64 x 64
save_sheet(Path(sys.argv[1]), pictures, columns=8)
