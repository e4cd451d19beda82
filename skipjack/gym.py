"""Skipjack's games for Gymnasium: importing this module registers them.

    gymnasium.make("skipjack.gym:skipjack/Breakout-v0", frame_skip=1)
    gymnasium.make_vec("skipjack.gym:skipjack/Breakout-v0", num_envs=1024)
    gymnasium.make("skipjack.gym:skipjack/Breakout-v0", render_mode="rgb_array")

Keyword arguments are the game's settings (`skipjack config show breakout`); those of the class
behind an id are `skipjack.vector.gymnasium.GymEnv`'s and `GymVector`'s. A game of several seats is
PettingZoo's: `skipjack.vector.pettingzoo.Parallel`.
"""

from __future__ import annotations

import gymnasium

from skipjack import registry

SEVERAL_SEATS = frozenset(
    {
        "connect_four",
        "grid/forage",
        "grid/forage4096",
        "grid/group",
        "grid/predator_prey",
        "moba",
        "moba/small",
        "multiagent",
        "pong/two",
        "rock_paper_scissors/two",
        "snake/1440p",
        "snake/720p",
        "snake/small",
        "tic_tac_toe",
    }
)
"""Names with more than one seat an env, for which Gymnasium has no place."""


def ids() -> dict[str, str]:
    """Every id and the name of its env: the games, and each variant that is an env of its own.

    A preset without env settings (`pong/lstm`) differs in training alone: its env is the game's.
    """
    found = {}
    for game, (target, _) in registry.GAMES.items():
        title = target.partition(":")[2]
        for variant in registry.presets(game):
            bare = variant == registry.default_of(game)
            name = game if bare else f"{game}/{variant}"
            if name in SEVERAL_SEATS:
                continue
            if bare:
                found[f"skipjack/{title}-v0"] = name
            elif "env" in registry.preset(name):
                found[f"skipjack/{title}-{variant}-v0"] = name
    return found


def _register() -> None:
    for env_id, name in ids().items():
        if env_id not in gymnasium.registry:  # reloading the module changes nothing
            gymnasium.register(
                env_id,
                entry_point="skipjack.vector.gymnasium:GymEnv",
                vector_entry_point="skipjack.vector.gymnasium:GymVector",
                kwargs={"name": name},
            )


_register()
