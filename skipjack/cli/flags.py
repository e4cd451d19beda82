"""Flags from the settings' dataclasses: tyro reads them, prints the help and explains mistakes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from skipjack import config as settings
from skipjack.config import Setting
from skipjack.errors import UsageError

T = TypeVar("T")

SHORT = {"--threads": "--vector.threads", "--policy": "--policy.own"}
"""Short forms of settings that are often given."""


def parse(
    command: type[T],
    arguments: Sequence[str],
    prog: str,
    description: str,
    config: Any = None,
) -> tuple[T, dict[str, Any]]:
    """Read a command's own flags and those of the settings.

    Args:
        command: dataclass of the command's own flags; all have defaults.
        arguments: what stands behind the command.
        prog, description: for the help.
        config: root config whose settings are flags too, with its values as defaults.

    Returns:
        the command's flags, and the settings that were given, by dotted name.

    Raises:
        SystemExit: after help (0) or a mistake (2), as tyro does it.
    """
    if not arguments:
        return command(), {}
    import tyro  # 70 ms: only where there is something to read

    known = settings.settings(type(config)) if config is not None else {}
    given = _expand(arguments, known)
    own = [_own_flag(setting, command, tyro) for setting in settings.settings(command).values()]
    sections = _sections(config, known, tyro) if config is not None else []
    whole = dataclasses.make_dataclass("Flags", [*own, *sections], namespace={"__doc__": None})
    if sections:
        description += " Short forms: --threads for --vector.threads, --policy for --policy.own."
    found: Any = tyro.cli(whole, args=given, prog=prog, description=description)
    flat = settings.flatten(found)
    named = {token.split("=", 1)[0].lstrip("-").replace("-", "_") for token in given}
    named |= {name.replace(".no_", ".") for name in named}
    chosen = {name: flat[name] for name in known if name in named}
    return command(**{name: getattr(found, name) for name, _, _ in own}), chosen


def subject(arguments: Sequence[str], usage: str) -> tuple[str, list[str]]:
    """The leading name (an environment, a run) and what stands behind it.

    Raises:
        UsageError: there is none.
    """
    if arguments and not arguments[0].startswith("-"):
        return arguments[0], list(arguments[1:])
    if any(token in ("-h", "--help") for token in arguments):
        return "", list(arguments)
    raise UsageError(f"A name must come first: {usage}. See names with: skipjack list.")


def path_or_none(text: str) -> Path | None:
    """A path, or None for the empty string."""
    return Path(text) if text else None


def _expand(arguments: Sequence[str], known: dict[str, Setting]) -> list[str]:
    """Short forms spelled out, `--switch True` as a switch; tyro takes care of the rest."""
    switches = {name for name, setting in known.items() if setting.type is bool}
    found: list[str] = []
    for token in arguments:
        head, equals, value = token.partition("=")
        full = SHORT.get(head, "")
        found.append((full if full.lstrip("-") in known else head) + equals + value)
    result: list[str] = []
    at = 0
    while at < len(found):
        head, equals, value = found[at].partition("=")
        name = head.lstrip("-").replace("-", "_")
        following = found[at + 1] if at + 1 < len(found) else ""
        if name in switches and (equals or following.lower() in ("true", "false")):
            at += not equals
            section, _, leaf = head[2:].rpartition(".")
            wanted = (value or following).lower() == "true"
            result.append(head if wanted else f"--{section}.no-{leaf}")
        else:
            result.append(found[at])
        at += 1
    return result


def _sections(config: Any, known: dict[str, Setting], tyro: Any) -> list[tuple[str, Any, Any]]:
    """The config's sections as dataclasses whose fields tyro turns into flags with help."""
    direct: list[tuple[str, Any, Any]] = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if not dataclasses.is_dataclass(value):
            direct.append(_flag(known[field.name], field.name, value, tyro))
            continue
        inner = [
            _flag(known[f"{field.name}.{part.name}"], part.name, getattr(value, part.name), tyro)
            for part in dataclasses.fields(value)
        ]
        section = dataclasses.make_dataclass(
            f"{field.name.title()}Flags", inner, namespace={"__doc__": type(value).__doc__}
        )
        direct.append((field.name, section, dataclasses.field(default_factory=section)))
    return direct


def _own_flag(setting: Setting, command: type, tyro: Any) -> tuple[str, Any, Any]:
    """A field of a command's own flags; `metadata["flag"]` names one that Python reserves."""
    field = next(f for f in dataclasses.fields(command) if f.name == setting.name)
    name = field.metadata.get("flag")
    return (
        setting.name,
        Annotated[setting.type, tyro.conf.arg(help=setting.doc, name=name)],
        setting.default,
    )


def _flag(setting: Setting, name: str, value: Any, tyro: Any) -> tuple[str, Any, Any]:
    """One setting as a field for tyro. Values stay text: `config.checked` converts them."""
    help_text = " ".join(filter(None, [setting.doc, _allowed(setting)]))
    if setting.type is bool:
        return name, Annotated[bool, tyro.conf.arg(help=help_text)], value
    metavar = getattr(setting.type, "__name__", "text").upper()
    if setting.options:
        metavar = "{" + ",".join(map(str, setting.options)) + "}"
    text = "" if value is None else str(value)
    return name, Annotated[str, tyro.conf.arg(help=help_text, metavar=metavar)], text


def _allowed(setting: Setting) -> str:
    """The range of a setting in words."""
    words = []
    if setting.within is not None and setting.bounds():
        words.append(f"Must be {setting.bounds()}.")
    if setting.search is not None and not setting.options:
        low, high = getattr(setting.search, "low", None), getattr(setting.search, "high", None)
        words.append(f"Usual range: {low:g} to {high:g}.")
    return " ".join(words)
