"""IV-like regression as a scikit-learn estimator: linear effects under augmentation of the inputs.

:class:`IVLRegressor` draws the augmentation once, under its seed, and solves the closed forms of
:mod:`.risks`; :meth:`IVLRegressor.path` shows the coefficients over ``alpha`` and
:func:`bootstrap_coefficients` how far they move from sample to sample.

The intervals are percentile bootstraps over rows in which the augmentation is drawn, and alpha chosen, anew
each time (the paper has no intervals). They cover sampling alone: in directions the augmentation does not
move, confounding remains, and no interval from the table knows how much
(:func:`~suppose.effects.augmentation.invariance.violation_curve` shows what the other assumption carries).
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from suppose.core.errors import DataError, EstimationError
from suppose.core.figures import PALETTE, new_axes
from suppose.core.parallel import parallel_map
from suppose.core.random import check_seed, generator, integer_seed
from suppose.effects.augmentation.invariance import invariance_report, refuse_violation
from suppose.effects.augmentation.risks import (
    Moments,
    augmented_moments,
    erm,
    ivl_projected,
    solve_ivl,
    two_stage_least_squares,
)
from suppose.effects.augmentation.selection import SELECTORS, Selection, alpha_candidates, select_alpha
from suppose.effects.augmentation.transformations import check_draw, draw
from suppose.effects.base import check_choice, is_number

__all__ = ["FORMS", "METHODS", "AlphaPath", "IVLRegressor", "bootstrap_coefficients", "read_inputs"]

FORMS = ("penalised", "constrained", "projected")
METHODS = ("ERM", "DA+ERM", "IVL-CV", "IVL-LCV", "IVL-CC", "DA+IV")
Fitted = TypeVar("Fitted", bound="IVLRegressor")


@dataclasses.dataclass(frozen=True)
class AlphaPath:
    """Coefficients over a grid of alpha.

    Attributes
    ----------
    alphas : (m,) array
        Weight of the DA+ERM risk, ascending.
    coefficients : (m, d) array
        In units of the outcome per unit of the input.
    names : tuple of str
        The inputs.
    marks : dict
        Alpha each selector chose, by its name.
    """

    alphas: Float[np.ndarray, " m"]
    coefficients: Float[np.ndarray, "m d"]
    names: tuple[str, ...]
    marks: dict[str, float]

    def to_frame(self) -> Any:
        """The path as a pandas frame, one row per alpha."""
        import pandas as pd

        return pd.DataFrame(self.coefficients, columns=list(self.names)).assign(alpha=self.alphas)

    def plot(self, ax: Any = None, *, highlight: int = 0) -> Any:
        """Coefficients against alpha; one in colour, and where the selectors stand."""
        from matplotlib.ticker import LogLocator, NullLocator

        ax = new_axes(ax)
        for index in range(len(self.names)):
            first = index == highlight
            ax.plot(self.alphas, self.coefficients[:, index], linewidth=2.2 if first else 1,
                    color=PALETTE["blue"] if first else PALETTE["muted"], alpha=1.0 if first else 0.55,
                    zorder=3 if first else 1)  # fmt: skip
        colours = (PALETTE["orange"], PALETTE["green"], PALETTE["purple"])
        ordered = sorted(self.marks.items(), key=lambda item: item[1])
        for place, (name, alpha) in enumerate(ordered):
            colour = colours[place % len(colours)]
            ax.axvline(alpha, color=colour, linewidth=1.4)
            ax.annotate(name, (alpha, 1.0 - 0.07 * place), xycoords=("data", "axes fraction"), va="top",
                        xytext=(4, 0), textcoords="offset points", color=colour, fontsize=9)  # fmt: skip
        ax.axhline(0.0, color=PALETTE["rule"], linewidth=1, zorder=0)
        ax.set_xscale("log")
        ax.xaxis.set_major_locator(LogLocator(base=10, numticks=6))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.set(xlabel="alpha (weight of the DA+ERM risk)", ylabel="coefficient")
        return ax

    def __str__(self) -> str:
        chosen = ", ".join(f"{name} {alpha:.3g}" for name, alpha in self.marks.items())
        return f"path of {len(self.names)} coefficients over {len(self.alphas)} alphas; chosen: {chosen or 'none'}"


class IVLRegressor(RegressorMixin, BaseEstimator):
    """Linear effect of inputs that a hidden cause confounds, from changes known to leave the outcome alone.

    Parameters
    ----------
    augment : callable, optional
        ``augment(X, rng) -> (GX, G)``, for example
        :class:`~suppose.effects.augmentation.transformations.GaussianNoise`. Needed by ``fit(X, y)``.
    alpha : float or {"cc", "cv", "lcv"}
        Weight of the DA+ERM risk (positive, infinity gives DA+ERM), or the rule that chooses it
        (:mod:`suppose.effects.augmentation.selection`).
    form : {"penalised", "constrained", "projected"}
        ``constrained`` and ``projected`` are IVL (alpha to 0) and IVL-Pi; they need no alpha.
    candidates : int
        Number of candidates for alpha, drawn uniformly on the log scale.
    low, high : float
        Range of the candidates.
    known : callable, estimator or (d,) array, optional
        A function known to be the true effect, to hold the augmentation against: fitting is refused where the
        augmentation changes it.
    fit_intercept : bool
        Centre inputs, outcome and parameters first.
    seed : int
        Of the augmentation, the candidates and what is held out.

    Attributes
    ----------
    coef_, intercept_ : (d,) array and float
        Of the chosen form.
    alpha_ : float
        The weight used (0 for the two limits).
    selections_ : dict
        What each of the three rules would choose, whichever is used.
    alternatives_ : dict
        Coefficients under ``ERM``, ``DA+ERM``, each selector, and ``DA+IV``.
    first_stage_ : (d,) array
        Share of the variance of each augmented input that the parameters explain.
    moments_ : Moments
        All the closed forms need.

    Examples
    --------
    >>> from suppose.effects.augmentation import NullTranslation
    >>> rng = np.random.default_rng(0)
    >>> c = rng.normal(size=(4000, 1))
    >>> X = c + rng.normal(size=(4000, 2))
    >>> y = X[:, 0] - X[:, 1] + c[:, 0]
    >>> model = IVLRegressor(NullTranslation([[1.0, 1.0]]), alpha=0.01).fit(X, y)
    >>> model.alternatives_["ERM"].round(1), model.coef_.round(1)
    (array([ 1.3, -0.7]), array([ 1., -1.]))
    """

    def __init__(
        self,
        augment: Any = None,
        *,
        alpha: Any = "cc",
        form: Any = "penalised",
        candidates: Any = 10,
        low: Any = 1e-4,
        high: Any = 1.0,
        known: Any = None,
        fit_intercept: Any = True,
        seed: Any = 0,
    ) -> None:
        self.augment = augment
        self.alpha = alpha
        self.form = form
        self.candidates = candidates
        self.low = low
        self.high = high
        self.known = known
        self.fit_intercept = fit_intercept
        self.seed = seed

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Predicts under intervention: rows drawn as the training rows were are not what it is best at.
        tags.regressor_tags.poor_score = True
        return tags

    def fit(self: Fitted, X: Any, y: Any, GX: Any = None, G: Any = None) -> Fitted:
        """Estimate the coefficients.

        Parameters
        ----------
        X : frame or (n, d) array
            Inputs. Numbers, no missing values.
        y : (n,) array or series
            Outcome, in its own unit.
        GX, G : (n, d) and (n, k) arrays, optional
            Augmented inputs and their parameters, when they were drawn elsewhere.

        Raises
        ------
        DataError
            For material that cannot be used; ``augmentation-shape``, ``augmentation-constant``,
            ``augmentation-values``; ``not-invariant`` where the augmentation changes ``known``.
        EstimationError
            ``no-augmentation``, ``bad-alpha``, ``too-few-rows``, and for settings that cannot be followed.
        """
        self._check_settings()
        inputs, outcome = read_inputs(self, X, y)
        if self.known is not None and GX is None:
            refuse_violation(invariance_report(self.known, self.augment, inputs, seed=self.seed))
        changed, parameters = self._drawn(inputs, GX, G)
        self._centre(inputs, outcome, changed)
        X0, y0 = inputs - self.input_means_, outcome - self.outcome_mean_
        if self.fit_intercept:
            changed, parameters = changed - changed.mean(axis=0), parameters - parameters.mean(axis=0)
        moments = augmented_moments(changed, y0, parameters)
        self.moments_, self.n_parameters_ = moments, parameters.shape[1]
        self.first_stage_ = _shares(moments)
        self.jacobian_ = changed.T @ parameters / len(y0)
        self.parameter_covariance_ = parameters.T @ parameters / len(y0)
        self._select(X0, y0, changed, parameters)
        if self.form == "penalised":
            self.alpha_ = (
                self.selections_[self.alpha].alpha if isinstance(self.alpha, str) else float(self.alpha)
            )
            self.coef_ = solve_ivl(moments, self.alpha_)
        else:
            self.alpha_ = 0.0
            constrained = self.form == "constrained"
            self.coef_ = solve_ivl(moments, 0.0) if constrained else ivl_projected(changed, y0, parameters)
        self.intercept_ = float(self.outcome_mean_ - self.input_means_ @ self.coef_)
        return self

    def _check_settings(self) -> None:
        check_seed(self.seed)
        check_choice(self.form, FORMS, "form")
        if isinstance(self.alpha, str):
            check_choice(self.alpha, SELECTORS, "alpha")
        elif not is_number(self.alpha) or not float(self.alpha) > 0:
            raise EstimationError(
                "bad-alpha", f"expected a positive weight or one of 'cc', 'cv', 'lcv', got {self.alpha!r}",
                where="alpha", remedy="Write for example alpha=0.1; form='constrained' is the limit at zero.",
            )  # fmt: skip
        if not isinstance(self.candidates, (int, np.integer)) or self.candidates < 1:
            raise EstimationError(
                "bad-alpha", f"expected a positive number of candidates, got {self.candidates!r}",
                where="candidates", remedy="Write for example candidates=10.",
            )  # fmt: skip

    def _drawn(self, inputs: np.ndarray, GX: Any, G: Any) -> tuple[np.ndarray, np.ndarray]:
        if (GX is None) != (G is None):
            missing = "GX" if GX is None else "G"
            raise DataError(
                "augmentation-shape", "expected augmented inputs and their parameters together, got one of them",
                where=missing, remedy="Give both GX and G, or neither.",
            )  # fmt: skip
        if GX is not None:
            return check_draw(GX, G, inputs)
        return draw(self.augment, inputs, generator(self.seed, "augmentation"))

    def _centre(self, inputs: np.ndarray, outcome: np.ndarray, changed: np.ndarray) -> None:
        width = inputs.shape[1]
        self.input_means_ = inputs.mean(axis=0) if self.fit_intercept else np.zeros(width)
        self.outcome_mean_ = float(outcome.mean()) if self.fit_intercept else 0.0

    def _select(self, X0: np.ndarray, y0: np.ndarray, changed: np.ndarray, parameters: np.ndarray) -> None:
        """What every selector chooses, and the coefficients beside it."""
        alphas = alpha_candidates(
            int(self.candidates), float(self.low), float(self.high), generator(self.seed, "alphas")
        )
        alternatives = {"ERM": erm(X0, y0), "DA+ERM": solve_ivl(self.moments_, float("inf"))}
        self.selections_: dict[str, Selection] = {}
        for selector in SELECTORS:
            rng = generator(self.seed, "held-out", selector)
            if round(0.8 * len(y0)) <= parameters.shape[1] and selector != "cc":
                continue  # too few rows to hold some out; asked for by name it is refused below
            choice = select_alpha(selector, X0, y0, changed, parameters, alphas, rng, self.moments_)
            self.selections_[selector] = choice
            alternatives[f"IVL-{selector.upper()}"] = solve_ivl(self.moments_, choice.alpha)
        if isinstance(self.alpha, str) and self.alpha not in self.selections_:
            raise EstimationError(
                "too-few-rows", f"{len(y0)} rows are too few to hold out a fifth beside {parameters.shape[1]} "
                "parameters", where="alpha", remedy="Use alpha='cc', give a number, or more rows.",
            )  # fmt: skip
        alternatives["DA+IV"] = two_stage_least_squares(changed, y0, parameters)
        self.alternatives_ = alternatives

    def path(self, alphas: Any = None) -> AlphaPath:
        """Coefficients over a grid of alpha, by default from 1e-5 to 1e5."""
        check_is_fitted(self, "coef_")
        grid = np.logspace(-5, 5, 81) if alphas is None else np.sort(np.asarray(alphas, dtype=float))
        coefficients = np.stack([solve_ivl(self.moments_, float(alpha)) for alpha in grid])
        names = getattr(self, "feature_names_in_", None)
        words = tuple(names) if names is not None else tuple(f"x{j}" for j in range(len(self.coef_)))
        marks = {name.upper(): choice.alpha for name, choice in self.selections_.items()}
        return AlphaPath(grid, coefficients, tuple(str(word) for word in words), marks)

    def predict(self, X: Any) -> Float[np.ndarray, " n"]:
        """Outcome to expect if the inputs were *set* to these values: an estimate of ``E[Y | do(X)]``."""
        check_is_fitted(self, "coef_")
        values = read_inputs(self, X)[0]
        return np.asarray(values @ self.coef_ + self.intercept_)

    def to_frame(self) -> Any:
        """Coefficients under every estimator, one row per input, as a pandas frame."""
        import pandas as pd

        check_is_fitted(self, "coef_")
        return (
            pd.DataFrame(self.alternatives_, index=list(self.path([1.0]).names))
            .rename_axis("input")
            .reset_index()
        )

    def __str__(self) -> str:
        if not hasattr(self, "coef_"):
            return repr(self)
        names = self.path([1.0]).names
        values = ", ".join(
            f"{name} {value:.3g}" for name, value in list(zip(names, self.coef_, strict=True))[:8]
        )
        return f"IVLRegressor ({self.form}, alpha {self.alpha_:.3g}): {values}"


def read_inputs(estimator: Any, X: Any, y: Any = "none") -> tuple[np.ndarray, np.ndarray]:
    """Inputs and outcome as checked numbers, by scikit-learn's own rules; names and widths are noted."""
    fitting = not (isinstance(y, str) and y == "none")
    try:
        if not fitting:
            values = validate_data(estimator, X, reset=False, dtype=np.float64)
            return np.asarray(values), np.empty(0)
        values, outcome = validate_data(
            estimator, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=2
        )
    except ValueError as error:
        raise DataError(
            "bad-inputs", str(error).strip(), where="X" if not fitting else "X, y",
            remedy="Inputs and outcome are numbers without gaps, one row per unit.",
        ) from error  # fmt: skip
    return np.asarray(values), np.asarray(outcome, dtype=np.float64)


