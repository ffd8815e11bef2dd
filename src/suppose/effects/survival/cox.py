"""Cox regression: hazard ratios that do not change over time, without a law for the baseline.

Cox 1972 (JRSS B 34) by maximum partial likelihood, ties after Efron 1977 or Breslow 1974; baseline cumulative hazard
with the same treatment of ties; sandwich covariance after Lin & Wei 1989, summed over clusters where there are any;
test of proportional hazards on scaled Schoenfeld residuals after Grambsch & Therneau 1994. With weights the tied terms
of Efron's likelihood carry the mean weight of the tied events.

Everything is sums over risk sets, taken as cumulative sums over sorted times: no loop over rows. What it does not do:
strata, time-varying covariates, penalties, interval censoring.
"""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import stats
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from suppose.core.errors import DataError, EstimationError, SupposeWarning
from suppose.effects.base import check_choice, is_number
from suppose.effects.survival.formula import design_matrix, parse_formula
from suppose.effects.survival.likelihood import FAR, maximise
from suppose.effects.survival.material import SurvivalRoles, read_covariates, read_survival
from suppose.effects.survival.nonparametric import KaplanMeier
from suppose.effects.survival.predictions import check_times
from suppose.effects.survival.records import Curve, concordance, event_column

__all__ = ["PartialLikelihood", "ProportionalHazards", "ProportionalityTest"]

TIES = ("efron", "breslow")
TRANSFORMS = ("rank", "km", "identity", "log")


@dataclasses.dataclass(frozen=True)
class ProportionalityTest:
    """Test that each hazard ratio is constant in time, and of all together.

    Attributes
    ----------
    names : tuple of str
        Columns, then ``"all"``.
    statistic, freedom, p_value : (k + 1,) arrays
        Chi-square statistics.
    transform : str
        Function of time the residuals are held against.
    """

    names: tuple[str, ...]
    statistic: np.ndarray
    freedom: np.ndarray
    p_value: np.ndarray
    transform: str

    def to_frame(self) -> Any:
        """One row per column, as a pandas frame."""
        import pandas as pd

        return pd.DataFrame({"name": self.names, "statistic": self.statistic, "freedom": self.freedom,
                             "p_value": self.p_value})  # fmt: skip

    def __str__(self) -> str:
        return f"proportional hazards ({self.transform} of time): " + ", ".join(
            f"{name} p = {p:.3g}" for name, p in zip(self.names, self.p_value, strict=True)
        )


@dataclasses.dataclass(frozen=True)
class RiskSums:
    """Sums over risk sets at the linear predictor: one term per event (``group`` its event time)."""

    group: np.ndarray  # (m,) index of the event time of each term
    fraction: np.ndarray  # (m,) share of the tied events taken out
    weight: np.ndarray  # (m,) mean weight of the tied events
    denominator: np.ndarray  # (m,)
    mean: np.ndarray  # (m, p) weighted mean of the covariates at risk


