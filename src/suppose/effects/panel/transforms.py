"""How the unobserved level of a unit is dealt with: what is predicted from what.

Model: ``Y_it = theta D_it + g(X_it, a_i) + U_it``, ``D_it = m(X_it, a_i) + V_it`` with ``a_i`` never seen
(Fuhr and Papies, Double Machine Learning meets Panel Data, arXiv 2409.01266). ``Xbar_i`` and ``Dbar_i``
are means over the periods of a unit.

=============== ================== =========================== ================================
name            targets            outcome from                treatment from
=============== ================== =========================== ================================
``pooled``      levels             X                           X
``dummies``     levels             X, one column per unit      X, one column per unit
``within``      less unit means    X less unit means           X less unit means
``within_both`` less unit means    X, Xbar                     X, Xbar
``fd``          differences        X_t - X_t-1                 X_t - X_t-1
``fd_exact``    differences        X_t, X_t-1                  X_t, X_t-1
``cre_means``   levels             X, Xbar                     X, Xbar
``cre``         levels             X, Xbar, Dbar               X, Xbar, Dbar
``cre_normal``  levels             X, Xbar                     X, Xbar, Dbar
``cre_general`` levels             X, Xbar                     X, Xbar, then shifted to Dbar
=============== ================== =========================== ================================

``cre_normal``, ``cre_general`` and ``fd_exact`` are those of Clarke and Polselli (Double machine learning
for static panel models with fixed effects, Econometrics Journal 2025), ``within`` is their ``wg_approx``;
the names are those of DoubleML. ``pooled`` ignores ``a_i``; ``within`` and ``fd`` are right for linear
``g`` only; ``cre_means`` leaves in the treatment what of ``a_i`` the covariates do not show.

Covariates that never change within a unit enter as they are wherever levels are used and in ``fd_exact``
and ``within_both``. The period, when asked for, enters as its number. Differences are taken between
neighbouring periods only: a gap is not bridged.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from suppose.core.errors import DataError, EstimationError
from suppose.core.tables import available_memory
from suppose.effects.panel.material import Panel, unit_means

__all__ = ["LEVELS", "TRANSFORMS", "Transformed", "levels", "transform_panel"]

TRANSFORMS = (
    "pooled", "dummies", "within", "within_both", "fd", "fd_exact", "cre_means", "cre", "cre_normal",
    "cre_general",
)  # fmt: skip
LEVELS = ("pooled", "dummies", "cre_means", "cre", "cre_normal", "cre_general")
WITHOUT_UNITS = ("pooled",)


@dataclasses.dataclass(frozen=True)
class Transformed:
    """Targets and features of one transform on m rows.

    ``y``, ``d`` are the targets, ``outcome_features`` and ``treatment_features`` what they are predicted
    from (the same array where they are the same), ``panel`` the rows they stand for. ``center`` (m,) holds
    the unit means that predictions of the treatment are shifted to, or is None.
    """

    panel: Panel
    y: np.ndarray
    d: np.ndarray
    outcome_features: np.ndarray
    treatment_features: np.ndarray
    center: np.ndarray | None = None


def transform_panel(
    panel: Panel,
    transform: str,
    *,
    treatment_mean: bool = True,
    period: bool = False,
    singletons: str = "refuse",
) -> Transformed:
    """Targets and features of a transform.

    Parameters
    ----------
    panel : Panel
    transform : str
        One of :data:`TRANSFORMS`.
    treatment_mean : bool
        For ``cre``: the mean treatment also predicts the outcome; without it ``cre`` is ``cre_normal``.
    period : bool
        The number of the period is a feature as well.
    singletons : {"refuse", "drop"}
        What happens to units seen once, of which nothing can be learned within units.

    Raises
    ------
    DataError
        ``single-period-unit``, ``no-within-variation``, ``no-neighbouring-periods``.
    EstimationError
        ``panel-too-large``.

    Examples
    --------
    >>> from suppose.effects.panel.material import read_panel
    >>> table = np.array([[0, 1, 1, 3.0], [1, 1, 2, 5], [0, 2, 1, 4], [0, 2, 2, 8]])
    >>> panel = read_panel(table, np.array([1.0, 4, 2, 2]), treatment=0, unit=1, time=2)
    >>> found = transform_panel(panel, "fd_exact")
    >>> found.y, found.d, found.outcome_features.tolist()
    (array([3., 0.]), array([1., 0.]), [[5.0, 3.0], [8.0, 4.0]])
    """
    if transform not in WITHOUT_UNITS:
        panel = _with_several_periods(panel, transform, singletons)
        _refuse_still_treatment(panel, transform)
    _refuse_too_large(panel, transform)
    if transform in ("fd", "fd_exact"):
        return _differences(panel, transform, period)
    times = [panel.times[:, None].astype(np.float64)] if period else []
    if transform in ("within", "within_both"):
        y, d = panel.y - unit_means(panel.y, panel.units), panel.d - unit_means(panel.d, panel.units)
        means = unit_means(panel.x, panel.units)
        blocks = [panel.x - means] if transform == "within" else [panel.x, means, panel.z]
        features = np.column_stack([*blocks, *times])
        return Transformed(panel, y, d, features, features)
    return levels(panel, transform, treatment_mean=treatment_mean, period=period)


def levels(panel: Panel, transform: str, *, treatment_mean: bool, period: bool) -> Transformed:
    """Targets and features of a transform in levels, one of :data:`LEVELS`; nothing is refused."""
    times = [panel.times[:, None].astype(np.float64)] if period else []
    blocks = [panel.x, panel.z, *times]
    if transform == "dummies":
        blocks.append((panel.units[:, None] == np.arange(panel.unit_count)).astype(np.float64))
    if transform.startswith("cre"):
        blocks.append(unit_means(panel.x, panel.units))
    features = np.column_stack(blocks)
    if transform in ("pooled", "dummies", "cre_means"):
        return Transformed(panel, panel.y, panel.d, features, features)
    dose = unit_means(panel.d, panel.units)
    if transform == "cre_general":
        return Transformed(panel, panel.y, panel.d, features, features, center=dose)
    both = np.column_stack([features, dose])
    share = transform == "cre" and treatment_mean
    return Transformed(panel, panel.y, panel.d, both if share else features, both)


def _differences(panel: Panel, transform: str, period: bool) -> Transformed:
    later = np.flatnonzero(panel.follows())
    if len(later) == 0:
        raise DataError(
            "no-neighbouring-periods", "no unit is seen in two neighbouring periods, so there is no "
            "difference to take", where=f"approach {transform!r}",
            remedy="Use 'cre' or 'within', or number the periods so that neighbours follow each other.",
        )  # fmt: skip
    before = later - 1
    now, then = panel.x[later], panel.x[before]
    blocks = [now - then] if transform == "fd" else [now, then, panel.z[later]]
    if period:
        blocks.append(panel.times[later, None].astype(np.float64))
    features = np.column_stack(blocks)
    chosen = np.zeros(panel.n, dtype=bool)
    chosen[later] = True
    y, d = panel.y[later] - panel.y[before], panel.d[later] - panel.d[before]
    if not np.any(d):
        raise _no_variation(transform)
    return Transformed(panel.keep(chosen), y, d, features, features)


def _with_several_periods(panel: Panel, transform: str, singletons: str) -> Panel:
    counts = np.bincount(panel.units)
    single = np.flatnonzero(counts == 1)
    if len(single) == 0:
        return panel
    if len(single) == len(counts):
        raise DataError(
            "single-period-unit", f"every unit is seen once, and {transform!r} compares a unit with itself",
            where="unit", remedy="Name the unit column, or use approach='pooled'.",
        )  # fmt: skip
    if singletons != "drop":
        shown = ", ".join(str(panel.unit_labels[code]) for code in single[:5])
        shown += ", ..." if len(single) > 5 else ""
        raise DataError(
            "single-period-unit", f"{len(single):,} of {len(counts):,} units are seen in one period only: "
            f"{shown}; {transform!r} compares a unit with itself", where="unit",
            remedy="Write singletons='drop' to leave them out, or use approach='pooled'.",
        )  # fmt: skip
    return panel.keep(counts[panel.units] > 1)


def _refuse_still_treatment(panel: Panel, transform: str) -> None:
    if not np.any(np.diff(panel.d)[np.diff(panel.units) == 0]):
        raise _no_variation(transform)


def _no_variation(transform: str) -> DataError:
    return DataError(
        "no-within-variation", "the treatment never varies within a unit; its effect is not identified under "
        f"{transform!r}", where="treatment",
        remedy="Use approach='pooled', which compares units with each other, if they can be compared.",
    )  # fmt: skip


def _refuse_too_large(panel: Panel, transform: str) -> None:
    """Refuse before building: features once, and once more for the rows a learner is trained on."""
    width = 3 * panel.x.shape[1] + panel.z.shape[1] + 4
    width += panel.unit_count if transform == "dummies" else 0
    need, have = 2.0 * 8.0 * panel.n * width, available_memory()
    if have is not None and need > 0.8 * have:
        remedy = "Use 'cre', which needs no column per unit." if transform == "dummies" else "Use fewer rows."
        raise EstimationError(
            "panel-too-large", f"its features need about {need / 1e9:.1f} GB, {have / 1e9:.1f} GB are free",
            where=f"approach {transform!r}", remedy=remedy,
        )  # fmt: skip
