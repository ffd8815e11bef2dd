"""The textbook estimators for panels, and Mundlak's test, as a ruler for the others.

``pooled``: least squares on levels. ``fe``: on deviations from unit means (fixed effects). ``fd``: on
differences between neighbouring periods. ``cre``: on levels with the unit means of treatment and covariates
beside them (Mundlak, On the pooling of time series and cross section data, Econometrica 46, 1978), whose
coefficient equals that of ``fe`` when every unit is seen in every period. Standard errors are clustered by
unit with the usual small-sample factor; unit means count as no parameters in ``fe``, as is usual.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import stats
from sklearn.utils.validation import check_is_fitted

from suppose.core.errors import DataError, EstimationError
from suppose.effects.base import EffectEstimator, Sample, check_choice, note_features, read_outcome
from suppose.effects.designs import Material, as_table
from suppose.effects.inference import not_identified
from suppose.effects.panel.material import Panel, read_panel, unit_means
from suppose.effects.panel.transforms import transform_panel

__all__ = ["LINEAR", "LinearPanel", "MundlakTest", "mundlak_test"]

LINEAR = ("pooled", "fe", "fd", "cre")
AS_TRANSFORM = {"pooled": "pooled", "fe": "within", "fd": "fd", "cre": "cre"}
WORDS = {
    "pooled": "pooled least squares", "fe": "fixed effects", "fd": "first differences",
    "cre": "linear correlated random effects",
}  # fmt: skip


class LinearPanel(EffectEstimator):
    """Pooled least squares, fixed effects, first differences, or linear correlated random effects.

    Parameters
    ----------
    treatment, unit, time : str or int
        Columns of ``X``.
    covariates : sequence of str or int, optional
        Columns to adjust for; all others when left out.
    method : {"fe", "pooled", "fd", "cre"}
        See the module.
    period_effects : bool
        One column per period but the first; without them ``fd`` has no constant, which would be a trend.
    singletons : {"refuse", "drop"}
        What happens to units seen once.
    level : float
        Coverage of the interval.

    Attributes
    ----------
    coefficients_, covariance_ : (k,), (k, k) arrays
        The treatment first, then covariates; redundant columns are left out.

    Examples
    --------
    >>> from suppose.datasets import make_panel
    >>> table = make_panel(units=100, periods=6, form="linear", seed=1)
    >>> model = LinearPanel("d", "unit", "time").fit(table.X, table.y)
    >>> model.effect_.low < 0.5 < model.effect_.high
    True
    """

    def __init__(
        self,
        treatment: Any = 0,
        unit: Any = None,
        time: Any = None,
        *,
        covariates: Any = None,
        method: Any = "fe",
        period_effects: Any = False,
        singletons: Any = "refuse",
        level: Any = 0.95,
    ) -> None:
        self.treatment = treatment
        self.unit = unit
        self.time = time
        self.covariates = covariates
        self.method = method
        self.period_effects = period_effects
        self.singletons = singletons
        self.level = level

    def _check_settings(self) -> None:
        super()._check_settings()
        check_choice(self.method, LINEAR, "method")
        check_choice(self.singletons, ("refuse", "drop"), "singletons")
        if self.unit is None and self.method != "pooled":
            raise EstimationError(
                "no-unit", f"{self.method!r} compares units with themselves, and no unit column is named",
                where="unit", remedy="Name the column of the unit, or use method='pooled'.",
            )  # fmt: skip

    def _read(self, X: Any, y: Any) -> Sample:
        if y is None:
            raise DataError(
                "missing-outcome", "LinearPanel requires y to be passed, but the target y is None",
                where="y", remedy="Give the outcome, one number per row.",
            )  # fmt: skip
        X = as_table(X)
        outcome = read_outcome(y, len(X))
        panel = read_panel(
            X, outcome, treatment=self.treatment, unit=self.unit, time=self.time, covariates=self.covariates
        )
        note_features(self, X, reset=True)
        parts = transform_panel(panel, AS_TRANSFORM[self.method], singletons=self.singletons)
        self.cutoff_, self.arms_ = None, None
        self.treatment_name_, self.covariate_names_ = panel.treatment_name, (*panel.x_names, *panel.z_names)
        self.varying_names_ = panel.x_names
        self.rows_, self.treatment_, self.outcome_ = parts.panel.rows, parts.d, parts.y
        self.clusters_ = None if self.unit is None else parts.panel.units
        self.kept_ = np.ones(len(parts.y), dtype=bool)
        self._design = self._columns(parts.panel, parts.d, parts.outcome_features)
        material = Material(
            parts.outcome_features, parts.d, self.clusters_, self.covariate_names_, self.treatment_name_
        )
        return Sample(material, parts.y)

    def _columns(self, panel: Panel, d: np.ndarray, features: np.ndarray) -> Float[np.ndarray, "m k"]:
        blocks = [d[:, None], features]
        if self.period_effects:
            count = int(panel.times.max()) + 1
            periods = (panel.times[:, None] == np.arange(1, count)).astype(np.float64)
            if self.method in ("fe",):
                periods = periods - unit_means(periods, panel.units)
            blocks.append(periods)
        if self.method in ("pooled", "cre") or (self.method == "fd" and self.period_effects):
            blocks.append(np.ones((len(d), 1)))
        return np.column_stack(blocks)

    def _estimate(self, sample: Sample) -> None:
        self.used_columns_ = independent_columns(self._design)
        design = np.ascontiguousarray(self._design[:, self.used_columns_])
        del self._design
        units = np.arange(sample.n) if self.clusters_ is None else self.clusters_
        self.coefficients_, self.covariance_ = least_squares(design, sample.y, units)
        self._record(
            self.coefficients_[:1], np.sqrt(np.diag(self.covariance_)[:1]), ["per unit"], "partially linear",
            f"{WORDS[self.method]}, clustered by unit",
        )  # fmt: skip

    def predict(self, X: Any) -> Float[np.ndarray, " n"]:
        """Outcome predicted for each row under its own treatment, for ``pooled`` without period effects.

        Raises
        ------
        EstimationError
            ``no-level-prediction`` for the others, which are rulers, not models of levels.
        """
        check_is_fitted(self, "effects_")
        X = as_table(X)
        note_features(self, X, reset=False)
        if self.method != "pooled" or self.period_effects:
            raise EstimationError(
                "no-level-prediction", f"{self.method!r} gives effects, not levels", where="method",
                remedy="Use PanelDML with approach='cre' to predict levels.",
            )  # fmt: skip
        panel = read_panel(
            X, np.zeros(len(X)), treatment=self.treatment, unit=self.unit, time=self.time,
            covariates=self.covariate_names_, varying=self.varying_names_,
        )  # fmt: skip
        design = np.column_stack([panel.d, panel.x, panel.z, np.ones(panel.n)])
        out = np.empty(panel.n)
        out[panel.rows] = design[:, self.used_columns_] @ self.coefficients_
        return out


def independent_columns(design: Float[np.ndarray, "m k"]) -> Int[np.ndarray, " j"]:
    """Positions of columns that do not follow from those before; the treatment, first, must be one.

    Raises
    ------
    EstimationError
        ``not-identified`` when covariates determine the treatment.
    """
    scale = np.sqrt(np.mean(design**2, axis=0))
    used = np.flatnonzero(scale > 1e-12 * max(float(scale.max()), 1e-300))
    if len(used) == 0 or used[0] != 0:
        raise not_identified()
    order = np.r_[used[1:], used[0]]  # the treatment last: what covariates leave of it
    r = np.linalg.qr(design[:, order] / scale[order], mode="r")
    left = np.abs(np.diag(r)) / np.sqrt(len(design)) > 1e-7
    if not left[-1]:
        raise not_identified()
    return np.asarray(np.r_[0, order[:-1][left[:-1]]])


def least_squares(
    design: Float[np.ndarray, "m k"], y: Float[np.ndarray, " m"], units: Int[np.ndarray, " m"]
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "k k"]]:
    """Coefficients and their covariance clustered by unit (CR1, as Stata's ``cluster``)."""
    m, k = design.shape
    bread = np.linalg.inv(design.T @ design)
    coefficients = bread @ (design.T @ y)
    scores = design * (y - design @ coefficients)[:, None]
    count = int(units.max()) + 1
    sums = np.column_stack([np.bincount(units, column, minlength=count) for column in scores.T])
    factor = count / max(count - 1, 1) * (m - 1) / max(m - k, 1)
    return coefficients, factor * bread @ (sums.T @ sums) @ bread


@dataclasses.dataclass(frozen=True)
class MundlakTest:
    """Whether unit means of treatment and covariates predict the outcome beside their values.

    ``statistic`` is the Wald statistic over ``restrictions``, referred to Hotelling's distribution as if there
    were one row per unit. With fewer than some 200 units it rejects too often: at the 5% level 9 to 10 times in
    100 with 60 or 100 units. A small ``p_value`` says that units differ in a way that moves with treatment or
    covariates, so that comparing units with each other is not safe.

    Examples
    --------
    >>> print(MundlakTest(12.0, 4, 100, 0.027))
    Mundlak test: Wald 12 on 4 means, 100 units, p = 0.027
    """

    statistic: float
    restrictions: int
    units: int
    p_value: float

    def to_frame(self) -> Any:
        """The test as a pandas frame of one row."""
        import pandas as pd

        return pd.DataFrame([dataclasses.asdict(self)])

    def __str__(self) -> str:
        p = f"p = {self.p_value:.2g}" if self.p_value >= 1e-16 else "p < 1e-16"
        return (
            f"Mundlak test: Wald {self.statistic:.3g} on {self.restrictions} means, {self.units:,} units, {p}"
        )


def mundlak_test(
    X: Any,
    y: Any,
    *,
    treatment: Any,
    unit: Any,
    time: Any,
    covariates: Any = None,
    singletons: str = "refuse",
) -> MundlakTest:
    """Mundlak's test that the coefficients of the unit means are zero in the linear model.

    Raises
    ------
    DataError
        As :func:`~suppose.effects.panel.material.read_panel`.

    Examples
    --------
    >>> from suppose.datasets import make_panel
    >>> table = make_panel(units=100, periods=6, form="linear", seed=1)
    >>> mundlak_test(table.X, table.y, treatment="d", unit="unit", time="time").p_value < 0.001
    True
    """
    X = as_table(X)
    panel = read_panel(
        X, read_outcome(y, len(X)), treatment=treatment, unit=unit, time=time, covariates=covariates
    )
    parts = transform_panel(panel, "cre", singletons=singletons)
    panel = parts.panel
    means = unit_means(np.column_stack([panel.d, panel.x]), panel.units)
    ones = np.ones((panel.n, 1))
    base = np.column_stack([panel.d, panel.x, panel.z, ones])
    base = base[:, independent_columns(base)]
    whole = np.column_stack([base, means])
    whole = whole[:, independent_columns(whole)]
    coefficients, covariance = least_squares(whole, panel.y, panel.units)
    added = slice(base.shape[1], None)
    count = whole.shape[1] - base.shape[1]
    if count == 0:
        raise not_identified()
    wald = float(coefficients[added] @ np.linalg.pinv(covariance[added, added]) @ coefficients[added])
    units = panel.unit_count
    freedom = max(units - count, 1)
    p_value = float(stats.f.sf(wald / count * freedom / max(units - 1, 1), count, freedom))
    return MundlakTest(wald, count, units, p_value)
