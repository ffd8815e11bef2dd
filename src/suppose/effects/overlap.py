"""Whether the arms overlap: propensities, effective sample sizes, what trimming does, and a verdict.

A comparison of arms says something about a person only if people like that person are found in every
arm. The module measures this on the cross-fitted propensities ``p_a(x) = P(arm a | x)``.

The verdict follows a fixed rule (:data:`RULE`), on the units the estimand averages over (everyone for
the ATE and ATO, the treated for the ATT) and the arms it needs (every arm; for the ATT the reference):

1. at most 5% of those units have a propensity of a needed arm below ``threshold`` (the ATO gives such
   units next to no weight and is excused);
2. the effective sample size (Kish) of each arm is at least 20, and at least 10% of its size or of the
   number of units the estimand averages over, whichever is smaller;
3. no unit carries more than 10% of the weight of its arm.

All three: ``credible``. Otherwise ``not credible``, with the reasons. Numbers 5%, 20, 10%, 10% are
conventions, not theorems; they are constants of this module and printed with every verdict.

Sources: Kish, Survey Sampling (1965), effective sample size ``(sum w)^2 / sum w^2``; Crump, Hotz, Imbens
and Mitnik (Biometrika, 2009), trimming on the propensity; Li, Morgan and Zaslavsky (JASA, 2018), overlap
weights. Not done: overlap in the covariates themselves, positivity over time.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from suppose.core.errors import DataError, EstimationError
from suppose.core.figures import PALETTE, new_axes
from suppose.effects.scores import overlap_weights

__all__ = [
    "RULE",
    "ArmOverlap",
    "Overlap",
    "balancing_weights",
    "check_overlap",
    "effective_sample_size",
    "measure_overlap",
]

MAX_SHARE_BEYOND, MIN_EFFECTIVE, MIN_EFFECTIVE_SHARE, MAX_UNIT_SHARE = 0.05, 20.0, 0.10, 0.10

RULE = (
    f"credible when at most {MAX_SHARE_BEYOND:.0%} of the units averaged over have a propensity of a needed "
    f"arm below the threshold, every arm's effective sample size is at least {MIN_EFFECTIVE:.0f} and "
    f"{MIN_EFFECTIVE_SHARE:.0%} of its possible size, and no unit carries over {MAX_UNIT_SHARE:.0%} of its "
    "arm's weight"
)


def effective_sample_size(weights: Float[np.ndarray, " n"]) -> float:
    """Kish's effective sample size, ``(sum w)^2 / sum w^2``.

    Examples
    --------
    >>> effective_sample_size(np.array([1.0, 1.0, 1.0, 3.0]))
    3.0
    """
    squares = float(np.sum(weights**2))
    return float(np.sum(weights)) ** 2 / squares if squares > 0 else 0.0


def balancing_weights(
    arm: Int[np.ndarray, " n"],
    propensity: Float[np.ndarray, "n arms"],
    estimand: str = "ATE",
    target: int = 1,
) -> Float[np.ndarray, " n"]:
    """Weights that make the arms alike: ``h(x) / p_arm(x)``.

    Parameters
    ----------
    arm : int array (n,)
        Index of the arm of each unit.
    propensity : array (n, arms)
        Probability of each arm.
    estimand : {"ATE", "ATT", "ATO"}
        ``h`` is 1, ``p_target`` or ``1 / sum_a (1 / p_a)`` (for two arms ``p (1 - p)``).
    target : int
        Arm whose units the ATT is about.

    Examples
    --------
    >>> p = np.array([0.2, 0.5, 0.5])
    >>> balancing_weights(np.array([0, 1, 0]), np.c_[1 - p, p], "ATT")
    array([0.25, 1.  , 1.  ])
    """
    own = np.maximum(np.take_along_axis(propensity, arm[:, None], axis=1)[:, 0], 1e-12)
    if estimand == "ATE":
        return np.asarray(1.0 / own)
    if estimand == "ATT":
        return np.asarray(propensity[:, target] / own)
    if estimand == "ATO":
        return np.take_along_axis(overlap_weights(propensity), arm[:, None], axis=1)[:, 0]
    raise EstimationError(
        "unknown-estimand", f"expected ATE, ATT or ATO, got {estimand!r}", where="estimand",
        remedy="Use one of these three.",
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class ArmOverlap:
    """Overlap of one arm.

    ``quantiles`` are the minimum, 5%, 50%, 95% quantile and maximum of this arm's propensity among its
    own units (``inside``) and among the other units (``outside``); ``largest_share`` is the largest part
    of the arm's weight that one unit carries.
    """

    arm: str
    n: int
    inside: tuple[float, float, float, float, float]
    outside: tuple[float, float, float, float, float]
    effective: float
    largest_share: float

    @property
    def effective_share(self) -> float:
        """Effective sample size over size."""
        return self.effective / self.n


@dataclasses.dataclass(frozen=True)
class Overlap:
    """Overlap of the arms, with the trimming rule and the verdict in words.

    Attributes
    ----------
    estimand : str
    arms : tuple of ArmOverlap
    threshold : float
        Propensities below it count as no overlap.
    beyond : float
        Share of the units averaged over that have one for an arm the estimand needs.
    n, averaged : int
        Units given; units the estimand averages over (for the ATO their effective number).
    trimming : str
        What was done to extreme propensities, and who remains, in words.
    credible : bool
    words : str
        The verdict with its reasons.
    propensity, arm : arrays (n, arms), (n,)
        What was measured, for the figure.
    """

    estimand: str
    arms: tuple[ArmOverlap, ...]
    threshold: float
    beyond: float
    n: int
    averaged: int
    trimming: str
    credible: bool
    words: str
    propensity: Float[np.ndarray, "n arms"] = dataclasses.field(repr=False)
    arm: Int[np.ndarray, " n"] = dataclasses.field(repr=False)

    @property
    def verdict(self) -> str:
        """``"passes"`` when credible, else ``"fails"``."""
        return "passes" if self.credible else "fails"

    def to_frame(self) -> Any:
        """One row per arm, as a pandas frame."""
        import pandas as pd

        names = ("min", "q05", "median", "q95", "max")
        rows = []
        for arm in self.arms:
            inside = {f"own_{name}": value for name, value in zip(names, arm.inside, strict=True)}
            outside = {f"others_{name}": value for name, value in zip(names, arm.outside, strict=True)}
            rows.append({
                "arm": arm.arm, "n": arm.n, "effective": arm.effective,
                "effective_share": arm.effective_share, "largest_share": arm.largest_share, **inside, **outside,
            })  # fmt: skip
        return pd.DataFrame(rows)

    def __str__(self) -> str:
        lines = [self.words, self.trimming]
        lines += [
            f"  arm {arm.arm}: {arm.n:,} units count as {arm.effective:,.1f}; propensity of this arm "
            f"{arm.inside[0]:.3f} to {arm.inside[4]:.3f} in it, {arm.outside[0]:.3f} to {arm.outside[4]:.3f} "
            "outside" for arm in self.arms
        ]  # fmt: skip
        return "\n".join(lines)

    def plot(self, ax: Any = None, *, arm: int | None = None, bins: int = 40) -> Any:
        """Histograms of the propensity of one arm (the last): its units up, the others down.

        Takes and returns matplotlib Axes.
        """
        ax = new_axes(ax)
        shown = len(self.arms) - 1 if arm is None else arm
        own = self.arm == shown
        edges = np.linspace(0.0, 1.0, bins + 1)
        values = self.propensity[:, shown]
        name = self.arms[shown].arm
        binary = len(self.arms) == 2
        others = f"arm {self.arms[1 - shown].arm}" if binary else "other arms"
        sides = ((own, 1, "blue", f"arm {name}"), (~own, -1, "orange", others))
        for member, sign, colour, label in sides:
            heights = np.histogram(values[member], edges)[0] / max(int(member.sum()), 1)
            ax.bar(edges[:-1], 100 * sign * heights, np.diff(edges), align="edge", color=PALETTE[colour],
                   alpha=0.85, linewidth=0, label=f"{label} ({int(member.sum()):,})")  # fmt: skip
        for limit in (self.threshold, 1 - self.threshold) if binary else (self.threshold,):
            ax.axvline(limit, color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)))
        ax.axhline(0, color=PALETTE["ink"], linewidth=0.8)
        ax.yaxis.set_major_formatter(lambda height, _: f"{abs(height):g}%")
        ax.set(xlim=(0, 1), xlabel=f"propensity: probability of arm {name} given the covariates",
               ylabel="share of the group", title="Overlap of the arms")  # fmt: skip
        ax.legend(loc="best")
        return ax


def measure_overlap(
    arm: Int[np.ndarray, " n"],
    propensity: Float[np.ndarray, "n arms"],
    *,
    estimand: str = "ATE",
    threshold: float = 0.02,
    names: tuple[str, ...] | None = None,
    trimming: str = "No propensity was changed.",
    kept: Bool[np.ndarray, " n"] | None = None,
) -> Overlap:
    """Overlap of arms from propensities.

    Parameters
    ----------
    arm : int array (n,)
        Index of the arm of each unit; 0 is the reference.
    propensity : array (n, arms)
        Probability of each arm, in [0, 1].
    estimand : {"ATE", "ATT", "ATO"}
        What the arms are compared for; with several arms the ATT is about all units outside the reference.
    threshold : float
        Propensities below it count as no overlap.
    names : tuple of str, optional
        Names of the arms.
    trimming : str
        What was done to extreme propensities, in words.
    kept : bool array (n,), optional
        Units that entered the estimate; the weights are theirs.

    Raises
    ------
    DataError
        ``bad-propensity`` for values outside [0, 1] or lengths that differ; ``empty-arm``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> p = rng.uniform(0.3, 0.7, 400)
    >>> found = measure_overlap((rng.random(400) < p).astype(int), np.c_[1 - p, p])
    >>> found.credible, round(found.arms[1].effective_share, 2)
    (True, 0.94)
    """
    labels = _checked(arm, propensity, names)
    used = np.ones(len(arm), dtype=bool) if kept is None else kept
    weights = _arm_weights(arm, propensity, estimand) * used
    members = [arm == k for k in range(len(labels))]
    population = used & (arm != 0) if estimand == "ATT" else used
    needed = propensity[:, :1] if estimand == "ATT" else propensity
    short = needed.min(axis=1) < threshold
    arms = tuple(
        _arm_overlap(labels[k], propensity[:, k], members[k], weights[members[k]]) for k in range(len(labels))
    )
    beyond, averaged = float(short[population].mean()), int(population.sum())
    if estimand == "ATO":  # its population is the units counted by how likely either arm is
        own = np.take_along_axis(propensity, arm[:, None], axis=1)[:, 0]
        averaged = round(effective_sample_size(weights * own))
    reasons = _reasons(arms, estimand, beyond, averaged, threshold)
    return Overlap(
        estimand, arms, float(threshold), beyond, len(arm), averaged, trimming, not reasons,
        _verdict_words(reasons, estimand, beyond, threshold), propensity, arm,
    )  # fmt: skip


def _checked(
    arm: Int[np.ndarray, " n"], propensity: Float[np.ndarray, "n arms"], names: tuple[str, ...] | None
) -> tuple[str, ...]:
    bad = ~((propensity >= 0) & (propensity <= 1))
    if bad.any():
        row = int(np.flatnonzero(bad.any(axis=1))[0])
        raise DataError(
            "bad-propensity", f"expected probabilities from 0 to 1, got {propensity[row].tolist()}",
            where=f"propensity, row {row}", remedy="Give predict_proba of a classifier, one column per arm.",
        )  # fmt: skip
    labels = names or tuple(str(k) for k in range(propensity.shape[1]))
    empty = [label for k, label in enumerate(labels) if not (arm == k).any()]
    if empty:
        raise DataError(
            "empty-arm", "no unit has this arm, so there is nothing to compare", where=f"arm {empty[0]}",
            remedy="Give units of every arm.",
        )  # fmt: skip
    return labels


def _arm_weights(
    arm: Int[np.ndarray, " n"], propensity: Float[np.ndarray, "n arms"], estimand: str
) -> Float[np.ndarray, " n"]:
    """Weights of the estimand; for the ATT the reference is weighted to all units outside it."""
    if estimand != "ATT" or propensity.shape[1] == 2:
        return balancing_weights(arm, propensity, estimand)
    odds = (1.0 - propensity[:, 0]) / np.maximum(propensity[:, 0], 1e-12)
    return np.where(arm == 0, odds, 1.0)


def _arm_overlap(
    name: str, values: Float[np.ndarray, " n"], member: Bool[np.ndarray, " n"], weights: Any
) -> ArmOverlap:
    levels = (0.0, 0.05, 0.5, 0.95, 1.0)
    inside, outside = (_five(np.quantile(values[m], levels)) for m in (member, ~member))
    total = float(weights.sum())
    largest = float(weights.max()) / total if total > 0 else 1.0
    return ArmOverlap(name, int(member.sum()), inside, outside, effective_sample_size(weights), largest)


def _five(q: Float[np.ndarray, " 5"]) -> tuple[float, float, float, float, float]:
    return float(q[0]), float(q[1]), float(q[2]), float(q[3]), float(q[4])


def _reasons(
    arms: tuple[ArmOverlap, ...], estimand: str, beyond: float, averaged: int, threshold: float
) -> list[str]:
    reasons = []
    if estimand != "ATO" and beyond > MAX_SHARE_BEYOND:
        reasons.append(
            f"{beyond:.1%} of the units averaged over have hardly any counterpart (propensity of an arm "
            f"below {threshold:g})"
        )
    for arm in arms:
        wanted = max(MIN_EFFECTIVE, MIN_EFFECTIVE_SHARE * min(arm.n, averaged))
        if arm.effective < wanted:
            reasons.append(
                f"the {arm.n:,} units of arm {arm.arm} count as {arm.effective:,.1f}, under {wanted:,.0f}"
            )
        if arm.largest_share > MAX_UNIT_SHARE:
            reasons.append(f"one unit carries {arm.largest_share:.0%} of the weight of arm {arm.arm}")
    return reasons


def _verdict_words(reasons: list[str], estimand: str, beyond: float, threshold: float) -> str:
    if reasons:
        return f"Overlap for the {estimand} is not credible: {'; '.join(reasons)}."
    return (
        f"Overlap for the {estimand} is credible: {beyond:.1%} of the units averaged over have a propensity "
        f"of a needed arm below {threshold:g}, and no arm leans on a few units."
    )


def check_overlap(
    estimator: Any, *, threshold: float = 0.02, names: tuple[str, ...] | None = None
) -> Overlap:
    """Overlap of a fitted estimator's arms, with its trimming rule in words.

    Parameters
    ----------
    estimator : fitted estimator with propensities, or PartiallyLinear with a binary treatment
        Only fitted attributes are read. Propensities are means over the repeats. The partially linear
        model weighs by ``p (1 - p)``, so its overlap is judged as for the ATO.
    threshold : float
        Propensities below it count as no overlap (the estimator's own bound is what it clips at).
    names : tuple of str, optional
        Words for the arms, the reference first; their values when left out.

    Raises
    ------
    EstimationError
        ``no-propensity`` for estimators that have none.

    Examples
    --------
    >>> from suppose.effects import Interactive
    >>> rng = np.random.default_rng(0)
    >>> d, x = rng.integers(0, 2, 300).astype(float), rng.normal(size=300)
    >>> check_overlap(Interactive().fit(np.c_[d, x], x + d)).verdict
    'passes'
    """
    propensity, arms = propensity_of(estimator)
    arm = np.argmax(estimator.treatment_[:, None] == arms, axis=1)
    estimand = getattr(estimator, "estimand", "ATO")
    return measure_overlap(
        arm, propensity, estimand=estimand, threshold=threshold, kept=estimator.kept_,
        names=names or tuple(f"{value:g}" for value in arms), trimming=_trimming_words(estimator, estimand),
    )  # fmt: skip


def propensity_of(estimator: Any) -> tuple[Float[np.ndarray, "n arms"], Float[np.ndarray, " arms"]]:
    """Propensities of the arms (means over repeats, inside [0, 1]) and the arms' values."""
    arms = getattr(estimator, "arms_", None)
    nuisances = getattr(estimator, "nuisances_", {})
    if arms is not None and "propensity" in nuisances:
        return nuisances["propensity"].mean(axis=1), np.asarray(arms)
    if arms is not None and len(arms) == 2 and "treatment" in nuisances:
        low, high = arms
        share = np.clip((nuisances["treatment"].mean(axis=1) - low) / (high - low), 0.0, 1.0)
        return np.stack([1.0 - share, share], axis=1), np.asarray(arms)
    raise EstimationError(
        "no-propensity", f"{type(estimator).__name__} has no propensity of discrete arms", where="estimator",
        remedy="Fit Interactive on the same table, with cutoff for a continuous treatment.",
    )  # fmt: skip


def _trimming_words(estimator: Any, estimand: str) -> str:
    """What the estimator did to extreme propensities and who remains."""
    if estimand == "ATO":
        return (
            "No propensity was changed: units that could hardly have had another arm get next to no weight. "
            "The effect is about units that could have gone either way."
        )
    outside, threshold = getattr(estimator, "outside_", None), getattr(estimator, "threshold", 0.01)
    if outside is None or not outside.any():
        return f"No propensity was outside {threshold:g} to {1 - threshold:g}, so none was changed."
    count, n = int(outside.sum()), len(outside)
    if getattr(estimator, "overlap_rule", "clip") == "drop":
        return (
            f"{count:,} of {n:,} units ({count / n:.1%}) with a propensity outside {threshold:g} to "
            f"{1 - threshold:g} were dropped. The effect is about the {n - count:,} who remain, not about everyone."
        )
    return (
        f"Propensities outside {threshold:g} to {1 - threshold:g} ({count:,} of {n:,} units, {count / n:.1%}) "
        "were moved to the bound. Everyone stays in; for these units the answer leans on the outcome model."
    )
