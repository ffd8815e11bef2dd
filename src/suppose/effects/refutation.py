"""Attempts to refute an effect estimate: disturb the material and see whether the estimate does as it should.

Four refutations, each repeated with its own seeds.

*Placebo treatment*: the treatment is shuffled (whole clusters where they share one treatment), so there
is no effect. *Placebo outcome*: the outcome is one the treatment cannot have changed, a column named by
the user; without one it is simulated, ``E[Y|x]`` plus residuals of random sign (of whole clusters), so
that the covariates confound as they do in the data and the effect is zero. *Random common cause*: a
column of noise joins the covariates, and the estimate should hardly move. *Subset*: on random parts of
the table the estimate should scatter around the whole as theory says, ``se sqrt(1 / share - 1)`` beside
what redrawing the folds adds (measured on refits of the whole table).

How verdicts are made. The p-values of ``K`` placebo runs become normal scores ``u``; ``sum u^2``, forgiving
5% in the standard errors, is held against chi-squared with ``K`` degrees of freedom. Placebo outcomes share
one table's chance imbalance: their mean score counts as one normal, their scatter about it as
chi-squared, and the smaller p-value is doubled. Subsets compare their median deviation with the expected
one, forgiving as much (a single part with extreme weights is named, not decisive). The moves made by noise
are tested one-sided against a mean move of half a standard error. ``fails`` is p < 0.001, ``warns``
p < 0.01: so rarely is a sound analysis found fault with by chance.
A named placebo outcome is one ordinary test: ``fails`` p < 0.05, ``warns`` p < 0.1.

A refutation that passes proves nothing: none of them can see hidden confounding, except a well chosen
placebo outcome. Source of the idea: Sharma and Kiciman, DoWhy (arXiv 2011.04216); nulls, statistics and
thresholds here are ours. Not done: dummy outcomes of the user's own making, bootstrap refutations.
"""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import stats
from sklearn.base import clone

from suppose.core.answer import format_number
from suppose.core.errors import EstimationError, Refusal, nearest
from suppose.core.figures import PALETTE, new_axes
from suppose.core.parallel import parallel_map
from suppose.core.random import generator, integer_seed
from suppose.effects.crossfit import cross_fit, outcome_nuisance
from suppose.effects.designs import Design, Material, read_material, treatment_kind
from suppose.effects.folds import draw_folds
from suppose.effects.inference import aggregate_repeats, estimate_effect

__all__ = ["REFUTATIONS", "Refutation", "refute"]

REFUTATIONS = ("placebo-treatment", "placebo-outcome", "random-common-cause", "subset")
SHARE, REFITS = 0.8, 10
FAIL, WARN = 0.001, 0.01
SINGLE_FAIL, SINGLE_WARN = 0.05, 0.10
FORGIVEN = 1.05  # standard errors this much too small are not held against a method
MOVE = 0.5  # mean move, in standard errors, that noise may cause

TEXTS = {
    "placebo-treatment": (
        "Placebo treatment",
        "With the treatment shuffled there is no effect, so intervals miss zero as rarely as they claim.",
        "distance of shuffled estimates from zero, over the distance their standard errors expect",
        "Confounding: shuffling removes it together with the effect.",
    ),
    "placebo-outcome": (
        "Placebo outcome",
        "On an outcome with the same dependence on the covariates but no effect, none is found.",
        "distance of placebo estimates from zero, over the distance their standard errors expect",
        "Confounding by what was not measured: the simulated outcome depends on measured covariates alone.",
    ),
    "random-common-cause": (
        "Random common cause",
        f"A column of noise among the covariates moves the estimate by less than {MOVE:g} standard errors.",
        "mean move of the estimate, in standard errors",
        "Confounding by what was not measured: noise is no confounder.",
    ),
    "subset": (
        "Subset stability",
        "Estimates on random parts of the table scatter around the whole as sampling error alone would.",
        "median scatter over the expected one",
        "Confounding that is the same in every part of the table.",
    ),
}