class PartialLikelihood:
    """The log partial likelihood of one table, its derivatives, residuals and baseline.

    Parameters
    ----------
    D : (n, p) array
        Covariates, no intercept.
    time, event, entry, weight : (n,) arrays
        As in :class:`~suppose.effects.survival.material.Observed`.
    efron : bool
        Ties after Efron rather than Breslow.

    Examples
    --------
    >>> one = np.ones(3)
    >>> partial = PartialLikelihood(np.array([[0.0], [1.0], [0.0]]), np.array([1.0, 2.0, 3.0]), one, 0 * one, one)
    >>> round(partial.value(np.zeros(1)), 4)  # minus the logarithm of 6
    -1.7918
    """

    def __init__(
        self,
        D: Float[np.ndarray, "n p"],
        time: Float[np.ndarray, " n"],
        event: Float[np.ndarray, " n"],
        entry: Float[np.ndarray, " n"],
        weight: Float[np.ndarray, " n"],
        efron: bool = True,
    ) -> None:
        self.D, self.time, self.entry, self.weight = D, time, entry, weight
        self.happened = event == 1
        self.times, index = np.unique(time[self.happened], return_inverse=True)
        self.place = np.full(len(time), -1)
        self.place[self.happened] = index
        self.order = np.argsort(time, kind="stable")
        self.first = np.searchsorted(time[self.order], self.times, side="left")
        self.late = bool((entry > 0).any())
        self.entry_order = np.argsort(entry, kind="stable")
        self.entry_first = np.searchsorted(entry[self.entry_order], self.times, side="left")
        counts = np.bincount(index, minlength=len(self.times))
        self.group = np.repeat(np.arange(len(self.times)), counts)
        position = np.arange(len(self.group)) - np.repeat(np.cumsum(counts) - counts, counts)
        self.fraction = position / counts[self.group] if efron else np.zeros(len(self.group))
        tied = np.bincount(index, weights=weight[self.happened], minlength=len(self.times))
        self.term_weight = (tied / counts)[self.group]
        self.seen = np.searchsorted(self.times, time, side="right")
        self.before = np.searchsorted(self.times, entry, side="right")

    def _at_risk(self, values: np.ndarray) -> np.ndarray:
        """Sums of values over the rows at risk at each event time."""
        pad = np.zeros((1, *values.shape[1:]))
        above = np.concatenate([np.cumsum(values[self.order][::-1], axis=0)[::-1], pad])[self.first]
        if not self.late:
            return np.asarray(above)
        not_yet = np.concatenate([np.cumsum(values[self.entry_order][::-1], axis=0)[::-1], pad])
        return np.asarray(above - not_yet[self.entry_first])

    def _over_events(self, values: np.ndarray) -> np.ndarray:
        out = np.zeros((len(self.times), *values.shape[1:]))
        np.add.at(out, self.place[self.happened], values[self.happened])
        return out

    def sums(self, risk: Float[np.ndarray, " n"]) -> RiskSums:
        """Sums over risk sets for relative risks times weights."""
        zero, one = risk[:, None], risk[:, None] * self.D
        both = np.concatenate([zero, one], axis=1)
        terms = self._at_risk(both)[self.group] - self.fraction[:, None] * self._over_events(both)[self.group]
        return RiskSums(
            self.group, self.fraction, self.term_weight, terms[:, 0], terms[:, 1:] / terms[:, [0]]
        )

    def _eta(self, beta: np.ndarray) -> tuple[np.ndarray, float]:
        eta = self.D @ beta
        shift = float(eta.max(initial=0.0))
        return eta - shift, shift

    def value(self, beta: Float[np.ndarray, " p"]) -> float:
        """The log partial likelihood."""
        eta, _ = self._eta(beta)
        found = self.sums(self.weight * np.exp(eta))
        events = self.happened
        return float(self.weight[events] @ eta[events] - found.weight @ np.log(found.denominator))

    def __call__(self, beta: Float[np.ndarray, " p"]) -> tuple[float, np.ndarray, np.ndarray]:
        """Value, gradient (p,) and Hessian (p, p)."""
        eta, _ = self._eta(beta)
        risk = self.weight * np.exp(eta)
        found = self.sums(risk)
        events, w = self.happened, self.weight
        value = float(w[events] @ eta[events] - found.weight @ np.log(found.denominator))
        gradient = w[events] @ self.D[events] - found.weight @ found.mean
        share = risk * self._hazard_to(found)
        second = (self.D * share[:, None]).T @ self.D - (found.mean * found.weight[:, None]).T @ found.mean
        return value, gradient, -second

    def _steps(self, found: RiskSums) -> tuple[np.ndarray, np.ndarray]:
        """Increments of the baseline at each event time, and what Efron takes off for the tied rows."""
        part = found.weight / found.denominator
        m = len(self.times)
        return (
            np.bincount(found.group, weights=part, minlength=m),
            np.bincount(found.group, weights=part * found.fraction, minlength=m),
        )

    def _hazard_to(self, found: RiskSums) -> np.ndarray:
        """Baseline hazard each row has lived through."""
        steps, off = self._steps(found)
        total = np.concatenate([[0.0], np.cumsum(steps)])
        own = np.where(self.happened, off[np.maximum(self.place, 0)], 0.0)
        return np.asarray(total[self.seen] - total[self.before] - own)

    def baseline(self, beta: Float[np.ndarray, " p"]) -> np.ndarray:
        """Cumulative baseline hazard at the distinct event times, where all covariates are 0."""
        eta, shift = self._eta(beta)
        return np.asarray(np.cumsum(self._steps(self.sums(self.weight * np.exp(eta)))[0]) * np.exp(-shift))

    def event_means(self, beta: Float[np.ndarray, " p"]) -> np.ndarray:
        """Mean of the covariates at risk for each distinct event time, averaged over its tied terms."""
        found = self.sums(self.weight * np.exp(self._eta(beta)[0]))
        out = np.zeros((len(self.times), self.D.shape[1]))
        np.add.at(out, found.group, found.mean)
        return out / np.bincount(found.group)[:, None]

    def schoenfeld(self, beta: Float[np.ndarray, " p"]) -> np.ndarray:
        """Schoenfeld residuals of the events, (events, p), in order of the rows."""
        return np.asarray(self.D[self.happened] - self.event_means(beta)[self.place[self.happened]])

    def scores(self, beta: Float[np.ndarray, " p"]) -> np.ndarray:
        """Weighted score residual of each row, (n, p); they sum to the gradient."""
        risk = np.exp(self._eta(beta)[0])
        found = self.sums(self.weight * risk)
        out = np.zeros_like(self.D)
        out[self.happened] = self.schoenfeld(beta)
        part = (found.weight / found.denominator)[:, None] * found.mean
        m, p = len(self.times), self.D.shape[1]
        steps, off = np.zeros((m, p)), np.zeros((m, p))
        np.add.at(steps, found.group, part)
        np.add.at(off, found.group, part * found.fraction[:, None])
        total = np.concatenate([np.zeros((1, p)), np.cumsum(steps, axis=0)])
        lived = total[self.seen] - total[self.before]
        lived[self.happened] -= off[self.place[self.happened]]
        out -= risk[:, None] * (self.D * self._hazard_to(found)[:, None] - lived)
        return np.asarray(self.weight[:, None] * out)


