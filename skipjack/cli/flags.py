"""Flags from the settings' dataclasses: tyro takes them apart and prints the help.

What is wrong with them is told in a sentence, as everywhere: values are text to tyro, which
`config.checked` reads, the same for flags and for files.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

from skipjack import config as settings
from skipjack.config import Setting
from skipjack.errors import UsageError, must, unknown

T = TypeVar("T")

SHORT = {
    "--threads": "--vector.threads",
    "--workers": "--vector.workers",
    "--policy": "--policy.own",
}
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
        the command's flags, and the settings that were given, by dotted name, as text.

    Raises:
        UsageError: a flag is unknown or lacks its value, or a value of the command's own is not allowed.
        SystemExit: after help.
    """
    if not arguments:
        return command(), {}
    import tyro  # 70 ms: only where there is something to read

    known = settings.settings(type(config)) if config is not None else {}
    own = _own_settings(command)
    every = {setting.name: setting for setting in own.values()}
    every |= {_spelled(name): setting for name, setting in known.items()}
    given = _expand(arguments, every)
    _check_values(given, every)
    fields = [_flag(own[name], name, own[name].default, tyro) for name in own]
    sections = _sections(config, known, tyro) if config is not None else []
    whole = dataclasses.make_dataclass("Flags", [*fields, *sections], namespace={"__doc__": None})
    # A command's own flag of that name goes before.
    short = {form: full for form, full in SHORT.items() if full in every and form not in every}
    if short:
        forms = ", ".join(f"{form} for {full}" for form, full in short.items())
        description += f" Short forms: {forms}."
    found: Any
    found, strange = tyro.cli(
        whole, args=given, prog=prog, description=description, return_unknown_args=True
    )
    if strange:
        flags = [*every, *short]
        see = f"{' '.join(word for word in prog.split() if not word.isupper())} --help"
        if not strange[0].startswith("-"):
            raise must("only flags may follow", f"See them with: {see}.", got=strange[0])
        raise unknown("flag", strange[0].partition("=")[0], flags, see=see)
    flat = settings.flatten(found)
    # Not the values behind flags: --only train.clip gives no clip.
    given = [token for token in given if token.startswith("--")]
    named = {token.split("=", 1)[0].lstrip("-").replace("-", "_") for token in given}
    named |= {name.replace(".no_", ".") for name in named}
    chosen = {name: flat[name] for name in known if name in named}
    values = {name: settings.checked(own[name], getattr(found, name)) for name in own}
    return command(**values), chosen


def with_settings(
    command: type[T], arguments: Sequence[str], prog: str, description: str, usage: str = ""
) -> tuple[str, T, dict[str, Any]]:
    """Read what stands behind a command that takes an env first and its settings as flags.

    Args:
        command, arguments, prog, description: as in `parse`.
        usage: an example for who forgets the env; by default `prog`.

    Returns:
        the env's name, the command's flags, and the settings that were given, by dotted name.

    Raises:
        UsageError: as `subject` and `parse`; or there is no such env.
    """
    from skipjack.run.config import configure

    name, rest = subject(arguments, usage or prog)
    first = configure(name or "breakout")  # for the help, without an env, any one's settings
    own, chosen = parse(command, rest, prog, description, first.config)
    return name, own, chosen


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


def _expand(arguments: Sequence[str], every: Mapping[str, Setting]) -> list[str]:
    """Short forms spelled out, `--switch True` as a switch; tyro takes care of the rest."""
    switches = {name for name, setting in every.items() if setting.type is bool}
    found: list[str] = []
    for token in arguments:
        head, equals, value = token.partition("=")
        full = "" if head in every else SHORT.get(head, "")
        found.append((full if full in every else head) + equals + value)
    result: list[str] = []
    at = 0
    while at < len(found):
        head, equals, value = found[at].partition("=")
        name = head.replace("_", "-")
        following = found[at + 1] if at + 1 < len(found) else ""
        if name in switches and (equals or following.lower() in ("true", "false")):
            at += not equals
            section, dot, leaf = head[2:].rpartition(".")
            wanted = settings.checked(every[name], value if equals else following)
            result.append(head if wanted else f"--{section}{dot}no-{leaf}")
        else:
            result.append(found[at])
        at += 1
    return result


def _check_values(given: Sequence[str], every: Mapping[str, Setting]) -> None:
    """Whether something stands behind every flag that takes a value.

    Raises:
        UsageError: nothing does, or another flag.
    """
    for token, following in zip(given, [*given[1:], "--"], strict=True):
        setting = every.get(token.replace("_", "-"))
        if setting and setting.type is not bool and re.match(r"-(?![\d.])", following):
            raise UsageError(
                f"The flag {token!r} must be followed by its value. Write {token}=... for one that "
                f"begins with a dash."
            )


def _sections(
    config: Any, known: dict[str, Setting], tyro: Any, prefix: str = ""
) -> list[tuple[str, Any, Any]]:
    """The config's settings, and its sections as dataclasses: fields that tyro turns into flags with help."""
    found: list[tuple[str, Any, Any]] = []
    for field in dataclasses.fields(config):
        value, full = getattr(config, field.name), f"{prefix}{field.name}"
        if not dataclasses.is_dataclass(value):
            found.append(_flag(known[full], field.name, value, tyro))
            continue
        section = dataclasses.make_dataclass(
            f"{field.name.title()}Flags",
            _sections(value, known, tyro, f"{full}."),
            namespace={"__doc__": type(value).__doc__},
        )
        found.append((field.name, section, dataclasses.field(default_factory=section)))
    return found


def _own_settings(command: type) -> dict[str, Setting]:
    """A command's own flags by field, named as they are written.

    `metadata["flag"]` is the name of one that Python reserves.
    """
    fields = {field.name: field for field in dataclasses.fields(command)}
    return {
        name: dataclasses.replace(setting, name=_spelled(fields[name].metadata.get("flag", name)))
        for name, setting in settings.settings(command).items()
    }


def _flag(setting: Setting, name: str, value: Any, tyro: Any) -> tuple[str, Any, Any]:
    """One setting as a field for tyro. Values stay text: `config.checked` converts them."""
    help_text = " ".join(filter(None, [setting.doc, _allowed(setting)]))
    written = setting.name.removeprefix("--") if setting.name.startswith("--") else None
    if setting.type is bool:
        return name, Annotated[bool, tyro.conf.arg(help=help_text, name=written)], value
    metavar = getattr(setting.type, "__name__", "text").upper()
    if setting.options:
        metavar = "{" + ",".join(map(str, setting.options)) + "}"
    text = "none" if value is None else str(value)
    arg = tyro.conf.arg(help=help_text, metavar=metavar, name=written)
    return name, Annotated[str, arg], text


def _spelled(name: str) -> str:
    """A setting's name as a flag."""
    return f"--{name.replace('_', '-')}"


def _allowed(setting: Setting) -> str:
    """The range of a setting in words."""
    words = []
    if setting.within is not None and setting.bounds():
        words.append(f"Must be {setting.bounds()}.")
    if setting.search is not None and not setting.options:
        low, high = getattr(setting.search, "low", None), getattr(setting.search, "high", None)
        words.append(f"Usual range: {low:g} to {high:g}.")
    return " ".join(words)
