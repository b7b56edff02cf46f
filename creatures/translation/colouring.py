"""Colour outlines with a trained U-Net's file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from creatures.artifacts import COLOURER
from creatures.data.loading import reading
from creatures.data.tensors import to_uint8
from creatures.data.weights import load_weights
from creatures.runtime.errors import UserError
from creatures.translation.hinted import held, hint_palette, merged, palette_for
from creatures.translation.hints import put_point, spread
from creatures.translation.regions import deepest, regions_of
from creatures.translation.unet import UNet, draw_noise

BATCH = 64
ROUNDS = ((1,), (2, 3), (4, 5, 6, 7))  # ranks of regions, by area, whose colours are chosen together
TEMPERATURE = 0.7  # of the choice: below 1, unlikely colours are rarer


@dataclass(frozen=True)
class Colourer:
    """A trained U-Net with its settings.

    Attributes:
        noise: name in NOISES of the noise that `colour` draws.
        outline: canny, sketch or mixed: the outlines it was trained on.
        palettes: those of some of its training pictures, float32 N x colours x 4.
    """

    net: UNet
    noise: str
    outline: str
    palettes: Tensor

    def colour(
        self,
        outlines: np.ndarray,
        seed: int | None,
        palettes: np.ndarray | None = None,
        hints: np.ndarray | None = None,
        follow: bool = True,
    ) -> np.ndarray:
        """Colour outlines, uint8 N x H x W, 0 on lines, 255 elsewhere, or translate pictures, uint8 N x 3 x H x W.

        Args:
            seed: of the noise, the choice of palettes and, for a network that takes hints, of the colours of regions,
                which in a row are the same however many rows there are; None for none of them: the same colouring each
                time.
            palettes: float32 N x colours x 4, to use instead of chosen ones.
            hints: float32 N x 4 x H x W, see `hints`; they are spread here. None, or all 0 in an outline, for none.
            follow: whether palettes are made to agree with hints and colourings to keep to them, see `hinted`;
                otherwise the network alone follows them.

        Returns:
            uint8 N x 3 x H x W.

        Raises:
            UserError: there are hints, and the network takes none.
        """
        if hints is not None and not self.net.hints:
            raise UserError("this model was trained with pix2pix.hints: false; it takes no coloured strokes")
        count = len(outlines)
        generator = None if seed is None else torch.Generator().manual_seed(seed)
        noise = draw_noise(self.net, "none" if seed is None else self.noise, count, generator)
        if palettes is not None:
            palette = torch.from_numpy(palettes)
        elif seed is not None and len(self.palettes):
            rngs = [np.random.default_rng([seed, row, 1]) for row in range(count)]
            palette = self.palettes[[int(rng.integers(len(self.palettes))) for rng in rngs]]
        else:
            palette = torch.zeros(count, self.net.colours, 4)
        if self.net.hints and hints is None:
            hints = np.zeros((count, 4, *outlines.shape[1:]), np.float32)
        own = {row: hints[row] for row in range(count) if hints[row, 3].any()} if hints is not None and follow else {}
        if own and self.net.colours:
            palette = palette.clone()
            for row, hint in own.items():
                rng = None if seed is None or palettes is not None else np.random.default_rng([seed, row])
                palette[row] = torch.from_numpy(self._agreeing(palette[row].numpy(), hint, outlines[row], rng))
        if hints is not None and seed is not None and self.net.colours:
            hints = self._chosen(outlines, noise, palette, hints, seed)
        pictures = self._forward(outlines, noise, palette, hints)[0]
        for row, hint in own.items():
            pictures[row] = held(pictures[row], hint, outlines[row])
        return pictures

    def _agreeing(
        self, palette: np.ndarray, hints: np.ndarray, outline: np.ndarray, rng: np.random.Generator | None
    ) -> np.ndarray:
        """A palette with the colours of hints: this one, or with `rng` one of those kept that has similar colours."""
        if rng is not None and len(self.palettes):
            return palette_for(hints, outline, self.palettes.numpy(), rng)
        return merged(palette, hint_palette(hints, outline, self.net.colours))

    def _chosen(self, outlines: np.ndarray, noise: Tensor, palette: Tensor, hints: np.ndarray, seed: int) -> np.ndarray:
        """The hints, and one in each of the largest regions without any, of a palette's colour that the network
        expects there. The larger regions come first, so that the smaller ones go with them.
        """
        hints, colours = hints.copy(), palette.numpy()
        regions = [regions_of(outline) for outline in outlines]
        rngs = [np.random.default_rng([seed, row]) for row in range(len(outlines))]
        for ranks in ROUNDS:
            todo = [
                (row, labels == rank)
                for row, labels in enumerate(regions)
                for rank in ranks
                if (labels == rank).any() and not hints[row, 3][labels == rank].any() and colours[row, :, 3].any()
            ]
            if not todo:
                continue
            _, choices = self._forward(outlines, noise, palette, hints)
            for row, mask in todo:
                logits = np.where(colours[row, :, 3] > 0, choices[row][:, mask].mean(axis=1) / TEMPERATURE, -np.inf)
                probabilities = np.exp(logits - logits.max())
                chosen = rngs[row].choice(len(logits), p=probabilities / probabilities.sum())
                put_point(hints[row], deepest(mask), (colours[row, chosen, :3] + 1) * 127.5)
        return hints

    @torch.no_grad()
    def _forward(
        self, outlines: np.ndarray, noise: Tensor, palette: Tensor, hints: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pictures, uint8 N x 3 x H x W, and logits of the palette's colours, float32 N x colours x H x W."""
        device = next(self.net.parameters()).device
        inputs = [to_lines(outlines), noise, palette]
        if hints is not None:
            filled = np.stack([spread(*pair) for pair in zip(hints, outlines, strict=True)])
            inputs.append(torch.from_numpy(filled))
        parts = [self.net.paint(*part) for part in zip(*(x.to(device).split(BATCH) for x in inputs), strict=True)]
        pictures = np.concatenate([to_uint8(pictures) for pictures, _ in parts])
        return pictures, np.concatenate([choices.cpu().numpy() for _, choices in parts])


def to_lines(outlines: np.ndarray) -> Tensor:
    """uint8 outlines N x H x W as float N x 1 x H x W in [-1, 1]; pictures keep their channels."""
    pictures = torch.from_numpy(np.array(outlines))
    return (pictures.unsqueeze(1) if pictures.ndim == 3 else pictures).float() / 127.5 - 1


def load_colourer(path: Path = COLOURER) -> Colourer:
    """Load a colourer from a file that `pix2pix` wrote.

    Raises:
        UserError: it is missing or damaged.
    """
    tensors, header = load_weights(path)
    with reading(path):
        net, p = UNet(**header["architecture"]), header["params"]
        palettes = tensors.pop("palettes")
        net.load_state_dict(tensors)
        net = net.eval().requires_grad_(False).to(memory_format=torch.channels_last)
        return Colourer(net, p["noise"], p["outline"], palettes)