@dataclass(frozen=True)
class Refutation:
    """One refutation: its null, its figure, the verdict in words, and what it cannot show.

    Attributes
    ----------
    name, title, null, cannot_show : str
        What was tried, what holds if the analysis is sound, and what the refutation is blind to.
    statistic_name, statistic, p_value : str, float, float or None
        The figure and the chance of one as large if the null holds.
    verdict : {"passes", "warns", "fails"}
    words : str
        The verdict in words.
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
    draws: tuple[float, ...] = field(repr=False)

    def to_frame(self) -> Any:
        """One row as a pandas frame: everything but the draws."""
        import pandas as pd

        return pd.DataFrame([{key: value for key, value in asdict(self).items() if key != "draws"}])

    def plot(self, ax: Any = None) -> Any:
        """The disturbed estimates beside the undisturbed one; takes and returns matplotlib Axes."""
        ax = new_axes(ax, (5.6, 2.6))
        placebo = self.name.startswith("placebo")
        low, high = self.estimate - 1.96 * self.standard_error, self.estimate + 1.96 * self.standard_error
        ax.axvspan(low, high, color=PALETTE["blue"], alpha=0.15, linewidth=0)
        ax.axvline(self.estimate, color=PALETTE["blue"], linewidth=2, label="estimate and its 95% interval")
        if placebo:
            ax.axvline(0.0, color=PALETTE["muted"], linewidth=1.2, linestyle=(0, (4, 3)))
        heights = _dodged(np.asarray(self.draws))
        ax.plot(self.draws, heights, "o", color=PALETTE["orange"], markersize=5.5, alpha=0.85,
                markeredgewidth=0, label=f"{len(self.draws)} disturbed runs")  # fmt: skip
        ax.set(
            title=f"{self.title}: {self.verdict}", xlabel="estimate", ylim=(0, max(1.15, heights.max() + 0.3))
        )
        ax.set_yticks([])
        ax.spines["left"].set_visible(False)
        ax.legend(loc="upper left", bbox_to_anchor=(0, -0.28), ncols=2, borderaxespad=0)
        return ax

    def __str__(self) -> str:
        return f"{self.title}: {self.verdict}. {self.words} Cannot show: {self.cannot_show}"


def _dodged(values: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    """Heights that stack dots lying over each other."""
    width = max(float(np.ptp(values)), 1e-300) / 40
    bins = np.floor((values - values.min()) / width).astype(int)
    heights = np.empty(len(values))
    for bin_ in np.unique(bins):
        members = np.flatnonzero(bins == bin_)
        heights[members] = 0.15 + 0.14 * np.arange(len(members))
    return heights


def refute(
    estimator: Any,
    X: Any,
    y: Any,
    name: str,
    *,
    outcome: Any = None,
    draws: int = 20,
    seed: int = 0,
    jobs: int | None = 1,
    backend: str = "loky",
) -> Refutation:
    """Refute an estimate.

    Parameters
    ----------
    estimator : estimator of :mod:`suppose.effects`
        Cloned and fitted anew for every run; need not be fitted. Its first effect is looked at.
    X : frame or array (n, columns)
        As for ``fit``.
    y : array (n,)
        Outcome.
    name : {"placebo-treatment", "placebo-outcome", "random-common-cause", "subset"}
        The refutation.
    outcome : column of X or array (n,), optional
        For ``"placebo-outcome"``: what the treatment cannot have changed. A column is not adjusted for.
    draws : int
        Disturbed runs; with a named placebo outcome, sample splittings.
    seed : int
        Seed of the disturbances.
    jobs, backend
        As in :func:`suppose.core.parallel.parallel_map`; the figures do not depend on them.

    Raises
    ------
    EstimationError
        ``unknown-refutation``, ``too-few-draws``, and what the estimator refuses in most runs.

    Examples
    --------
    >>> from suppose.effects import PartiallyLinear
    >>> rng = np.random.default_rng(0)
    >>> x, t, e = rng.normal(size=(3, 300))
    >>> X, y = np.c_[t, x], t + x + e
    >>> refute(PartiallyLinear(folds=2), X, y, "random-common-cause", draws=5).verdict
    'passes'
    """
    _check(name, draws, outcome)
    y = np.asarray(y, dtype=float)
    column = outcome if isinstance(outcome, (str, int)) else None
    model, table = _numbered(estimator, X, column)
    whole = _quietly_fitted(model, table.matrix, y)
    if name == "placebo-outcome" and outcome is not None:
        values = np.asarray(outcome, dtype=float) if column is None else _column(estimator, X, column)
        label = "the placebo outcome" if column is None else repr(column)
        return _named_outcome(model, table, values, label, whole, draws, seed, jobs, backend)
    level = _expected_outcome(model, table, y, seed) if name == "placebo-outcome" else None
    refits = REFITS if name == "subset" and "folds" in model.get_params(deep=False) else 0
    tasks = [(model, table, y, level, name, seed, draw) for draw in range(draws)]
    tasks += [(model, table, y, level, "refit", seed, draw) for draw in range(refits)]
    found = parallel_map(_disturbed_fit, tasks, jobs=jobs, backend=backend, label=TEXTS[name][0])
    runs, splits = np.array(found[:draws]), np.array([run[0] for run in found[draws:]])
    return _judged(name, whole, _usable(runs, draws), splits)


def _check(name: str, draws: int, outcome: Any) -> None:
    if name not in REFUTATIONS:
        raise EstimationError(
            "unknown-refutation", f"expected one of {', '.join(REFUTATIONS)}, got {name!r}", where="refute",
            remedy=nearest(name, REFUTATIONS) or "Leave it out.",
        )  # fmt: skip
    if draws < 5:
        raise EstimationError(
            "too-few-draws", f"expected at least 5 draws, got {draws}", where="draws", remedy="Use 20 or more.",
        )  # fmt: skip
    if outcome is not None and name != "placebo-outcome":
        raise EstimationError(
            "unknown-refutation", f"outcome= belongs to placebo-outcome, not to {name}", where="outcome",
            remedy="Leave it out.",
        )  # fmt: skip


@dataclass(frozen=True)
class _Table:
    """Material as one matrix: treatment first, then covariates, then cluster codes where there are any."""

    matrix: np.ndarray
    material: Material


def _numbered(estimator: Any, X: Any, left_out: Any) -> tuple[Any, _Table]:
    """The estimator on columns by position, and its table; ``left_out`` is not adjusted for."""
    settings = estimator.get_params(deep=False)
    design = Design(settings["treatment"], settings.get("covariates"), settings.get("cluster"))
    material = read_material(X, design)
    names = [name for name in material.covariate_names if name != left_out]
    chosen = [k for k, name in enumerate(material.covariate_names) if name != left_out]
    covariates = material.covariates[:, chosen]
    columns = [material.treatment, *covariates.T]
    model = clone(estimator).set_params(treatment=0)
    if "covariates" in settings:
        model.set_params(covariates=list(range(1, len(names) + 1)))
    if material.clusters is not None:
        columns.append(material.clusters.astype(float))
        model.set_params(cluster=len(names) + 1)
    if "n_jobs" in settings:
        model.set_params(n_jobs=None)
    matrix = np.column_stack(columns)
    kept = Material(covariates, material.treatment, material.clusters, tuple(names), material.treatment_name)
    return model, _Table(matrix, kept)


def _quietly_fitted(model: Any, X: np.ndarray, y: np.ndarray) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return clone(model).fit(X, y).effect_


def _disturbed_fit(
    model: Any, table: _Table, y: Any, level: Any, name: str, seed: int, draw: int
) -> tuple[float, float, float]:
    """Estimate, p-value and standard error of one disturbed run; ``nan`` where the estimator refuses it."""
    rng = generator(seed, name, draw)
    model, X = clone(model), table.matrix
    if name != "random-common-cause" and "seed" in model.get_params(deep=False):
        model.set_params(seed=integer_seed(seed, name, draw))
    if name == "placebo-treatment":
        X = X.copy()
        X[:, 0] = _shuffled(table.material, rng)
    elif name == "placebo-outcome":
        y = _without_effect(y, level, table.material.clusters, rng)
    elif name == "random-common-cause":
        X = np.column_stack([X, rng.normal(size=len(X))])
        if "covariates" in model.get_params(deep=False):
            model.set_params(covariates=[*model.covariates, X.shape[1] - 1])
    elif name == "subset":
        rows = _part(table.material, rng)
        X, y = X[rows], y[rows]
        if not isinstance(getattr(model, "folds", 5), (int, np.integer)):
            model.set_params(folds=5)  # a split brought by the user does not fit a part of the table
    try:
        effect = _quietly_fitted(model, X, y)
    except Refusal:
        return float("nan"), float("nan"), float("nan")
    return float(effect.estimate), float(effect.p_value), float(effect.standard_error)


def _shuffled(material: Material, rng: np.random.Generator) -> Float[np.ndarray, " n"]:
    treatment, codes = material.treatment, material.clusters
    if codes is None:
        return np.asarray(rng.permutation(treatment))
    first = np.unique(codes, return_index=True)[1]
    if np.array_equal(treatment, treatment[first][codes]):  # whole clusters share a treatment
        return np.asarray(rng.permutation(treatment[first])[codes])
    return np.asarray(rng.permutation(treatment))


def _expected_outcome(model: Any, table: _Table, y: np.ndarray, seed: int) -> Float[np.ndarray, " n"]:
    """Out-of-fold ``E[Y|x]``, by the estimator's own outcome learner where it has one."""
    learner = getattr(model, "outcome_learner", "linear")
    clusters = table.material.clusters
    folds = draw_folds(5, len(y), seed=integer_seed(seed, "placebo folds"), clusters=clusters)
    fit = cross_fit([outcome_nuisance("outcome", learner, y)], table.material.covariates, folds, seed=seed)
    return np.asarray(fit.predictions["outcome"][:, 0])


