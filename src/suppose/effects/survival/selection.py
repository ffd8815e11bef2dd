"""Which member of the family: comparison of fits, likelihood-ratio tests, stepwise choice.

Burke, Jones & Noufaily 2020 choose the parameters a covariate acts on by information criteria and test submodels by
likelihood ratios with an interior null, chi-square with as many degrees of freedom as coefficients were freed. A step
adds or removes one covariate in any subset of the parameters.

Intervals after a choice of model do not know that a choice was made; no correction is attempted.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
from scipy import stats
from sklearn.base import clone

from suppose.core.errors import EstimationError, Refusal, SupposeWarning
from suppose.core.progress import progress
from suppose.effects.base import check_choice
from suppose.effects.survival.formula import Formula, parse_formula
from suppose.effects.survival.material import covariate_names

__all__ = ["Comparison", "LikelihoodRatio", "Path", "compare", "likelihood_ratio", "step", "test_kappa"]


@dataclasses.dataclass(frozen=True)
class LikelihoodRatio:
    """Likelihood-ratio test of a smaller model inside a larger one."""

    null: str
    statistic: float
    freedom: int
    p_value: float

    def to_frame(self) -> Any:
        """The test as a pandas frame of one row."""
        import pandas as pd

        return pd.DataFrame([dataclasses.asdict(self)])

    def __str__(self) -> str:
        return (
            f"{self.null}: {self.statistic:.4g} on {self.freedom} degrees of freedom, p = {self.p_value:.3g}"
        )


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Fits side by side, in the order given.

    Attributes
    ----------
    names : tuple of str
        Of the models.
    loglik, parameters, aic, bic, kappa : (m,) arrays
        ``kappa`` is NaN where covariates act on it.
    """

    names: tuple[str, ...]
    loglik: np.ndarray
    parameters: np.ndarray
    aic: np.ndarray
    bic: np.ndarray
    kappa: np.ndarray

    @property
    def best(self) -> str:
        """Model of the smallest AIC."""
        return str(self.names[int(np.argmin(self.aic))])

    def to_frame(self) -> Any:
        """One row per model, as a pandas frame."""
        import pandas as pd

        return pd.DataFrame({
            "model": self.names, "log_likelihood": self.loglik, "parameters": self.parameters, "aic": self.aic,
            "difference": self.aic - self.aic.min(), "bic": self.bic, "kappa": self.kappa,
        })  # fmt: skip

    def plot(self, ax: Any = None) -> Any:
        """Draw how much worse than the best each model's AIC is; takes and returns matplotlib Axes."""
        from suppose.core.figures import PALETTE, new_axes

        ax = new_axes(ax)
        gap = self.aic - self.aic.min()
        colours = [PALETTE["blue"] if value == 0 else PALETTE["muted"] for value in gap]
        ax.barh(range(len(gap)), gap, color=colours, height=0.6)
        ax.plot(gap, range(len(gap)), "o", color=PALETTE["ink"], markersize=3)
        ax.set_yticks(range(len(gap)), list(self.names))
        ax.invert_yaxis()
        ax.set_xlabel("AIC above the best")
        return ax

    def __str__(self) -> str:
        return str(self.to_frame().to_string(index=False, float_format=lambda value: f"{value:.3f}"))


def compare(models: Mapping[str, Any]) -> Comparison:
    """Fitted models of the same rows side by side.

    Parameters
    ----------
    models : mapping
        Name to fitted :class:`~suppose.effects.FlexibleSurvival`.

    Raises
    ------
    EstimationError
        ``different-rows`` when they were not fitted to the same number of rows.

    Examples
    --------
    >>> from suppose.effects.survival import FlexibleSurvival
    >>> times = np.arange(1.0, 60.0)
    >>> table = np.c_[np.ones(59)]
    >>> fits = {str(k): FlexibleSurvival(event=0, scale="aft", kappa=k).fit(table, times) for k in (1, 0)}
    >>> compare(fits).best
    '1'
    """
    fitted = list(models.values())
    if len({(model.n_, model.events_) for model in fitted}) > 1:
        raise EstimationError(
            "different-rows", "the models were fitted to different rows, so their likelihoods cannot be compared",
            where="models", remedy="Drop rows with missing values once, before all fits.",
        )  # fmt: skip
    kappa = [math.nan if model.kappa_ is None else model.kappa_ for model in fitted]
    return Comparison(
        tuple(models), np.array([m.loglik_ for m in fitted]), np.array([len(m.coef_) for m in fitted]),
        np.array([m.aic_ for m in fitted]), np.array([m.bic_ for m in fitted]), np.array(kappa),
    )  # fmt: skip


def likelihood_ratio(small: Any, large: Any, null: str = "the smaller model is enough") -> LikelihoodRatio:
    """Test a model nested in another, both fitted to the same rows.

    Raises
    ------
    EstimationError
        ``not-nested`` when the larger model has no more coefficients, or ``different-rows``.
    """
    compare({"small": small, "large": large})
    freedom = len(large.coef_) - len(small.coef_)
    if freedom < 1:
        raise EstimationError(
            "not-nested", f"the larger model has {len(large.coef_)} coefficients, the smaller {len(small.coef_)}",
            where="large", remedy="Give the model with fewer coefficients first.",
        )  # fmt: skip
    statistic = max(2 * (large.loglik_ - small.loglik_), 0.0)
    return LikelihoodRatio(null, statistic, freedom, float(stats.chi2.sf(statistic, freedom)))


