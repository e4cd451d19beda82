"""Where a sweep searches: read from the ranges that stand beside the settings' defaults.

A parameter is a setting with a scale, two ends or options, and a centre: the preset's value. Loads
neither numpy nor Optuna.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skipjack import config as settings
from skipjack.config import Choice, Log, Logit, Pow2, Range, Setting
from skipjack.errors import UsageError, must, unknown

STEPS = "train.steps"
"""The setting that buys score with time."""

ROLLOUT = ("vector.num_envs", "train.horizon")
"""Settings that the steps of a rollout grow with."""

SEARCHED = ("train.*", "policy.*", "vector.num_envs")
"""What is searched unless it is named: an env's own settings change the task, groups change speed."""

NEEDS = {
    "train.muon_momentum": ("train.optimiser", "muon"),
    "policy.picture": ("policy.encoder", "fields"),
    "train.priority_correction": ("train.priority", None),
}
"""Settings that say something only if another one is so, or (None) is not 0."""

SCALES = {Range: "linear", Log: "log", Pow2: "pow2", Logit: "logit", Choice: "choice"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One setting that is searched.

    Attributes:
        name: its dotted name.
        scale: linear, log, pow2 (powers of two), logit or choice.
        low, high: ends, inclusive; None for a choice.
        options: what a choice picks among; empty for the others.
        whole: whether its values are whole numbers.
        centre: the preset's value.
    """

    name: str
    scale: str
    low: float | None
    high: float | None
    options: tuple[Any, ...]
    whole: bool
    centre: Any

    @property
    def values(self) -> tuple[Any, ...]:
        """The only values there are: options, or powers of two and the centre; empty where many are."""
        if self.scale != "pow2":
            return self.options
        assert self.low is not None
        assert self.high is not None
        first, last = int(self.low).bit_length() - 1, int(self.high).bit_length() - 1
        powers = {2**power for power in range(first, last + 1) if 2**power >= self.low}
        return tuple(sorted({*powers, self.centre}))  # presets may have 20 or 96

    def read(self, text: str) -> Any:
        """A value that was written as text; the text itself where it is none of this parameter's."""
        for value in self.values:
            if text.lower() == str(value).lower():
                return value
        try:
            number = float(text)
        except ValueError:
            return text
        return round(number) if self.whole and number == round(number) else number

    def is_edge(self, value: Any) -> str:
        """Which end of the range a value stands at, "low" or "high"; empty for all others."""
        ends = self.values or (self.low, self.high)
        numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in ends)
        if not numbers or len(set(ends)) < 2:
            return ""
        low, high = min(ends), max(ends)
        near = 0.02
        at = _share(self.scale, float(value), float(low), float(high))
        return "low" if at <= near else "high" if at >= 1 - near else ""


@dataclass(frozen=True, slots=True)
class Space:
    """All that is searched, and what is held at a value beside the preset.

    Attributes:
        parameters: the searched settings, in the order of their declaration.
        fixed: values of others, by dotted name.
    """

    parameters: tuple[Parameter, ...]
    fixed: dict[str, Any]

    def __getitem__(self, name: str) -> Parameter:
        return next(each for each in self.parameters if each.name == name)

    def __contains__(self, name: str) -> bool:
        return any(each.name == name for each in self.parameters)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the searched settings."""
        return tuple(each.name for each in self.parameters)

    @property
    def centre(self) -> dict[str, Any]:
        """The preset's values of what is searched."""
        return {each.name: each.centre for each in self.parameters}

    def with_steps(self, low: int, high: int, centre: int) -> Space:
        """The same with other ends for the steps; unchanged where steps are fixed."""
        parts = [
            dataclasses.replace(part, low=low, high=high, centre=min(max(centre, low), high))
            if part.name == STEPS
            else part
            for part in self.parameters
        ]
        return dataclasses.replace(self, parameters=tuple(parts))

    def to_json(self) -> str:
        """As text; equal spaces give equal texts."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Space:
        """What `to_json` wrote."""
        found = json.loads(text)
        parts = [
            Parameter(**(part | {"options": tuple(part["options"])}))
            for part in found["parameters"]
        ]
        return cls(tuple(parts), found["fixed"])


def space_of(
    known: Mapping[str, Setting],
    centre: Mapping[str, Any],
    file: Mapping[str, Any] | None = None,
    fix: Sequence[str] = (),
    only: Sequence[str] = (),
    given: Mapping[str, Any] | None = None,
) -> Space:
    """The space of an env's settings.

    Args:
        known: every setting, as declared.
        centre: the preset's values.
        file: what stands in a file of the space: `[train] clip = [0.1, 0.3]` narrows or widens a
            range, a list of options makes a choice, a value alone holds a setting, and a table with
            scale, low and high says all of it.
        fix: settings to hold, "name" at the preset's value or "name=value".
        only: patterns of the settings to search; steps are searched beside them.
        given: settings held because the user gave them as flags.

    Raises:
        UsageError: a name is unknown, or a range is not one.
    """
    fixed = dict(given or {})
    asked: dict[str, Parameter] = {}
    for name, value in _entries(file or {}).items():
        setting = _known(known, name)
        if isinstance(value, (list, Mapping)):
            asked[name] = _asked(setting, value, centre[name])
        else:
            fixed[name] = settings.checked(setting, value)
    for word in fix:
        name, equals, value = word.partition("=")
        setting = _known(known, name.strip())
        fixed[name.strip()] = settings.checked(setting, value) if equals else centre[name.strip()]
    for pattern in only:
        if not fnmatch.filter(known, pattern):
            raise unknown("setting", pattern, known, see="skipjack config show ENV")
    found = []
    for name, setting in known.items():
        if name in fixed:
            continue
        named = any(fnmatch.fnmatch(name, pattern) for pattern in only)
        if name in asked and (named or not only or name == STEPS):
            found.append(asked[name])
        elif named or name == STEPS or (not only and _usual(name)):
            made = _declared(setting, centre[name], named)
            found += [made] if made else []
    _check_only(only, [each.name for each in found], fixed)
    whole = Space(tuple(found), fixed)
    return dataclasses.replace(whole, parameters=tuple(_alive(whole, centre)))


def _alive(space: Space, centre: Mapping[str, Any]) -> Iterable[Parameter]:
    """Parameters that say something: what they need is searched, or held as they need it."""
    for part in space.parameters:
        needed, value = NEEDS.get(part.name, ("", None))
        there = space.fixed.get(needed, centre.get(needed))
        if not needed or needed in space or (there == value if value is not None else there):
            yield part


def _declared(setting: Setting, centre: Any, named: bool) -> Parameter | None:
    """A setting's parameter by its declaration; None where a sweep leaves it as it is."""
    search = setting.search
    if search is None:
        options = setting.options or ((False, True) if setting.type is bool else ())
        return _choice(setting, options, centre) if named and options else None
    if isinstance(search, Choice):
        return _choice(setting, search.options, centre)
    low, high = search.low, search.high
    if centre == 0 and low > 0:
        # Switched off in the preset: whoever wants it on says so.
        return _part(setting, low, high, low) if named else None
    if isinstance(search, Logit) and centre == 1:
        # The same at the other end (nothing is discounted), where a logit has no place.
        return _part(setting, low, high, high) if named else None
    return _part(setting, min(low, centre), max(high, centre), centre)