def _without_effect(
    y: np.ndarray, level: np.ndarray, clusters: Int[np.ndarray, " n"] | None, rng: np.random.Generator
) -> Float[np.ndarray, " n"]:
    """Outcome with expectation ``level``: 0/1 draws, or residuals of random sign (of whole clusters)."""
    if ((y == 0) | (y == 1)).all():
        return np.asarray(rng.random(len(y)) < level, dtype=float)
    units = np.arange(len(y)) if clusters is None else clusters
    signs = rng.choice((-1.0, 1.0), size=int(units.max()) + 1)
    return np.asarray(level + signs[units] * (y - level))


def _part(material: Material, rng: np.random.Generator) -> np.ndarray:
    """Rows of a random part, in the table's order: whole clusters together, or the same share of each arm."""
    codes, d = material.clusters, material.treatment
    if codes is not None:
        count = int(codes.max()) + 1
        chosen = rng.choice(count, size=max(2, round(SHARE * count)), replace=False)
        return np.flatnonzero(np.isin(codes, chosen))
    arms = (
        [np.arange(len(d))]
        if treatment_kind(d) == "continuous"
        else [np.flatnonzero(d == v) for v in np.unique(d)]
    )
    parts = [rng.choice(rows, size=max(1, round(SHARE * len(rows))), replace=False) for rows in arms]
    return np.sort(np.concatenate(parts))


