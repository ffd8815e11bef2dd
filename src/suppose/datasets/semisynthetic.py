"""Worlds with real covariates and known potential outcomes: IHDP, one treatment or a dose of it.

The Infant Health and Development Program gave some of 985 children extra care. Hill (2011) keeps their
covariates and simulates the outcomes, so that every child's outcome under any treatment is known. Binary
outcomes surfaces follow Hill (surfaces A and B); the dose versions follow Nie et al. (2021, "VCNet",
appendix) and the shifted treatment ranges of Zhang et al. (2022, "TransTEE", section 5).

Kept from the code behind those papers, though odd: covariates of the dose world are scaled to
``(x - min) / max``, and both centrings use the constant ``c`` of the first group of columns. Ours: one
seed decides everything, so that a replication can be drawn again instead of downloaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import expit

from suppose.core.errors import DataError
from suppose.core.random import generator
from suppose.datasets.shipped import read_shipped

__all__ = ["PotentialOutcomes", "load_ihdp", "make_dose_response", "make_ihdp", "make_ihdp_dose"]

IHDP_COVARIATES = (
    "bw", "b.head", "preterm", "birth.o", "nnhealth", "momage", "sex", "twin", "b.marr", "mom.lths", "mom.hs",
    "mom.scoll", "cig", "first", "booze", "drugs", "work.dur", "prenatal", "site1", "site2", "site3", "site4",
    "site5", "site6", "site7",
)  # fmt: skip
CONTINUOUS = 6
FIRST_GROUP = np.r_[3, 6:15]
SECOND_GROUP = np.r_[15:25]

Surface = Callable[[np.ndarray, np.ndarray, np.ndarray | None], np.ndarray]


@dataclass(frozen=True)
class PotentialOutcomes:
    """A simulated table of which every unit's mean outcome under every treatment is known.

    Attributes
    ----------
    name : str
        Name of the generator.
    frame : pandas.DataFrame (n rows)
        The table a study would be given.
    treatment, outcome : str
        Names of those columns.
    covariates : tuple of str
        Columns that suffice for adjustment.
    train : (n,) bool array
        Rows to learn from; the others are for testing.
    surface : callable
        ``surface(x, t, dose)``: mean outcome of units with covariates ``x`` (n, p) under treatments ``t``
        (n,), in the unit of the outcome.
    truth : Mapping[str, float]
        True averages over all rows, where the treatment is binary.
    dose : str or None
        Column of the dose, where an arm comes with one.
    graphs : tuple or None
        Treated objects; the treatment column numbers them.
    oracle : Mapping[str, ndarray]
        What no study would see, one entry per row (or row and arm).
    """

    name: str
    frame: Any
    treatment: str
    outcome: str
    covariates: tuple[str, ...]
    train: np.ndarray
    surface: Surface
    truth: Mapping[str, float] = field(default_factory=dict)
    dose: str | None = None
    graphs: tuple[Any, ...] | None = None
    oracle: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def X(self) -> Any:  # noqa: N802 (the field's symbol)
        """All columns but the outcome, as estimators take them."""
        return self.frame.drop(columns=self.outcome)

    @property
    def y(self) -> Any:
        """The outcome column."""
        return self.frame[self.outcome]

    def part(self, which: Literal["train", "test"]) -> tuple[Any, Any]:
        """``X`` and ``y`` of the rows to learn from, or of the others."""
        rows = self.train if which == "train" else ~self.train
        return self.X[rows], self.y[rows]

    def potential(
        self,
        t: Float[np.ndarray, " treatments"],
        dose: Float[np.ndarray, " treatments"] | None = None,
        *,
        rows: Bool[np.ndarray, " n"] | None = None,
    ) -> Float[np.ndarray, "rows treatments"]:
        """Mean outcome of each row under each treatment (and dose).

        Examples
        --------
        >>> make_dose_response(20, 10, seed=1).potential(np.array([0.2, 0.8])).shape
        (30, 2)
        """
        x = self.frame[list(self.covariates)].to_numpy(dtype=np.float64)
        x = x if rows is None else x[rows]
        n, k = len(x), len(t)
        doses = None if dose is None else np.tile(dose, n)
        flat = self.surface(np.repeat(x, k, axis=0), np.tile(np.asarray(t, dtype=np.float64), n), doses)
        return np.asarray(flat).reshape(n, k)

    def dose_response(
        self, grid: Float[np.ndarray, " grid"], *, rows: Bool[np.ndarray, " n"] | None = None
    ) -> Float[np.ndarray, " grid"]:
        """True average dose-response: the mean over rows of the outcome under each dose of the grid."""
        return np.asarray(self.potential(np.asarray(grid, dtype=np.float64), rows=rows).mean(axis=0))

    def to_frame(self) -> Any:
        """The truth, one row per quantity, as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame({"quantity": list(self.truth), "value": list(self.truth.values())})

    def __str__(self) -> str:
        truth = ", ".join(f"{name} {value:.4g}" for name, value in self.truth.items())
        rows = (
            f"{self.name}: {int(self.train.sum()):,} rows to learn from, {int((~self.train).sum()):,} to test"
        )
        return rows + (f"; true {truth}" if truth else "")


