"""A slope from answers given in two modes: every way of dealing with the mode, side by side.

``naive_`` leaves the mode out; ``conditional_`` holds it fixed; ``stratified_`` pools the slopes within modes;
``imputed_`` blanks and imputes what the other mode recorded; ``weighted_`` keeps the reference mode's rows, weighted
by one over their chance of that mode given the covariates; ``instrument_`` (with a random offer of the mode) is the
effect of the mode on the mean recorded outcome. All but the first remove a shift of the mode and keep, or open, what
selection into the mode does to the slope. :meth:`ModeEffectAnalysis.bias_analysis` removes shifts without
conditioning, on stated beliefs about their size. Which of these is right is read off a graph, not off the data
(:func:`~suppose.effects.mode.mode_safe_sets`).

More than two modes are held apart in ``conditional_`` and ``stratified_``; everything else counts all but the
reference as the other mode. After Tomova et al. (arXiv 2510.00900, 2025); formulas are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import narwhals as nw
import numpy as np
from jaxtyping import Float, Shaped
from scipy.special import expit
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from suppose.core.errors import DataError, EstimationError, Refusal
from suppose.core.random import check_seed
from suppose.effects.base import check_choice, is_number, note_features, read_outcome, resolve_cutoff
from suppose.effects.designs import Design, as_table, read_material
from suppose.effects.inference import EffectEstimate, estimate_effect
from suppose.effects.linear_inference import LinearInference
from suppose.effects.mode.bias import BiasAnalysis, analyse_bias, log_odds_curve, shift_moments, slopes
from suppose.effects.mode.calibration import mode_contrast, mode_levels
from suppose.effects.mode.imputation import impute_mode
from suppose.effects.mode.regression import logistic, regression, two_stage
from suppose.effects.mode.tipping import SplitCurve, TippingCurve, split_curve, tipping

__all__ = ["ModeEffectAnalysis"]

MODELS = ("linear", "logistic")
AFFECTED = ("both", "exposure", "outcome")
WAYS = ("naive", "conditional", "stratified", "imputed", "weighted")


class ModeEffectAnalysis(RegressorMixin, BaseEstimator):
    """Slope of the recorded outcome on the recorded exposure, in every way of dealing with the mode.

    Parameters
    ----------
    exposure : str or int
        Column of ``X``: a name in frames, a position in arrays.
    mode : str or int
        Column of the mode; text or numbers in frames.
    outcome : str or int, optional
        Column of ``X`` with the recorded outcome, for ``fit(X)`` without ``y``.
    covariates : sequence of str or int, optional
        Held fixed throughout; None is every column without another part.
    instrument : str or int, optional
        Column of a mode offered at random.
    reference : value of the mode
        The mode answers are to be brought to.
    model : {"linear", "logistic"}
        Slopes, or log odds ratios of an outcome of 0 and 1.
    affected : {"both", "exposure", "outcome"}
        Answers the mode may have moved; these are imputed.
    imputations : int
        Number of imputed tables; 0 leaves imputation out.
    smallest : int
        Fewest rows a mode may have.
    cutoff : float or "median", optional
        Rows with a numeric mode above it count as mode 1, the others as 0.
    level : float
        Coverage of intervals.
    seed : int
        Of imputation and bias analysis.

    Attributes
    ----------
    naive_, conditional_, stratified_, imputed_, weighted_ : EffectEstimate or None
        None where a way cannot be followed; ``notes_`` says why.
    contrast_ : tuple of ModeContrast
        Mean recorded outcome in each other mode minus that in the reference.
    instrument_ : EffectEstimate or None
        Effect of the mode on the mean recorded outcome, by two-stage least squares.
    modes_ : tuple
        The modes, the reference first.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, e = rng.normal(size=(2, 4000))
    >>> y = 0.3 * x + e
    >>> mode = (x + y + rng.normal(size=4000) > 0) * 1.0  # both answers select the mode
    >>> found = ModeEffectAnalysis(exposure=0, mode=1).fit(np.c_[x + 0.5 * mode, mode], y + 0.5 * mode)
    >>> [round(e.estimate, 1) for e in (found.naive_, found.conditional_)]
    [0.5, -0.0]
    >>> round(found.bias_analysis({"exposure": 0.5, "outcome": 0.5}).median, 1)
    0.3
    """

    def __init__(
        self,
        exposure: Any = 0,
        mode: Any = 1,
        *,
        outcome: Any = None,
        covariates: Any = (),
        instrument: Any = None,
        reference: Any = 0,
        model: Any = "linear",
        affected: Any = "both",
        imputations: Any = 20,
        smallest: Any = 20,
        cutoff: Any = None,
        level: Any = 0.95,
        seed: Any = 0,
    ) -> None:
        self.exposure = exposure
        self.mode = mode
        self.outcome = outcome
        self.covariates = covariates
        self.instrument = instrument
        self.reference = reference
        self.model = model
        self.affected = affected
        self.imputations = imputations
        self.smallest = smallest
        self.cutoff = cutoff
        self.level = level
        self.seed = seed

    # -- fitting ---------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> ModeEffectAnalysis:
        """Estimate the slope in every way.

        Parameters
        ----------
        X : frame or (n, columns) array
            Recorded exposure, mode, covariates and, where named, outcome and offer.
        y : (n,) array or series, optional
            Recorded outcome; taken from the column ``outcome`` when left out.

        Returns
        -------
        self

        Raises
        ------
        DataError
            ``one-mode``, ``mode-too-small``, ``unknown-reference``, ``not-yes-no``, and those of reading columns.
        EstimationError
            For settings that cannot be followed, or a slope that is not determined.
        """
        self._check_settings()
        X = as_table(X)
        if y is None and self.outcome is not None:
            y = _column(X, self.outcome)
        if y is None:
            raise DataError(
                "missing-outcome", "ModeEffectAnalysis requires y to be passed, but the target y is None", where="y",
                remedy="Give the outcome, one number per row.",
            )  # fmt: skip
        self._read(X)
        note_features(self, X, reset=True)
        self.y_ = read_outcome(y, len(self.x_))
        if self.model == "logistic" and not np.isin(self.y_, (0.0, 1.0)).all():
            raise DataError(
                "not-yes-no", "expected answers of 0 and 1 alone", where="y",
                remedy="Code yes as 1 and no as 0, or use model='linear'.",
            )  # fmt: skip
        self._estimate()
        return self

    def _check_settings(self) -> None:
        check_seed(self.seed)
        check_choice(self.model, MODELS, "model")
        check_choice(self.affected, AFFECTED, "affected")
        if not is_number(self.level) or not 0 < self.level < 1:
            raise EstimationError(
                "bad-level", f"expected a share between 0 and 1, got {self.level!r}", where="level",
                remedy="Write level=0.95 for a 95% interval.",
            )  # fmt: skip
        if (
            not is_number(self.imputations)
            or self.imputations != int(self.imputations)
            or self.imputations in (1, -1)
        ):
            raise EstimationError(
                "bad-imputations", f"expected 0 or a whole number of at least 2, got {self.imputations!r}",
                where="imputations", remedy="20 are enough for most tables; 0 leaves imputation out.",
            )  # fmt: skip

    def _read(self, X: Any) -> None:
        """Columns as arrays: ``x_``, ``codes_`` (0 reference), ``covariates_``, ``offer_``."""
        material = read_material(X, self._design(X))
        self.x_, self.covariates_ = material.treatment, material.covariates
        self.covariate_names_ = material.covariate_names
        self.cutoff_ = None
        if self.cutoff is not None:
            self.cutoff_ = resolve_cutoff(self.cutoff, read_material(X, Design(self.mode, [])).treatment)
        mode = self._mode_of(X)
        self.modes_ = tuple(mode_levels(mode, self.reference))
        self.codes_ = np.array([self.modes_.index(value) for value in mode.tolist()]) if mode.dtype == object else (
            np.searchsorted(np.array(self.modes_[1:]), mode) + 1
        ) * (mode != self.modes_[0])  # fmt: skip
        counts = np.bincount(self.codes_, minlength=len(self.modes_))
        if counts.min() < self.smallest:
            raise DataError(
                "mode-too-small", f"expected at least {self.smallest} rows in each mode, got {int(counts.min())} in "
                f"{self.modes_[int(counts.argmin())]}", where="mode",
                remedy="Put rare modes together, or lower smallest.",
            )  # fmt: skip
        self.other_ = self.codes_ > 0
        self.offer_ = (
            None if self.instrument is None else read_material(X, Design(self.instrument, [])).treatment
        )

    def _design(self, X: Any) -> Design:
        """Exposure and covariates; refuses a table that cannot hold an exposure and a mode."""
        columns = list(range(X.shape[1])) if isinstance(X, np.ndarray) else list(nw.from_native(X).columns)
        if len(columns) < 2:
            raise DataError(
                "one-column", "expected columns of an exposure and a mode, got a table with 1 feature(s)", where="X",
                remedy="Give both columns, and covariates where there are any.",
            )  # fmt: skip
        if self.covariates is not None:
            return Design(self.exposure, list(self.covariates))
        parts = (self.exposure, self.mode, self.outcome, self.instrument)
        taken = {Design(name, []).resolve(columns).treatment for name in parts if name is not None}
        return Design(self.exposure, [name for place, name in enumerate(columns) if place not in taken])

    def _mode_of(self, X: Any) -> Shaped[np.ndarray, " n"]:
        if self.cutoff_ is not None:
            return (read_material(X, Design(self.mode, [])).treatment > self.cutoff_).astype(np.int64)
        values = np.asarray(_column(X, self.mode))
        missing = np.array([value is None or value != value for value in values.tolist()])
        if missing.any():
            raise DataError(
                "missing-values", f"input contains NaN: {int(missing.sum()):,} of {len(values):,} values are missing; "
                f"first bad rows: {', '.join(map(str, np.flatnonzero(missing)[:5]))}", where="the mode column",
                remedy="Drop these rows, or fill them in before, in a way you can state.",
            )  # fmt: skip
        return values if values.dtype.kind in "iufb" else values.astype(str)

    def _estimate(self) -> None:
        x, y, C = self.x_, self.y_, self.covariates_
        ones = np.ones((len(y), 1))
        dummies = (self.codes_[:, None] == np.arange(1, len(self.modes_))).astype(float)
        self.notes_: tuple[str, ...] = ()
        self.naive_ = self._record(regression(np.column_stack([x, ones, C]), y, self.model), "mode left out")
        found = regression(np.column_stack([x, ones, C, dummies]), y, self.model)
        self.coefficients_ = found.coefficients
        self.conditional_ = self._record(found, "mode held fixed")
        self.stratified_ = self._attempt("stratified", self._stratified)
        self.weighted_ = self._attempt("weighted", self._weighted)
        self.imputed_ = self._attempt("imputed", self._imputed) if self.imputations else None
        self.instrument_ = None if self.offer_ is None else self._attempt("instrument", self._instrumented)
        reference = self.modes_[0]
        labels = np.array([str(value) for value in self.modes_], dtype=object)[self.codes_].astype(str)
        self.contrast_ = mode_contrast(y, labels, str(reference), C, level=float(self.level))

    def _attempt(self, name: str, compute: Callable[[], EffectEstimate]) -> EffectEstimate | None:
        try:
            return compute()
        except Refusal as refusal:
            self.notes_ = (*self.notes_, f"The {name} estimate was left out: {refusal.message}")
            return None

    def _record(self, found: LinearInference, method: str, n: int | None = None) -> EffectEstimate:
        return estimate_effect(
            float(found.coefficients[0]), float(np.sqrt(max(found.covariance[0, 0], 0.0))), method=method,
            estimand="slope" if self.model == "linear" else "log odds ratio", contrast="per unit",
            n=len(self.y_) if n is None else n, level=float(self.level), degrees_of_freedom=found.freedom,
        )  # fmt: skip

    def _stratified(self) -> EffectEstimate:
        slopes_, variances = [], []
        for code in range(len(self.modes_)):
            rows = self.codes_ == code
            D = np.column_stack([self.x_[rows], np.ones(int(rows.sum())), self.covariates_[rows]])
            found = regression(D, self.y_[rows], self.model)
            slopes_.append(float(found.coefficients[0]))
            variances.append(float(found.covariance[0, 0]))
        weights = 1 / np.maximum(variances, 1e-300)
        estimate = float(weights @ np.array(slopes_) / weights.sum())
        pooled = LinearInference(
            np.array([estimate]), np.array([[1 / weights.sum()]]), float(len(self.y_) - 2 * len(slopes_))
        )
        return self._record(pooled, "slopes within modes, pooled by precision")

    def _weighted(self) -> EffectEstimate:
        keep, ones = ~self.other_, np.ones((len(self.y_), 1))
        D = np.column_stack([ones, self.covariates_])
        chance = np.full(len(self.y_), float(keep.mean()))
        if self.covariates_.shape[1]:
            chance = expit(D @ logistic(D, keep.astype(float)).coefficients)
        design = np.column_stack([self.x_[:, None], D])[keep]
        found = regression(design, self.y_[keep], self.model, float(keep.mean()) / chance[keep])
        return self._record(found, "reference mode alone, weighted to all", int(keep.sum()))

    def _imputed(self) -> EffectEstimate:
        return impute_mode(
            self.x_, self.y_, self.other_, self.covariates_, affected=self.affected, model=self.model,
            imputations=int(self.imputations), level=float(self.level), seed=self.seed,
        )  # fmt: skip

    def _instrumented(self) -> EffectEstimate:
        assert self.offer_ is not None
        rest = np.column_stack([np.ones(len(self.y_)), self.covariates_])
        found = two_stage(
            np.column_stack([self.other_.astype(float), rest]), np.column_stack([self.offer_, rest]), self.y_
        )
        return self._record(found, "effect of the mode on the mean outcome, offer as instrument")

    # -- bias analysis -----------------------------------------------------------------------------

    def _curve(self) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
        check_is_fitted(self, "naive_")
        if self.model == "logistic":
            curve: Callable[..., Any] = log_odds_curve(self.x_, self.y_, self.other_, self.covariates_)
            return curve
        moments = self._moments()
        return lambda *shifts: slopes(moments, *shifts)

    def _moments(self) -> Any:
        return shift_moments(self.x_, self.y_, self.other_, self.covariates_)

    def bias_analysis(
        self, priors: Mapping[str, Any], *, draws: int = 5000, level: float | None = None
    ) -> BiasAnalysis:
        """The slope after taking shifts of the other mode back, without conditioning on the mode.

        Parameters
        ----------
        priors : mapping
            ``exposure`` and ``outcome`` (shifts, in the unit of the answer), ``exposure_scale``, ``outcome_scale``
            (factors), each a number or a text such as ``"normal(0.3, 0.1)"``.
        draws : int
            Number of draws, at least 100.
        level : float, optional
            Share of draws in the interval; that of the estimator when left out.

        Raises
        ------
        EstimationError
            ``no-priors``, ``bad-prior``, ``bad-scale``, ``too-few-draws``, ``shifted-yes-no``.
        """
        curve = self._curve()
        share = float(self.level) if level is None else level
        return analyse_bias(curve, self.naive_.estimate, priors, draws=draws, level=share, seed=self.seed)

    def tipping_curve(self, *, reach: float = 1.0, points: int = 61) -> TippingCurve:
        """Slopes over shifts of up to ``reach`` standard deviations of each answer that the mode may have moved."""
        curve = self._curve()
        rows = ~self.other_
        spread_x = float(np.std(self.x_[rows])) * reach if self.affected in ("both", "exposure") else 0.0
        spread_y = float(np.std(self.y_[rows])) * reach if self.affected in ("both", "outcome") else 0.0
        if self.model == "logistic":
            spread_x, spread_y = float(np.std(self.x_[rows])) * reach, 0.0
        return tipping(curve, spread_x, spread_y, points=points, level=float(self.level))

    def split_curve(self, *, shift_exposure: float = 0.0, shift_outcome: float = 0.0) -> SplitCurve:
        """Slopes had another share answered in the other mode, for shifts believed (linear model).

        Raises
        ------
        EstimationError
            ``no-split-curve`` for log odds.
        """
        check_is_fitted(self, "naive_")
        if self.model != "linear":
            raise EstimationError(
                "no-split-curve", "the bias against the split is known for slopes, not for log odds", where="model",
                remedy="Use model='linear'.",
            )  # fmt: skip
        return split_curve(self._moments(), float(self.other_.mean()), shift_exposure, shift_outcome)

    # -- showing -----------------------------------------------------------------------------------

    def predict(self, X: Any) -> Float[np.ndarray, " n"]:
        """Recorded outcome expected for each row in its own mode (a chance, in the logistic model)."""
        check_is_fitted(self, "naive_")
        X = as_table(X)
        note_features(self, X, reset=False)
        material = read_material(X, Design(self.exposure, list(self.covariate_names_)))
        mode = self._mode_of(X)
        n = len(material.treatment)
        dummies = [(mode == value).astype(float) for value in self.modes_[1:]]
        D = np.column_stack([material.treatment, np.ones(n), material.covariates, *dummies])
        linear = np.einsum("ij,j->i", D, self.coefficients_)
        return np.asarray(expit(linear) if self.model == "logistic" else linear)

    def estimates(self) -> dict[str, EffectEstimate]:
        """The estimates that could be made, by way."""
        check_is_fitted(self, "naive_")
        found = {name: getattr(self, f"{name}_") for name in WAYS}
        return {name: value for name, value in found.items() if value is not None}

    def to_frame(self) -> Any:
        """All estimates as a pandas frame, one row per way."""
        import pandas as pd

        found = self.estimates()
        frames = [estimate.to_frame().assign(way=name) for name, estimate in found.items()]
        frame = pd.concat(frames, ignore_index=True)
        return frame[["way", "estimate", "standard_error", "low", "high", "level", "p_value", "n", "method"]]

    def report(self) -> str:
        """All estimates and the contrast of modes, in lines of text."""
        lines = [f"{name:<12} {estimate}" for name, estimate in self.estimates().items()]
        lines += [f"{'mode':<12} {contrast}" for contrast in self.contrast_]
        if self.instrument_ is not None:
            lines.append(f"{'instrument':<12} {self.instrument_}")
        return "\n".join([*lines, *self.notes_])

    def plot(self, ax: Any = None) -> Any:
        """Estimates with their intervals; takes and returns Axes."""
        from suppose.core.figures import forest

        rows = [(name, e.estimate, e.low, e.high) for name, e in self.estimates().items()]
        return forest(rows, unit="slope" if self.model == "linear" else "log odds ratio", ax=ax)

    def __str__(self) -> str:
        return f"ModeEffectAnalysis\n{self.report()}" if hasattr(self, "naive_") else repr(self)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "naive_")


def _column(X: Any, name: Any) -> Any:
    """One column of a frame or an array, whatever it holds."""
    if isinstance(X, np.ndarray):
        return X[:, Design(name, []).resolve(range(X.shape[1])).treatment]
    frame = nw.from_native(X, eager_only=True)
    columns = list(frame.columns)
    return frame.get_column(columns[Design(name, []).resolve(columns).treatment]).to_numpy()
