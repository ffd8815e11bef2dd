"""All ways of dealing with a unit's level, side by side: one table, one figure.

Estimates that agree across transforms resting on different assumptions are worth more than any one of them;
where they part, the column ``icc`` says in which of them units' levels are still in the treatment residual.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from sklearn.base import clone

from suppose.core.errors import EstimationError, Refusal
from suppose.core.figures import forest
from suppose.core.progress import track
from suppose.effects.inference import EffectEstimate
from suppose.effects.panel.dml import PanelDML
from suppose.effects.panel.linear import LINEAR, LinearPanel, MundlakTest, mundlak_test

__all__ = ["DEFAULT_TRANSFORMS", "ICC_FLAG", "Comparison", "ComparisonRow", "compare_transforms", "icc_flag"]

DEFAULT_TRANSFORMS = ("pooled", "cre_means", "within", "within_both", "fd", "fd_exact", "cre", "cre_general")
ICC_FLAG = 0.02


def icc_flag(share: float, p_value: float) -> bool:
    """Whether units' levels are still in the treatment residual: over a fiftieth, and not by chance."""
    return share > ICC_FLAG and p_value < 0.01


@dataclasses.dataclass(frozen=True)
class ComparisonRow:
    """One way, its effect, and how well outcome and treatment were predicted (out of fold)."""

    name: str
    effect: EffectEstimate
    outcome_r2: float | None = None
    treatment_r2: float | None = None
    icc: float | None = None
    flagged: bool = False


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Ways side by side, machine-learned ones first; what was refused, with the reason; Mundlak's test."""

    rows: tuple[ComparisonRow, ...]
    refused: tuple[tuple[str, str], ...] = ()
    mundlak: MundlakTest | None = None

    def row(self, name: str) -> ComparisonRow:
        """The row of a name.

        Raises
        ------
        EstimationError
            ``unknown-row``.
        """
        for row in self.rows:
            if row.name == name:
                return row
        raise EstimationError(
            "unknown-row", f"there is no such row; there are: {', '.join(row.name for row in self.rows)}",
            where=f"row {name!r}",
        )  # fmt: skip

    def to_frame(self) -> Any:
        """One row for each way, as a pandas frame."""
        import pandas as pd

        return pd.DataFrame(
            {
                "transform": row.name,
                "estimate": row.effect.estimate,
                "standard error": row.effect.standard_error,
                "low": row.effect.low,
                "high": row.effect.high,
                "R2 outcome": row.outcome_r2,
                "R2 treatment": row.treatment_r2,
                "icc": row.icc,
                "rows": row.effect.n,
            }
            for row in self.rows
        )

    def plot(self, ax: Any = None, *, unit: str = "", emphasis: str = "cre") -> Any:
        """Estimates with their intervals, one line each; takes and returns matplotlib Axes."""
        names = [row.name for row in self.rows]
        shown = [(row.name, row.effect.estimate, row.effect.low, row.effect.high) for row in self.rows]
        return forest(shown, unit=unit, emphasis=names.index(emphasis) if emphasis in names else 0, ax=ax)

    def __str__(self) -> str:
        head = f"{'transform':<14}{'estimate':>10}{'std. error':>12}{'interval':>22}{'ICC':>8}"
        lines = [head]
        for row in self.rows:
            effect = row.effect
            interval = f"{effect.low:.4g} to {effect.high:.4g}"
            icc = "" if row.icc is None else f"{row.icc:.2f}{' !' if row.flagged else ''}"
            lines.append(
                f"{row.name:<14}{effect.estimate:>10.4g}{effect.standard_error:>12.3g}{interval:>22}{icc:>8}"
            )
        lines += [f"{name}: refused. {why}" for name, why in self.refused]
        if any(row.flagged for row in self.rows):
            lines.append("! the levels of units are still in the treatment residual")
        return "\n".join([*lines, *([str(self.mundlak)] if self.mundlak else [])])


def compare_transforms(
    model: PanelDML,
    X: Any,
    y: Any,
    transforms: Sequence[str] = DEFAULT_TRANSFORMS,
    *,
    linear: bool = True,
    mundlak: bool = True,
) -> Comparison:
    """Fit a model under every transform, and the linear estimators beside it.

    Parameters
    ----------
    model : PanelDML
        Settings shared by all; its own approach does not matter.
    X, y : frame and series
        As for :meth:`PanelDML.fit`.
    transforms : sequence of str
        Those a panel cannot be put through are listed in ``refused``. ``dummies`` is split by rows.
    linear, mundlak : bool
        Whether linear estimators, and Mundlak's test, are added.

    Returns
    -------
    Comparison

    Raises
    ------
    Refusal
        When no transform can be used, that of the first.

    Examples
    --------
    >>> from suppose.datasets import make_panel
    >>> table = make_panel(units=60, periods=5, rho=0, form="linear", seed=1)
    >>> model = PanelDML("d", "unit", "time", outcome_learner="linear", repeats=1)
    >>> found = compare_transforms(model, table.X, table.y, ("pooled", "cre"))
    >>> [row.name for row in found.rows]
    ['pooled', 'cre', 'linear pooled', 'linear fe', 'linear fd', 'linear cre']
    >>> found.row("pooled").flagged, found.row("cre").flagged
    (True, False)
    """
    rows: list[ComparisonRow] = []
    refused: list[tuple[str, str]] = []
    first: Refusal | None = None
    for transform in track(list(transforms), "transforms"):
        settings = {"approach": transform, **({"fold_by": "rows"} if transform == "dummies" else {})}
        try:
            rows.append(_learned(clone(model).set_params(**settings).fit(X, y)))
        except Refusal as refusal:
            first = first or refusal
            refused.append((transform, refusal.message))
    if not rows and first is not None:
        raise first
    roles = {name: getattr(model, name) for name in ("treatment", "unit", "time", "covariates", "singletons")}
    for method in LINEAR if linear else ():
        try:
            fitted = LinearPanel(
                **roles, method=method, period_effects=bool(model.period), level=model.level
            ).fit(X, y)
            rows.append(ComparisonRow(f"linear {method}", fitted.effect_))
        except Refusal as refusal:
            refused.append((f"linear {method}", refusal.message))
    test = None
    if mundlak and model.unit is not None:
        try:
            test = mundlak_test(X, y, **roles)
        except Refusal as refusal:
            refused.append(("Mundlak test", refusal.message))
    return Comparison(tuple(rows), tuple(refused), test)


def _learned(model: PanelDML) -> ComparisonRow:
    r2 = model.nuisance_r2_
    share, p = model.residual_icc_, model.residual_icc_p_
    return ComparisonRow(
        str(model.approach), model.effect_, r2["outcome"], r2["treatment"], share, icc_flag(share, p)
    )