def _usable(runs: Float[np.ndarray, "k 3"], draws: int) -> Float[np.ndarray, "m 3"]:
    good = np.asarray(runs[np.isfinite(runs).all(axis=1) & (runs[:, 2] > 0)])  # no spread, no judgement
    if len(good) < max(5, 0.8 * draws):
        raise EstimationError(
            "refutation-refused", f"the estimator refused {draws - len(good)} of {draws} disturbed tables",
            where="refute", remedy="The method is at its limit on this table: simplify it, or add rows.",
        )  # fmt: skip
    return good


def _column(estimator: Any, X: Any, name: Any) -> Float[np.ndarray, " n"]:
    return np.asarray(read_material(X, Design(estimator.treatment, [name])).covariates[:, 0])


def _named_outcome(
    model: Any, table: _Table, values: np.ndarray, label: str, whole: Any, draws: int, seed: int, jobs: Any,
    backend: str,
) -> Refutation:  # fmt: skip
    """Effect on an outcome the treatment cannot have changed, over several sample splittings."""
    count = draws if "folds" in model.get_params(deep=False) else 1
    tasks = [(model, table, values, None, "refit", seed, draw) for draw in range(count)]
    runs = np.array(parallel_map(_disturbed_fit, tasks, jobs=jobs, backend=backend))
    if not np.isfinite(runs).all():
        _quietly_fitted(model, table.matrix, values)  # says in its own words what is wrong
    theta, se = aggregate_repeats(runs[:, [0]], runs[:, [2]])
    clusters = None if table.material.clusters is None else int(table.material.clusters.max()) + 1
    found = estimate_effect(
        float(theta[0]), float(se[0]), estimand=whole.estimand, contrast=whole.contrast, n=whole.n,
        method=whole.method, level=whole.level, clusters=clusters,
    )  # fmt: skip
    verdict = "fails" if found.p_value < SINGLE_FAIL else "warns" if found.p_value < SINGLE_WARN else "passes"
    low, high = format_number(found.low, beside=found.high), format_number(found.high, beside=found.low)
    words = (
        f"On {label}, which the treatment cannot have changed, the same analysis finds "
        f"{format_number(found.estimate)} ({low} to {high}, p = {found.p_value:.2g})"
    )
    words += "." if verdict == "passes" else ": the arms differed before any treatment."
    return Refutation(
        "placebo-outcome", "Placebo outcome", f"The treatment has no effect on {label}.",
        f"effect on {label}", found.estimate, found.p_value, verdict, words,
        f"Confounding that acts on the outcome but not on {label}.", float(whole.estimate),
        float(whole.standard_error), tuple(float(value) for value in runs[:, 0]),
    )  # fmt: skip


