from __future__ import annotations

import pytest

from skipjack.errors import MissingPackage, SkipjackError, missing, must, unknown


def test_unknown_names_the_nearest() -> None:
    error = unknown("environment", "brekout", ["breakout", "pong"], see="skipjack list")
    assert str(error) == (
        "There is no environment 'brekout'. Did you mean 'breakout'? See them all with: skipjack list."
    )
    assert error.exit_code == 2
    assert "Did you mean" not in str(unknown("environment", "zzz", ["breakout"]))
    assert "'aac', 'aab' or 'aaa'" in str(unknown("x", "aa", ["aaa", "aab", "aac"]))


def test_missing_gives_the_pip_line() -> None:
    error = missing("raylib", "view", "The window")
    assert str(error) == (
        "The window needs raylib, which is not installed. "
        'Install it with: pip install "skipjack[view]".'
    )
    assert isinstance(error, ImportError)
    assert isinstance(error, MissingPackage)


def test_must_says_what_holds_what_was_got_and_what_to_do() -> None:
    error = must("the horizon must be at least 1", hint="Try 32.", horizon=0)
    assert str(error) == "The horizon must be at least 1, but got horizon=0. Try 32."
    # A setting's name stays as it is written, and `got` alone needs no name.
    assert str(must("train.horizon must be at least 1", got=0)) == (
        "train.horizon must be at least 1, but got 0."
    )


def test_everything_is_caught_as_one() -> None:
    with pytest.raises(SkipjackError):
        raise must("a", b=1)
