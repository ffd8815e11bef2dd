"""Effects of a treatment that starts at different times and stays on (staggered adoption).

Group-time effects after Callaway and Sant'Anna (2021): :mod:`~suppose.effects.panel.cells` computes them,
:mod:`~suppose.effects.panel.aggregation` puts them together. Two-way fixed effects are not used, because with
effects that differ between groups or grow over time they subtract treated units from treated units.

Deviations: propensities and trends are cross-fitted, so that any learner can be used; the seed decides the
bootstrap, too. It does not do treatments that are switched off again, doses, or repeated cross-sections.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from sklearn.utils.validation import check_is_fitted

from suppose.core.errors import DataError, EstimationError, SupposeWarning
from suppose.core.progress import track
from suppose.effects.base import EffectEstimator, Sample, check_choice, note_features, read_outcome
from suppose.effects.designs import Material, as_table
from suppose.effects.folds import draw_folds, resolve_folds
from suppose.effects.inference import aggregate_repeats
from suppose.effects.learners import check_learner, learner_name
from suppose.effects.panel.aggregation import KINDS, Aggregate, aggregate, critical_value, influence_errors
from suppose.effects.panel.cells import Wide, attgt, plan_cells
from suppose.effects.panel.material import Panel, read_panel

__all__ = ["StaggeredEffect", "first_treated"]

CONTROLS = ("never-treated", "not-yet-treated")
BASES = ("varying", "universal")


class StaggeredEffect(EffectEstimator):
    """Group-time effects of a 0/1 treatment that, once it has started, stays on.

    Parameters
    ----------
    treatment, unit, time : str or int
        Columns of ``X``; the treatment is 0 or 1 and never goes back to 0.
    covariates : sequence of str or int, optional
        Columns given which trends are parallel; all others when left out, none with ``[]``. Their values in
        the base period are used.
    control : {"not-yet-treated", "never-treated"}
        Whom treated units are compared with.
    outcome_learner, propensity_learner : str or estimator
        For the change without treatment, and for membership of the group.
    anticipation : int
        Periods before the start in which treatment may already work.
    base_period : {"varying", "universal"}
        Base of the periods before the start: the period before, or the one all effects are measured from.
    folds : int, array or list of pairs
        Number of folds of units (1 fits and predicts on all), or a split of the rows of ``X``.
    repeats : int
        Repeats of the sample splitting.
    trim : float
        Propensities are held below 1 - trim.
    draws : int
        Of the multiplier bootstrap behind simultaneous intervals.
    level, repeat_rule, seed, n_jobs, backend
        As in :class:`~suppose.effects.PartiallyLinear`.

    Attributes
    ----------
    effects_ : tuple of EffectEstimate
        One for each group and period, contrast ``"ATT(g, t)"``; ``effect_`` is their average over all periods
        of treatment.
    groups_, times_ : (k,) int arrays
        Period codes of the cells; ``time_labels_`` says what they stand for.
    influence_ : (units, k) array
        Influence values of the cells, mean over repeats.
    start_ : (units,) int array
        Period code of each unit's start, number of periods for never.
    critical_value_ : float
        For intervals that hold for all group-time effects at once.

    Examples
    --------
    >>> from suppose.datasets import make_staggered
    >>> table = make_staggered(units=400, seed=1)
    >>> model = StaggeredEffect("d", "unit", "time", folds=2).fit(table.X, table.y)
    >>> event = model.aggregate("event")
    >>> event.rows[event.at.index(0.0)].low < 1.3 < event.rows[event.at.index(0.0)].high
    True
    """

    def __init__(
        self,
        treatment: Any = 0,
        unit: Any = 1,
        time: Any = 2,
        *,
        covariates: Any = None,
        control: Any = "not-yet-treated",
        outcome_learner: Any = "linear",
        propensity_learner: Any = "linear",
        anticipation: Any = 0,
        base_period: Any = "varying",
        folds: Any = 5,
        repeats: Any = 1,
        trim: Any = 0.01,
        draws: Any = 999,
        level: Any = 0.95,
        repeat_rule: Any = "median-variance",
        seed: Any = 0,
        n_jobs: Any = None,
        backend: Any = "threading",
    ) -> None:
        self.treatment = treatment
        self.unit = unit
        self.time = time
        self.covariates = covariates
        self.control = control
        self.outcome_learner = outcome_learner
        self.propensity_learner = propensity_learner
        self.anticipation = anticipation
        self.base_period = base_period
        self.folds = folds
        self.repeats = repeats
        self.trim = trim
        self.draws = draws
        self.level = level
        self.repeat_rule = repeat_rule
        self.seed = seed
        self.n_jobs = n_jobs
        self.backend = backend

    def _check_settings(self) -> None:
        super()._check_settings()
        check_choice(self.control, CONTROLS, "control")
        check_choice(self.base_period, BASES, "base_period")
        check_learner(self.outcome_learner, "outcome_learner")
        check_learner(self.propensity_learner, "propensity_learner")
        whole = isinstance(self.anticipation, (int, np.integer)) and not isinstance(self.anticipation, bool)
        if not whole or self.anticipation < 0:
            raise EstimationError(
                "bad-anticipation", f"expected a whole number of periods from 0, got {self.anticipation!r}",
                where="anticipation", remedy="Write anticipation=0 when nobody could act ahead.",
            )  # fmt: skip

    def _read(self, X: Any, y: Any) -> Sample:
        if y is None:
            raise DataError(
                "missing-outcome", "StaggeredEffect requires y to be passed, but the target y is None",
                where="y", remedy="Give the outcome, one number per row.",
            )  # fmt: skip
        X = as_table(X)
        outcome = read_outcome(y, len(X))
        panel = read_panel(
            X, outcome, treatment=self.treatment, unit=self.unit, time=self.time, covariates=self.covariates,
            varying=None,
        )  # fmt: skip
        note_features(self, X, reset=True)
        self.start_ = first_treated(panel)
        self.unit_labels_, self.time_labels_ = panel.unit_labels, panel.time_labels
        self.cutoff_, self.arms_ = None, np.array([0.0, 1.0])
        self.treatment_name_, self.covariate_names_ = panel.treatment_name, (*panel.x_names, *panel.z_names)
        self.treatment_, self.outcome_, self.clusters_ = panel.d, panel.y, panel.units
        self.rows_, self.kept_ = panel.rows, np.ones(panel.n, dtype=bool)
        self._wide = self._widened(panel)
        x = np.column_stack([panel.x, panel.z])
        return Sample(Material(x, panel.d, panel.units, self.covariate_names_, panel.treatment_name), panel.y)

    def _widened(self, panel: Panel) -> Wide:
        units, periods = panel.unit_count, len(panel.time_labels)
        if isinstance(self.folds, (int, np.integer)) and int(self.folds) > units:
            raise EstimationError(
                "too-few-units", f"expected at most as many folds as units, got {self.folds} folds for "
                f"{units} units", where="folds", remedy="Use fewer folds.",
            )  # fmt: skip
        y, row = np.full((units, periods), np.nan), np.full((units, periods), -1, dtype=np.int64)
        y[panel.units, panel.times], row[panel.units, panel.times] = panel.y, np.arange(panel.n)
        folds = self._unit_folds(panel, units)
        return Wide(y, np.column_stack([panel.x, panel.z]), row, self.start_, folds)

    def _unit_folds(self, panel: Panel, units: int) -> Int[np.ndarray, "units repeats"]:
        """Fold of each unit: drawn, each with its share of every group, or from a split of the rows of X."""
        if isinstance(self.folds, (int, np.integer)):
            groups = np.unique(self.start_, return_inverse=True)[1]
            return draw_folds(int(self.folds), units, repeats=self.repeats, seed=self.seed, strata=groups)
        clusters = np.empty(panel.n, dtype=np.int64)
        clusters[panel.rows] = panel.units
        first = np.unique(panel.units, return_index=True)[1]
        return np.asarray(resolve_folds(self.folds, panel.n, clusters=clusters)[panel.rows[first]])

    def _estimate(self, sample: Sample) -> None:
        wide = self._wide
        del self._wide
        self.folds_ = wide.folds
        starts = np.unique(self.start_[(self.start_ < wide.periods) & (self.start_ > int(self.anticipation))])
        cells = plan_cells(starts, wide.periods, anticipation=int(self.anticipation), base=self.base_period)
        settings = {
            "control": self.control, "anticipation": int(self.anticipation), "trim": float(self.trim),
            "outcome_learner": self.outcome_learner, "propensity_learner": self.propensity_learner,
            "minimum": max(2, int(wide.folds.max()) + 1) + 1, "seed": self.seed, "jobs": self.n_jobs,
            "backend": self.backend,
        }  # fmt: skip
        found = [(cell, attgt(wide, cell, settings)) for cell in track(cells, "group-time effects")]
        kept = [(cell, result) for cell, result in found if result is not None]
        self._warn_left_out(found, wide)
        if not any(cell.time >= cell.group for cell, _ in kept):
            raise EstimationError(
                "no-controls", f"no group has {settings['minimum']} treated and as many {self.control} units "
                "in a period of its treatment", where="control",
                remedy="Use control='not-yet-treated', fewer folds, or a longer panel.",
            )  # fmt: skip
        self.groups_ = np.array([cell.group for cell, _ in kept])
        self.times_ = np.array([cell.time for cell, _ in kept])
        self.sizes_ = np.array([result[2:] for _, result in kept])
        theta = np.column_stack([result[0] for _, result in kept])  # (repeats, cells)
        psi = np.stack([result[1] for _, result in kept], axis=2)  # (units, repeats, cells)
        errors = np.stack([influence_errors(psi[:, repeat]) for repeat in range(psi.shape[1])])
        self.theta_by_repeat_, self.standard_error_by_repeat_ = theta, errors
        self.estimates_, self.errors_ = aggregate_repeats(theta, errors, self.repeat_rule)
        self.influence_ = psi.mean(axis=1)
        self.critical_value_ = critical_value(
            self.influence_, influence_errors(self.influence_), level=float(self.level),
            draws=int(self.draws), seed=self.seed,
        )  # fmt: skip
        self._record_cells()

    def _record_cells(self) -> None:
        learners = dict.fromkeys([learner_name(self.outcome_learner), learner_name(self.propensity_learner)])
        method = (
            f"doubly robust difference-in-differences, {self.control} controls; "
            f"{' and '.join(learners)} learners, "
            f"{int(self.folds_.max()) + 1} folds of units"
        )
        labels = self.time_labels_
        contrasts = [f"ATT({labels[g]}, {labels[t]})" for g, t in zip(self.groups_, self.times_, strict=True)]
        freedom: list[float | None] = [float("inf")] * len(contrasts)
        self._record(self.estimates_, self.errors_, contrasts, "ATT", method, freedom)
        average = self.aggregate("simple").overall
        self._cells_effects = self.effects_
        self._record(
            np.array([average.estimate]), np.array([average.standard_error]), ["average over treated periods"],
            "ATT", method, [float("inf")],
        )  # fmt: skip
        self.effects_ = (*self.effects_, *self._cells_effects)
        del self._cells_effects

    def _warn_left_out(self, found: list[Any], wide: Wide) -> None:
        early = int(np.sum(self.start_ <= int(self.anticipation)))
        if early:
            warnings.warn(
                f"always treated: {early:,} units are treated in the first period they could be; nothing is "
                "known of them untreated, and they are left out", SupposeWarning, stacklevel=4,
            )  # fmt: skip
        lost = sum(result is None for _, result in found)
        if lost:
            warnings.warn(
                f"left out: {lost} of {len(found)} group-time effects have too few treated or control units",
                SupposeWarning, stacklevel=4,
            )  # fmt: skip

    def aggregate(self, kind: str = "event") -> Aggregate:
        """Group-time effects put together.

        Parameters
        ----------
        kind : {"simple", "group", "calendar", "event"}
            See :mod:`~suppose.effects.panel.aggregation`.

        Returns
        -------
        Aggregate
        """
        check_choice(kind, KINDS, "kind")
        return aggregate(
            kind, self.groups_, self.times_, self.estimates_, self.influence_, self.start_,
            labels=self.time_labels_, level=float(self.level), draws=int(self.draws), seed=self.seed,
        )  # fmt: skip

    def pretrend_test(self) -> tuple[float, int, float]:
        """Wald test that all effects before treatment are zero: statistic, degrees of freedom, p-value.

        Examples
        --------
        >>> from suppose.datasets import make_staggered
        >>> table = make_staggered(units=400, seed=1)
        >>> StaggeredEffect("d", "unit", "time", folds=2).fit(table.X, table.y).pretrend_test()[1]
        6
        """
        from scipy import stats

        before = self.times_ < self.groups_ - int(self.anticipation)
        if not before.any():
            return 0.0, 0, 1.0
        psi, theta = self.influence_[:, before], self.estimates_[before]
        covariance = psi.T @ psi / len(psi) ** 2
        rank = int(np.linalg.matrix_rank(covariance))
        statistic = float(theta @ np.linalg.pinv(covariance) @ theta)
        return statistic, rank, float(stats.chi2.sf(statistic, rank))

    def predict(self, X: Any) -> Float[np.ndarray, " n"]:
        """Refused: group-time effects come from changes and hold no model of levels."""
        check_is_fitted(self, "effects_")
        raise EstimationError(
            "no-level-prediction", "group-time effects come from changes, not levels", where="StaggeredEffect",
            remedy="Use PanelDML with approach='cre' to predict levels.",
        )  # fmt: skip


def first_treated(panel: Panel) -> Int[np.ndarray, " units"]:
    """Period code of each unit's first treatment, number of periods for never; refuses switching off."""
    d, units = panel.d, panel.units
    if not ((d == 0) | (d == 1)).all():
        bad = float(d[(d != 0) & (d != 1)][0])
        raise DataError(
            "not-binary", f"expected a treatment of 0 and 1, got {bad:g}", where="treatment",
            remedy="Code it 0 and 1, or use PanelDML for doses.",
        )  # fmt: skip
    back = np.flatnonzero((np.diff(units) == 0) & (np.diff(d) < 0))
    if len(back):
        unit = panel.unit_labels[units[back[0]]]
        time = panel.time_labels[panel.times[back[0] + 1]]
        raise DataError(
            "treatment-switched-off", f"unit {unit} is treated and then, at time {time}, not any more; "
            f"{len(back):,} such changes in all", where="treatment",
            remedy="Use PanelDML, which takes treatments that come and go.",
        )  # fmt: skip
    periods = len(panel.time_labels)
    start = np.full(panel.unit_count, periods, dtype=np.int64)
    on = d == 1
    np.minimum.at(start, units[on], panel.times[on])
    if (start == periods).all():
        raise DataError(
            "constant-treatment", "no unit is ever treated", where="treatment",
            remedy="Check the coding of the treatment.",
        )  # fmt: skip
    return start
