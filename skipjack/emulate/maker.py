"""From a name or a function to an engine: which kind of environment it is shows when one is made."""

from __future__ import annotations

import contextlib
import importlib
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
from gymnasium.vector import VectorEnv

from skipjack.emulate.config import EmulateConfig
from skipjack.emulate.gymnasium import Emulated
from skipjack.emulate.old_gym import OldGym, parameters, takes_seed
from skipjack.emulate.vectorised import Vectorised
from skipjack.errors import SkipjackError, UsageError, clause, missing, must
from skipjack.rows import Engine


class Maker:
    """What makes engines of one Python environment; stands where a native game's class does.

    Args:
        make: makes one env from keyword arguments; one that takes `num_envs` makes a vector env.
        name: what the env is called in messages.
    """

    Config = EmulateConfig

    def __init__(self, make: Callable[..., Any], name: str) -> None:
        self.make, self.name = make, name
        self.vector = "num_envs" in parameters(make)

    @property
    def in_python(self) -> bool:
        """Whether its envs may be spread over workers; a vector env has its own, if any."""
        return not self.vector

    @property
    def defaults(self) -> dict[str, Any]:
        """Settings that suit Python environments, below a preset of the env's own."""
        path = Path(__file__).with_name("defaults.toml")
        return tomllib.loads(path.read_text(encoding="utf-8"))

    def __call__(self, num_envs: int, config: EmulateConfig = EmulateConfig()) -> Engine:
        """An engine of `num_envs` envs.

        Raises:
            UsageError: the env cannot be made, or is of no kind that can be emulated.
        """
        arguments = config.arguments()
        if self.vector:
            arguments = {"num_envs": num_envs} | arguments
        made: list[Any] = []

        def make() -> Any:
            made.append(self._one(arguments))
            return made[-1]

        try:
            return self._engine(make, num_envs, config)
        except BaseException:
            for env in made:  # they may be processes of their own
                with contextlib.suppress(Exception):
                    env.close()
            raise

    def _engine(self, make: Callable[[], Any], num_envs: int, config: EmulateConfig) -> Engine:
        first = make()
        if isinstance(first, VectorEnv):
            if not self.vector or first.num_envs != num_envs:
                raise must(
                    f"what makes a vector environment must take num_envs and make as many envs, but "
                    f"{self.name!r} made {first.num_envs}",
                    hint="Evaluation needs fewer than training.",
                    asked=num_envs,
                )
            return Vectorised(first, config)
        if has_agents(first):
            from skipjack.emulate.pettingzoo import Worlds

            return Worlds(parallel(first), lambda: parallel(make()), num_envs, config)
        return Emulated(single(first), lambda: single(make()), num_envs, config)

    def _one(self, arguments: dict[str, Any]) -> Any:
        try:
            return self.make(**arguments)
        except SkipjackError:
            raise
        except Exception as error:
            raise UsageError(
                f"The environment {self.name!r} must be one that can be made, but its maker raised "
                f"{type(error).__name__}: {clause(error)}."
            ) from error


def from_gymnasium(name: str) -> Maker:
    """The maker of `gymnasium:ID`; `gymnasium:module:ID` imports the module that registers it."""
    identity = name.partition(":")[2]

    def make(**arguments: Any) -> Any:
        # The checker costs more than many envs: `skipjack check` does its work once.
        return gymnasium.make(identity, disable_env_checker=True, **arguments)

    return Maker(make, name)


def from_pettingzoo(name: str) -> Maker:
    """The maker of `pettingzoo:family.name`, such as butterfly.cooperative_pong_v6, or of a module.

    Raises:
        MissingPackage: PettingZoo is not installed.
        UsageError: there is no such module.
    """
    rest = name.partition(":")[2].replace("/", ".")
    try:
        importlib.import_module("pettingzoo")
    except ImportError:
        raise missing("pettingzoo", "pettingzoo", f"The environment {name!r}") from None
    failures = []
    for module_name in (f"pettingzoo.{rest}", rest):
        try:
            module = importlib.import_module(module_name)
            break
        except ImportError as error:
            failures.append(clause(error))
    else:
        raise UsageError(
            f"The environment {name!r} must be a module of PettingZoo or of its kind, but "
            f"{failures[0]}. Name it as in pettingzoo:butterfly.cooperative_pong_v6."
        )
    make = getattr(module, "parallel_env", None) or getattr(module, "env", None)
    if make is None:
        raise must("a PettingZoo module must have parallel_env or env", module=module.__name__)
    return Maker(make, name)


def from_callable(make: Any, name: str = "") -> Maker:
    """The maker of a user's own env: a function or class that makes one.

    Raises:
        UsageError: it cannot be called.
    """
    if not callable(make) or isinstance(make, gymnasium.Env):
        raise must(
            "an environment must be given as a function or class that makes one",
            hint="Write lambda: MyEnv().",
            got=type(make).__name__,
        )
    return Maker(make, name or getattr(make, "__name__", type(make).__name__))


def single(env: Any) -> gymnasium.Env[Any, Any]:
    """One env for one agent, as Gymnasium's; a reset without a seed is the old interface."""
    if isinstance(env, gymnasium.Env) and takes_seed(env.unwrapped.reset):
        return env
    return OldGym(env)


def parallel(env: Any) -> Any:
    """An env for several agents, as PettingZoo's parallel ones; AEC envs are converted by its own hand.

    In one that agents move in by turns the others wait: it must tell so by an all-zero mask.

    Raises:
        UsageError: PettingZoo cannot convert it.
    """
    if not hasattr(env, "agent_iter"):
        return env
    from pettingzoo.utils import conversions

    by_turns = not getattr(env, "metadata", {}).get("is_parallelizable", False)
    convert = conversions.turn_based_aec_to_parallel if by_turns else conversions.aec_to_parallel
    try:
        return convert(env)
    except Exception as error:
        raise UsageError(
            f"An AEC environment must be one that PettingZoo can convert, but it raised "
            f"{type(error).__name__}: {clause(error)}."
        ) from error


def has_agents(env: Any) -> bool:
    """Whether an env is one of PettingZoo's, parallel or AEC."""
    return hasattr(env, "possible_agents") or hasattr(env, "agent_iter")
