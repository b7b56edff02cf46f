"""Train a GAN on a folder of pictures, without DVC: python examples/train_gan.py FOLDER OUT.png [STEPS]

A projected discriminator (Sauer et al., 2021) and a light generator; the first row of OUT.png are real pictures.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from creatures.adversarial.objective import Adversarial, Batch, DiscriminatorInput
from creatures.data.sheets import save_sheet
from creatures.data.tensors import to_float, to_uint8
from creatures.nets.discriminators.projected import ProjectedDiscriminator
from creatures.nets.generators.lite import LiteGenerator
from creatures.training.augment import augment
from creatures.training.device import accelerator, to_device
from creatures.training.distributed import prepare
from creatures.training.ema import EMA

PX, Z_DIM, BATCH, POLICY = 64, 128, 16, ["flip", "translation", "colour"]

folder, out, steps = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1000
files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".png", ".jpg", ".jpeg", ".webp"})
pictures = np.stack([np.asarray(Image.open(f).convert("RGB").resize((PX, PX))).transpose(2, 0, 1) for f in files])

torch.manual_seed(0)
accelerate = accelerator()
net_g = to_device(LiteGenerator(Z_DIM, PX, width=16), accelerate.device)
net_d = to_device(ProjectedDiscriminator(PX, width=32, enlarge=2), accelerate.device)
opt_g = torch.optim.Adam(net_g.parameters(), lr=7e-4, betas=(0.0, 0.99))
opt_d = torch.optim.Adam([w for w in net_d.parameters() if w.requires_grad], lr=2e-4, betas=(0.0, 0.99))
net_g, net_d, opt_g, opt_d = prepare(accelerate, net_g, net_d, opt_g, opt_d)
adversarial, ema = Adversarial(accelerate, net_d, opt_g, opt_d, loss="hinge", penalties={}), EMA(net_g, 0.99)


def seen(images: torch.Tensor) -> DiscriminatorInput:
    augmented = augment([images.float()], POLICY)  # float, BATCH x 3 x PX x PX in [-1, 1]
    return DiscriminatorInput(augmented, net_d.features(augmented), condition=None)


def forward(rows: np.ndarray) -> Batch:
    fake = seen(net_g(torch.randn(BATCH, Z_DIM, device=accelerate.device)))
    real = seen(to_float(pictures[rows]).to(accelerate.device))
    return Batch(real, fake, extra=lambda: ([], {}))  # no loss of the generator's besides


for step in range(steps):
    rows = np.random.default_rng(step).integers(len(pictures), size=BATCH)
    metrics = adversarial.step(forward, [rows], step)
    ema.update(net_g)
    if step % 50 == 0:
        print(step, {name: round(value.item(), 3) for name, value in metrics.items()}, flush=True)

with torch.no_grad():
    drawn = to_uint8(ema.module(torch.randn(56, Z_DIM, device=accelerate.device)))
save_sheet(out, np.concatenate([pictures[:8], drawn]), columns=8)
