"""`check` finds what it is for: each faulty env gives its sentence, and the correct ones none."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import gymnasium
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from skipjack import registry
from skipjack.emulate.config import EmulateConfig
from skipjack.emulate.maker import from_callable, from_gymnasium
from skipjack.testing.check import Report, check
from skipjack.testing.corridor import Corridor, CorridorConfig
from tests.testing import faulty


def checked(make: Any, steps: int = 200, **settings: Any) -> Report:
    return check(from_callable(make), EmulateConfig(**settings), steps=steps, clock=faulty.CLOCK)


def told(report: Report, level: str) -> list[tuple[str, str]]:
    return [(found.about, found.sentence) for found in report.findings if found.level == level]


@pytest.mark.parametrize("make", [faulty.Good, faulty.Herd, faulty.OnlyRight])
def test_a_correct_env_is_clean(make: Any) -> None:
    report = checked(make)
    assert told(report, "wrong") == told(report, "note") == []
    assert {"spaces", "observations", "rewards", "seeds", "episodes", "speed"} <= {
        about for about, _ in told(report, "ok")
    }


def test_a_mask_in_the_observation_is_obeyed() -> None:
    """Only legal actions are tried, and the mask is no part of what the policy sees."""
    report = checked(faulty.OnlyRightInside)
    assert told(report, "wrong") == []
    (spaces,) = [sentence for about, sentence in told(report, "ok") if about == "spaces"]
    assert "action_mask" not in spaces


def test_a_gymnasium_env_with_an_old_reset_is_of_the_old_interface() -> None:
    """As in training: reset takes no seed."""
    report = checked(faulty.Unseeded)
    assert report.kind == "an environment of the old gym interface"
    assert "calls" not in dict(told(report, "wrong"))


@pytest.mark.parametrize(
    ("make", "level", "about", "words"),
    [
        (faulty.Shape, "wrong", "observations", "must have the shape (2,), as its space says"),
        (faulty.Bounds, "wrong", "observations", "must be at most 40.0 at [0]"),
        (faulty.Whole, "wrong", "observations", "must be of the type int32"),
        (faulty.NotANumber, "wrong", "observations", "must be finite, but holds nan. (First at step 5.)"),
        (faulty.Nested, "wrong", "observations", "'camera.depth' must have the shape (2, 2)"),
        (faulty.Nested, "wrong", "observations", "must have the part 'battery'"),
        (faulty.Nested, "note", "observations", "parts that its space lacks: sonar"),
        (faulty.Wide, "note", "observations", "is float64, its space says float32"),
        (faulty.Spoken, "wrong", "spaces", "--env.drop mission"),
        (faulty.Spaceless, "wrong", "spaces", "must have an observation_space"),
        (faulty.Unbounded, "note", "spaces", "The action has no bounds"),
        (faulty.NoReward, "wrong", "rewards", "must be finite, but got nan"),
        (faulty.ArrayReward, "wrong", "rewards", "must be a number, but got ndarray"),
        (faulty.WordyFlags, "wrong", "flags", "terminated must be True or False, but got int 0"),
        (faulty.BothFlags, "note", "flags", "are both set: it counts as terminated"),
        (faulty.FourValues, "wrong", "calls", "step must give observation, reward"),
        (faulty.OldReset, "wrong", "calls", "reset must give an observation and an info"),
        (faulty.Old, "note", "interface", "the old gym interface"),
        (faulty.Chance, "wrong", "seeds", "the observation differs at step 3"),
        (faulty.SharedChance, "wrong", "seeds", "the observation differs at step 1"),
        (faulty.Remembers, "wrong", "seeds", "the observation differs at the first reset"),
        (faulty.Deaf, "note", "seeds", "Seeds 0 and 1 do the same"),
        (faulty.Reuses, "note", "reuse", "A step changes the observation that the reset before it gave"),
        (faulty.Endless, "wrong", "episodes", "none did in 2,000 steps, and truncated was never set"),
        (lambda: faulty.Masked((1,)), "wrong", "masks", "must have a place for each choice"),
        (lambda: faulty.Masked((1, 3)), "wrong", "masks", "zeros and ones alone"),
        (lambda: faulty.Masked((0, 0)), "note", "masks", "allows nothing"),
        (faulty.Wordy, "note", "infos", "no statistic: map, path"),
        (faulty.Raises, "wrong", "calls", "step must not fail, but raised ZeroDivisionError"),
        (faulty.SlowReset, "note", "speed", "The reset is slow: it takes as long as 600 steps"),
        (faulty.SlowStep, "note", "speed", "The step is slow: a million of them take at least"),
        (faulty.Strangers, "wrong", "agents", "one of possible_agents, but 'wolf' is in agents at step 2"),
        (faulty.Blind, "wrong", "agents", "'cow_1' gets none at step 3"),
        (faulty.Unlike, "wrong", "spaces", "All agents must share one observation space"),
        (faulty.Nameless, "wrong", "agents", "must name its possible_agents"),
    ],
)  # fmt: skip
def test_a_fault_is_found(make: Any, level: str, about: str, words: str) -> None:
    report = checked(make)
    found = told(report, level)
    assert any(kind == about and words in sentence for kind, sentence in found), report.findings
    assert report.faultless == (not told(report, "wrong"))
    if level == "note" and make is not faulty.Nested:
        assert report.faultless, told(report, "wrong")
    for finding in report.findings:
        assert finding.sentence.rstrip(")").endswith("."), finding.sentence
    assert len({finding.sentence for finding in report.findings}) == len(report.findings)


def test_settings_mend_what_they_say() -> None:
    assert told(checked(faulty.Spoken, drop="mission"), "wrong") == []
    report = checked(faulty.Endless, time_limit=50)
    assert told(report, "wrong") == []
    assert ("episodes", "Episodes end: 0 by the rules, 4 cut.") in told(report, "ok")


def test_a_maker_that_fails_and_one_that_makes_nothing_known() -> None:
    def fails() -> None:
        raise FileNotFoundError("No such map.")

    assert "raised FileNotFoundError: No such map." in told(checked(fails), "wrong")[0][1]
    assert "must be a Gymnasium, PettingZoo or old gym" in told(checked(object), "wrong")[0][1]


def test_a_maker_that_cannot_be_given_to_another_process() -> None:
    lock = threading.Lock()

    def make() -> Any:
        return faulty.Good() if lock else None

    (note,) = told(checked(make), "note")
    assert note[0] == "workers"
    assert "cannot be pickled" in note[1]


def test_a_long_episode_is_waited_for() -> None:
    report = checked(faulty.Endless, steps=100, kwargs='{"limit": 700}')
    assert told(report, "wrong") == []
    assert ("episodes", "Episodes end; the first did after 700 steps.") in told(report, "ok")


def test_a_play_that_takes_too_long_is_cut_short_and_blames_nobody() -> None:
    report = checked(faulty.VerySlow)
    assert report.faultless, report.findings
    assert ("episodes", "The play was cut short after 15 steps: it is slow.") in told(
        report, "note"
    )


def test_speeds_are_those_of_the_clock() -> None:
    report = checked(faulty.SlowReset)
    figures = report.figures
    length = 200 / sum(map(int, _counts(report)))
    assert figures["step_us"] == pytest.approx(50)
    assert figures["reset_us"] == pytest.approx(30_000)
    assert figures["added_us"] == pytest.approx(0, abs=1e-6)
    assert figures["reset_share"] == pytest.approx(30_000 / (30_000 + 50 * length))
    assert figures["steps_per_second"] == pytest.approx(1e6 / (50 + 30_000 / length))


def _counts(report: Report) -> list[str]:
    sentence = next(sentence for about, sentence in told(report, "ok") if about == "episodes")
    words = sentence.removeprefix("Episodes end: ").split()
    return [words[0], words[4]]


def test_a_registered_limit_beyond_the_play_is_no_fault() -> None:
    report = check(from_gymnasium("gymnasium:MountainCar-v0"), steps=50)
    assert report.faultless, report.findings
    assert "the env cuts one after 200" in " ".join(s for _, s in told(report, "ok"))


def test_gymnasium_as_it_comes() -> None:
    report = check(from_gymnasium("gymnasium:CartPole-v1"), steps=300)
    assert told(report, "wrong") == told(report, "note") == []
    assert report.figures["steps_per_second"] > 100


# ---- engines ----


class Leaky(Corridor):
    """An env's start depends on how many there are."""

    def reset(self, lo: int, hi: int, seeds: Any) -> None:
        super().reset(lo, hi, seeds ^ seeds.dtype.type(self.num_envs % 4 << 62))


