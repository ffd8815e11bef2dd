"""Surveys answered in two modes, with known truth: when the mix of modes biases a slope, and by how much.

Truth is linear: exposure ``X`` and outcome ``Y = beta X + ... + e`` with unit normal errors. A person answers in
the other mode (``M = 1``) when ``L = a_x X + a_y Y + ... + u`` exceeds a threshold (probit), which is put where the
share of the other mode is ``share``. What is recorded is ``X* = X + delta_x M + noise_x e1`` and ``Y*`` likewise.
Every second moment of recorded answers, mode and covariates then has a closed form (covariance with ``M`` is
``Cov(V, L) phi(kappa) / sd(L)``, mixed over the two values of a random offer), hence so has every regression slope.

The eleven scenarios follow the definitions of Tomova, Silverwood, Tennant and Wright (arXiv 2510.00900, 2025), of
which only the abstract was read: edges, worlds and formulas are worked out here. ``S9`` has two versions.

What it does not do: item nonresponse, modes that change the slope of an answer, more than two modes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import optimize, stats
from scipy.special import expit

from suppose.core.errors import DataError, nearest
from suppose.core.random import generator

__all__ = ["SCENARIOS", "Scenario", "SurveySample", "closed_form", "simulate", "simulate_binary"]

BASE = "X -> Y; X -> X*; Y -> Y*"
DEFAULTS: dict[str, float] = {
    "beta": 0.3, "share": 0.5, "noise_x": 0.0, "noise_y": 0.0, "delta_x": 0.5, "delta_y": 0.5, "a_x": 1.0, "a_y": 1.0,
    "a_c": 1.0, "a_u": 1.0, "a_b": 1.0, "a_r": 1.0, "c_x": 0.7, "c_y": 0.7, "u_y": 0.7, "b_y": 0.7,
}  # fmt: skip
COMMON = ("beta", "share", "noise_x", "noise_y")
OTHERS = ("C", "U", "B")  # causes besides X and Y, each a unit normal


@dataclass(frozen=True)
class Scenario:
    """One way a survey is mixed: its graph, the parameters it has, and the sets worth asking about.

    ``sets`` are sets of measured nodes to condition on, the empty one first; ``latent`` nodes are not measured.
    """

    id: str
    words: str
    edges: str
    parameters: tuple[str, ...]
    sets: tuple[tuple[str, ...], ...] = ((), ("M",))
    latent: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The causal graph in the notation of :mod:`suppose.graphs`."""
        return f"{BASE}; {self.edges}" if self.edges else f"{BASE}; M"


_LIST = (
    Scenario("S0", "no mode effect, no selection", "", ()),
    Scenario("S1", "no mode effect; exposure and outcome select the mode", "{X Y} -> M", ("a_x", "a_y")),
    Scenario("S2", "mode moves the outcome's answers, mode at random", "M -> Y*", ("delta_y",)),
    Scenario("S3", "mode moves both answers, mode at random", "M -> {X* Y*}", ("delta_x", "delta_y")),
    Scenario("S4", "mode moves the outcome's answers; the exposure selects the mode", "M -> Y*; X -> M",
             ("delta_y", "a_x")),
    Scenario("S5", "mode moves both answers; exposure and outcome select the mode", "M -> {X* Y*}; {X Y} -> M",
             ("delta_x", "delta_y", "a_x", "a_y")),
    Scenario("S6", "mode moves both answers; the exposure and a hidden cause of the outcome select the mode",
             "M -> {X* Y*}; {X U} -> M; U -> Y", ("delta_x", "delta_y", "a_x", "a_u", "u_y"),
             sets=((), ("M",), ("M", "U"))),
    Scenario("S7", "mode moves both answers; a measured confounder selects the mode",
             "M -> {X* Y*}; C -> {M X Y}", ("delta_x", "delta_y", "a_c", "c_x", "c_y"),
             sets=((), ("M",), ("C",), ("M", "C"))),
    Scenario("S8", "mode moves both answers; the outcome selects the mode", "M -> {X* Y*}; Y -> M",
             ("delta_x", "delta_y", "a_y")),
    Scenario("S9", "two waves: exposure asked in one mode, outcome in two; the exposure selects the second mode",
             "M -> Y*; X -> M", ("delta_y", "a_x")),
    Scenario("S9b", "two waves: exposure asked in one mode, outcome in two; exposure and earlier outcome B select",
             "M -> Y*; {X B} -> M; B -> Y", ("delta_y", "a_x", "a_b", "b_y"), sets=((), ("M",), ("M", "B"))),
    Scenario("S10", "as S5, with a mode offered at random (R)", "M -> {X* Y*}; {X Y R} -> M",
             ("delta_x", "delta_y", "a_x", "a_y", "a_r")),
)  # fmt: skip

