"""Settings: frozen dataclasses are the truth, files and flags override them, strictly.

A setting is declared once, as a dataclass field with its type, its default, the range that a sweep
searches, the limits that it must obey and a sentence:

    learning_rate: Annotated[float, Log(1e-4, 3e-2), Within(0.0, 1.0)] = 3e-3
    \"""Step size of Adam at the start.\"""

Help, checks, `config show` and sweeps all read that. Standard library only.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
import os
import sys
import textwrap
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from skipjack.errors import UsageError, must, unknown

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Range:
    """Where a sweep searches, evenly."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Log:
    """Where a sweep searches, evenly in the logarithm."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Pow2:
    """Where a sweep searches: powers of two from low to high."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Logit:
    """Where a sweep searches numbers between 0 and 1, evenly in log(x / (1 - x))."""

    low: float
    high: float


class Choice:
    """The only values that a setting may have; a sweep picks among them."""

    __slots__ = ("options",)

    def __init__(self, *options: Any) -> None:
        self.options = options

    def __repr__(self) -> str:
        return f"Choice{self.options}"


@dataclass(frozen=True, slots=True)
class Within:
    """Limits that a value must obey, both inclusive; None where there is none."""

    low: float | None = None
    high: float | None = None


Search = Range | Log | Pow2 | Logit | Choice


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as declared.

    Attributes:
        name: dotted name from the root ("train.steps").
        type: its plain type.
        default: its default.
        doc: the sentence under the field.
        search: where a sweep searches it, if it does.
        within: limits that it must obey, if there are any.
    """

    name: str
    type: Any
    default: Any
    doc: str
    search: Search | None
    within: Within | None

    @property
    def options(self) -> tuple[Any, ...]:
        """The only values allowed, if they are listed."""
        if isinstance(self.search, Choice):
            return self.search.options
        return typing.get_args(self.type) if typing.get_origin(self.type) is typing.Literal else ()

    def bounds(self) -> str:
        """The values allowed, in words; empty if any of the type is."""
        if self.options:
            return "one of " + ", ".join(map(str, self.options))
        low, high = (self.within.low, self.within.high) if self.within else (None, None)
        if low is None and high is None:
            return ""
        if high is None:
            return f"at least {low:g}"
        return f"at most {high:g}" if low is None else f"between {low:g} and {high:g}"


@dataclass(frozen=True, slots=True)
class Resolved:
    """A config and where each of its values came from, by dotted name."""

    config: Any
    provenance: dict[str, str]


def settings(cls: type) -> dict[str, Setting]:
    """Every setting of a config class and its sections, by dotted name, in order."""
    if cls not in _KNOWN:
        _KNOWN[cls] = _declared(cls)
    return _KNOWN[cls]


_KNOWN: dict[type, dict[str, Setting]] = {}  # reading sources takes milliseconds


def _declared(cls: type) -> dict[str, Setting]:
    found: dict[str, Setting] = {}
    hints = typing.get_type_hints(cls, include_extras=True)
    docs = _docs(cls)
    for field in dataclasses.fields(cls):
        hint = hints[field.name]
        markers = typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ()
        plain = typing.get_args(hint)[0] if markers else hint
        if dataclasses.is_dataclass(plain) and isinstance(plain, type):
            for name, setting in settings(plain).items():
                found[f"{field.name}.{name}"] = dataclasses.replace(
                    setting, name=f"{field.name}.{name}"
                )
            continue
        searches = [marker for marker in markers if isinstance(marker, Search)]
        limits = [marker for marker in markers if isinstance(marker, Within)]
        found[field.name] = Setting(
            name=field.name,
            type=plain,
            default=_default(field),
            doc=docs.get(field.name, ""),
            search=searches[0] if searches else None,
            within=limits[0] if limits else None,
        )
    return found


def flatten(config: Any) -> dict[str, Any]:
    """Every value of a config by dotted name, in order."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            found |= {f"{field.name}.{name}": part for name, part in flatten(value).items()}
        else:
            found[field.name] = value
    return found


def replace(config: T, values: Mapping[str, Any]) -> T:
    """`config` with other values, by dotted name; each is checked and converted.

    Raises:
        UsageError: a name is unknown or a value is not allowed.
    """
    known = settings(type(config))
    sections: dict[str, dict[str, Any]] = {}
    direct: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise unknown("setting", name, known)
        head, _, tail = name.partition(".")
        if tail:
            sections.setdefault(head, {})[tail] = value
        else:
            direct[head] = checked(known[name], value)
    for head, inner in sections.items():
        direct[head] = _named(head, getattr(config, head), inner)
    return dataclasses.replace(typing.cast(Any, config), **direct)


def resolve(config: Any, layers: Iterable[tuple[str, Mapping[str, Any]]]) -> Resolved:
    """Apply layers in order, each a label and its values (nested or by dotted name).

    Raises:
        UsageError: a name is unknown or a value is not allowed; the message names the layer.
    """
    provenance = dict.fromkeys(flatten(config), "default")
    for label, layer in layers:
        values = dotted(layer)
        try:
            config = replace(config, values)
        except UsageError as error:
            raise UsageError(f"{error} (From: {label}.)") from None
        provenance |= dict.fromkeys(values, label)
    return Resolved(config, provenance)


