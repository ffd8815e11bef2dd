"""Attempts to refute an effect estimate: disturb the material and see whether the estimate does as it should.

Three refutations, each repeated with its own seeds. *Placebo treatment*: the treatment column is
shuffled (whole clusters where they share one treatment), so the effect is zero and intervals should
miss zero about as often as they claim. *Random common cause*: a column of noise joins the
covariates, and the estimate should hardly move. *Subset*: the estimate on random parts of the table
should scatter as sampling theory says, ``se * sqrt(1/share - 1)`` around the whole, beside what redrawing the folds adds (measured on refits
of the whole table).

A refutation that passes proves nothing: none of them can see hidden confounding. Each record says
what it cannot show. Placebo outcomes need a column the treatment cannot have changed; the study
asks for one. Source of the idea: Sharma and Kiciman, DoWhy (arXiv 2011.04216); nulls, statistics
and thresholds here are ours.
"""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import stats
from sklearn.base import clone

from suppose.core.errors import EstimationError, nearest
from suppose.core.figures import PALETTE, new_axes
from suppose.core.parallel import parallel_map
from suppose.core.random import generator, integer_seed

__all__ = ["REFUTATIONS", "Refutation", "refute"]

REFUTATIONS = ("placebo-treatment", "random-common-cause", "subset")
SHARE = 0.8
REFITS = 10
FAIL, WARN = 0.001, 0.01
NOISE = "random common cause"

TEXTS = {
    "placebo-treatment": (
        "Placebo treatment",
        "With the treatment shuffled there is no effect, so intervals miss zero as rarely as they claim.",
        "share of shuffled runs that find an effect",
        "Confounding: shuffling removes it together with the effect.",
    ),
    "random-common-cause": (
        "Random common cause",
        "A column of noise among the covariates does not move the estimate.",
        "mean move of the estimate, in standard errors",
        "Confounding by what was not measured: noise is no confounder.",
    ),
    "subset": (
        "Subset stability",
        "Estimates on random parts of the table scatter around the whole as sampling error alone would.",
        "scatter over the expected scatter",
        "Confounding that is the same in every part of the table.",
    ),
}