SCENARIOS: Mapping[str, Scenario] = {scenario.id: scenario for scenario in _LIST}
"""The scenarios by their id, ``S0`` to ``S10``."""


@dataclass(frozen=True)
class SurveySample:
    """A drawn survey: what a study would be given, and the truth it would not see.

    ``frame`` has ``X*``, ``Y*``, ``M`` (0 reference, 1 other) and the measured ``C``, ``U``, ``B``, ``R`` of the
    scenario; ``truth`` has ``X`` and ``Y``, row by row.
    """

    scenario: str
    parameters: Mapping[str, float]
    frame: Any
    truth: Any


def _settings(id: str, given: Mapping[str, float]) -> tuple[Scenario, dict[str, float]]:  # noqa: A002
    """The scenario and all parameters, those it lacks at zero."""
    if id not in SCENARIOS:
        raise DataError(
            "unknown-scenario", f"there is no scenario {id!r}; there are: {', '.join(SCENARIOS)}", where="id",
            remedy=nearest(id, SCENARIOS) or "Choose one of these.",
        )  # fmt: skip
    scenario = SCENARIOS[id]
    known = (*COMMON, *scenario.parameters)
    for name, value in given.items():
        if name not in known:
            raise DataError(
                "unknown-parameter", f"scenario {id} has no parameter {name!r}; it has: {', '.join(known)}",
                where=name, remedy=nearest(name, known) or "Leave it out, or choose another scenario.",
            )  # fmt: skip
        bad = not np.isfinite(value) or (name == "share" and not 0 < value < 1)
        if bad or (name.startswith("noise") and value < 0):
            raise DataError(
                "bad-parameter", "expected a finite number, share between 0 and 1 and noise not negative, "
                f"got {value!r}", where=name, remedy="Correct the value.",
            )  # fmt: skip
    full = {name: DEFAULTS[name] if name in known else 0.0 for name in DEFAULTS}
    return scenario, full | {name: float(value) for name, value in given.items()}


def _loadings(p: Mapping[str, float]) -> Float[np.ndarray, "6 6"]:
    """Rows X, Y, C, U, B, L as linear forms of the independent unit normals (x, e, C, U, B, u)."""
    x = np.array([1.0, 0.0, p["c_x"], 0.0, 0.0, 0.0])
    y = p["beta"] * x + np.array([0.0, 1.0, p["c_y"], p["u_y"], p["b_y"], 0.0])
    others = np.eye(6)[2:5]
    latent = p["a_x"] * x + p["a_y"] * y + np.array([p["a_c"], p["a_u"], p["a_b"]]) @ others + np.eye(6)[5]
    return np.vstack([x, y, others, latent])


def _threshold(p: Mapping[str, float], spread: float) -> tuple[float, np.ndarray]:
    """Threshold of L for the share asked, and kappa without and with the offer."""
    if p["a_r"] == 0:
        kappa = float(stats.norm.isf(p["share"]))
        return kappa * spread, np.array([kappa, kappa])

    def excess(c: float) -> float:
        return float((stats.norm.sf(c / spread) + stats.norm.sf((c - p["a_r"]) / spread)) / 2 - p["share"])

    reach = 12 * spread + abs(p["a_r"])
    c = float(optimize.brentq(excess, -reach, reach, xtol=1e-13))
    return c, np.array([c, c - p["a_r"]]) / spread


def closed_form(id: str, given: Sequence[str] = (), **parameters: float) -> float:  # noqa: A002
    """Slope of ``Y*`` on ``X*`` in least squares with the nodes ``given`` beside it, in an endless sample.

    Parameters
    ----------
    id : str
        One of :data:`SCENARIOS`.
    given : sequence of str
        Nodes conditioned on, among ``M``, ``C``, ``U``, ``B``.
    **parameters : float
        ``beta``, ``share``, ``noise_x``, ``noise_y`` and those of the scenario; see the module.

    Raises
    ------
    DataError
        ``unknown-scenario``, ``unknown-parameter``, ``bad-parameter``.

    Examples
    --------
    >>> [round(closed_form("S5", given), 3) for given in ((), ("M",))]
    [0.482, -0.017]
    """
    moments = _moments(_settings(id, parameters)[1])
    names = ["X*", "Y*", "M", *OTHERS]
    columns = [names.index("X*"), *(names.index(name) for name in given)]
    return float(np.linalg.solve(moments[np.ix_(columns, columns)], moments[columns, 1])[0])