def load_ihdp(*, frame: str = "pandas") -> Any:
    """Children of the Infant Health and Development Program: care given or not, and 29 covariates.

    Parameters
    ----------
    frame : {"pandas", "polars", "pyarrow"}
        Library of the frame returned.

    Returns
    -------
    frame
        985 rows; ``treat`` (1: intensive care and home visits) and covariates of child and mother. No
        measured outcome is included. ``dataset_info("ihdp").columns`` explains each column.

    Raises
    ------
    DataError
        ``unknown-frame`` or ``frame-not-installed``.

    References
    ----------
    J. Hill, Bayesian Nonparametric Modeling for Causal Inference, Journal of Computational and Graphical
    Statistics 20 (2011), 217-240.

    Examples
    --------
    >>> load_ihdp().shape
    (985, 30)
    """
    return read_shipped("ihdp", frame)


def _ihdp_units() -> tuple[Float[np.ndarray, "747 25"], Float[np.ndarray, " 747"]]:
    """Covariates and treatment after Hill's selection: treated children of non-white mothers left out."""
    table = load_ihdp()
    table = table[~((table["treat"] == 1) & (table["momwhite"] == 0))]
    x = table[list(IHDP_COVARIATES)].to_numpy(dtype=np.float64)
    x[:, IHDP_COVARIATES.index("first")] += 1.0
    return x, table["treat"].to_numpy(dtype=np.float64)


def make_ihdp(surface: str = "B", *, test: int = 75, noise: float = 1.0, seed: int = 0) -> PotentialOutcomes:
    """IHDP with a binary treatment and one of Hill's response surfaces.

    Surface A is linear with the effect 4 for everyone. Surface B has ``mu0 = exp((X + 1/2) beta)`` and
    ``mu1 = X beta - omega``, with ``omega`` such that the mean effect on the treated is 4.

    Parameters
    ----------
    surface : {"A", "B"}
    test : int
        Rows of the 747 held out for testing.
    noise : float
        Standard deviation of the outcome given treatment and covariates.
    seed : int
        Seed of the coefficients, the noise and the split: the number of the replication.

    Returns
    -------
    PotentialOutcomes
        Columns ``treat``, ``y`` and 25 covariates, the first six standardised; truth ``ATE``, ``ATT`` over
        the 747 units; oracle ``mu0``, ``mu1``.

    Raises
    ------
    DataError
        ``bad-generator-argument``.

    References
    ----------
    J. Hill, Bayesian Nonparametric Modeling for Causal Inference, JCGS 20 (2011), section 4.

    Examples
    --------
    >>> world = make_ihdp("B", seed=1)
    >>> print(world)
    make_ihdp B: 672 rows to learn from, 75 to test; true ATE 4.419, ATT 4
    """
    import pandas as pd

    _refuse_unless(surface in ("A", "B"), "surface", "'A' or 'B'", surface)
    x, treat = _ihdp_units()
    _refuse_unless(0 <= test < len(x) - 20, "test", f"a number of rows from 0 to {len(x) - 21}", test)
    head = x[:, :CONTINUOUS]
    x[:, :CONTINUOUS] = (head - head.mean(axis=0)) / head.std(axis=0, ddof=1)
    rng = generator(seed, "ihdp", surface)
    design = np.c_[np.ones(len(x)), x]
    if surface == "A":
        beta = rng.choice([0.0, 1.0, 2.0, 3.0, 4.0], size=26, p=[0.5, 0.2, 0.15, 0.1, 0.05])
        omega = -4.0
    else:
        beta = rng.choice([0.0, 0.1, 0.2, 0.3, 0.4], size=26, p=[0.6, 0.1, 0.1, 0.1, 0.1])
        gap = design @ beta - np.exp(design @ beta + 0.5 * beta[1:].sum())
        omega = float(gap[treat == 1].mean()) - 4.0

    def mean(x: np.ndarray, t: np.ndarray, dose: np.ndarray | None) -> np.ndarray:
        linear = beta[0] + x @ beta[1:]
        untreated = linear if surface == "A" else np.exp(linear + 0.5 * beta[1:].sum())
        return np.asarray(np.where(t == 1, linear - omega, untreated))

    mu0, mu1 = mean(x, np.zeros(len(x)), None), mean(x, np.ones(len(x)), None)
    y = np.where(treat == 1, mu1, mu0) + noise * rng.standard_normal(len(x))
    frame = pd.DataFrame({"treat": treat, "y": y, **dict(zip(IHDP_COVARIATES, x.T, strict=True))})
    effect = mu1 - mu0
    truth = {"ATE": float(effect.mean()), "ATT": float(effect[treat == 1].mean())}
    return PotentialOutcomes(
        f"make_ihdp {surface}", frame, "treat", "y", IHDP_COVARIATES, _split(len(x), test, rng), mean, truth,
        oracle={"mu0": mu0, "mu1": mu1},
    )  # fmt: skip