def _asked(setting: Setting, value: Any, centre: Any) -> Parameter:
    """A parameter as a file of the space has it."""
    scale = SCALES[type(setting.search)] if setting.search else "choice"
    if isinstance(value, Mapping):
        if strange := set(value) - {"scale", "low", "high", "options"}:
            raise must(f"{setting.name} may only have scale, low, high and options", got=strange)
        scale = value.get("scale", "choice" if "options" in value else scale)
        value = value.get("options", [value.get("low"), value.get("high")])
    if scale not in SCALES.values():
        raise must(f"a scale must be one of {', '.join(SCALES.values())}", scale=scale)
    if scale == "choice":
        return _choice(setting, tuple(settings.checked(setting, each) for each in value), centre)
    if len(value) != 2 or None in value:
        raise must(f"{setting.name} must have a low and a high end", got=value)
    low, high = (settings.checked(setting, each) for each in value)
    if not low < high or (scale != "linear" and low <= 0) or (scale == "logit" and high >= 1):
        raise must(
            f"the range of {setting.name} must go upwards, and fit its scale {scale}", got=value
        )
    found = _part(setting, low, high, min(max(centre, low), high))
    return dataclasses.replace(found, scale=scale)


def _part(setting: Setting, low: float, high: float, centre: Any) -> Parameter:
    scale = SCALES[type(setting.search)] if setting.search else "linear"
    return Parameter(setting.name, scale, low, high, (), setting.type is int, centre)


def _choice(setting: Setting, options: tuple[Any, ...], centre: Any) -> Parameter:
    if not options:
        raise must(f"{setting.name} must have options to choose among", got=options)
    known = options if centre in options else (*options, centre)
    if all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in known):
        known = tuple(sorted(known))
    return Parameter(setting.name, "choice", None, None, known, setting.type is int, centre)


def _usual(name: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in SEARCHED)


def _known(known: Mapping[str, Setting], name: str) -> Setting:
    if name not in known:
        raise unknown("setting", name, known, see="skipjack config show ENV")
    return known[name]


def _entries(nested: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A file's entries by dotted name; a table of a range stays a table."""
    found: dict[str, Any] = {}
    for name, value in nested.items():
        is_range = isinstance(value, Mapping) and ({"low", "high", "options", "scale"} & set(value))
        if isinstance(value, Mapping) and not is_range:
            found |= _entries(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def _check_only(only: Sequence[str], found: Sequence[str], fixed: Mapping[str, Any]) -> None:
    for pattern in only:
        if not fnmatch.filter(found, pattern) and not fnmatch.filter(fixed, pattern):
            raise UsageError(
                f"{pattern!r} has no range that a sweep could search. Give one with --space FILE, as in: "
                f"[train] clip = [0.1, 0.3]."
            )


def _share(scale: str, value: float, low: float, high: float) -> float:
    """Where a value stands between two ends, 0 to 1, on a scale."""
    from math import log

    if scale in ("log", "pow2"):
        value, low, high = log(value), log(low), log(high)
    elif scale == "logit":
        value, low, high = (log(each / (1 - each)) for each in (value, low, high))
    return (value - low) / (high - low)