def _moments(p: Mapping[str, float]) -> Float[np.ndarray, "6 6"]:
    """Covariance of X*, Y*, M, C, U, B."""
    forms = _loadings(p)
    plain = forms[:5] @ forms[:5].T
    spread = float(np.linalg.norm(forms[5]))
    kappa = _threshold(p, spread)[1]
    with_mode = forms[:5] @ forms[5] * float(stats.norm.pdf(kappa).mean()) / spread
    shares = stats.norm.sf(kappa)
    v = float(shares.mean() * (1 - shares.mean()))
    whole = np.zeros((6, 6))  # of X, Y, M, C, U, B
    order = [0, 1, 3, 4, 5]
    whole[np.ix_(order, order)] = plain
    whole[2, order] = whole[order, 2] = with_mode
    whole[2, 2] = v
    recorded = np.eye(6)
    recorded[0, 2], recorded[1, 2] = p["delta_x"], p["delta_y"]
    whole = recorded @ whole @ recorded.T
    whole[0, 0] += p["noise_x"] ** 2
    whole[1, 1] += p["noise_y"] ** 2
    return np.asarray(whole)


def simulate(id: str, n: int, *, seed: int = 0, **parameters: float) -> SurveySample:  # noqa: A002
    """Draw a survey of ``n`` people.

    Parameters
    ----------
    id : str
        One of :data:`SCENARIOS`.
    n : int
        Number of people.
    seed : int
        Same seed, same rows.
    **parameters : float
        As in :func:`closed_form`.

    Raises
    ------
    DataError
        ``unknown-scenario``, ``unknown-parameter``, ``bad-parameter``.

    Examples
    --------
    >>> survey = simulate("S5", 1000, seed=1)
    >>> list(survey.frame.columns), round(float(survey.frame["M"].mean()), 1)
    (['X*', 'Y*', 'M'], 0.5)
    """
    import pandas as pd

    scenario, p = _settings(id, parameters)
    random = generator(seed, "survey", id)
    forms = _loadings(p)
    values = random.standard_normal((n, 6)) @ forms.T
    offer = (random.random(n) < 0.5).astype(float)
    threshold = _threshold(p, float(np.linalg.norm(forms[5])))[0]
    mode = (values[:, 5] + p["a_r"] * offer > threshold).astype(float)
    noise = random.standard_normal((n, 2))
    columns = {
        "X*": values[:, 0] + p["delta_x"] * mode + p["noise_x"] * noise[:, 0],
        "Y*": values[:, 1] + p["delta_y"] * mode + p["noise_y"] * noise[:, 1],
        "M": mode,
    }
    columns |= {
        name: values[:, 2 + k] for k, name in enumerate(OTHERS) if f"a_{name.lower()}" in scenario.parameters
    }
    columns |= {"R": offer} if "a_r" in scenario.parameters else {}
    truth = pd.DataFrame({"X": values[:, 0], "Y": values[:, 1]})
    return SurveySample(id, p, pd.DataFrame(columns), truth)


def simulate_binary(
    n: int,
    *,
    seed: int = 0,
    effect: float = 0.7,
    share: float = 0.5,
    selection: tuple[float, float] = (0.8, 0.8),
    sensitivity: tuple[float, float] = (0.95, 0.8),
    specificity: tuple[float, float] = (0.95, 0.9),
) -> SurveySample:
    """Draw a survey of yes/no answers that each mode records with its own errors, the same for X and Y.

    Parameters
    ----------
    n, seed : int
        Number of people; same seed, same rows.
    effect : float
        Log odds ratio of ``Y`` for ``X``; a third of the people are exposed.
    share : float
        Chance of the other mode for those with ``X = Y = 0``.
    selection : (float, float)
        Log odds ratios of the other mode for ``X`` and for ``Y``.
    sensitivity, specificity : (float, float)
        Chance that a yes (no) is recorded as such, in the reference and in the other mode.

    Examples
    --------
    >>> survey = simulate_binary(1000, seed=1)
    >>> sorted(survey.frame["Y*"].unique().tolist())
    [0.0, 1.0]
    """
    import pandas as pd

    random = generator(seed, "binary survey")
    x = random.random(n) < 1 / 3
    y = random.random(n) < expit(-0.8 + effect * x)
    odds = np.log(share / (1 - share))
    mode = random.random(n) < expit(odds + selection[0] * x + selection[1] * y)
    kinds = mode.astype(int)
    hit, clear = np.asarray(sensitivity)[kinds], np.asarray(specificity)[kinds]
    recorded = [
        np.where(truth, random.random(n) < hit, random.random(n) >= clear).astype(float) for truth in (x, y)
    ]
    frame = pd.DataFrame({"X*": recorded[0], "Y*": recorded[1], "M": mode.astype(float)})
    settings = {"effect": effect, "share": share}
    return SurveySample("binary", settings, frame, pd.DataFrame({"X": x.astype(float), "Y": y.astype(float)}))