def _shares(moments: Moments) -> np.ndarray:
    whole = np.diagonal(moments.gram)
    return np.where(whole > 0, np.diagonal(moments.gram_projected) / np.where(whole > 0, whole, 1.0), 0.0)


def bootstrap_coefficients(
    estimator: IVLRegressor,
    X: Float[np.ndarray, "n d"],
    y: Float[np.ndarray, " n"],
    *,
    draws: int = 200,
    seed: int = 0,
    jobs: int | None = 1,
    backend: str = "loky",
) -> dict[str, Float[np.ndarray, "draws d"]]:
    """Coefficients of every estimator in bootstrap samples of the rows.

    Each sample draws rows, augmentation, candidates and held-out rows anew.

    Parameters
    ----------
    estimator : IVLRegressor
        Its settings; it need not be fitted.
    X, y : arrays
        Inputs and outcome.
    draws : int
        Bootstrap samples.
    seed, jobs, backend
        As everywhere; the figures do not depend on the jobs.

    Returns
    -------
    dict
        Name of the estimator to (draws, d) coefficients; ``"chosen"`` is the estimator's own ``coef_``.

    Examples
    --------
    >>> from suppose.effects.augmentation import GaussianNoise
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> found = bootstrap_coefficients(IVLRegressor(GaussianNoise()), X, X[:, 0] + rng.normal(size=200), draws=5)
    >>> found["chosen"].shape
    (5, 2)
    """
    tasks = [
        (estimator, X, y, integer_seed(seed, "bootstrap", block), min(25, draws - 25 * block))
        for block in range((draws + 24) // 25)
    ]
    blocks = parallel_map(_bootstrap_block, tasks, jobs=jobs, backend=backend, label="bootstrap")
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _bootstrap_block(
    estimator: IVLRegressor, X: np.ndarray, y: np.ndarray, seed: int, count: int
) -> dict[str, np.ndarray]:
    from sklearn.base import clone

    found: dict[str, list[np.ndarray]] = {}
    for index in range(count):
        rng = generator(seed, "rows", index)
        rows = rng.integers(len(y), size=len(y))
        model = clone(estimator).set_params(seed=integer_seed(seed, "model", index), known=None)
        model.fit(X[rows], y[rows])
        for name, values in {**model.alternatives_, "chosen": model.coef_}.items():
            found.setdefault(name, []).append(values)
    return {name: np.stack(values) for name, values in found.items()}
