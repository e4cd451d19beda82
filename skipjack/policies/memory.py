"""Memory between encoder and heads; its state goes in and comes out explicitly."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skipjack.policies.config import PolicyConfig

State = tuple[Tensor, ...]
"""What a memory carries from step to step, each (rows, size); empty without memory."""


class Recurrent(nn.Module):
    """A fused recurrent layer of torch's, with resets inside a sequence.

    Args:
        layer: `nn.LSTM` or `nn.GRU` from size to size.
        parts: tensors in its state.
    """

    def __init__(self, layer: nn.LSTM | nn.GRU, parts: int) -> None:
        super().__init__()
        self.layer, self.parts, self.size = layer, parts, layer.hidden_size
        for name, parameter in layer.named_parameters():
            if name.startswith("weight"):
                nn.init.orthogonal_(parameter, 1.0)
            else:
                nn.init.zeros_(parameter)

    def initial_state(self, rows: int, device: torch.device | None = None) -> State:
        """Zeros, each part (rows, size)."""
        return tuple(torch.zeros(rows, self.size, device=device) for _ in range(self.parts))

    def step(self, hidden: Tensor, state: State) -> tuple[Tensor, State]:
        """One step: (rows, size) and a state -> (rows, size) and the state after it."""
        # PERF: over one step the LSTM layer has 1.2 x the speed of torch's cell on a CPU, the GRU
        # layer 0.94 x (benchmarks/acting.py); one path serves both and the sequence.
        out, state = self._run(hidden[None], state)
        # Under autocast it comes out as bfloat16; what is carried over steps keeps float32.
        return out[0], tuple(part.float() for part in state)

    def sequence(self, hidden: Tensor, state: State, resets: Tensor) -> Tensor:
        """Many steps at once, equal to `step` in a loop that clears the state where told.

        Args:
            hidden: (time, rows, size).
            state: the state before the first step.
            resets: (time, rows) bool; where true, the state is cleared before that step.

        Returns:
            (time, rows, size).

        A reset cuts a row's sequence in two. All pieces run side by side as sequences of their
        own, aligned at their beginnings, so that one fused call serves any pattern of resets;
        steps past a piece's end are computed and thrown away.
        """
        starts = resets.clone()
        starts[0] = True
        # Pieces are numbered by row, then by time.
        begin_row, begin_time = starts.T.nonzero(as_tuple=True)  # (pieces,)
        time, rows = resets.shape
        first = (begin_time == 0) & ~resets[0][begin_row]
        before = tuple(part[begin_row] * first[:, None] for part in state)
        if len(begin_row) == rows:
            return self._run(hidden, before)[0]
        piece = starts.T.reshape(-1).cumsum(0).reshape(rows, time).T - 1  # (time, rows)
        clock = torch.arange(time, device=hidden.device)[:, None]
        offset = clock - begin_time[piece]  # (time, rows): step within its piece
        longest = int(offset.max()) + 1
        source = (begin_time + clock[:longest]).clamp_(max=time - 1)
        pieces = hidden[source, begin_row.expand_as(source)]  # (longest, pieces, size)
        return self._run(pieces, before)[0][offset, piece]

    def _run(self, hidden: Tensor, state: State) -> tuple[Tensor, State]:
        """The layer over (time, rows, size); its state without torch's dimension of layers."""
        raise NotImplementedError


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997). State: hidden and cell."""

    def __init__(self, size: int) -> None:
        super().__init__(nn.LSTM(size, size), parts=2)

    def _run(self, hidden: Tensor, state: State) -> tuple[Tensor, State]:
        out, (h, c) = self.layer(hidden, (state[0][None], state[1][None]))
        return out, (h[0], c[0])


class GRU(Recurrent):
    """Gated recurrent unit (Cho et al. 2014). State: hidden."""

    def __init__(self, size: int) -> None:
        super().__init__(nn.GRU(size, size), parts=1)

    def _run(self, hidden: Tensor, state: State) -> tuple[Tensor, State]:
        out, h = self.layer(hidden, state[0][None])
        return out, (h[0],)


class MinGRU(nn.Module):
    """Minimal gated recurrent unit (Feng et al. 2024, "Were RNNs All We Needed?", section 3.1).

    h_t = (1 - z_t) h_{t-1} + z_t n_t, where gate z and candidate n depend on the input alone: no
    nonlinearity lies between steps, so that a sequence is one parallel scan. State: hidden, float32.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.gates = nn.Linear(size, 2 * size)
        nn.init.zeros_(self.gates.bias)
        for weight in self.gates.weight.detach().chunk(2):
            nn.init.orthogonal_(weight, 1.0)

    def initial_state(self, rows: int, device: torch.device | None = None) -> State:
        """Zeros, (rows, size)."""
        return (torch.zeros(rows, self.size, device=device),)

    def step(self, hidden: Tensor, state: State) -> tuple[Tensor, State]:
        """One step: (rows, size) and a state -> (rows, size) and the state after it."""
        keep, new = self._terms(hidden)
        after = keep * state[0] + new
        return after, (after,)

    def sequence(self, hidden: Tensor, state: State, resets: Tensor) -> Tensor:
        """Many steps at once, equal to `step` in a loop that clears the state where told.

        Args:
            hidden: (time, rows, size).
            state: the state before the first step.
            resets: (time, rows) bool; where true, the state is cleared before that step.
        """
        keep, new = self._terms(hidden)
        keep = keep * ~resets[..., None]
        new = torch.cat([new[:1] + keep[:1] * state[0], new[1:]])
        return scan(keep, new)

    def _terms(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """What stays of the old state, and what is added to it."""
        gate, candidate = self.gates(hidden).float().chunk(2, -1)
        gate = gate.sigmoid()
        return 1 - gate, gate * candidate


def scan(keep: Tensor, new: Tensor) -> Tensor:
    """All h_t = keep_t h_{t-1} + new_t with h before the first step 0, in log2(time) passes.

    Args:
        keep, new: (time, ...).

    After each pass h_t has taken in twice as many steps before it (Hillis and Steele 1986).
    """
    distance = 1
    while distance < len(new):
        reach = keep[distance:]
        new = torch.cat([new[:distance], new[distance:] + reach * new[:-distance]])
        keep = torch.cat([keep[:distance], reach * keep[:-distance]])
        distance *= 2
    return new


Memory = LSTM | GRU | MinGRU


def make_memory(config: PolicyConfig) -> Memory | None:
    """The memory that `config.memory` names, of width `config.hidden`."""
    kinds: dict[str, type[Memory]] = {"lstm": LSTM, "gru": GRU, "mingru": MinGRU}
    return kinds[config.memory](config.hidden) if config.memory != "none" else None


def clear(state: State, rows: Tensor) -> State:
    """`state` with zeros in the rows where `rows` (bool) is true, whatever stood there."""
    return tuple(part.masked_fill(rows.reshape(-1, *[1] * (part.ndim - 1)), 0) for part in state)
