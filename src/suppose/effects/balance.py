"""Whether the arms are alike in the covariates, before and after weighting.

For each covariate and each arm against the reference: the standardised mean difference
``(mean_a - mean_0) / s`` and the variance ratio ``var_a / var_0``, raw and with the weights of the
estimand. The scale ``s`` is the unweighted ``sqrt((var_a + var_0) / 2)`` before *and* after, so that a
smaller figure means closer means and nothing else. Differences above 0.1 in absolute value are called
out: a convention (Normand et al., J. Clin. Epidemiol. 2001; Austin, Stat. Med. 2009), not a test.

For a continuous treatment the figure is the correlation of each covariate with the treatment, and with
what is left of the treatment after adjustment; the same 0.1 is used (Zhu, Coffman and Ghosh, 2015).

Variances divide by n - 1, weighted ones by ``sum w - sum w^2 / sum w`` (the same when weights are
equal). Variance ratios of 0/1 covariates say nothing beyond the means and are left out (``nan``).

Not done: balance of interactions and of whole distributions.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from suppose.core.errors import DataError
from suppose.core.figures import PALETTE, new_axes
from suppose.effects.designs import Design, read_material
from suppose.effects.overlap import balancing_weights, propensity_of

__all__ = ["THRESHOLD", "Balance", "CovariateBalance", "check_balance", "measure_balance", "residual_balance"]

THRESHOLD = 0.1


@dataclasses.dataclass(frozen=True)
class CovariateBalance:
    """Balance of one covariate in one contrast; ``group`` is the column a one-hot covariate came from."""

    name: str
    group: str
    contrast: str
    before: float
    after: float
    ratio_before: float
    ratio_after: float


@dataclasses.dataclass(frozen=True)
class Balance:
    """Balance of all covariates, with a verdict in words.

    Attributes
    ----------
    rows : tuple of CovariateBalance
    estimand : str
        What the weights are for.
    measure : str
        ``"standardised mean difference"`` or ``"correlation with the treatment"``.
    adjusted : bool
        Whether there are weights: without, ``after`` repeats ``before``.
    threshold : float
    """

    rows: tuple[CovariateBalance, ...]
    estimand: str
    measure: str = "standardised mean difference"
    adjusted: bool = True
    threshold: float = THRESHOLD

    @property
    def worst_before(self) -> float:
        """Largest absolute figure before adjustment."""
        return max((abs(row.before) for row in self.rows), default=0.0)

    @property
    def worst_after(self) -> float:
        """Largest absolute figure after adjustment."""
        return max((abs(row.after) for row in self.rows), default=0.0)

    @property
    def unbalanced(self) -> tuple[str, ...]:
        """Covariates (or groups of one-hot covariates) above the threshold after adjustment, worst first."""
        worst: dict[str, float] = {}
        for row in self.rows:
            worst[row.group] = max(worst.get(row.group, 0.0), abs(row.after))
        named = sorted(worst.items(), key=lambda item: -item[1])
        return tuple(name for name, value in named if value > self.threshold)

    @property
    def verdict(self) -> str:
        """``"passes"`` below the threshold, ``"fails"`` above 2.5 times it, ``"warns"`` between."""
        if not self.unbalanced:
            return "passes"
        return "fails" if self.worst_after > 2.5 * self.threshold else "warns"

    @property
    def words(self) -> str:
        """The verdict in words."""
        if not self.rows:
            return "There are no covariates to compare."
        fall = (
            f"from {self.worst_before:.2f} before to {self.worst_after:.2f} after adjustment"
            if self.adjusted else f"{self.worst_before:.2f}, without any adjustment"
        )  # fmt: skip
        start = f"Largest {self.measure}: {fall}."
        if not self.unbalanced:
            return f"{start} No covariate is above {self.threshold:g}."
        shown = ", ".join(self.unbalanced[:6]) + (", ..." if len(self.unbalanced) > 6 else "")
        return f"{start} Above {self.threshold:g}: {shown}."

    def to_frame(self) -> Any:
        """One row per covariate and contrast, as a pandas frame."""
        import pandas as pd

        columns = [field.name for field in dataclasses.fields(CovariateBalance)]
        return pd.DataFrame([dataclasses.astuple(row) for row in self.rows], columns=columns)

    def __str__(self) -> str:
        width = max((len(row.name) for row in self.rows), default=0)
        lines = [self.words] + [
            f"  {row.name:<{width}}  {row.contrast}  {row.before:+.3f} -> {row.after:+.3f}"
            for row in self.rows
        ]
        return "\n".join(lines)

    def plot(self, ax: Any = None, *, most: int = 30) -> Any:
        """Love plot: absolute figures before and after, the worst ``most`` on top.

        Takes and returns matplotlib Axes.
        """
        contrasts = {row.contrast for row in self.rows}
        ordered = sorted(self.rows, key=lambda row: -_finite(row.before))[:most]
        ax = new_axes(ax, (5.6, max(2.2, 0.9 + 0.26 * len(ordered))))
        for place, row in enumerate(ordered):
            before, after = _finite(row.before), _finite(row.after)
            if self.adjusted:
                ax.plot([before, after], [place, place], color=PALETTE["rule"], linewidth=2, zorder=1)
                ax.plot([after], [place], "o", color=PALETTE["blue"], markersize=6.5, zorder=3,
                        label="after adjustment" if place == 0 else None)  # fmt: skip
            ax.plot([before], [place], "o", markerfacecolor="none", markeredgecolor=PALETTE["orange"],
                    markeredgewidth=1.8, markersize=6.5, zorder=2,
                    label="before" if place == 0 else None)  # fmt: skip
        ax.axvline(self.threshold, color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)), zorder=0)
        labels = [row.name if len(contrasts) < 2 else f"{row.name} ({row.contrast})" for row in ordered]
        ax.set_yticks(range(len(ordered)), labels)
        ax.set_ylim(len(ordered) - 0.5, -0.5)
        ax.set_xlim(left=0)
        ax.tick_params(axis="y", length=0)
        ax.set(xlabel=f"absolute {self.measure}", title="Balance of the covariates")
        if ordered:
            ax.legend(loc="lower right")
        return ax


def _finite(value: float) -> float:
    """Absolute value for a figure; infinite differences are drawn at 3."""
    return min(abs(value), 3.0) if not math.isnan(value) else 0.0


def measure_balance(
    X: Float[np.ndarray, "n p"],
    arm: Int[np.ndarray, " n"],
    weights: Float[np.ndarray, " n"] | None = None,
    *,
    names: Sequence[str] | None = None,
    arms: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    estimand: str = "ATE",
    threshold: float = THRESHOLD,
) -> Balance:
    """Balance of covariates between arms, raw and weighted.

    Parameters
    ----------
    X : array (n, p)
        Covariates, in their own units.
    arm : int array (n,)
        Index of the arm of each unit; arm 0 is the reference.
    weights : array (n,), optional
        Weights that are to make the arms alike, e.g. from :func:`suppose.effects.overlap.balancing_weights`.
    names, arms : sequences of str, optional
        Names of covariates and arms.
    groups : mapping of str to sequence of str, optional
        One-hot covariates of each original column; without it ``"column=level"`` names are understood.
    estimand : str
        What the weights are for, for the words.
    threshold : float
        Absolute differences above it are called out.

    Raises
    ------
    DataError
        ``balance-shape`` for lengths that differ, ``empty-arm`` for an arm of fewer than two units.

    Examples
    --------
    >>> X = np.array([[1.0], [2.0], [3.0], [4.0]])
    >>> found = measure_balance(X, np.array([0, 0, 1, 1]), names=["age"])
    >>> round(found.rows[0].before, 4)  # 2 / sqrt(0.5)
    2.8284
    """
    labels = [str(name) for name in names] if names is not None else [f"x{k}" for k in range(X.shape[1])]
    codes = np.unique(arm)
    shown = [str(name) for name in arms] if arms is not None else [str(code) for code in codes]
    _check_shapes(X, arm, weights, labels, codes)
    w = np.ones(len(X)) if weights is None else weights
    home = _homes(labels, groups)
    binary = ((X == 0) | (X == 1)).all(axis=0)
    raw = {int(code): _moments(X[arm == code], np.ones(int((arm == code).sum()))) for code in codes}
    weighted = raw if weights is None else {int(c): _moments(X[arm == c], w[arm == c]) for c in codes}
    rows = []
    for code in codes[1:]:
        scale = np.sqrt((raw[int(code)][1] + raw[int(codes[0])][1]) / 2)
        contrast = f"{shown[int(code)]} vs {shown[int(codes[0])]}"
        before, ratio_before = _compare(raw[int(code)], raw[int(codes[0])], scale)
        after, ratio_after = _compare(weighted[int(code)], weighted[int(codes[0])], scale)
        rows += [
            CovariateBalance(
                labels[j], home[j], contrast, float(before[j]), float(after[j]),
                math.nan if binary[j] else float(ratio_before[j]),
                math.nan if binary[j] else float(ratio_after[j]),
            ) for j in range(len(labels))
        ]  # fmt: skip
    return Balance(tuple(rows), estimand, adjusted=weights is not None, threshold=threshold)


def _moments(
    X: Float[np.ndarray, "n p"], w: Float[np.ndarray, " n"]
) -> tuple[Float[np.ndarray, " p"], Float[np.ndarray, " p"]]:
    """Weighted means and variances of the columns."""
    total = w.sum()
    mean = w @ X / total
    freedom = total - (w**2).sum() / total
    return mean, w @ (X - mean) ** 2 / max(freedom, 1e-300)


def _compare(moved: Any, base: Any, scale: Float[np.ndarray, " p"]) -> tuple[Any, Any]:
    """Standardised differences and variance ratios; an equal constant is balanced, an unequal one is not."""
    gap = moved[0] - base[0]
    tiny = scale <= 1e-12 * np.maximum(np.abs(base[0]), 1e-300)
    level = np.abs(gap) <= 1e-12 * np.maximum(np.abs(base[0]), 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = np.where(tiny, np.where(level, 0.0, np.sign(gap) * np.inf), gap / scale)
        ratio = np.where(base[1] > 0, moved[1] / base[1], np.nan)
    return difference, ratio


def _homes(labels: Sequence[str], groups: Mapping[str, Sequence[str]] | None) -> list[str]:
    """Original column of each covariate."""
    if groups is None:
        return [label.split("=", 1)[0] for label in labels]
    parent = {str(member): str(column) for column, members in groups.items() for member in members}
    return [parent.get(label, label) for label in labels]


def _check_shapes(X: Any, arm: Any, weights: Any, labels: Sequence[str], codes: Any) -> None:
    lengths = {"X": len(X), "arm": len(arm), "weights": len(X) if weights is None else len(weights)}
    if len(set(lengths.values())) > 1 or len(labels) != X.shape[1]:
        raise DataError(
            "balance-shape", f"expected one row per unit and one name per covariate, got {lengths} and "
            f"{len(labels)} names for {X.shape[1]} covariates", where="X, arm, weights, names",
            remedy="Pass arrays of one table.",
        )  # fmt: skip
    sizes = [int((arm == code).sum()) for code in codes]
    if len(codes) < 2 or min(sizes) < 2:
        raise DataError(
            "empty-arm", f"expected two arms or more with at least two units each, got sizes {sizes}",
            where="arm", remedy="Give units of every arm.",
        )  # fmt: skip


def residual_balance(
    X: Float[np.ndarray, "n p"],
    treatment: Float[np.ndarray, " n"],
    residual: Float[np.ndarray, " n"],
    *,
    names: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    threshold: float = THRESHOLD,
) -> Balance:
    """Correlation of each covariate with a treatment, before and after partialling the covariates out.

    Parameters
    ----------
    X : array (n, p)
        Covariates.
    treatment, residual : array (n,)
        The treatment, and ``treatment - E[treatment | x]``.

    Examples
    --------
    >>> x = np.array([-1.0, 0.0, 0.0, 1.0]); e = np.array([1.0, -1.0, -1.0, 1.0])
    >>> row = residual_balance(x[:, None], x + e, e, names=["age"]).rows[0]
    >>> round(row.before, 3), round(row.after, 3)
    (0.577, 0.0)
    """
    labels = [str(name) for name in names] if names is not None else [f"x{k}" for k in range(X.shape[1])]
    home = _homes(labels, groups)
    before, after = _correlations(X, treatment), _correlations(X, residual)
    rows = tuple(
        CovariateBalance(
            labels[j], home[j], "per unit", float(before[j]), float(after[j]), math.nan, math.nan
        )
        for j in range(len(labels))
    )
    return Balance(rows, "partially linear", "correlation with the treatment", threshold=threshold)


def _correlations(X: Float[np.ndarray, "n p"], v: Float[np.ndarray, " n"]) -> Float[np.ndarray, " p"]:
    centred, w = X - X.mean(axis=0), v - v.mean()
    size = np.sqrt((centred**2).sum(axis=0) * (w**2).sum())
    return np.asarray(np.divide(w @ centred, size, out=np.zeros(X.shape[1]), where=size > 0))


def check_balance(
    estimator: Any,
    X: Any = None,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    arms: Sequence[str] | None = None,
    threshold: float = THRESHOLD,
) -> Balance:
    """Balance of a fitted estimator's covariates, with the weights its estimand implies.

    Discrete treatments are compared arm by arm, weighted by the cross-fitted propensities the score used
    (a partially linear model weighs by ``p (1 - p)``); a continuous treatment is compared by correlations
    before and after partialling out. Estimators without propensities show the raw comparison only.

    Parameters
    ----------
    estimator : fitted estimator of :mod:`suppose.effects`
        Only fitted attributes are read.
    X : frame or array, optional
        What it was fitted on: every column but treatment and cluster is compared, also those that were
        not adjusted for. Without it, the covariates adjusted for.
    groups : mapping of str to sequence of str, optional
        One-hot covariates of each original column.
    arms : sequence of str, optional
        Words for the arms, the reference first; their values when left out.
    threshold : float
        Absolute figures above it are called out.

    Examples
    --------
    >>> from suppose.effects import Interactive
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=2000)
    >>> d = (rng.random(2000) < 1 / (1 + np.exp(-x))).astype(float)
    >>> found = check_balance(Interactive().fit(np.c_[d, x], x + d))
    >>> found.worst_before > 0.5, found.verdict
    (True, 'passes')
    """
    kept, covariates, labels = estimator.kept_, estimator.covariates_, estimator.covariate_names_
    if X is not None:
        material = read_material(X, Design(estimator.treatment, None, getattr(estimator, "cluster", None)))
        covariates, labels = material.covariates, material.covariate_names
    if len(covariates) != len(kept):
        raise DataError(
            "not-the-fitted-rows", f"expected the {len(kept):,} rows of fit, got {len(covariates):,}", where="X",
            remedy="Pass the table the estimator was fitted on.",
        )  # fmt: skip
    names, d = [str(name) for name in labels], estimator.treatment_[kept]
    table = covariates[kept]
    nuisances = getattr(estimator, "nuisances_", {})
    if estimator.arms_ is None:
        residual = d - nuisances["treatment"][kept].mean(axis=1)
        return residual_balance(table, d, residual, names=names, groups=groups, threshold=threshold)
    values = np.asarray(estimator.arms_)
    shown: dict[str, Any] = {"names": names, "groups": groups, "threshold": threshold}
    shown["arms"] = list(arms) if arms is not None else [f"{value:g}" for value in values]
    estimand = getattr(estimator, "estimand", "ATO")
    arm = np.argmax(d[:, None] == values, axis=1)
    if "propensity_used" in nuisances:
        propensity = nuisances["propensity_used"][kept].mean(axis=1)
    elif "treatment" in nuisances and len(values) == 2:
        propensity = propensity_of(estimator)[0][kept]
    else:
        return measure_balance(table, arm, estimand=estimand, **shown)
    if estimand != "ATT" or len(values) == 2:
        return measure_balance(
            table, arm, balancing_weights(arm, propensity, estimand), estimand=estimand, **shown
        )
    parts: list[CovariateBalance] = []
    for k in range(1, len(values)):  # each contrast has its own population: the units of its arm
        pair = np.isin(arm, (0, k))
        weights = balancing_weights(arm[pair], propensity[pair], "ATT", target=k)
        parts += measure_balance(table[pair], arm[pair], weights, estimand=estimand, **shown).rows
    return Balance(tuple(parts), estimand, threshold=threshold)