def make_ihdp_dose(
    h_train: float = 1.0, h_test: float = 1.0, *, noise: float = 0.5, seed: int = 0
) -> PotentialOutcomes:
    """IHDP with a simulated dose, learned on a part of its range where ``h_train < h_test``.

    Parameters
    ----------
    h_train, h_test : float
        The test dose lies in (0, h_test), the dose learned from in (h_test - h_train, h_test).
    noise : float
        Standard deviation of the outcome and of the log odds of the dose.
    seed : int
        Seed of the dose, the noise and the split into 471 rows to learn from and 276 to test.

    Returns
    -------
    PotentialOutcomes
        Columns ``dose``, ``y`` and 25 covariates scaled to ``(x - min) / max``.

    Raises
    ------
    DataError
        ``bad-generator-argument``.

    References
    ----------
    L. Nie, M. Ye, Q. Liu, D. Nicolae, VCNet and Functional Targeted Regularization for Learning Causal
    Effects of Continuous Treatments, ICLR 2021, appendix; Zhang et al., arXiv 2202.01336.

    Examples
    --------
    >>> print(make_ihdp_dose(seed=1))
    make_ihdp_dose: 471 rows to learn from, 276 to test
    """
    _refuse_range(h_train, h_test)
    x, _ = _ihdp_units()
    x = (x - x.min(axis=0)) / x.max(axis=0)
    centre = float(x[:, FIRST_GROUP].mean())
    rng = generator(seed, "ihdp-dose")
    x1, x2, x3, x4, x5 = (x[:, j] for j in (0, 1, 2, 4, 5))
    odds = x1 / (1 + x2) + np.maximum(np.maximum(x3, x4), x5) / (0.2 + np.minimum(np.minimum(x3, x4), x5))
    odds = odds + np.tanh(5 * (x[:, SECOND_GROUP].sum(axis=1) / 10 - centre)) - 2
    odds = odds + noise * rng.standard_normal(len(x))

    def mean(x: np.ndarray, t: np.ndarray, dose: np.ndarray | None) -> np.ndarray:
        x1, x2, x3, x4, x5 = (x[:, j] for j in (0, 1, 2, 4, 5))
        curve = np.sin(3 * np.pi * t / h_test) / (1.2 - t / h_test)
        factor = np.tanh(5 * (x[:, FIRST_GROUP].sum(axis=1) / 10 - centre))
        factor = factor + np.exp(0.2 * (x1 - x5)) / (0.1 + np.minimum(np.minimum(x2, x3), x4))
        return np.asarray(curve * factor)

    return _dose_world(
        "make_ihdp_dose", x, IHDP_COVARIATES, expit(2 * odds), mean, h_train, h_test, 276, noise, rng
    )


