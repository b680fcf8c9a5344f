"""Experts beside the heads of the Transformer: what they say comes from the library, only their gates are torch.

What an expert says follows from the tokens alone (`lstm_music.models.experts`): ids, their odds, and how much it knows. The gate
depends on what the head reads, as that of an LSTM does.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from lstm_music.models.columns import Columns
from lstm_music.models.experts import Experts


class GatedExperts(nn.Module):
    """The experts of one stream, called with what its head reads, [targets, width], and tokens, int [targets, columns]."""

    def __init__(self, names: Sequence[str], stream: str, columns: Columns, width: int) -> None:
        super().__init__()
        self.ids = columns.sizes[stream]
        library = Experts(names, stream, columns, width)
        self.read, self.experts = library.read, library.experts
        self.gate = nn.Linear(width, sum(one.levels for one in self.experts))
        nn.init.zeros_(self.gate.weight)
        first = [torch.full((one.levels,), one.first_gate) for one in self.experts]
        self.gate.bias.data = torch.cat(first)

    def close(self) -> None:
        """Close the gates: the experts say nothing until the gates are learnt."""
        nn.init.zeros_(self.gate.bias)

    def forward(self, values: torch.Tensor, previous: torch.Tensor, current: torch.Tensor) -> torch.Tensor:
        """Return what to add to the logits, [targets, ids]."""
        read = self.read(previous.numpy(), current.numpy())
        gates, of_expert, of_read, added = self.gate(values), 0, 0, 0.0
        for one in self.experts:
            said = one.say(read[:, of_read : of_read + one.width])
            ids, odds, level = (torch.from_numpy(np.array(part)) for part in said)
            by_id = torch.zeros(len(values), self.ids).scatter_reduce(1, ids.clamp(min=0).long(), odds, "amax")
            weight = gates[:, of_expert : of_expert + one.levels].gather(1, level.long()[:, None])
            added = added + weight * by_id
            of_expert, of_read = of_expert + one.levels, of_read + one.width
        return added