class ProportionalHazards(RegressorMixin, BaseEstimator):
    """Cox regression.

    Parameters
    ----------
    event, entry, weights, cluster : str or int, optional
        Columns of ``X``, as in :class:`~suppose.effects.FlexibleSurvival`.
    formula : str
        Covariates (:func:`~suppose.effects.survival.formula.parse_formula`); ``"."`` is all.
    ties : {"efron", "breslow"}
        How tied event times are treated.
    robust : bool
        Sandwich covariance; with a cluster always.
    level : float
        Coverage of intervals.

    Examples
    --------
    >>> from suppose.datasets import load_rossi
    >>> rossi = load_rossi()
    >>> model = ProportionalHazards(event="arrest").fit(rossi.drop(columns="week"), rossi["week"])
    >>> row = model.to_frame().set_index("name").loc["fin"]
    >>> float(round(row.hazard_ratio, 3)), float(round(row.standard_error, 3))
    (0.684, 0.191)
    """

    def __init__(
        self,
        event: Any = None,
        *,
        entry: Any = None,
        weights: Any = None,
        cluster: Any = None,
        formula: Any = ".",
        ties: Any = "efron",
        robust: Any = False,
        level: Any = 0.95,
    ) -> None:
        self.event = event
        self.entry = entry
        self.weights = weights
        self.cluster = cluster
        self.formula = formula
        self.ties = ties
        self.robust = robust
        self.level = level

    def fit(self, X: Any, y: Any) -> ProportionalHazards:
        """Fit by maximum partial likelihood.

        Parameters
        ----------
        X : frame or (n, columns) array
            Covariates and the columns of the roles.
        y : (n,) array or series
            Durations, above 0.

        Raises
        ------
        DataError, EstimationError
            For material or settings that cannot be used, in words.
        """
        check_choice(self.ties, TIES, "ties")
        if not is_number(self.level) or not 0 < self.level < 1:
            raise EstimationError(
                "bad-level", f"expected a share between 0 and 1, got {self.level!r}", where="level",
                remedy="Write level=0.95 for a 95% interval.",
            )  # fmt: skip
        formula = parse_formula(self.formula)
        wanted = None if formula.everything else {name for term in formula.terms for name in term}
        roles = SurvivalRoles(self.event, self.entry, None, self.weights, self.cluster)
        observed = read_survival(self, X, y, roles, wanted)
        self.columns_ = observed.covariates
        self._terms = formula.resolve(tuple(self.columns_))
        D, names = design_matrix(self._terms, observed.covariates, observed.n)
        D, self.names_ = D[:, 1:], names[1:]
        _refuse_design(D, self.names_)
        self.mean_, spread = np.average(D, axis=0, weights=observed.weight), D.std(axis=0)
        partial = PartialLikelihood(
            (D - self.mean_) / spread, observed.time, observed.event, observed.entry, observed.weight,
            self.ties == "efron",
        )  # fmt: skip
        found = maximise(partial, np.zeros(D.shape[1]))
        if not found.converged or float(np.abs(found.theta).max()) > FAR / 2:
            warnings.warn(
                "the partial likelihood rises without end: some covariate orders the events by itself",
                SupposeWarning, stacklevel=2,
            )  # fmt: skip
        self._record(partial, found, spread, observed)
        return self

    def _record(self, partial: PartialLikelihood, found: Any, spread: np.ndarray, observed: Any) -> None:
        if not np.isfinite(found.hessian).all():
            raise EstimationError(
                "no-maximum", "the partial likelihood could not be evaluated near its maximum", where="X",
                remedy="Rescale covariates with extreme values.",
            )  # fmt: skip
        inverse = np.linalg.pinv(-found.hessian, hermitian=True)
        self.model_covariance_ = inverse / np.outer(spread, spread)
        if self.robust or observed.clusters is not None:
            scores = partial.scores(found.theta)
            if observed.clusters is not None:
                sums = np.zeros((int(observed.clusters.max()) + 1, scores.shape[1]))
                np.add.at(sums, observed.clusters, scores)
                scores = sums
            inverse = inverse @ (scores.T @ scores) @ inverse
        self.coef_ = found.theta / spread
        self.covariance_ = inverse / np.outer(spread, spread)
        self.loglik_ = found.value
        self.n_, self.events_ = observed.n, observed.events
        self.event_times_ = partial.times
        self.baseline_ = partial.baseline(found.theta)
        self.residuals_ = partial.schoenfeld(found.theta) * spread
        self.residual_times_ = observed.time[partial.happened]
        self._survived = KaplanMeier()._curve(observed, np.ones(observed.n, dtype=bool), "")

    def to_frame(self) -> Any:
        """Coefficients and hazard ratios, one row each, as a pandas frame."""
        import pandas as pd

        check_is_fitted(self, "coef_")
        se = np.sqrt(np.diag(self.covariance_))
        half = stats.norm.ppf(0.5 + float(self.level) / 2) * se
        return pd.DataFrame({
            "name": self.names_, "estimate": self.coef_, "standard_error": se, "low": self.coef_ - half,
            "high": self.coef_ + half, "p_value": 2 * stats.norm.sf(np.abs(self.coef_) / se),
            "hazard_ratio": np.exp(self.coef_), "ratio_low": np.exp(self.coef_ - half),
            "ratio_high": np.exp(self.coef_ + half),
        })  # fmt: skip

    def _design(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "coef_")
        covariates, n = read_covariates(self, X, self.columns_)
        return design_matrix(self._terms, covariates, n)[0][:, 1:]

    def predict_cumulative_hazard(self, X: Any, times: Any) -> Float[np.ndarray, "n m"]:
        """Cumulative hazard of each row at each time, (n, m)."""
        risk = np.exp((self._design(X) - self.mean_) @ self.coef_)
        place = np.searchsorted(self.event_times_, check_times(times), side="right")
        return np.asarray(risk[:, None] * np.concatenate([[0.0], self.baseline_])[place][None, :])

    def predict_survival(self, X: Any, times: Any) -> Float[np.ndarray, "n m"]:
        """Survival of each row at each time, (n, m)."""
        return np.asarray(np.exp(-self.predict_cumulative_hazard(X, times)))

    def predict(self, X: Any) -> Float[np.ndarray, " n"]:
        """Median time of each row, (n,): the first event time at which at most half survive, or infinity."""
        risk = np.exp((self._design(X) - self.mean_) @ self.coef_)
        place = np.searchsorted(self.baseline_, np.log(2.0) / risk, side="left")
        return np.asarray(np.concatenate([self.event_times_, [np.inf]])[place])

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Harrell's concordance of the linear predictor."""
        risk = self._design(X) @ self.coef_
        event = event_column(X, self.event)
        return concordance(np.asarray(y, dtype=float), -risk, event)

    def hazard_ratio(self, a: Any, b: Any, times: Any) -> Curve:
        """Hazard of the rows of ``a`` over that of ``b`` (geometric means): the same at every time."""
        times = check_times(times)
        slope = self._design(a).mean(axis=0) - self._design(b).mean(axis=0)
        value, se = float(slope @ self.coef_), float(np.sqrt(slope @ self.covariance_ @ slope))
        half = float(stats.norm.ppf(0.5 + float(self.level) / 2)) * se
        full = np.ones(len(times))
        return Curve(
            "hazard ratio", times, np.exp(value) * full, np.exp(value) * se * full,
            np.exp(value - half) * full, np.exp(value + half) * full, float(self.level),
        )  # fmt: skip

    def test_proportionality(self, transform: str = "rank") -> ProportionalityTest:
        """Test that hazard ratios are constant, by the trend of scaled Schoenfeld residuals in time.

        Parameters
        ----------
        transform : {"rank", "km", "identity", "log"}
            Function of time; ``km`` is one less the Kaplan-Meier curve just before.
        """
        check_choice(transform, TRANSFORMS, "transform")
        t = self.residual_times_
        if transform == "rank":
            g = stats.rankdata(t, method="average")
        elif transform == "km":
            g = 1.0 - self._survived.at(np.nextafter(t, 0.0))
        else:
            g = np.log(t) if transform == "log" else t
        g = g - g.mean()
        d, total = len(t), float(g @ g)
        if total == 0:
            raise EstimationError(
                "one-event-time", "all events come at one time, so no trend can be seen", where="y",
                remedy="Use durations with more detail.",
            )  # fmt: skip
        trend = g @ self.residuals_
        scaled = d * self.model_covariance_ @ trend
        single = scaled**2 / (d * np.diag(self.model_covariance_) * total)
        whole = d * float(trend @ self.model_covariance_ @ trend) / total
        statistic = np.concatenate([single, [whole]])
        freedom = np.concatenate([np.ones(len(single)), [len(single)]])
        p_value = np.asarray(stats.chi2.sf(statistic, freedom))
        return ProportionalityTest((*self.names_, "all"), statistic, freedom, p_value, transform)

    def __str__(self) -> str:
        if not hasattr(self, "coef_"):
            return repr(self)
        table = self.to_frame().set_index("name")[["estimate", "standard_error", "hazard_ratio", "ratio_low",
                                                   "ratio_high", "p_value"]]  # fmt: skip
        head = (
            f"Cox regression, {self.ties} ties; log partial likelihood {self.loglik_:.3f}, {self.events_:,} events "
            f"in {self.n_:,} rows"
        )
        return f"{head}\n{table.to_string(float_format=lambda value: f'{value:.4g}')}"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coef_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        tags.regressor_tags.poor_score = True
        return tags


def _refuse_design(D: np.ndarray, names: tuple[str, ...]) -> None:
    if D.shape[1] == 0:
        raise DataError(
            "no-covariates", "there is no covariate, so there is no hazard ratio", where="formula",
            remedy="Name covariates, or use KaplanMeier.",
        )  # fmt: skip
    for name, column in zip(names, D.T, strict=True):
        if column.min() == column.max():
            raise DataError(
                "constant-column", f"every row (n_samples = {len(column)}) has the value {column[0]:g}, so its effect "
                "cannot be seen", where=f"column {name!r}", remedy="Leave it out of the formula.",
            )  # fmt: skip
    centred = (D - D.mean(axis=0)) / D.std(axis=0)
    rank = int(np.linalg.matrix_rank(centred))
    if rank < D.shape[1]:
        raise EstimationError(
            "collinear", f"the {D.shape[1]} columns depend on each other linearly: rank {rank} in {len(D):,} rows "
            f"(n_samples = {len(D)})", where="formula", remedy="Leave out duplicate and redundant columns.",
        )  # fmt: skip
