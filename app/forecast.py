"""Estimate how long all stages take on this machine, from two seconds of measuring."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from creatures.runtime.config import read_yaml
from creatures.runtime.errors import UserError
from creatures.training.device import accelerator

MEASURED_SECONDS = 2.0
IN_ROOT = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}  # for stages, wherever params.yaml is
BATCH, PX, WIDTH = 16, 64, 32  # of the measured network: pictures as by default
REFERENCE = 620.0  # its pictures per second on the machine that COSTS were measured on
# seconds there (runs/<stage>/*/cost.jsonl): fixed for each stage, and per thousand of its pictures of 64 pixels
FIXED = {"scrape": 6, "names": 2, "clean": 20, "edges": 7, "gmm": 13}
COSTS = {
    "classifier": {"": 34.0, "train": 8.0},
    "pretrain": {"": 24.0, "coarse": 1.5, "train": 36.0},
    "gan": {"": 20.0, "train": 27.0, "sample": 10.0},
    "evaluate": {"": 25.0, "sample": 38.0},
    "pix2pix": {"": 50.0, "train": 25.0},
}
PICTURES = 4.4  # thousands of training pictures in the default set


def pace() -> float:
    """Pictures per second of a small network that is trained as the stages train theirs."""
    accelerate = accelerator()
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, WIDTH, 3, padding=1), nn.BatchNorm2d(WIDTH), nn.LeakyReLU(0.2)]
    layers += [nn.Conv2d(WIDTH, WIDTH, 3, padding=1), nn.BatchNorm2d(WIDTH), nn.LeakyReLU(0.2)]
    net = nn.Sequential(*layers, nn.Conv2d(WIDTH, 3, 3, padding=1)).to(accelerate.device)
    net = net.to(memory_format=torch.channels_last)
    pictures = torch.rand(BATCH, 3, PX, PX, device=accelerate.device).to(memory_format=torch.channels_last)

    def step() -> None:
        with accelerate.autocast():
            loss = (net(pictures) - pictures).square().mean()
        loss.backward()
        loss.item()  # waits for a GPU

    step()
    began, steps = time.monotonic(), 0
    while (took := time.monotonic() - began) < MEASURED_SECONDS:
        step()
        steps += 1
    return steps * BATCH / took


def seconds(params: dict[str, Any], rate: float) -> dict[str, float]:
    """Seconds by stage, for the parameters of params.yaml, if `pace` is `rate`."""
    amounts = {
        "classifier": {"train": params["classifier"]["epochs"] * PICTURES},
        "pretrain": {"coarse": params["pretrain"]["coarse_kimg"], "train": params["pretrain"]["kimg"]},
        "gan": {
            "train": params["gan"]["kimg"],
            "sample": params["gan"]["snapshots"] * params["gan"]["snapshot_samples"] / 1000,
        },
        "evaluate": {"sample": params["evaluate"]["samples"] / 1000},
        "pix2pix": {"train": params["pix2pix"]["kimg"]},
    }
    slower = (params["common"]["image_px"] / PX) ** 2 * REFERENCE / rate
    times: dict[str, float] = dict(FIXED)
    for stage, thousands in amounts.items():
        costs = COSTS[stage]
        times[stage] = slower * (costs[""] + sum(costs[kind] * count for kind, count in thousands.items()))
    return times


def forecast() -> str:
    """Text with the time of all stages together, and of each that takes a minute or more.

    Raises:
        UserError: params.yaml cannot be read, or is wrong.
    """
    checked = subprocess.run([sys.executable, "-m", "stages.check"], env=IN_ROOT, capture_output=True, text=True)
    if checked.returncode:
        raise UserError(checked.stderr.strip())
    times = seconds(read_yaml("params.yaml"), pace())
    long = sorted(((took, stage) for stage, took in times.items() if took >= 60), reverse=True)
    each = ", ".join(f"{stage} {took / 60:.1f}" for took, stage in long)
    return (
        f"All stages take about {max(1, round(sum(times.values()) / 60))} minutes here, with the default pictures or as"
        f" many ({each}); what has run already is not run again.\n"
        "Shorter, and worse: dvc exp run $(python -m app recipe quick)"
    )
