from __future__ import annotations

import numpy as np

from skipjack import seeding


def test_streams_and_places_are_all_different() -> None:
    seeds = {
        seeding.state(seed, name, group, update)
        for seed in (0, 1, 2**63)
        for name in seeding.STREAMS
        for group in range(4)
        for update in range(20)
    }
    assert len(seeds) == 3 * len(seeding.STREAMS) * 4 * 20


def test_values_stay_the_same_for_ever() -> None:
    """A resumed run depends on them: if one changes, old runs go on differently."""
    assert seeding.child(0, "envs") == 1349175912911658045
    assert seeding.state(7, "acting", 0, 3) == 14509301514195374693
    assert seeding.env_seeds(0, 0, 2).tolist() == [12035550249420947055, 12935080325729570654]


def test_an_env_seed_depends_on_its_own_number_alone() -> None:
    whole = seeding.env_seeds(3, 0, 1000)
    assert len(np.unique(whole)) == 1000
    assert np.array_equal(whole[400:500], seeding.env_seeds(3, 400, 500))