@dataclass(frozen=True)
class Refutation:
    """One refutation: its null, its figure, the verdict in words, and what it cannot show.

    Attributes
    ----------
    draws : tuple of float
        Estimate of each disturbed run, in the unit of the outcome.
    estimate, standard_error : float
        Of the undisturbed run.
    """

    name: str
    title: str
    null: str
    statistic_name: str
    statistic: float
    p_value: float | None
    verdict: str
    words: str
    cannot_show: str
    estimate: float
    standard_error: float
    draws: tuple[float, ...]

    def to_frame(self) -> Any:
        """One row: everything but the draws."""
        import pandas as pd

        return pd.DataFrame([{key: value for key, value in asdict(self).items() if key != "draws"}])

    def plot(self, ax: Any = None) -> Any:
        """The disturbed estimates beside the undisturbed one; takes and returns matplotlib Axes."""
        ax = new_axes(ax)
        ax.hist(self.draws, bins=min(20, max(5, len(self.draws) // 3)), color=PALETTE["muted"], alpha=0.7)
        ax.axvline(self.estimate, color=PALETTE["blue"], linewidth=2)
        ax.set(title=self.title, xlabel="estimate", ylabel="runs")
        return ax

    def __str__(self) -> str:
        return f"{self.title}: {self.verdict}. {self.words} Cannot show: {self.cannot_show}"


def refute(
    estimator: Any,
    X: Any,
    y: Any,
    name: str,
    *,
    draws: int = 20,
    seed: int = 0,
    jobs: int | None = 1,
    backend: str = "loky",
) -> Refutation:
    """Refute an estimate.

    Parameters
    ----------
    estimator : estimator of :mod:`suppose.effects`
        Cloned and fitted anew for every run; need not be fitted.
    X : pandas DataFrame (n, columns)
        As for ``fit``.
    y : array (n,)
        Outcome.
    name : {"placebo-treatment", "random-common-cause", "subset"}
        The refutation.
    draws : int
        Disturbed runs.
    seed : int
        Seed of the disturbances.
    jobs, backend
        As in :func:`suppose.core.parallel.parallel_map`.

    Raises
    ------
    EstimationError
        For an unknown refutation or fewer than 5 draws.

    Examples
    --------
    >>> import pandas as pd
    >>> from suppose.effects import PartiallyLinear
    >>> rng = np.random.default_rng(0)
    >>> x, t = rng.normal(size=300), rng.normal(size=300)
    >>> X = pd.DataFrame({"t": t, "x": x})
    >>> refute(PartiallyLinear(treatment="t", folds=2), X, t + x, "random-common-cause", draws=5).verdict
    'passes'
    """
    if name not in REFUTATIONS:
        raise EstimationError(
            "unknown-refutation",
            f"expected one of {', '.join(REFUTATIONS)}, got {name!r}",
            where="refute",
            remedy=nearest(name, REFUTATIONS) or "Leave it out.",
        )
    if draws < 5:
        raise EstimationError(
            "too-few-draws",
            f"expected at least 5 draws, got {draws}",
            where="draws",
            remedy="Use 20 or more.",
        )
    whole = clone(estimator).fit(X, y).effect_
    refits = REFITS if name == "subset" and hasattr(estimator, "folds") else 0
    tasks = [(estimator, X, y, name, seed, draw) for draw in range(draws)]
    tasks += [(estimator, X, y, "refit", seed, draw) for draw in range(refits)]
    found = parallel_map(_disturbed_fit, tasks, jobs=jobs, backend=backend, label=TEXTS[name][0])
    estimates = np.array([estimate for estimate, _ in found[:draws]])
    significant = np.array([wrong for _, wrong in found[:draws]])
    splits = np.array([estimate for estimate, _ in found[draws:]])
    return _judged(name, whole, estimates, significant, splits)


def _disturbed_fit(estimator: Any, X: Any, y: Any, name: str, seed: int, draw: int) -> tuple[float, bool]:
    """Estimate of one disturbed run, and whether its interval misses zero."""
    rng = generator(seed, name, draw)
    model, y = (
        clone(estimator).set_params(n_jobs=None) if _has_jobs(estimator) else clone(estimator),
        np.asarray(y),
    )
    if name == "placebo-treatment":
        X = X.assign(**{estimator.treatment: _shuffled(X, estimator, rng)})
    elif name == "random-common-cause":
        X = X.assign(**{NOISE: rng.normal(size=len(X))})
        if estimator.covariates is not None:
            model.set_params(covariates=[*estimator.covariates, NOISE])
    elif name == "refit":
        model.set_params(seed=integer_seed(seed, name, draw))
    else:
        model.set_params(**({"seed": integer_seed(seed, name, draw)} if hasattr(estimator, "seed") else {}))
        rows = _part(X, estimator, rng)
        X, y = X.iloc[rows], y[rows]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        effect = model.fit(X, y).effect_
    return float(effect.estimate), bool(effect.low > 0 or effect.high < 0)


def _has_jobs(estimator: Any) -> bool:
    return "n_jobs" in estimator.get_params(deep=False)


def _shuffled(X: Any, estimator: Any, rng: np.random.Generator) -> Float[np.ndarray, " n"]:
    treatment = X[estimator.treatment].to_numpy()
    if estimator.cluster is None:
        return np.asarray(rng.permutation(treatment))
    codes = np.unique(X[estimator.cluster].to_numpy(), return_inverse=True)[1]
    first = np.unique(codes, return_index=True)[1]
    if np.array_equal(treatment, treatment[first][codes]):  # whole clusters share a treatment
        return np.asarray(rng.permutation(treatment[first])[codes])
    return np.asarray(rng.permutation(treatment))


def _part(X: Any, estimator: Any, rng: np.random.Generator) -> np.ndarray:
    """Rows of a random part, whole clusters together, in the table's order."""
    if estimator.cluster is None:
        return np.sort(rng.choice(len(X), size=int(round(SHARE * len(X))), replace=False))
    codes = np.unique(X[estimator.cluster].to_numpy(), return_inverse=True)[1]
    count = int(codes.max()) + 1
    chosen = rng.choice(count, size=max(2, int(round(SHARE * count))), replace=False)
    return np.flatnonzero(np.isin(codes, chosen))


def _judged(
    name: str, whole: Any, estimates: np.ndarray, significant: np.ndarray, splits: np.ndarray
) -> Refutation:
    title, null, statistic_name, cannot_show = TEXTS[name]
    count, se = len(estimates), whole.standard_error
    p_value: float | None
    if name == "placebo-treatment":
        wrong, level = int(significant.sum()), 1 - whole.level
        statistic, p_value = wrong / count, float(stats.binom.sf(wrong - 1, count, level))
        words = (
            f"{wrong} of {count} shuffled runs found an effect; about {count * level:.0f} would by chance."
        )
    elif name == "random-common-cause":
        statistic, p_value = float(np.mean(np.abs(estimates - whole.estimate)) / se), None
        words = f"Noise moved the estimate by {statistic:.2f} standard errors on average."
    else:
        refits = splits if len(splits) else np.array([whole.estimate])
        noise = float(np.var(splits, ddof=1)) if len(splits) else 0.0
        expected = np.sqrt(se**2 * (1 / SHARE - 1) + noise)
        squares = ((estimates - refits.mean()) / expected) ** 2
        statistic, p_value = float(np.sqrt(squares.mean())), float(stats.chi2.sf(squares.sum(), count))
        words = f"On {count} random parts ({SHARE:.0%} of rows) the estimate scatters {statistic:.2f} times as much "
        words += "as sampling error and redrawn folds alone would."
    return Refutation(
        name,
        title,
        null,
        statistic_name,
        statistic,
        p_value,
        _verdict(statistic, p_value),
        words,
        cannot_show,
        float(whole.estimate),
        float(se),
        tuple(float(value) for value in estimates),
    )


def _verdict(statistic: float, p_value: float | None) -> str:
    """``fails`` below a p-value of 0.001, ``warns`` below 0.01; without one, at a move of 1 and 0.5 errors."""
    if p_value is None:
        return "fails" if statistic > 1.0 else "warns" if statistic > 0.5 else "passes"
    return "fails" if p_value < FAIL else "warns" if p_value < WARN else "passes"
