"""Keys become actions: for every kind of action, of people alone and of two at one keyboard."""

from __future__ import annotations

import numpy as np
import pytest

import skipjack
from skipjack import registry
from skipjack.spaces import Actions
from skipjack.view.keys import CONTROLS, SIDES, Keyboard, named, ordered
from skipjack.view.screen import KEYS


def act(keyboard: Keyboard, *keys: str, mask: list[int] | None = None) -> list[float] | None:
    legal = None if mask is None else np.array(mask, np.uint8)
    found = keyboard.act(keys, legal)
    return None if found is None else found.tolist()


STEER = Actions.discrete(3, names=("stay", "left", "right"))


@pytest.mark.parametrize(
    ("keys", "choice"),
    [
        ((), 0),
        (("left",), 1),
        (("a",), 1),
        (("right",), 2),
        (("left", "right"), 2),
        (("right", "left"), 1),
    ],
)
def test_the_last_of_two_keys_that_exclude_each_other_counts(
    keys: tuple[str, ...], choice: int
) -> None:
    assert act(Keyboard(STEER), *keys) == [choice]


ATARI = (
    "NOOP", "FIRE", "UP", "RIGHT", "LEFT", "DOWN", "UPRIGHT", "UPLEFT", "DOWNRIGHT", "DOWNLEFT",
    "UPFIRE", "RIGHTFIRE", "LEFTFIRE", "DOWNFIRE", "UPRIGHTFIRE", "UPLEFTFIRE", "DOWNRIGHTFIRE",
    "DOWNLEFTFIRE",
)  # fmt: skip


def test_eighteen_actions_of_a_joystick_are_combinations() -> None:
    keyboard = Keyboard(Actions.discrete(18, names=ATARI))
    for choice, name in enumerate(ATARI):
        words = {"UP": "up", "DOWN": "down", "LEFT": "left", "RIGHT": "right", "FIRE": "space"}
        keys = [key for word, key in words.items() if word in name]
        assert act(keyboard, *keys) == [choice], name
    assert act(keyboard, "left", "right", "space") == [ATARI.index("RIGHTFIRE")]


SPREAD = Actions(
    counts=(3, 3, 2, 2),
    names=("stay", "-", "up", "stay", "left", "right", "-", "1", "-", "2"),
    labels=("y", "x", "hook", "heal"),
)


def test_every_component_may_name_its_choices() -> None:
    """Names of all components one after the other; a dash is a choice that no key asks for."""
    keyboard = Keyboard(SPREAD)
    assert act(keyboard) == [0, 0, 0, 0]
    assert act(keyboard, "up", "left", "2") == [2, 1, 0, 1]
    assert act(keyboard, "d", "1") == [0, 2, 1, 0]
    assert ("1", "hook 1") in keyboard.legend
    assert named(SPREAD) == [("stay", "-", "up"), ("stay", "left", "right"), ("-", "1"), ("-", "2")]
    assert named(STEER) == [STEER.names]


def test_two_people_have_a_side_each() -> None:
    left, right = Keyboard(STEER, side="left"), Keyboard(STEER, side="right")
    assert (act(left, "a", "right"), act(right, "a", "right")) == ([1], [2])
    assert not left.bound & right.bound


@pytest.mark.parametrize("count", [4, 10, 16])
def test_choices_without_a_word_have_a_key_each(count: int) -> None:
    keyboard = Keyboard(Actions.discrete(count))
    assert keyboard.waits
    assert act(keyboard) is None
    keys = [group[0] for (group,) in keyboard.choices[0].values()]
    assert len(set(keys)) == count
    assert [act(keyboard, key) for key in keys] == [[choice] for choice in range(count)]
    assert keys[:10] == [str(digit) for digit in range(min(count, 10))]


def test_illegal_choices_are_not_taken() -> None:
    keyboard = Keyboard(Actions.discrete(4, masked=True))
    assert act(keyboard, "1", mask=[1, 0, 1, 1]) is None
    assert act(keyboard, "2", mask=[1, 0, 1, 1]) == [2]
    assert act(keyboard, "1", "3", mask=[1, 0, 1, 1]) == [3]
    assert act(keyboard, mask=[0, 0, 0, 0]) == [0], "a waiting seat needs no key"


def test_real_numbers_are_pushed_to_their_ends() -> None:
    keyboard = Keyboard(Actions(low=(-0.1, 0.0), high=(0.1, 2.0)))
    assert not keyboard.waits
    low = np.float32(-0.1).item()
    assert act(keyboard) == [0, 0]
    assert act(keyboard, "left", "down") == [low, 2.0]
    assert act(keyboard, "left", "right", "up") == [0, 0]


def test_components_rest_at_their_first_choice() -> None:
    keyboard = Keyboard(Actions.binary(3))
    assert act(keyboard) == [0, 0, 0]
    keys = [groups[0][0] for choices in keyboard.choices for groups in [choices[1]]]
    assert act(keyboard, *keys[1:]) == [0, 1, 1]


def test_where_time_stands_to_rest_is_a_key() -> None:
    keyboard = Keyboard(STEER, flows=False)
    assert act(keyboard) is None
    assert act(keyboard, "right") == [2]
    assert act(keyboard, "0") == [0]


@pytest.mark.parametrize("name", registry.names())
@pytest.mark.parametrize("flows", [True, False])
def test_every_action_of_every_game_has_a_key(name: str, flows: bool) -> None:
    vector = skipjack.make(name, num_envs=1, threads=1)
    action = vector.action
    keyboard = Keyboard(action, flows=flows)
    for component, choices in enumerate(keyboard.choices):
        words = named(action)[component]
        keyless = {choice for choice, word in enumerate(words) if word == "-"}
        assert set(choices) == set(range(action.counts[component])) - keyless
        for choice, groups in choices.items():
            keys = [group[0] for group in groups] or [next(iter(CONTROLS))]
            if not groups:
                assert act(keyboard)[component] == choice  # type: ignore[index]
            else:
                assert act(keyboard, *keys)[component] == choice  # type: ignore[index]
    for index in range(len(action.low)):
        low, high = keyboard.reals[index]
        place = len(action.counts) + index
        first = (
            [group[0][0] for group in list(keyboard.choices[0].values())[:1]]
            if keyboard.choices
            else []
        )
        assert act(keyboard, *first, low[0])[place] == pytest.approx(action.low[index])  # type: ignore[index]
        assert act(keyboard, *first, high[0])[place] == pytest.approx(action.high[index])  # type: ignore[index]
    assert not keyboard.bound & set(CONTROLS)
    assert keyboard.legend


def test_keys_are_known_to_screens() -> None:
    used = {key for side in SIDES.values() for keys in side.values() for key in keys} | set(
        CONTROLS
    )
    assert used <= set(KEYS)


def test_keys_stay_in_the_order_of_their_going_down() -> None:
    order = ordered([], frozenset({"a"}), ["a"])
    order = ordered(order, frozenset({"a", "d"}), ["d"])
    assert order == ["a", "d"]
    assert ordered(order, frozenset({"a", "d"}), []) == ["a", "d"]
    assert ordered(order, frozenset({"d"}), ["a"]) == ["d", "a"], (
        "a tap between two looks is the last"
    )
    assert ordered(order, frozenset({"d"}), []) == ["d"]
