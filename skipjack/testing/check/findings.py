"""What a check found: sentences, and figures of speed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Level = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about an env.

    Attributes:
        level: "wrong" must be mended, a "note" is good to know, "ok" was looked at and holds.
        about: what it is about, in a word.
        sentence: what was found, and what to do about it.
    """

    level: Level
    about: str
    sentence: str


@dataclass
class Report:
    """Everything that a check found, in the order in which it was found.

    Attributes:
        env: the env's name.
        kind: which interface it has, in words.
        findings: the sentences.
        figures: speeds by name; see `skipjack.testing.check.speed`.
    """

    env: str
    kind: str = ""
    findings: list[Finding] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    _told: set[tuple[str, str]] = field(default_factory=set, repr=False)

    @property
    def faultless(self) -> bool:
        """Whether nothing is wrong."""
        return not self.count("wrong")

    def count(self, level: Level) -> int:
        """How many findings are of this level."""
        return sum(finding.level == level for finding in self.findings)

    def wrong(self, about: str, sentence: str, fault: str = "") -> None:
        """Something must be mended; a `fault` that was told before is not told again."""
        self._tell("wrong", about, sentence, fault)

    def note(self, about: str, sentence: str, fault: str = "") -> None:
        """Something is good to know; a `fault` that was told before is not told again."""
        self._tell("note", about, sentence, fault)

    def ok(self, about: str, sentence: str) -> None:
        """Something was looked at and holds, unless a fault of the kind was found."""
        if not any(found.level == "wrong" and found.about == about for found in self.findings):
            self.findings.append(Finding("ok", about, sentence))

    def as_row(self) -> dict[str, Any]:
        """All of it as plain values, for JSON."""
        rows = [
            {"level": found.level, "about": found.about, "sentence": found.sentence}
            for found in self.findings
        ]
        counts: dict[str, Any] = {"wrong": self.count("wrong"), "notes": self.count("note")}
        named = {"env": self.env, "kind": self.kind}
        return named | counts | {"findings": rows, "speed": self.figures}

    def _tell(self, level: Level, about: str, sentence: str, fault: str) -> None:
        key = (about, fault or sentence)
        if key not in self._told:
            self._told.add(key)
            self.findings.append(Finding(level, about, sentence))