def make_dose_response(
    n_train: int = 500,
    n_test: int = 200,
    h_train: float = 1.0,
    h_test: float = 1.0,
    *,
    noise: float = 0.5,
    seed: int = 0,
) -> PotentialOutcomes:
    """A simulated dose-response world: six uniform covariates, a confounded dose, a curved response.

    Parameters
    ----------
    n_train, n_test : int
        Rows to learn from and to test.
    h_train, h_test, noise, seed
        As in :func:`make_ihdp_dose`.

    Returns
    -------
    PotentialOutcomes
        Columns ``dose``, ``y``, ``x1 ... x6``.

    Raises
    ------
    DataError
        ``bad-generator-argument``.

    References
    ----------
    Nie et al., ICLR 2021, section 5 (its simulated data); Zhang et al., arXiv 2202.01336.

    Examples
    --------
    >>> world = make_dose_response(seed=1)
    >>> bool(abs(world.dose_response(np.array([0.25]))[0]) < 1e-12)  # the cosine is zero there
    True
    """
    _refuse_range(h_train, h_test)
    _refuse_unless(n_train >= 1 and n_test >= 0, "n_train, n_test", "numbers of rows", (n_train, n_test))
    rng = generator(seed, "dose-response")
    x = rng.random((n_train + n_test, 6))
    x1, x2, x3, x4, x5, _ = x.T
    odds = (10 * np.sin(np.maximum(np.maximum(x1, x2), x3)) + np.maximum(np.maximum(x3, x4), x5) ** 3) / (
        1 + (x1 + x5) ** 2
    )
    odds = odds + np.sin(0.5 * x3) * (1 + np.exp(x4 - 0.5 * x3)) + x3**2 + 2 * np.sin(x4) + 2 * x5 - 6.5
    odds = odds + noise * rng.standard_normal(len(x))

    def mean(x: np.ndarray, t: np.ndarray, dose: np.ndarray | None) -> np.ndarray:
        x1, _, x3, x4, _, x6 = x.T
        share = t / h_test
        factor = share**2 + 4 * np.maximum(x1, x6) ** 3 * np.sin(x4) / (1 + 2 * x3**2)
        return np.asarray(np.cos(2 * np.pi * (share - 0.5)) * factor)

    names = tuple(f"x{j}" for j in range(1, 7))
    return _dose_world("make_dose_response", x, names, expit(odds), mean, h_train, h_test, n_test, noise, rng)


def _dose_world(
    name: str,
    x: np.ndarray,
    names: tuple[str, ...],
    share: np.ndarray,
    mean: Surface,
    h_train: float,
    h_test: float,
    test: int,
    noise: float,
    rng: np.random.Generator,
) -> PotentialOutcomes:
    """A world of one dose: rows to learn from get it squeezed into the upper part of its range."""
    import pandas as pd

    train = _split(len(x), test, rng)
    dose = np.where(train, h_train * share + (h_test - h_train), h_test * share)
    y = mean(x, dose, None) + noise * rng.standard_normal(len(x))
    frame = pd.DataFrame({"dose": dose, "y": y, **dict(zip(names, x.T, strict=True))})
    return PotentialOutcomes(name, frame, "dose", "y", names, train, mean)


def _split(n: int, test: int, rng: np.random.Generator) -> Bool[np.ndarray, " n"]:
    train = np.ones(n, dtype=bool)
    train[rng.permutation(n)[:test]] = False
    return train


def _refuse_range(h_train: float, h_test: float) -> None:
    _refuse_unless(
        0 < h_train <= h_test, "h_train, h_test", "0 < h_train <= h_test", f"{h_train:g} and {h_test:g}"
    )


def _refuse_unless(holds: bool, argument: str, expected: str, got: Any) -> None:
    if not holds:
        raise DataError(
            "bad-generator-argument", f"expected {expected}, got {got!r}", where=f"argument {argument!r}",
            remedy="See the docstring of the generator for what it takes.",
        )  # fmt: skip
