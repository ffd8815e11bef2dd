r"""How strong an unmeasured confounder would have to be to change the conclusion about an effect.

:func:`check_sensitivity` takes a fitted :class:`~suppose.effects.PartiallyLinear` or
:class:`~suppose.effects.Interactive` (ATE or ATT) and gives the bounds of
:mod:`suppose.effects.omitted_variable`, the robustness values, and *benchmarks*: how strong measured
covariates are, found by refitting without them on the same folds. A benchmark turns a share nobody
can picture into "as strong as earnings in 1975".

Reading it. ``cf_y`` and ``cf_d`` are shares of what the measured covariates leave unexplained; a hidden
confounder reaching the robustness value ``RV`` in both brings the estimate to the null; one reaching
``RVa`` brings the one-sided confidence bound there. Nothing here says whether such a confounder exists.

Not done: several treatments at once; overlap-weighted effects (ATO); other estimators of the room,
which have no orthogonal score to bound.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from sklearn.base import clone

from suppose.core.answer import format_number
from suppose.core.errors import DataError, EstimationError, OverlapWarning, nearest
from suppose.core.figures import PALETTE, new_axes
from suppose.core.parallel import parallel_map
from suppose.effects.estimators import Interactive, PartiallyLinear
from suppose.effects.omitted_variable import (
    Benchmark,
    BiasBounds,
    SensitivityElements,
    benchmark_gains,
    bounds_at,
    confounding_strength,
    interactive_elements,
    omitted_variable_bounds,
    partially_linear_elements,
    robustness_values,
)

__all__ = [
    "Benchmark",
    "BiasBounds",
    "Sensitivity",
    "SensitivityElements",
    "benchmark_gains",
    "bounds_at",
    "check_sensitivity",
    "confounding_strength",
    "interactive_elements",
    "omitted_variable_bounds",
    "partially_linear_elements",
    "robustness_values",
    "sensitivity_elements",
]


@dataclasses.dataclass(frozen=True)
class Sensitivity:
    """Sensitivity of one effect to unmeasured confounding.

    Attributes
    ----------
    estimand, contrast : str
    estimate, null : float
        In units of the outcome (per unit of treatment).
    bounds : BiasBounds
        Range of the effect in the scenario asked for.
    robustness, robustness_confident : float
        RV and RVa: the share of both remaining variations that brings the estimate, and its one-sided
        confidence bound, to the null. 0 when it is there already.
    benchmarks : tuple of Benchmark
        Measured covariates, each with the range of the effect under a hidden confounder as strong.
    elements : SensitivityElements
        What it was computed from.
    """

    estimand: str
    contrast: str
    estimate: float
    null: float
    bounds: BiasBounds
    robustness: float
    robustness_confident: float
    benchmarks: tuple[Benchmark, ...]
    elements: SensitivityElements = dataclasses.field(repr=False)

    @property
    def overturned_by(self) -> tuple[str, ...]:
        """Benchmarks as strong as which a hidden confounder could bring the estimate to the null."""
        return tuple(item.label for item in self.benchmarks if self._holds_null(item.bounds))

    @property
    def verdict(self) -> str:
        """``informs`` without benchmarks; ``warns`` when one of them is strong enough; else ``passes``."""
        if not self.benchmarks:
            return "informs"
        return "warns" if self.overturned_by else "passes"

    def _holds_null(self, bounds: BiasBounds | None) -> bool:
        return bounds is not None and bounds.low <= self.null <= bounds.high

    @property
    def words(self) -> str:
        """What the figures say, in plain words."""
        null = "zero" if self.null == 0 else format_number(self.null)
        scene = self.bounds
        sentences = [
            f"To bring the estimate of {format_number(self.estimate)} to {null}, a hidden confounder would have "
            f"to explain {_percent(self.robustness)} of what is left of both outcome and treatment; "
            f"{_percent(self.robustness_confident)} would bring its {scene.level:.0%} confidence bound there.",
            f"One that explains {_percent(scene.cf_y)} of the outcome's and {_percent(scene.cf_d)} of the "
            f"treatment's remaining variation leaves the effect between {_range_words(scene)}.",
        ]
        sentences += [self.benchmark_words(item) for item in self.benchmarks]
        return " ".join(sentences)

    def benchmark_words(self, item: Benchmark) -> str:
        """What a hidden confounder as strong as a measured covariate would do, in plain words."""
        share = f"{_percent(item.cf_y)} of the outcome's, {_percent(item.cf_d)} of the treatment's variation"
        if item.bounds is None or not np.isfinite(item.bounds.low):
            return f"A confounder as strong as {item.label!r} ({share}) leaves the effect without any bound."
        end = ", which includes no effect" if self._holds_null(item.bounds) and self.null == 0 else ""
        return f"A confounder as strong as {item.label!r} ({share}) leaves it between {_range_words(item.bounds)}{end}."

    def __str__(self) -> str:
        return self.words

    def to_frame(self) -> Any:
        """One row for the scenario and one per benchmark, as a pandas frame."""
        import pandas as pd

        rows = [self._row("scenario", self.bounds, np.nan)]
        rows += [
            self._row(item.label, item.bounds, item.delta_theta) for item in self.benchmarks if item.bounds
        ]
        return pd.DataFrame(rows)

    def _row(self, name: str, bounds: BiasBounds, delta: float) -> dict[str, Any]:
        return {
            "confounder": name, **dataclasses.asdict(bounds), "delta_theta": delta, "estimate": self.estimate,
            "robustness": self.robustness, "robustness_confident": self.robustness_confident,
        }  # fmt: skip

    def plot(self, ax: Any = None, *, limit: float | None = None) -> Any:
        """Contours of the bound nearest the null, with the scenario and the benchmarks.

        Takes and returns matplotlib Axes. ``limit`` is the largest share drawn on both axes.
        """
        ax = new_axes(ax, (5.6, 4.2))
        points = [(item.label, item.cf_d, item.cf_y) for item in self.benchmarks]
        points.append(("scenario", self.bounds.cf_d, self.bounds.cf_y))
        widest = max(point[1] for point in points), max(point[2] for point in points)
        least = max(min(1.15 * self.robustness, 0.5), 0.05)
        right, top = (limit or min(max(least, 1.3 * wide), 0.98) for wide in widest)
        side = "low" if self.estimate >= self.null else "high"
        x, y = np.linspace(0, right, 121), np.linspace(0, top, 121)
        strength = confounding_strength(y[:, None], x[None, :], self.bounds.rho)
        surface = bounds_at(self.elements, strength.ravel(), self.bounds.level)[side].reshape(strength.shape)
        _draw_contours(ax, x, y, surface, self.estimate, self.null)
        _draw_points(ax, points, right, top)
        ax.set(
            xlim=(0, right), ylim=(0, top), title=f"{'Lowest' if side == 'low' else 'Highest'} effect left "
            "by a hidden confounder", xlabel="share of the treatment's remaining variation it explains",
            ylabel="share of the outcome's it explains",
        )  # fmt: skip
        percent = lambda value, _: f"{100 * value:g}%"  # noqa: E731
        ax.xaxis.set_major_formatter(percent)
        ax.yaxis.set_major_formatter(percent)
        return ax


def _percent(share: float) -> str:
    return f"{100 * share:.{2 if share < 0.1 else 3}g}%"


def _range_words(bounds: BiasBounds) -> str:
    low, high = format_number(bounds.low, beside=bounds.high), format_number(bounds.high, beside=bounds.low)
    return f"{low} and {high}"


def _draw_contours(ax: Any, x: Any, y: Any, surface: Any, estimate: float, null: float) -> None:
    """Thin contours at steps of the way from estimate to null, the null itself thick and red."""
    bottom, top = float(surface.min()), float(surface.max())
    step = (estimate - null) / 4 or max(top - bottom, 1e-12) / 6
    far = [null - step * 4 * k for k in (1, 3, 7, 15)]
    levels = sorted(v for v in [*(null + step * k for k in (1, 2, 3)), *far] if bottom < v < top)
    if levels:
        lines = ax.contour(
            x, y, surface, levels=levels, colors=PALETTE["muted"], linewidths=1, linestyles="solid"
        )
        ax.clabel(lines, fmt=lambda value: format_number(float(value)), fontsize=8.5)
    if bottom < null < top:
        edge = ax.contour(x, y, surface, levels=[null], colors=PALETTE["red"], linewidths=2.2)
        ax.clabel(edge, fmt="no effect" if null == 0 else format_number(null), fontsize=9)


def _draw_points(ax: Any, points: Sequence[tuple[str, float, float]], right: float, top: float) -> None:
    """Benchmarks and scenario with their names, names moved up where two would collide."""
    taken: list[tuple[float, float]] = []
    for label, x, y in sorted(points, key=lambda point: point[2]):
        mark, colour = ("D", "orange") if label == "scenario" else ("o", "blue")
        x, y = min(x, right), min(y, top)
        ax.plot([x], [y], mark, color=PALETTE[colour], markersize=7, clip_on=False, zorder=4)
        height = y / top
        while any(abs(height - other) < 0.055 and abs(x - across) < 0.45 * right for across, other in taken):
            height += 0.055
        taken.append((x, height))
        inside, lift = x < 0.65 * right, 3 + 190 * (height - y / top) - (12 if y > 0.93 * top else 0)
        ax.annotate(
            label, (x, y), (9 if inside else -9, lift), textcoords="offset points", annotation_clip=False,
            ha="left" if inside else "right", color=PALETTE["ink"], fontsize=9.5, zorder=5,
        )  # fmt: skip


def sensitivity_elements(estimator: Any, effect: int = 0) -> SensitivityElements:
    """Elements of the bias bounds of a fitted estimator.

    Parameters
    ----------
    estimator : PartiallyLinear or Interactive
        Fitted; only its fitted attributes are read.
    effect : int
        Index of the contrast in ``effects_``.

    Raises
    ------
    EstimationError
        ``sensitivity-estimand`` for estimators and estimands that have no bounds here.
    """
    kept = estimator.kept_
    y, d = estimator.outcome_[kept], estimator.treatment_[kept]
    theta, psi = estimator.theta_by_repeat_[:, effect], estimator.psi_[:, :, effect]
    nuisances = {name: values[kept] for name, values in estimator.nuisances_.items()}
    if isinstance(estimator, PartiallyLinear):
        outcome = nuisances["outcome"]
        if estimator.score_type == "iv-type":  # its residual is y - g - theta d
            outcome = nuisances["outcome_given_control"] + theta * nuisances["treatment"]
        found = partially_linear_elements(y, d, outcome, nuisances["treatment"], theta, psi[kept])
    elif isinstance(estimator, Interactive):
        arm = np.argmax(d[:, None] == estimator.arms_, axis=1)
        found = interactive_elements(
            y, arm, nuisances["outcome"], nuisances["propensity_used"], theta, psi[kept],
            estimand=estimator.estimand, contrast=(effect + 1, 0),
        )  # fmt: skip
    else:
        raise EstimationError(
            "sensitivity-estimand", f"bounds exist for PartiallyLinear and Interactive, got "
            f"{type(estimator).__name__}", where="estimator", remedy="Fit one of these on the same table.",
        )  # fmt: skip
    return dataclasses.replace(
        found, psi_theta=psi, psi_sigma2=_on_all_rows(found.psi_sigma2, kept),
        psi_nu2=_on_all_rows(found.psi_nu2, kept), clusters=estimator.clusters_,
        folds=None if estimator.clusters_ is None else estimator.folds_,
    )  # fmt: skip


def _on_all_rows(psi: Float[np.ndarray, "m repeats"], kept: Any) -> Float[np.ndarray, "n repeats"]:
    """Influence values on all rows: dropped ones hold zero, the others count for them."""
    whole = np.zeros((len(kept), psi.shape[1]))
    whole[kept] = psi * (len(kept) / len(psi))
    return whole


def check_sensitivity(
    estimator: Any,
    X: Any = None,
    y: Any = None,
    *,
    benchmarks: Any = (),
    cf_y: float = 0.03,
    cf_d: float = 0.03,
    rho: float = 1.0,
    level: float | None = None,
    null: float = 0.0,
    effect: int = 0,
    jobs: int | None = 1,
) -> Sensitivity:
    """Sensitivity of a fitted effect to unmeasured confounding.

    Parameters
    ----------
    estimator : PartiallyLinear or Interactive
        Fitted, with covariates.
    X, y : optional
        What it was fitted on; needed for benchmarks.
    benchmarks : "all", sequence of names or of groups of names, or mapping of label to names
        Covariates to leave out, one refit each.
    cf_y, cf_d, rho : float
        Scenario (:func:`suppose.effects.omitted_variable.omitted_variable_bounds`).
    level : float, optional
        Coverage of one-sided confidence bounds; the estimator's when left out.
    null : float
        Effect that would count as none.
    effect : int
        Index of the contrast in ``effects_``.
    jobs : int, optional
        Benchmarks refitted at the same time.

    Raises
    ------
    DataError
        ``unknown-benchmark`` for covariates the estimator does not have; ``outcome-needed``;
        ``sensitivity-share`` for shares out of range.
    EstimationError
        ``sensitivity-estimand`` for estimators and estimands that have no bounds here.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(500, 2))
    >>> d = x[:, 0] + rng.normal(size=500)
    >>> X, y = np.c_[d, x], d + x[:, 0] + rng.normal(size=500)
    >>> found = check_sensitivity(PartiallyLinear().fit(X, y), X, y, benchmarks=[2])
    >>> found.verdict, round(found.robustness, 2)
    ('passes', 0.62)
    """
    level = float(estimator.level) if level is None else level
    elements = sensitivity_elements(estimator, effect)
    scene: dict[str, Any] = {"rho": rho, "level": level}
    bounds = omitted_variable_bounds(elements, cf_y=cf_y, cf_d=cf_d, **scene)
    robustness, confident = robustness_values(elements, null=null, **scene)
    found = estimator.effects_[effect]
    return Sensitivity(
        found.estimand, found.contrast, found.estimate, float(null), bounds, robustness, confident,
        _benchmarks(estimator, X, y, benchmarks, elements, effect, jobs, scene), elements,
    )  # fmt: skip


def _benchmarks(
    estimator: Any, X: Any, y: Any, benchmarks: Any, long: SensitivityElements, effect: int, jobs: Any,
    scene: dict[str, Any],
) -> tuple[Benchmark, ...]:  # fmt: skip
    groups = _named_groups(benchmarks, estimator.covariate_names_)
    if not groups:
        return ()
    if X is None or y is None:
        raise DataError(
            "outcome-needed", "benchmarks refit the estimator and need the table and the outcome", where="X, y",
            remedy="Pass the X and y it was fitted on.",
        )  # fmt: skip
    tasks = [(estimator, X, y, names, effect) for names in groups.values()]
    shorts = parallel_map(_refitted_without, tasks, jobs=jobs, label="benchmarks")
    variance = float(np.var(estimator.outcome_[estimator.kept_]))
    result = []
    for label, short in zip(groups, shorts, strict=True):
        gains = benchmark_gains(long, short, variance, names=[label])
        bounds = omitted_variable_bounds(long, cf_y=gains.cf_y, cf_d=gains.cf_d, **scene)
        result.append(dataclasses.replace(gains, bounds=bounds))
    return tuple(result)


def _refitted_without(
    estimator: Any, X: Any, y: Any, names: tuple[Any, ...], effect: int
) -> SensitivityElements:
    """Elements of the same estimator on the same folds without some covariates."""
    rest = [name for name in estimator.covariate_names_ if name not in names]
    short = clone(estimator).set_params(covariates=rest, folds=estimator.folds_, n_jobs=None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OverlapWarning)
        return sensitivity_elements(short.fit(X, y), effect)


def _named_groups(benchmarks: Any, known: Sequence[Any]) -> dict[str, tuple[Any, ...]]:
    """Label and covariates of each benchmark."""
    if isinstance(benchmarks, str) and benchmarks == "all" and "all" not in known:
        benchmarks = list(known)
    if isinstance(benchmarks, (str, int)):
        benchmarks = [benchmarks]
    if not isinstance(benchmarks, Mapping):
        items = [tuple(item) if isinstance(item, (list, tuple)) else (item,) for item in benchmarks]
        benchmarks = {" + ".join(str(name) for name in names): names for names in items}
    for label, names in benchmarks.items():
        for name in names:
            if name not in known:
                raise DataError(
                    "unknown-benchmark", f"not among the covariates adjusted for: {', '.join(map(str, known))}",
                    where=f"benchmark {label!r}",
                    remedy=nearest(str(name), map(str, known)) or "Name covariates of the estimator.",
                )  # fmt: skip
    return {str(label): tuple(names) for label, names in benchmarks.items()}
