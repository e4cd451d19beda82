"""Spaces of any nesting lie in a row and come back as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as some

from skipjack.errors import UsageError
from skipjack.policies import unpack
from skipjack.spaces import Layout
from skipjack.spaces.tree import ActionTree, Observations, legal

TYPES = [np.bool_, np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64]
TYPES += [np.float16, np.float32, np.float64]
SHAPES = some.lists(some.integers(1, 3), max_size=3).map(tuple)


def box(dtype: Any, shape: tuple[int, ...]) -> spaces.Box:
    high = 1 if dtype == np.bool_ else 100
    return spaces.Box(0, high, shape, dtype)


LEAVES = some.one_of(
    some.builds(box, some.sampled_from(TYPES), SHAPES),
    some.builds(spaces.Discrete, some.integers(1, 9), start=some.integers(-5, 5)),
    some.builds(spaces.MultiBinary, some.one_of(some.integers(1, 4), SHAPES.filter(len))),
    some.builds(spaces.MultiDiscrete, some.lists(some.integers(1, 5), min_size=1, max_size=3)),
    some.just(spaces.MultiDiscrete(np.array([[2, 3], [4, 5]]), start=np.array([[0, -1], [7, 2]]))),
)
KEYS = some.sampled_from(["a", "b", "a.b", "[0]", "camera", "0"])
TREES = some.recursive(
    LEAVES,
    lambda inner: some.one_of(
        some.dictionaries(KEYS, inner, min_size=1, max_size=3).map(spaces.Dict),
        some.lists(inner, min_size=1, max_size=3).map(spaces.Tuple),
    ),
    max_leaves=6,
)


def assert_same(one: Any, two: Any) -> None:
    """Equal in structure, type, shape and value."""
    assert type(one) is type(two) or not isinstance(one, (dict, tuple))
    if isinstance(one, dict):
        assert list(one) == list(two)
        for key in one:
            assert_same(one[key], two[key])
    elif isinstance(one, tuple):
        assert len(one) == len(two)
        for a, b in zip(one, two, strict=True):
            assert_same(a, b)
    else:
        assert np.asarray(one).dtype == np.asarray(two).dtype
        assert np.array_equal(one, two)


def ambiguous(space: spaces.Space) -> bool:
    """Whether two parts would have the same name, which is refused."""
    try:
        Observations(space)
    except UsageError as error:
        return "names of their own" in str(error)
    return False


@settings(max_examples=300, deadline=None)
@given(TREES, some.integers(0, 2**31))
def test_observations_come_back_in_numpy_and_torch(space: spaces.Space, seed: int) -> None:
    if ambiguous(space):
        return
    space.seed(seed)
    tree = Observations(space)
    rows = np.full((4, *tree.layout.shape), 1, tree.layout.dtype)
    values = [space.sample() for _ in range(4)]
    for row, value in zip(range(4), values, strict=True):
        tree.pack(value, rows[row])
    tensors = tree.layout.nest(unpack(tree.layout, torch.from_numpy(rows)))
    for row, value in enumerate(values):
        assert_same(tree.unpack(rows[row]), value)
        assert_same(_at(tensors, row), _arrays(value))


@settings(max_examples=200, deadline=None)
@given(TREES, some.integers(0, 2**31))
def test_actions_come_back(space: spaces.Space, seed: int) -> None:
    if ambiguous(space):
        return
    space.seed(seed)
    tree = ActionTree(space)
    row = np.zeros(tree.actions.width, tree.actions.dtype)
    for _ in range(3):
        value = space.sample()
        tree.pack(value, row)
        found = tree.unpack(row)
        if any(leaf.dtype == np.float64 for leaf in _boxes(space)):
            continue  # a row of actions is float32: what policies give, no more
        assert_same(found, value)


def test_bytes_beside_numbers_of_the_widest_type() -> None:
    """To numpy float64 equals None, which no check for a field without a type of its own may fall for."""
    number = spaces.Box(0, 100, (), np.float64)
    tree = Observations(spaces.Dict({"a": spaces.Box(0, 255, (2,), np.uint8), "b": number}))
    assert tree.layout.mixed
    row = np.zeros(tree.layout.shape, tree.layout.dtype)
    tree.pack({"a": [1, 2], "b": 82.7}, row)
    assert tree.unpack(row)["b"] == 82.7


def test_one_type_stays_one_type() -> None:
    same = Observations(spaces.Dict({"a": spaces.Box(0, 1, (2,)), "b": spaces.Box(0, 1, (3,))}))
    assert (same.layout.dtype, same.layout.shape, same.layout.mixed) == (np.float32, (5,), False)
    image = Observations(spaces.Box(0, 255, (8, 8, 3), np.uint8))
    assert (image.layout.dtype, image.layout.shape) == (np.uint8, (8, 8, 3))


def test_several_types_stand_where_memory_allows() -> None:
    space = spaces.Dict(
        {
            "flag": spaces.MultiBinary(3),
            "real": spaces.Box(0, 1, (2,), np.float64),
            "n": box(np.uint16, ()),
        }
    )
    layout = Observations(space).layout
    assert (layout.mixed, layout.dtype, layout.size % 8) == (True, np.uint8, 0)
    assert layout.offsets()["real"].start % 8 == 0
    rows = np.zeros((3, layout.size), np.uint8)
    layout.unpack(rows)["real"][1] = 0.25
    assert rows[1].any(), "unpacked parts are views"
    assert not rows[0].any()


def test_dropping_parts() -> None:
    inner = spaces.Dict({"depth": box(np.uint8, (2,)), "colour": box(np.uint8, (3,))})
    space = spaces.Dict({"camera": inner, "mission": spaces.Text(20), "speed": box(np.float32, ())})
    assert [f.name for f in Observations(space, ["mission", "camera.depth"]).layout.fields] == [
        "camera.colour",
        "speed",
    ]
    with pytest.raises(
        UsageError, match=r"'mission' is Text: leave it out with --env.drop mission"
    ):
        Observations(space)
    with pytest.raises(UsageError, match="Did you mean 'mission'"):
        Observations(space, ["missionn"])
    with pytest.raises(UsageError, match="must hold a value"):
        Observations(spaces.Dict({"mission": spaces.Text(20)}), ["mission"])


@pytest.mark.parametrize(
    "space",
    [
        spaces.Text(5),
        spaces.Sequence(spaces.Discrete(2)),
        spaces.Graph(spaces.Discrete(2), None),
        spaces.OneOf([spaces.Discrete(2), spaces.Discrete(3)]),
    ],
)
def test_spaces_without_a_fixed_size_are_refused(space: spaces.Space) -> None:
    with pytest.raises(UsageError, match="fixed size"):
        Observations(space)
    with pytest.raises(UsageError, match="fixed size"):
        ActionTree(spaces.Tuple([space]))


def test_actions_are_clipped_and_whole_numbers_rounded() -> None:
    tree = ActionTree(
        spaces.Dict({"turn": spaces.Box(-2, 3, (2,)), "gear": spaces.Box(0, 5, (), np.int64)})
    )
    assert tree.actions.labels == ("gear", "turn.0", "turn.1")  # Gymnasium sorts a Dict's keys
    found = tree.unpack(np.array([2.6, -9, 9], np.float32))
    assert list(found["turn"]) == [-2, 3]
    assert found["gear"] == 3


def test_hybrid_actions_have_choices_first() -> None:
    space = spaces.Tuple(
        [spaces.Box(-1, 1, (2,)), spaces.Discrete(3, start=5), spaces.MultiBinary(2)]
    )
    tree = ActionTree(space)
    assert (tree.actions.counts, tree.actions.low) == ((3, 2, 2), (-1.0, -1.0))
    real, choice, switches = tree.unpack(np.array([2, 1, 0, 0.5, -0.5], np.float32))
    assert choice == 7
    assert list(switches) == [1, 0]
    assert list(real) == [0.5, -0.5]


def test_unbounded_actions_are_told() -> None:
    with pytest.warns(UserWarning, match="no bounds"):
        tree = ActionTree(spaces.Box(-np.inf, np.inf, (2,)))
    assert (tree.actions.low, tree.actions.high) == ((-1.0, -1.0), (1.0, 1.0))


def test_one_bound_is_kept() -> None:
    with pytest.warns(UserWarning, match="no bounds"):
        tree = ActionTree(spaces.Box(np.array([5, -np.inf]), np.array([np.inf, 5])))
    assert (tree.actions.low, tree.actions.high) == ((5.0, 3.0), (7.0, 5.0))


def test_bytes_are_in_this_machines_order() -> None:
    space = spaces.Dict({"a": spaces.Box(0, 9, (2,), ">f4"), "b": spaces.MultiBinary(3)})
    tree = Observations(space)
    row = np.zeros(tree.layout.shape, tree.layout.dtype)
    tree.pack({"a": np.array([1.5, 2.5], ">f4"), "b": np.zeros(3, np.int8)}, row)
    assert unpack(tree.layout, torch.from_numpy(row[None]))["a"].tolist() == [[1.5, 2.5]]


def test_empty_spaces_are_refused() -> None:
    with pytest.raises(UsageError, match="must have parts"):
        Observations(spaces.Dict({"a": spaces.Dict({}), "b": spaces.Discrete(2)}))


def test_masks() -> None:
    actions = ActionTree(spaces.MultiDiscrete([2, 3]), masked=True).actions
    assert list(legal((np.array([1, 0]), np.array([0, 1, 1])), actions)) == [1, 0, 0, 1, 1]
    with pytest.raises(UsageError, match="place for each choice"):
        legal(np.ones(4), actions)


def _at(tree: Any, row: int) -> Any:
    """One row of a tree of tensors, as numpy."""
    if isinstance(tree, dict):
        return {key: _at(part, row) for key, part in tree.items()}
    if isinstance(tree, tuple):
        return tuple(_at(part, row) for part in tree)
    return tree[row].numpy()


def _arrays(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _arrays(part) for key, part in tree.items()}
    return tuple(map(_arrays, tree)) if isinstance(tree, tuple) else np.asarray(tree)


def _boxes(space: spaces.Space) -> list[spaces.Box]:
    if isinstance(space, spaces.Dict):
        return [leaf for part in space.spaces.values() for leaf in _boxes(part)]
    if isinstance(space, spaces.Tuple):
        return [leaf for part in space.spaces for leaf in _boxes(part)]
    return [space] if isinstance(space, spaces.Box) else []


def test_a_layout_compares_and_hashes_by_its_fields() -> None:
    assert Layout.box((3,)) == Layout.box((3,))
    assert len({Layout.box((3,)), Layout.box((3,)), Layout.box((4,))}) == 2