def dotted(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A nested mapping by dotted names."""
    found: dict[str, Any] = {}
    for name, value in nested.items():
        if isinstance(value, Mapping):
            found |= dotted(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def checked(setting: Setting, value: Any) -> Any:
    """`value` as the setting's type and within its limits.

    Whole floats such as 20e9 become ints, ints become floats, strings are read as flags are.

    Raises:
        UsageError: the value is not allowed.
    """
    converted = _convert(setting, setting.type, value)
    if converted is None:
        return None
    if setting.options and converted not in setting.options:
        raise must(f"{setting.name} must be {setting.bounds()}", got=value)
    if isinstance(converted, float) and converted != converted:
        raise must(f"{setting.name} must be a number", got=value)
    if setting.within and not isinstance(converted, (str, tuple)):
        low, high = setting.within.low, setting.within.high
        if (low is not None and converted < low) or (high is not None and converted > high):
            raise must(f"{setting.name} must be {setting.bounds()}", got=value)
    return converted


def at_edge(setting: Setting, value: Any) -> str:
    """Where a value stands that is at or beyond an end of its usual range; empty for all others.

    A better value may lie further out, or something is mistyped. Choices are a range if they are
    numbers in order. An end that is a limit too (one minibatch, one layer) is no edge, for nothing
    lies beyond it; nor is 0, which switches off.
    """
    low, high = _ends(setting.search)
    if low is None or not isinstance(value, (int, float)) or isinstance(value, bool) or not value:
        return ""
    limits = setting.within or Within(1 if setting.type is int else None)
    for end, name, past in ((low, "low", value < low), (high, "high", value > high)):
        limit = limits.low if name == "low" else limits.high
        if past or (value == end and end != limit):
            where = "beyond" if past else "at"
            return f"{where} the {name} end of its usual range, {low:g} to {high:g}"
    return ""


def load_toml(path: Path) -> dict[str, Any]:
    """A TOML file as nested dictionaries.

    Raises:
        UsageError: it is missing, unreadable or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"The settings file {str(path)!r} must exist, but does not.") from None
    except OSError as error:
        raise UsageError(f"The settings file {str(path)!r} cannot be read: {error}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"The settings file {str(path)!r} must be TOML, but {error}.") from None


def to_toml(config: Any, section: str = "") -> str:
    """A config as TOML that `resolve` reads back exactly; None is left out.

    Args:
        config: a dataclass.
        section: dotted name of the section that it is, if it is one.
    """
    top, sections = [], []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            name = f"{section}.{field.name}" if section else field.name
            sections.append(f"[{name}]\n{to_toml(value, name)}")
        elif value is not None:
            top.append(f"{field.name} = {toml_value(value)}\n")
    return "".join(top) + "".join(f"\n{each}" for each in sections)


def machine_file() -> Path:
    """Where this machine's own settings are, whether or not the file exists."""
    if named := os.environ.get("SKIPJACK_MACHINE"):
        return Path(named)
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "skipjack" / "machine.toml"


def machine_layer() -> list[tuple[str, dict[str, Any]]]:
    """The machine file as a layer, if there is one: it may only set what learns nothing.

    Raises:
        UsageError: it sets anything but vector.threads and vector.workers.
    """
    path = machine_file()
    if not path.exists():
        return []
    values = load_toml(path)
    for name in dotted(values):
        if name not in ("vector.threads", "vector.workers"):
            raise must(
                f"the machine file {str(path)!r} may only set vector.threads and vector.workers",
                hint="Put other settings into a file of their own and give it with --config.",
                setting=name,
            )
    return [(f"machine {path}", values)]


def _named(section: str, config: Any, values: Mapping[str, Any]) -> Any:
    """`replace` within a section, whose settings are checked under their full names."""
    known = settings(type(config))
    full = {
        name: checked(dataclasses.replace(known[name], name=f"{section}.{name}"), value)
        for name, value in values.items()
    }
    return replace(config, full)


def _convert(setting: Setting, kind: Any, value: Any) -> Any:
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None or value == "none":
            return None
        return _convert(setting, next(part for part in parts if part is not type(None)), value)
    if origin is typing.Literal:
        return _convert(setting, type(parts[0]), value)
    if origin is tuple:
        if isinstance(value, (list, tuple)):
            return tuple(_convert(setting, parts[0], part) for part in value)
        raise must(f"{setting.name} must be a list", got=value)
    try:
        return _CONVERT[kind](value)
    except (KeyError, ValueError, TypeError, OverflowError):
        name = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
        raise must(f"{setting.name} must be {name.get(kind, kind)}", got=value) from None


def _to_int(value: Any) -> int:
    if isinstance(value, bool):
        raise ValueError
    if isinstance(value, str):
        value = value.replace("_", "")
        value = int(value) if value.lstrip("+-").isdigit() else float(value)
    if isinstance(value, float) and not value.is_integer():
        raise ValueError
    return int(value)


def _to_float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError
    return float(value)


def _to_bool(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ValueError
    return value


def _to_str(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


_CONVERT: dict[Any, Any] = {int: _to_int, float: _to_float, bool: _to_bool, str: _to_str}


def _ends(search: Search | None) -> tuple[Any, Any]:
    """Both ends of the range that a sweep searches; None where that is no range."""
    if not isinstance(search, Choice):
        return (search.low, search.high) if search else (None, None)
    options = list(search.options)
    numbers = all(isinstance(o, (int, float)) and not isinstance(o, bool) for o in options)
    if numbers and len(options) > 2 and options == sorted(options):
        return options[0], options[-1]
    return None, None


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if callable(field.default_factory) else None


def _docs(cls: type) -> dict[str, str]:
    """The sentence under each field, from the sources of the class and its bases."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        except (OSError, TypeError, SyntaxError):
            continue  # made by a program: no source, no sentences
        body = tree.body if isinstance(tree, ast.ClassDef) else []
        for field, after in itertools.pairwise(body):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
                and isinstance(after.value.value, str)
            ):
                found[field.target.id] = inspect.cleandoc(after.value.value)
    return found


def toml_value(value: Any) -> str:
    """A value as TOML has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    if isinstance(value, float):
        return repr(value) if abs(value) <= sys.float_info.max else str(value)
    return repr(value)
