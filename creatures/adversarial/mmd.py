"""Maximum mean discrepancy of frozen features, as a loss of the generator."""

from __future__ import annotations

import torch
from torch import Tensor

from creatures.training.distributed import all_gather


class MMD:
    """Squared distance between the mean features of fake and of real pictures in the space of a cubic kernel: 0-d, up
    to a constant.

    Y. Li et al., "Generative Moment Matching Networks", 2015, with KID's kernel (M. Bińkowski et al., "Demystifying
    MMD GANs", 2018). A single batch says little about a distribution: its fakes are compared with the last MEMORY
    pictures of both kinds. So the gradient is that of the witness function, which is high where there are more fakes
    than real pictures.
    """

    MEMORY = 2048

    def __init__(self) -> None:
        self.banks: list[Tensor] = []  # features of earlier real and fake pictures, the latest first

    def __call__(self, real: Tensor, fake: Tensor) -> Tensor:
        """The loss for features, float N x D."""
        with torch.autocast(real.device.type, enabled=False):
            real, fake = real.detach().float(), fake.float()
            banks = [bank.to(real.device) for bank in self.banks] or [real[:0], fake[:0].detach()]
            self.banks = [
                torch.cat([all_gather(x), bank])[: self.MEMORY] for x, bank in zip((real, fake), banks, strict=True)
            ]
            if not len(banks[1]):  # the first batch has nothing to be compared with
                return 0 * fake.sum()
            return kernel(fake, banks[1]).mean() - kernel(fake, banks[0]).mean()

    def state_dict(self) -> dict[str, list[Tensor]]:
        return {"banks": self.banks}

    def load_state_dict(self, state: dict[str, list[Tensor]]) -> None:
        self.banks = state["banks"]


def kernel(x: Tensor, y: Tensor) -> Tensor:
    """(x · y / D + 1)^3 of every pair: N x M from N x D and M x D."""
    return (x @ y.T / x.shape[1] + 1) ** 3