def test_kappa(model: Any, X: Any, y: Any, value: float = 1.0) -> LikelihoodRatio:
    """Test whether a fixed kappa is enough: 1 for Weibull, 0 for the log-logistic tail (and for no cure)."""
    words = {1.0: "kappa = 1: Weibull is enough", 0.0: "kappa = 0: a log-logistic tail is enough"}
    formulas = {name: text for name, text in model.formulas_.items() if name != "kappa"}
    small = clone(model).set_params(kappa=value, formulas=formulas).fit(X, y)
    return likelihood_ratio(small, model, words.get(float(value), f"kappa = {value:g}"))


test_kappa.__test__ = False  # type: ignore[attr-defined]  # a test of a hypothesis, not of this code


@dataclasses.dataclass(frozen=True)
class Path:
    """What a stepwise choice did.

    Attributes
    ----------
    model : FlexibleSurvival
        The chosen model, fitted.
    moves : tuple of str
        Each move taken, in words.
    criteria : tuple of float
        The criterion at the start and after each move.
    criterion : str
        ``"aic"`` or ``"bic"``.
    """

    model: Any
    moves: tuple[str, ...]
    criteria: tuple[float, ...]
    criterion: str

    def to_frame(self) -> Any:
        """One row per move, the start first, as a pandas frame."""
        import pandas as pd

        return pd.DataFrame({"move": ("start", *self.moves), self.criterion: self.criteria})

    def __str__(self) -> str:
        steps = zip(("start", *self.moves), self.criteria, strict=True)
        return "\n".join(f"{self.criterion.upper()} {value:.2f}  {move}" for move, value in steps)


def step(
    model: Any,
    X: Any,
    y: Any,
    *,
    direction: str = "both",
    criterion: str = "aic",
    parameters: tuple[str, ...] | None = None,
    limit: int = 50,
) -> Path:
    """Add and remove covariates, one at a time in any subset of the parameters, while the criterion falls.

    Parameters
    ----------
    model : FlexibleSurvival
        Where to start; its formulas hold single covariates.
    X, y
        As in its ``fit``.
    direction : {"both", "forward", "backward"}
        Which moves are allowed.
    criterion : {"aic", "bic"}
        What must fall.
    parameters : tuple of str, optional
        Parameters covariates may act on; by default the free scales and gamma.
    limit : int
        Most moves.

    Examples
    --------
    >>> from suppose.datasets import make_survival
    >>> from suppose.effects.survival import FlexibleSurvival
    >>> world = make_survival(n=400, lambda_=(0.0, 1.0), gamma=(0.4,), seed=2)
    >>> start = FlexibleSurvival(event="event", kappa=1, formulas={"lambda": "1"})
    >>> step(start, world.X, world.y).moves
    ('add x to lambda',)
    """
    check_choice(direction, ("both", "forward", "backward"), "direction")
    check_choice(criterion, ("aic", "bic"), "criterion")
    current = clone(model).fit(X, y)
    free = tuple(name for name in current.formulas_ if name != "kappa") if parameters is None else parameters
    unknown = [name for name in free if name not in current.formulas_]
    if unknown:
        raise EstimationError(
            "bad-formulas", f"{unknown[0]} is fixed in this model", where="parameters",
            remedy=f"Choose from {', '.join(current.formulas_)}.",
        )  # fmt: skip
    moves: list[str] = []
    values = [_criterion(current, criterion)]
    while len(moves) < limit:
        tried = _neighbours(current, free, direction)
        best, words = _best(model, tried, X, y, criterion)
        if best is None or _criterion(best, criterion) >= values[-1] - 1e-8:
            break
        current = best
        moves.append(words)
        values.append(_criterion(best, criterion))
    return Path(current, tuple(moves), tuple(values), criterion)


def _criterion(model: Any, criterion: str) -> float:
    return float(model.aic_ if criterion == "aic" else model.bic_)


def _neighbours(model: Any, free: tuple[str, ...], direction: str) -> list[tuple[str, dict[str, str]]]:
    """Every single move from a model: words and formulas."""
    terms = {name: parse_formula(text).terms for name, text in model.formulas_.items()}
    found = []
    for covariate in covariate_names(model):
        term = (covariate,)
        for adding in (True, False):
            if direction == ("backward" if adding else "forward"):
                continue
            open_to = [name for name in free if (term in terms[name]) is not adding]
            for size in range(1, len(open_to) + 1):
                for chosen in combinations(open_to, size):
                    changed = dict(terms)
                    for name in chosen:
                        kept = tuple(item for item in terms[name] if item != term)
                        changed[name] = (*kept, term) if adding else kept
                    words = f"{'add' if adding else 'remove'} {covariate} {'to' if adding else 'from'} "
                    formulas = {name: str(Formula(items)) for name, items in changed.items()}
                    found.append((words + " and ".join(chosen), formulas))
    return found


def _best(
    model: Any, tried: list[tuple[str, dict[str, str]]], X: Any, y: Any, criterion: str
) -> tuple[Any, str]:
    best, words = None, ""
    with progress("choosing covariates", len(tried)) as bar, warnings.catch_warnings():
        warnings.simplefilter("ignore", SupposeWarning)
        for move, formulas in tried:
            bar.advance()
            try:
                found = clone(model).set_params(formulas=formulas).fit(X, y)
            except Refusal:  # a covariate that cannot enter there is not a candidate
                continue
            if best is None or _criterion(found, criterion) < _criterion(best, criterion):
                best, words = found, move
    return best, words
