"""The process: its slope is the true one, it finds what matters, it is sure where it has looked."""

from __future__ import annotations

import numpy as np

from skipjack.sweep import gp


def data(count: int = 60, inputs: int = 4) -> tuple[gp.Array, gp.Array]:
    x = np.random.default_rng(1).random((count, inputs))
    return x, np.sin(6 * x[:, 0]) + 0.05 * np.random.default_rng(2).standard_normal(count)


def test_the_slope_is_that_of_the_evidence() -> None:
    x, y = data(20)
    gaps = ((x.T[:, :, None] - x.T[:, None, :]) ** 2).reshape(4, -1)
    vector = np.array([-0.5, 0.3, 0.1, -0.2, 0.2, -3.0])
    noise = np.full(20, 0.01)
    _, slope = gp._evidence(vector, gaps, y, noise)
    for index in range(len(vector)):
        step = np.zeros(6)
        step[index] = 1e-5
        up, down = (gp._evidence(vector + s * step, gaps, y, noise)[0] for s in (1, -1))
        assert np.isclose(slope[index], (up - down) / 2e-5, rtol=1e-4, atol=1e-6)


def test_the_input_that_matters_gets_the_shortest_length() -> None:
    x, y = data()
    hyper = gp.fit(x, y, np.zeros(60), gp.Prior())
    assert np.argmin(hyper.lengths) == 0
    assert hyper.lengths[0] < hyper.lengths[1:].min() - 1
    mean, _ = gp.GP(x, y, np.zeros(60), hyper).predict(np.array([[0.25, 0.5, 0.5, 0.5]]))
    assert abs(mean[0] - np.sin(1.5)) < 0.1


def test_a_point_left_out_is_predicted_as_if_it_had_not_been_there() -> None:
    x, y = data(15)
    hyper = gp.Hyper(np.full(4, -0.5), 0.0, -3.0)
    for row in (0, 7):
        rest = np.arange(15) != row
        expected, _ = gp.GP(x[rest], y[rest], np.zeros(14), hyper).predict(x[row : row + 1])
        assert np.isclose(gp.GP(x, y, np.zeros(15), hyper).without(row), expected[0])


def test_a_noisy_point_says_less_and_far_points_say_nothing() -> None:
    x, y = np.array([[0.5]]), np.array([1.0])
    hyper = gp.Hyper(np.array([-2.0]), 0.0, -10.0)
    sure, deviation = gp.GP(x, y, np.zeros(1), hyper).predict(np.array([[0.5], [5.0]]))
    assert sure[0] > 0.99
    assert abs(sure[1]) < 1e-6
    assert deviation[0] < 0.05
    assert deviation[1] > 0.99
    unsure, _ = gp.GP(x, y, np.array([1.0]), hyper).predict(np.array([[0.5]]))
    assert 0.45 < unsure[0] < 0.55
