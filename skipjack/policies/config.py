"""Settings of the built-in policy. Loads without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from skipjack.config import Choice, Pow2, Within


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    """Shape of the built-in network: encoder, optional memory, actor and critic."""

    encoder: Literal["auto", "mlp", "window", "fields"] = "auto"
    """What reads the observation; auto takes window for a grid of categories, fields where there are
    pictures, categories or several types, mlp for the rest."""
    picture: Literal["large", "small"] = "large"
    """Convolutions that read a picture: large has three of 32, 64 and 64 planes (Mnih et al. 2015), small
    two of 16 and 32 (Mnih et al. 2013) at about a third of the cost."""
    hidden: Annotated[int, Pow2(32, 1024), Within(1, 65_536)] = 128
    """Width of every hidden layer and of the memory."""
    layers: Annotated[int, Choice(1, 2, 3, 4)] = 1
    """Hidden layers of the encoder."""
    activation: Literal["relu", "gelu", "tanh"] = "relu"
    """Nonlinearity after each hidden layer."""
    memory: Literal["none", "lstm", "gru", "mingru"] = "none"
    """Recurrent memory between encoder and heads."""
    separate_value: bool = False
    """Give the critic an encoder and a memory of its own instead of the actor's."""
    normalise: bool = False
    """Bring each element of an observation to mean 0 and deviation 1, as seen in training so far."""
    own: str = ""
    """module:Class of a policy of your own; empty for the built-in network."""