def _judged(
    name: str, whole: Any, runs: Float[np.ndarray, "k 3"], splits: Float[np.ndarray, " r"]
) -> Refutation:
    title, null, statistic_name, cannot_show = TEXTS[name]
    judges = {"random-common-cause": _moves, "subset": _scatter, "placebo-outcome": _placebo_outcome}
    judge = judges.get(name, _placebo)
    statistic, p_value, words = judge(whole, runs, splits)
    verdict = "fails" if p_value < FAIL else "warns" if p_value < WARN else "passes"
    return Refutation(
        name, title, null, statistic_name, statistic, p_value, verdict, words, cannot_show,
        float(whole.estimate), float(whole.standard_error), tuple(float(value) for value in runs[:, 0]),
    )  # fmt: skip


Judgement = tuple[float, float, str]


def _placebo(whole: Any, runs: Float[np.ndarray, "k 3"], splits: Float[np.ndarray, " r"]) -> Judgement:
    """Normal scores of the p-values of shuffled runs, independent given the table, against chi-squared."""
    u = _scores(runs)
    p_value = float(stats.chi2.sf(np.sum(u**2) / FORGIVEN**2, len(u)))
    return float(np.sqrt(np.mean(u**2))), p_value, _placebo_words(whole, runs, u)


def _placebo_outcome(
    whole: Any, runs: Float[np.ndarray, "k 3"], splits: Float[np.ndarray, " r"]
) -> Judgement:
    """Signed normal scores: their mean as one normal, their scatter about it against chi-squared.

    All runs share the chance imbalance of this table's covariates, so they count as one draw of it.
    """
    u = _scores(runs) * np.sign(runs[:, 0])
    shared = 2 * float(stats.norm.sf(abs(u.mean()) / FORGIVEN))
    scatter = float(stats.chi2.sf(np.sum((u - u.mean()) ** 2) / FORGIVEN**2, len(u) - 1))
    p_value = min(1.0, 2 * min(shared, scatter))
    return float(np.sqrt(np.mean(u**2))), p_value, _placebo_words(whole, runs, u)


def _scores(runs: Float[np.ndarray, "k 3"]) -> Float[np.ndarray, " k"]:
    return np.asarray(stats.norm.isf(np.clip(runs[:, 1], 1e-300, 1.0) / 2))


def _placebo_words(whole: Any, runs: Float[np.ndarray, "k 3"], u: Float[np.ndarray, " k"]) -> str:
    wrong, count = int((runs[:, 1] < 1 - whole.level).sum()), len(u)
    return (
        f"{wrong} of {count} runs without an effect found one; about {count * (1 - whole.level):.0f} would by "
        f"chance. Estimates lie {np.sqrt(np.mean(u**2)):.2f} times as far from zero as their standard errors say."
    )


def _moves(whole: Any, runs: Float[np.ndarray, "k 3"], splits: Float[np.ndarray, " r"]) -> Judgement:
    """Mean absolute move in standard errors, one-sided t test against ``MOVE``."""
    moves = np.abs(runs[:, 0] - whole.estimate) / _unit(whole)
    mean, spread = float(moves.mean()), float(moves.std(ddof=1)) / np.sqrt(len(moves))
    words = f"Noise moved the estimate by {mean:.2f} standard errors on average."
    if spread == 0:
        return mean, 1.0 if mean <= MOVE else 0.0, words
    return mean, float(stats.t.sf((mean - MOVE) / spread, len(moves) - 1)), words


def _scatter(whole: Any, runs: Float[np.ndarray, "k 3"], splits: Float[np.ndarray, " r"]) -> Judgement:
    """Median deviation of subset estimates over the expected one; its exact distribution if all is well."""
    centre = np.median(splits) if len(splits) else whole.estimate
    redrawn = float(np.var(splits, ddof=1)) / SHARE if len(splits) else 0.0
    expected = np.sqrt(_unit(whole) ** 2 * (1 / SHARE - 1) + redrawn)
    deviations = np.sort(np.abs(runs[:, 0] - centre) / expected)
    count = len(deviations)
    middle = float(deviations[(count - 1) // 2])
    statistic = middle / float(stats.norm.isf(0.25))
    beyond = 2 * float(stats.norm.sf(middle / FORGIVEN))
    words = (
        f"On {count} random parts ({SHARE:.0%} of the rows) the estimate typically scatters {statistic:.2f} times as "
        f"much as sampling error and redrawn folds alone would; the furthest part lies "
        f"{format_number(float(deviations[-1]))} expected errors away."
    )
    # The median is at least `middle` when at least count - (count - 1) // 2 deviations are.
    return statistic, float(stats.binom.sf(count - (count - 1) // 2 - 1, count, beyond)), words


def _unit(whole: Any) -> float:
    """Standard error of the undisturbed run; rounding error is never a standard error."""
    return max(float(whole.standard_error), 1e-9 * abs(float(whole.estimate)), 1e-300)
