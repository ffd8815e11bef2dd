"""The E-value: how strongly a hidden confounder must go with both treatment and outcome.

It is the smallest risk ratio that an unmeasured confounder would need to have with the treatment
*and* with the outcome, beyond the measured covariates, to explain an observed risk ratio away:
``E = RR + sqrt(RR (RR - 1))`` for ``RR >= 1``, of ``1 / RR`` below one.

Source: VanderWeele and Ding, "Sensitivity analysis in observational research: introducing the
E-value", Annals of Internal Medicine 167 (2017): the formula above, its confidence limit, the
approximation ``RR = exp(0.91 d)`` for a standardised mean difference ``d``, with interval
``exp(0.91 d -+ 1.78 se)`` at 95%, and the shift to a null other than one.

Deviation: at another level 1.78 is scaled by the ratio of normal quantiles; a binary outcome's risk
ratio comes from the cross-fitted means of the two arms (AIPW) with a delta-method interval.
Not done: odds and hazard ratios.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
from scipy import stats

from suppose.core.answer import format_number
from suppose.core.errors import DataError, EstimationError
from suppose.core.figures import PALETTE, new_axes

__all__ = ["EValue", "check_e_value", "e_value", "e_value_of_difference"]


@dataclasses.dataclass(frozen=True)
class EValue:
    """An E-value and the risk ratio it belongs to.

    Attributes
    ----------
    risk_ratio, low, high : float
        Risk ratio and its interval (``nan`` without one).
    point : float
        E-value of the risk ratio.
    limit : float
        E-value of the interval's end nearer the null: 1 when it includes the null, ``nan`` without interval.
    null : float
        Risk ratio that would count as no effect.
    measure : str
        Where the risk ratio comes from.
    """

    risk_ratio: float
    low: float
    high: float
    point: float
    limit: float
    null: float = 1.0
    measure: str = "risk ratio"

    @property
    def words(self) -> str:
        """What the E-value says, in words."""
        base = (
            f"To explain the effect away (risk ratio {format_number(self.risk_ratio)}, from the "
            f"{self.measure}), a hidden confounder would have to be tied to both treatment and outcome by risk "
            f"ratios of {format_number(self.point)}, beyond the covariates adjusted for."
        )
        if math.isnan(self.limit):
            return base
        if self.limit == 1.0:
            return f"{base} The interval includes no effect already."
        return f"{base} For the interval to include no effect, {format_number(self.limit)} would do."

    def __str__(self) -> str:
        return f"E-value {self.point:.2f} (interval {self.limit:.2f}; risk ratio {self.risk_ratio:.2f})"

    def to_frame(self) -> Any:
        """The record as a pandas frame of one row."""
        import pandas as pd

        return pd.DataFrame([dataclasses.asdict(self)])

    def plot(self, ax: Any = None) -> Any:
        """Pairs of risk ratios that explain the effect away; takes and returns matplotlib Axes."""
        ax = new_axes(ax)
        top = 2.2 * max(self.point, 1.5)
        for target, colour, label in (
            (self._bias(self.risk_ratio), PALETTE["blue"], "estimate"),
            (self._bias(self._near_end), PALETTE["orange"], "end of interval"),
        ):
            if not target > 1:
                continue
            x = np.linspace(target * 1.0001, top, 400)
            y = target * (1 - x) / (target - x)
            shown = y <= top
            ax.plot(x[shown], y[shown], color=colour, linewidth=2, label=label)
            corner = target + math.sqrt(target * (target - 1))
            ax.plot([corner], [corner], "o", color=colour, markersize=7)
            ax.annotate(f"{corner:.2f}", (corner, corner), (6, 5), textcoords="offset points")
        ax.set(xlim=(1, top), ylim=(1, top), title="Confounding that would explain the effect away",
               xlabel="risk ratio of confounder and treatment",
               ylabel="risk ratio of confounder and outcome")  # fmt: skip
        if ax.lines:
            ax.legend(loc="upper right")
        return ax

    @property
    def _near_end(self) -> float:
        return self.low if self.risk_ratio > self.null else self.high

    def _bias(self, risk_ratio: float) -> float:
        """Factor by which confounding must inflate ``risk_ratio`` away from the null; 1 when it need not."""
        if math.isnan(risk_ratio):
            return 1.0
        up = self.risk_ratio >= self.null
        return max(risk_ratio / self.null if up else self.null / risk_ratio, 1.0)


def e_value(
    risk_ratio: float,
    low: float | None = None,
    high: float | None = None,
    *,
    null: float = 1.0,
    measure: str = "risk ratio",
) -> EValue:
    """E-value of a risk ratio and of its interval.

    Parameters
    ----------
    risk_ratio : float
        Observed, positive.
    low, high : float, optional
        Its interval.
    null : float
        Risk ratio that counts as no effect.
    measure : str
        Where the risk ratio comes from, for the words.

    Raises
    ------
    DataError
        ``e-value-ratio`` for ratios that are not positive or an interval that does not hold the estimate.

    Examples
    --------
    >>> print(e_value(0.80, 0.71, 0.91))  # VanderWeele and Ding (2017): 1.81 and 1.43
    E-value 1.81 (interval 1.43; risk ratio 0.80)
    """
    bottom, top = math.nan if low is None else float(low), math.nan if high is None else float(high)
    for name, value in (("risk_ratio", risk_ratio), ("low", bottom), ("high", top), ("null", null)):
        if value <= 0 or math.isinf(value) or (math.isnan(value) and name in ("risk_ratio", "null")):
            raise DataError(
                "e-value-ratio", f"expected a positive risk ratio, got {value!r}", where=name,
                remedy="Differences go through e_value_of_difference.",
            )  # fmt: skip
    if bottom > risk_ratio or top < risk_ratio:
        raise DataError(
            "e-value-ratio", f"the interval {bottom:g} to {top:g} does not hold the estimate {risk_ratio:g}",
            where="low, high", remedy="Give the interval of this risk ratio, lower end first.",
        )  # fmt: skip
    draft = EValue(float(risk_ratio), bottom, top, math.nan, math.nan, float(null), measure)
    near = draft._near_end
    limit = math.nan if math.isnan(near) else _explained(draft._bias(near))
    return dataclasses.replace(draft, point=_explained(draft._bias(risk_ratio)), limit=limit)


def _explained(factor: float) -> float:
    return factor + math.sqrt(factor * (factor - 1.0))


def e_value_of_difference(
    difference: float, standard_error: float, outcome_sd: float, *, level: float = 0.95
) -> EValue:
    """E-value of a difference in means, through the standardised difference.

    Parameters
    ----------
    difference, standard_error : float
        Difference in means and its standard error, in units of the outcome.
    outcome_sd : float
        Standard deviation of the outcome, pooled over the arms.
    level : float
        Coverage of the interval.

    Examples
    --------
    >>> print(e_value_of_difference(-0.42, 0.14, 1.0))
    E-value 2.29 (interval 1.55; risk ratio 0.68)
    """
    if not outcome_sd > 0 or not math.isfinite(difference):
        raise DataError(
            "e-value-ratio", f"expected a finite difference and a positive standard deviation, got "
            f"{difference!r} and {outcome_sd!r}", where="outcome_sd", remedy="A constant outcome has no E-value.",
        )  # fmt: skip
    d, se = difference / outcome_sd, standard_error / outcome_sd
    half = 1.78 * se * float(stats.norm.ppf(0.5 + level / 2) / stats.norm.ppf(0.975))
    low, high = (
        (math.exp(0.91 * d - half), math.exp(0.91 * d + half)) if math.isfinite(half) else (None, None)
    )
    return e_value(math.exp(0.91 * d), low, high, measure="standardised mean difference")


def check_e_value(estimator: Any, *, effect: int = 0) -> EValue:
    """E-value of a fitted effect estimator's effect.

    A 0/1 outcome with the ATE of ``Interactive`` gives a risk ratio from the arms' means; any other
    effect goes through the standardised mean difference (a per-unit effect for one standard
    deviation of the treatment).

    Parameters
    ----------
    estimator : fitted estimator of :mod:`suppose.effects`
        Only its fitted attributes are read.
    effect : int
        Index of the contrast in ``effects_``.
    """
    found = estimator.effects_[effect]
    y, d = estimator.outcome_[estimator.kept_], estimator.treatment_[estimator.kept_]
    nuisances = getattr(estimator, "nuisances_", {})
    if found.estimand == "partially linear":
        shift = 1.0 if set(np.unique(d)) <= {0.0, 1.0} else float(np.std(d))
        groups = d if shift == 1.0 else np.zeros(len(d))
        scale = _pooled_sd(y, groups)
        return e_value_of_difference(
            found.estimate * shift, found.standard_error * shift, scale, level=found.level
        )
    if set(np.unique(y)) <= {0.0, 1.0} and "propensity" in nuisances:
        return _risk_ratio(estimator, effect)
    return e_value_of_difference(found.estimate, found.standard_error, _pooled_sd(y, d), level=found.level)


def _pooled_sd(y: Any, groups: Any) -> float:
    """Root of the mean within-group variance, groups weighing the same."""
    variances = [np.var(y[groups == value], ddof=1) for value in np.unique(groups)]
    return float(np.sqrt(np.mean(variances)))


def _risk_ratio(estimator: Any, effect: int) -> EValue:
    found = estimator.effects_[effect]
    if found.estimand != "ATE":
        raise EstimationError(
            "e-value-estimand", f"the risk ratio of a 0/1 outcome is computed for the ATE, got {found.estimand}",
            where="estimand", remedy="Fit with estimand='ATE', or give your own risk ratio to e_value.",
        )  # fmt: skip
    kept, a, b = estimator.kept_, effect + 1, 0  # the reference arm comes first
    y, arms = estimator.outcome_[kept], np.asarray(estimator.arms_)
    d = np.argmax(estimator.treatment_[kept][:, None] == arms, axis=1)
    outcome, propensity = (
        estimator.nuisances_[name][kept].mean(axis=1) for name in ("outcome", "propensity")
    )
    means = {k: outcome[:, k] + (d == k) * (y - outcome[:, k]) / propensity[:, k] for k in (a, b)}
    risk = {k: float(values.mean()) for k, values in means.items()}
    if min(risk.values()) <= 0:
        raise EstimationError(
            "e-value-estimand", "the risk of an arm was estimated as zero or less, so there is no risk ratio",
            where="outcome", remedy="Overlap is too weak or the outcome too rare for an E-value.",
        )  # fmt: skip
    influence = (means[a] - risk[a]) / risk[a] - (means[b] - risk[b]) / risk[b]
    half = float(stats.norm.ppf(0.5 + found.level / 2) * np.sqrt(np.mean(influence**2) / len(y)))
    ratio = risk[a] / risk[b]
    return e_value(ratio, ratio * math.exp(-half), ratio * math.exp(half), measure="risks of the two arms")
