"""Flexible parametric survival regression: covariates on any of four parameters of one family.

What it answers: how survival would change under other covariates, when effects may be neither proportional hazards
nor accelerated time and some rows may be cured. Burke, Jones & Noufaily, A flexible parametric modelling framework for
survival analysis, JRSS C 69 (2020), arXiv 1901.03212: log lambda, log phi, log gamma and log(kappa + 1) of the law
:class:`~suppose.effects.survival.apgw.APGW` are linear in covariates (their section 4), fitted by maximum likelihood.

Scales: ``"ph"`` fixes phi at 1 (covariates multiply the hazard), ``"aft"`` fixes lambda at 1 (they stretch time),
``"both"`` frees both, which is at best weakly identified: at ``kappa = 1`` only ``lambda * phi^gamma`` enters.
With phi fixed at 1 the likelihood depends on the unit of time (unless kappa is 1 or 0 and lambda free); with phi
free it does not.

Ours: exact Hessian and Newton steps; three principal starts (Weibull, kappa 0, kappa -0.5) and three jittered
ones; on more than 5,000 rows the starts are screened on 5,000 of them and the distinct ends polished on all.
Left truncation, interval censoring, weights, and sandwich covariances (also by cluster).

What it does not do: time-varying covariates, frailty, competing risks, penalties.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import stats
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from suppose.core.errors import DataError, EstimationError, SupposeWarning, nearest
from suppose.core.random import check_seed
from suppose.effects.base import check_choice, is_number
from suppose.effects.survival.formula import Column, Formula, design_matrix, parse_formula
from suppose.effects.survival.likelihood import PARAMETERS, Likelihood, Maximum, maximise
from suppose.effects.survival.material import Observed, SurvivalRoles, read_covariates, read_survival
from suppose.effects.survival.predictions import PredictionMethods
from suppose.effects.survival.search import search, starts_of

__all__ = ["FlexibleSurvival"]

SCALES = ("ph", "aft", "both")
SCALE_WORDS = {"ph": "proportional-hazards scale", "aft": "accelerated-time scale", "both": "both scales"}
ILL_CONDITIONED = 1e4
AGAINST_WEIBULL = 6.63  # likelihood ratio below which kappa = 1 is not rejected at 1%
EDGE = 6.0  # |log(kappa + 1)| beyond which kappa has run to the edge of the family


class FlexibleSurvival(PredictionMethods, RegressorMixin, BaseEstimator):
    """Survival regression with the adapted power generalised Weibull family.

    Parameters
    ----------
    event, entry, upper, weights, cluster : str or int, optional
        Columns of ``X``: 1 for an event and 0 for a censored row (without it every row is an event); start of
        observation, in the unit of ``y``; upper bound where the event is only known to lie between ``y``
        and it; weights; groups of rows that are not independent (sandwich covariance).
    scale : {"ph", "aft", "both"}
        Which scale parameter is free: lambda, phi, or both.
    formulas : dict, optional
        Parameter (``"lambda"``, ``"phi"``, ``"gamma"``, ``"kappa"``) to formula
        (:func:`~suppose.effects.survival.formula.parse_formula`). A parameter left out has all covariates if it is
        a free scale and only an intercept if it is a shape.
    kappa : float or "inf", optional
        Fixes kappa: 1 for Weibull, 0 for Burr or log-logistic, ``"inf"`` for Gompertz and its kin.
    gamma : float, optional
        Fixes gamma, for example 1 for exponential and Gompertz.
    robust : bool
        Sandwich covariance, for weights that are not counts or a model that may be wrong.
    level : float
        Coverage of intervals.
    seed : int
        Of the jittered starts.

    Attributes
    ----------
    coef_ : (k,) array
        Coefficients in the order of ``coef_names_``, such as ``"lambda: trt"``.
    covariance_ : (k, k) array
        From the observed information, or the sandwich.
    loglik_, aic_, bic_ : float
        BIC counts rows.
    kappa_, gamma_ : float or None
        Shapes, None where covariates act on them.
    condition_ : float
        Condition number of the information scaled to a unit diagonal; large: weakly identified.
    formulas_ : dict
        Parameter to the formula used.

    Examples
    --------
    >>> from suppose.datasets import make_survival
    >>> world = make_survival(n=500, phi=(-0.5, 0.7), gamma=(0.5,), kappa=1.0, seed=1)
    >>> model = FlexibleSurvival(event="event", scale="aft").fit(world.X, world.y)
    >>> row = model.to_frame().set_index("name").loc["phi: x"]
    >>> bool(row.low < 0.7 < row.high)
    True
    """

    def __init__(
        self,
        event: Any = None,
        *,
        entry: Any = None,
        upper: Any = None,
        weights: Any = None,
        cluster: Any = None,
        scale: Any = "ph",
        formulas: Any = None,
        kappa: Any = None,
        gamma: Any = None,
        robust: Any = False,
        level: Any = 0.95,
        seed: Any = 0,
    ) -> None:
        self.event = event
        self.entry = entry
        self.upper = upper
        self.weights = weights
        self.cluster = cluster
        self.scale = scale
        self.formulas = formulas
        self.kappa = kappa
        self.gamma = gamma
        self.robust = robust
        self.level = level
        self.seed = seed

    # -- fitting -------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any) -> FlexibleSurvival:
        """Fit by maximum likelihood.

        Parameters
        ----------
        X : frame or (n, columns) array
            Covariates and the columns of the roles. Numbers, booleans, or text for categories.
        y : (n,) array or series
            Durations, above 0 (or the lower bound where ``upper`` has a value).

        Returns
        -------
        self

        Raises
        ------
        DataError
            For material that cannot be used, naming column and row.
        EstimationError
            For settings that cannot be followed, or a likelihood without a maximum.
        """
        self._check_settings()
        roles = SurvivalRoles(self.event, self.entry, self.upper, self.weights, self.cluster)
        observed = read_survival(self, X, y, roles, self._wanted())
        if observed.n < 2:
            raise DataError(
                "too-few-rows", f"expected at least 2 rows, got n_samples = {observed.n}", where="X",
                remedy="Give more rows.",
            )  # fmt: skip
        self.columns_ = observed.covariates
        self.formulas_, self._terms = self._resolve()
        designs = self._designs(observed.covariates, observed.n)
        self._names = {name: design_matrix(terms, observed.covariates, observed.n)[1]
                       for name, terms in self._terms.items()}  # fmt: skip
        _refuse_designs(designs, self._names, observed)
        standard, back = _standardised(designs)
        likelihood = Likelihood(
            observed.time, observed.event, observed.entry, observed.upper, observed.weight, standard,
            self._fixed(),
        )  # fmt: skip
        best = search(likelihood, int(self.seed))
        self._record(likelihood, best, back, observed)
        return self

    def _check_settings(self) -> None:
        check_seed(self.seed)
        check_choice(self.scale, SCALES, "scale")
        if not is_number(self.level) or not 0 < self.level < 1:
            raise EstimationError(
                "bad-level", f"expected a share between 0 and 1, got {self.level!r}", where="level",
                remedy="Write level=0.95 for a 95% interval.",
            )  # fmt: skip
        if self.kappa is not None and self.kappa != "inf":
            low = -1.0
            if not is_number(self.kappa) or not float(self.kappa) > low:
                raise EstimationError(
                    "bad-shape", f"expected a number above -1, 'inf' or None, got {self.kappa!r}",
                    where="kappa", remedy="kappa = 1 is the Weibull law, kappa = 0 the log-logistic.",
                )  # fmt: skip
        if self.gamma is not None and (not is_number(self.gamma) or not 0 < float(self.gamma) < math.inf):
            raise EstimationError(
                "bad-shape", f"expected a number above 0 or None, got {self.gamma!r}", where="gamma",
                remedy="gamma = 1 with kappa = 1 is the exponential law.",
            )  # fmt: skip
        self._check_formulas()

    def _check_formulas(self) -> None:
        formulas = {} if self.formulas is None else self.formulas
        if not isinstance(formulas, dict):
            raise EstimationError(
                "bad-formulas", f"expected a dictionary of formulas, got {type(formulas).__name__}",
                where="formulas", remedy='Write formulas={"lambda": "trt + age", "gamma": "trt"}.',
            )  # fmt: skip
        fixed = self._fixed()
        for name in formulas:
            if name not in PARAMETERS:
                raise EstimationError(
                    "bad-formulas", f"expected one of {', '.join(PARAMETERS)}, got {name!r}", where="formulas",
                    remedy=nearest(str(name), PARAMETERS) or "Name a parameter of the family.",
                )  # fmt: skip
            if name in fixed:
                raise EstimationError(
                    "bad-formulas", f"{name} is fixed here (scale={self.scale!r}, kappa={self.kappa!r}, "
                    f"gamma={self.gamma!r}) and cannot have a formula", where=f"formulas[{name!r}]",
                    remedy='Use scale="both" to free lambda and phi, or leave kappa and gamma out.',
                )  # fmt: skip

    def _fixed(self) -> dict[str, float | None]:
        fixed: dict[str, float | None] = {}
        if self.scale == "aft":
            fixed["lambda"] = 0.0
        if self.scale == "ph":
            fixed["phi"] = 0.0
        if self.gamma is not None:
            fixed["gamma"] = math.log(float(self.gamma))
        if self.kappa is not None:
            endless = self.kappa == "inf" or math.isinf(float(self.kappa))
            fixed["kappa"] = None if endless else math.log1p(float(self.kappa))
        return fixed

    def _wanted(self) -> set[str] | None:
        """Covariates the formulas name, or None for all."""
        given, fixed = self.formulas or {}, self._fixed()
        texts = [given.get(name, _usual(name)) for name in PARAMETERS if name not in fixed]
        parsed = [parse_formula(text) for text in texts]
        if any(formula.everything for formula in parsed):
            return None
        return {name for formula in parsed for term in formula.terms for name in term}

    def _resolve(self) -> tuple[dict[str, str], dict[str, Any]]:
        given, fixed, covariates = self.formulas or {}, self._fixed(), tuple(self.columns_)
        formulas, terms = {}, {}
        for name in PARAMETERS:
            if name in fixed:
                continue
            text = given.get(name, _usual(name))
            found = parse_formula(text).resolve(covariates)
            formulas[name], terms[name] = str(Formula(found)), found
        return formulas, terms

    def _designs(self, covariates: dict[str, Column], n: int) -> dict[str, np.ndarray]:
        return {name: design_matrix(terms, covariates, n)[0] for name, terms in self._terms.items()}

    def _record(
        self, likelihood: Likelihood, best: Maximum, back: Float[np.ndarray, "k k"], observed: Observed
    ) -> None:
        information = -best.hessian
        spread = np.sqrt(np.clip(np.diag(information), 1e-300, None))
        self.condition_ = float(np.linalg.cond(information / np.outer(spread, spread)))
        inverse = np.linalg.pinv(information, hermitian=True, rcond=1e-14)
        if self.robust or observed.clusters is not None:
            scores = likelihood.scores(best.theta)
            if observed.clusters is not None:
                sums = np.zeros((int(observed.clusters.max()) + 1, scores.shape[1]))
                np.add.at(sums, observed.clusters, scores)
                scores = sums
            inverse = inverse @ (scores.T @ scores) @ inverse
        self.coef_ = back @ best.theta
        self.covariance_ = back @ inverse @ back.T
        self.coef_names_ = tuple(
            f"{name}: {column}" for name in likelihood.free for column in self._names[name]
        )
        self.loglik_, k = best.value, len(self.coef_)
        self.n_, self.events_ = observed.n, observed.events
        self.aic_, self.bic_ = 2 * k - 2 * best.value, k * math.log(observed.n) - 2 * best.value
        self.iterations_, self.converged_ = best.evaluations, best.converged
        self.horizon_ = float(np.where(np.isnan(observed.upper), observed.time, observed.upper).max())
        self.kappa_ = self._shape("kappa", -1.0)
        self.gamma_ = self._shape("gamma", 0.0)
        self._judge(best, likelihood)

    def _shape(self, name: str, shift: float) -> float | None:
        fixed = self._fixed()
        if name in fixed:
            value = fixed[name]
            return math.inf if value is None else math.exp(value) + shift
        if len(self._names[name]) > 1:
            return None
        return math.exp(min(self.coef_[self.coef_names_.index(f"{name}: intercept")], 700.0)) + shift

    def _judge(self, best: Maximum, likelihood: Likelihood) -> None:
        """Warn of a search that did not settle, an edge of the family, and weak identification."""
        if not best.converged:
            warnings.warn(
                "the likelihood has no clear maximum: it rises without end in some direction, so some coefficients "
                "and their standard errors mean little. Leave out covariates that order the events by themselves",
                SupposeWarning,
                stacklevel=4,
            )
        edge = self.kappa_ is not None and self.kappa is None
        if edge and self.kappa_ is not None and self.kappa_ > math.expm1(EDGE):
            warnings.warn(
                f"kappa ran off towards infinity (now {self.kappa_:.3g}): standard errors of the shapes mean little; "
                "fit again with kappa='inf'", SupposeWarning, stacklevel=4,
            )  # fmt: skip
        elif edge and self.kappa_ is not None and self.kappa_ < math.expm1(-EDGE):
            warnings.warn(
                f"kappa ran to its lower edge (now {self.kappa_:.4f}): the tail is not identified",
                SupposeWarning, stacklevel=4,
            )  # fmt: skip
        ratio = _against_weibull(likelihood, self._names, best) if self.scale == "both" else math.inf
        self.weakly_identified_ = self.scale == "both" and (
            self.condition_ > ILL_CONDITIONED or ratio < AGAINST_WEIBULL
        )
        if self.weakly_identified_:
            warnings.warn(
                "both scales are free and the data hardly tell them apart (condition number of the information "
                f"{self.condition_:.3g}; twice the log-likelihood over kappa = 1 {ratio:.3g}): at kappa = 1 only "
                "lambda * phi^gamma enters; use scale='ph' or 'aft'",
                SupposeWarning, stacklevel=4,
            )  # fmt: skip

    # -- results -------------------------------------------------------------------------------

    def to_frame(self) -> Any:
        """Coefficients, one row each: parameter, column, estimate, standard error, interval, p-value of 0."""
        import pandas as pd

        check_is_fitted(self, "coef_")
        se = np.sqrt(np.clip(np.diag(self.covariance_), 0.0, None))
        half = stats.norm.ppf(0.5 + float(self.level) / 2) * se
        with np.errstate(divide="ignore", invalid="ignore"):
            p_value = 2 * stats.norm.sf(np.abs(self.coef_) / se)
        parts = [name.split(": ", 1) for name in self.coef_names_]
        return pd.DataFrame({
            "name": self.coef_names_, "parameter": [part[0] for part in parts], "column": [part[1] for part in parts],
            "estimate": self.coef_, "standard_error": se, "low": self.coef_ - half, "high": self.coef_ + half,
            "p_value": p_value,
        })  # fmt: skip

    @property
    def method_(self) -> str:
        """How it was computed, in words."""
        shapes = ", ".join(f"{name} ~ {text}" for name, text in self.formulas_.items())
        fixed = {
            1.0: ", kappa = 1 (Weibull)",
            0.0: ", kappa = 0 (log-logistic tail)",
            math.inf: ", kappa infinite",
        }
        held = "" if self.kappa is None else fixed.get(float(self.kappa), f", kappa = {self.kappa}")
        return f"adapted power generalised Weibull, {SCALE_WORDS[self.scale]}; {shapes}{held}"

    def __str__(self) -> str:
        if not hasattr(self, "coef_"):
            return repr(self)
        shapes = [
            f"{name} {value:.3g}"
            for name, value in (("gamma", self.gamma_), ("kappa", self.kappa_))
            if value is not None
        ]
        head = (
            f"{self.method_}\nlog-likelihood {self.loglik_:.3f}, AIC {self.aic_:.2f}, BIC {self.bic_:.2f}; "
            f"{self.events_:,} events in {self.n_:,} rows{'; ' if shapes else ''}{', '.join(shapes)}"
        )
        table = self.to_frame().drop(columns=["parameter", "column"]).set_index("name")
        return f"{head}\n{table.to_string(float_format=lambda value: f'{value:.4g}')}"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coef_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        tags.regressor_tags.poor_score = True
        return tags

    def _new_designs(self, X: Any) -> tuple[dict[str, np.ndarray], dict[str, Column], int]:
        check_is_fitted(self, "coef_")
        covariates, n = read_covariates(self, X, self.columns_)
        return self._designs(covariates, n), covariates, n


def _usual(name: str) -> str:
    """Formula of a parameter that is given none."""
    return "." if name in ("lambda", "phi") else "1"


def _against_weibull(likelihood: Likelihood, names: dict[str, tuple[str, ...]], best: Maximum) -> float:
    """Twice the log-likelihood by which the fit beats kappa = 1, where one scale does the work of both."""
    labels = list(names["lambda"])
    extra = [place for place, name in enumerate(names["phi"]) if name not in labels]
    union = np.concatenate([likelihood.designs["lambda"], likelihood.designs["phi"][:, extra]], axis=1)
    designs = {"lambda": union} | (
        {"gamma": likelihood.designs["gamma"]} if "gamma" in likelihood.designs else {}
    )
    fixed = {**likelihood.fixed, "phi": 0.0, "kappa": math.log(2.0)}
    weibull = dataclasses.replace(likelihood, designs=designs, fixed=fixed)
    return 2 * (best.value - maximise(weibull, starts_of(weibull, 0)[0]).value)


def _refuse_designs(
    designs: dict[str, np.ndarray], names: dict[str, tuple[str, ...]], observed: Observed
) -> None:
    """Refuse columns that are constant, that depend on each other, or that have no event on one side."""
    happened = (observed.event == 1) | ~np.isnan(observed.upper)
    for parameter, D in designs.items():
        for name, column in zip(names[parameter][1:], D[:, 1:].T, strict=True):
            low, high = column.min(), column.max()
            if low == high:
                raise DataError(
                    "constant-column", f"every row has the value {low:g}, so its effect cannot be seen",
                    where=f"column {name!r}", remedy="Leave it out of the formula.",
                )  # fmt: skip
            two_valued = bool(np.all((column == low) | (column == high)))
            events = column[happened]
            if two_valued and (np.all(events == low) or np.all(events == high)):
                empty = high if np.all(events == low) else low
                raise DataError(
                    "separated-events", f"no row with the value {empty:g} has an event, so the best coefficient is "
                    "infinite", where=f"column {name!r}",
                    remedy="Leave the column out, merge its levels, or follow these rows for longer.",
                )  # fmt: skip
        spread = D / np.maximum(np.abs(D).max(axis=0), 1e-300)
        rank = int(np.linalg.matrix_rank(spread))
        if rank < D.shape[1]:
            raise EstimationError(
                "collinear", f"the {D.shape[1]} columns of the design of {parameter} depend on each other linearly: "
                f"rank {rank} in {len(D):,} rows (n_samples = {len(D)})", where=f"formulas[{parameter!r}]",
                remedy="Leave out duplicate and redundant columns, or give more rows.",
            )  # fmt: skip


def _standardised(designs: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Designs with centred and scaled columns, and the matrix that leads coefficients back."""
    found, blocks = {}, []
    for name, D in designs.items():
        mean, spread = D.mean(axis=0), D.std(axis=0)
        mean[0], spread[0] = 0.0, 1.0
        found[name] = (D - mean) / spread
        block = np.diag(1.0 / spread)
        block[0] -= mean / spread
        blocks.append(block)
    size = sum(len(block) for block in blocks)
    back = np.zeros((size, size))
    start = 0
    for block in blocks:
        back[start : start + len(block), start : start + len(block)] = block
        start += len(block)
    return found, back