def test_an_engine_that_keeps_the_contract() -> None:
    report = check(Corridor, CorridorConfig(time_limit=12), steps=60)
    assert told(report, "wrong") == told(report, "note") == []
    assert report.kind == "an engine"


def test_a_native_game() -> None:
    report = check(registry.load(registry.resolve("squared").target), steps=60)
    assert report.faultless, report.findings


def test_an_engine_that_breaks_the_contract() -> None:
    wrong = told(check(Leaky, CorridorConfig(time_limit=12), steps=60), "wrong")
    assert [about for about, _ in wrong] == ["contract"]
    assert "This must hold: Env i sees the same with 3 envs as with 6. But " in wrong[0][1]


def test_too_few_steps_are_a_note() -> None:
    report = check(Corridor, CorridorConfig(length=31, time_limit=500), steps=5)
    assert report.faultless, report.findings
    assert ("episodes", "Raise --steps: no episode ended.") in told(report, "note")


def test_vector_envs() -> None:
    def make(num_envs: int) -> Any:
        makers = [lambda: gymnasium.make("CartPole-v1")] * num_envs
        return SyncVectorEnv(makers, autoreset_mode=AutoresetMode.SAME_STEP)

    report = check(from_callable(make), steps=100)
    assert told(report, "wrong") == []
    assert report.kind == "a Gymnasium vector environment"

    def disabled(num_envs: int) -> Any:
        return SyncVectorEnv([faulty.Good] * num_envs, autoreset_mode=AutoresetMode.DISABLED)

    assert "must reset its envs by itself" in told(check(from_callable(disabled)), "wrong")[0][1]


def test_it_runs_without_pytest() -> None:
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "from skipjack.cli.main import main\n"
        "sys.exit(main(['check', 'squared', '--steps', '30']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
