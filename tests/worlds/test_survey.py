"""Simulated surveys: closed forms against the printed table and against draws, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import DataError
from suppose.worlds.survey import SCENARIOS, closed_form, simulate

TABLE = [
    (0.3, 0, 0, 0, 0.5, 0.300, 0.300),
    (0.3, 0, 0, 0.5, 0.5, 0.341, 0.300),
    (0.3, 1, 0, 0, 0.5, 0.441, 0.300),
    (0.3, 1, 1, 0.5, 0.5, 0.482, -0.017),
    (0.3, 1, -1, 0.5, 0.5, 0.283, 0.505),
    (0.3, 0, 1, 0.5, 0.5, 0.484, 0.206),
    (0.1, 0.3, 0.3, 0.2, 0.2, 0.150, 0.044),
    (0.0, 1, 1, 0, 0, 0.0, -0.269),
]


@pytest.mark.parametrize(("beta", "a_x", "a_y", "delta_x", "delta_y", "plain", "given"), TABLE)
def test_closed_forms_are_those_of_the_table(beta, a_x, a_y, delta_x, delta_y, plain, given) -> None:
    world = {"beta": beta, "a_x": a_x, "a_y": a_y, "delta_x": delta_x, "delta_y": delta_y}
    assert closed_form("S5", **world) == pytest.approx(plain, abs=5.1e-4)
    assert closed_form("S5", ("M",), **world) == pytest.approx(given, abs=5.1e-4)


@pytest.mark.parametrize(
    ("share", "given", "plain"),
    [
        (0.05, 0.212, 0.355),
        (0.1, 0.157, 0.390),
        (0.2, 0.078, 0.436),
        (0.3, 0.025, 0.463),
        (0.5, -0.017, 0.482),
    ],
)
def test_the_bias_peaks_at_an_even_split(share, given, plain) -> None:
    world = {"beta": 0.3, "a_x": 1, "a_y": 1, "delta_x": 0.5, "delta_y": 0.5}
    for split in (share, 1 - share):
        assert closed_form("S5", ("M",), share=split, **world) == pytest.approx(given, abs=5.1e-4)
        assert closed_form("S5", share=split, **world) == pytest.approx(plain, abs=5.1e-4)


def slope(frame, given: tuple[str, ...]) -> tuple[float, float]:
    """Slope of Y* on X* beside ``given`` in least squares, and its robust standard error."""
    X = np.column_stack([frame["X*"], np.ones(len(frame)), *(frame[name] for name in given)])
    inverse = np.linalg.inv(X.T @ X)
    coefficients = inverse @ X.T @ frame["Y*"].to_numpy()
    scores = X * (frame["Y*"].to_numpy() - X @ coefficients)[:, None]
    return float(coefficients[0]), float(np.sqrt((inverse @ (scores.T @ scores) @ inverse)[0, 0]))


@pytest.mark.parametrize("scenario_id", SCENARIOS)
def test_draws_have_the_slopes_of_the_closed_form(scenario_id) -> None:
    scenario = SCENARIOS[scenario_id]
    rng = np.random.default_rng(sum(map(ord, scenario_id)))
    for draw in range(3):
        world = {name: float(rng.uniform(-1, 1)) for name in scenario.parameters}
        world |= {
            "beta": float(rng.uniform(-0.5, 0.5)),
            "share": float(rng.uniform(0.15, 0.85)),
            "noise_x": 0.3,
        }
        frame = simulate(scenario_id, 60_000, seed=draw, **world).frame
        for given in scenario.sets:
            found, error = slope(frame, given)
            assert abs(found - closed_form(scenario_id, given, **world)) <= 4.5 * error
        assert frame["M"].mean() == pytest.approx(world["share"], abs=0.01)


def test_the_same_seed_draws_the_same_survey() -> None:
    assert simulate("S7", 50, seed=3).frame.equals(simulate("S7", 50, seed=3).frame)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: simulate("S11", 10), "there is no scenario 'S11'"),
        (lambda: closed_form("S2", delta_x=0.1), "scenario S2 has no parameter 'delta_x'"),
        (lambda: closed_form("S2", share=1.0), "share between 0 and 1"),
    ],
)
def test_what_does_not_exist_is_refused(wrong, message) -> None:
    with pytest.raises(DataError, match=message):
        wrong()
