"""How often the intervals of the effect estimators hold the truth.

Run ``python -m benchmarks.coverage_effects`` (about half an hour on two cores): writes
``docs/tables/coverage_effects.csv``. Each row is one estimator on one law of the data, 400 draws, nominal
95%. A row is inside when the share of intervals that hold the truth is within three Monte-Carlo errors,
``3 sqrt(0.95 * 0.05 / draws)``, of 95%; otherwise its note says why. ``bias_over_error`` is the mean error of
the estimates over its own Monte-Carlo error (beyond 3 the bias is real), ``se_ratio`` the mean standard
error over the standard deviation of the estimates.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from suppose.core.errors import OverlapWarning
from suppose.core.parallel import parallel_map
from suppose.datasets import make_clustered, make_confounded, make_dose, make_experiment
from suppose.effects import (
    DifferenceInMeans,
    EffectEstimator,
    GComputation,
    Interactive,
    InverseProbability,
    PartiallyLinear,
)

TABLE = Path(__file__).parent.parent / "docs" / "tables" / "coverage_effects.csv"
DRAWS = 400
LEVEL = 0.95
BATCH = 20


@dataclasses.dataclass(frozen=True)
class Setting:
    """One row: an estimator, the law of the data, which truth it is after, and why it may fail."""

    name: str
    design: str
    estimator: EffectEstimator
    draw: Callable[..., Any]
    law: dict[str, Any]
    truth: str
    reason: str = ""  # said when the row is outside


LINEAR = {"n": 1000, "p": 5, "heterogeneous": True}
CURVED = {"n": 2000, "p": 5, "form": "nonlinear", "heterogeneous": True}
WEAK = {"n": 1000, "p": 5, "heterogeneous": True, "overlap": "weak"}
FEW_COMPARABLE = "one row in five has a propensity beyond 0.02 or 0.98: few rows carry the weight, and clipping leaves a bias"  # noqa: E501


def settings() -> list[Setting]:
    """Every row of the table."""
    rows = []
    for name, estimator, truth in (
        ("PartiallyLinear", PartiallyLinear("d"), "ATO"),
        ("Interactive ATE", Interactive("d"), "ATE"),
        ("Interactive ATT", Interactive("d", estimand="ATT"), "ATT"),
        ("Interactive ATO", Interactive("d", estimand="ATO"), "ATO"),
        ("InverseProbability ATE", InverseProbability("d"), "ATE"),
        ("GComputation ATE", GComputation("d"), "ATE"),
    ):
        rows.append(Setting(name, "linear law, linear learners", estimator, make_confounded, LINEAR, truth))
        rows.append(
            Setting(
                name, "weak overlap, linear learners", estimator, make_confounded, WEAK, truth, FEW_COMPARABLE
            )
        )
    for name, estimator, truth in (
        ("PartiallyLinear", PartiallyLinear("d", outcome_learner="boosting"), "ATO"),
        ("Interactive ATE", Interactive("d", outcome_learner="boosting"), "ATE"),
        ("Interactive ATO", Interactive("d", outcome_learner="boosting", estimand="ATO"), "ATO"),
    ):
        slow = "learners stopped early leave part of the confounding at 2,000 rows"
        rows.append(Setting(name, "curved law, boosting", estimator, make_confounded, CURVED, truth, slow))
    dose = {"n": 2000, "p": 5, "form": "nonlinear"}
    rows += [
        Setting(
            "PartiallyLinear", "curved law, continuous treatment, boosting",
            PartiallyLinear("d", outcome_learner="boosting"), make_dose, dose, "slope",
            "learners stopped early leave part of the confounding at 2,000 rows",
        ),
        Setting("DifferenceInMeans", "experiment", DifferenceInMeans("d"), make_experiment, {"n": 200}, "ATE"),
        Setting("Interactive ATE", "experiment", Interactive("d"), make_experiment, {"n": 500}, "ATE"),
    ]  # fmt: skip
    return rows + clustered_settings()


def clustered_settings() -> list[Setting]:
    """Rows with clusters, many and few."""
    covariates = ["w", "x1", "x2", "x3"]
    rows = []
    for clusters in (100, 40):
        for name, estimator in (
            ("PartiallyLinear", PartiallyLinear("d", covariates=covariates, cluster="cluster")),
            ("Interactive ATE", Interactive("d", covariates=covariates, cluster="cluster")),
        ):
            rows.append(
                Setting(
                    name, f"{clusters} clusters, linear learners", estimator, make_clustered,
                    {"clusters": clusters, "size": 20, "p": 3}, "ATE",
                    "with few clusters the sandwich is too small, which Student's t only partly repairs",
                )
            )  # fmt: skip
    return rows


def draws(setting: Setting, first: int, count: int) -> list[tuple[float, float, bool]]:
    """Error, standard error and whether the interval holds the truth, for some draws."""
    results = []
    for seed in range(first, first + count):
        table = setting.draw(**setting.law, seed=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", OverlapWarning)
            effect = setting.estimator.set_params(level=LEVEL).fit(table.X, table.y).effect_
        truth = table.truth[setting.truth]
        results.append((effect.estimate - truth, effect.standard_error, effect.low <= truth <= effect.high))
    return results


def band(count: int) -> float:
    """Three Monte-Carlo errors of a coverage of 95% over ``count`` draws."""
    return 3 * float(np.sqrt(LEVEL * (1 - LEVEL) / count))


def measure(setting: Setting, count: int = DRAWS, jobs: int = 1) -> dict[str, Any]:
    """One row of the table."""
    batches = [(setting, first, min(BATCH, count - first)) for first in range(0, count, BATCH)]
    results = [result for batch in parallel_map(draws, batches, jobs=jobs) for result in batch]
    error, standard_error, held = (np.array(column) for column in zip(*results, strict=True))
    realised, inside = float(held.mean()), bool(abs(held.mean() - LEVEL) <= band(count))
    return {
        "estimator": setting.name, "design": setting.design, "rows": setting.law.get("n", ""), "draws": count,
        "nominal": LEVEL, "realised": round(realised, 4), "band": round(band(count), 4), "inside": inside,
        "bias_over_error": round(float(error.mean() / (error.std() / np.sqrt(count))), 2),
        "se_ratio": round(float(standard_error.mean() / error.std()), 3),
        "note": "" if inside else setting.reason,
    }  # fmt: skip


def main() -> list[dict[str, Any]]:
    """Measure every row and write the table."""
    import pandas as pd

    rows = []
    for setting in settings():
        rows.append(measure(setting, jobs=2))
        print(rows[-1], flush=True)
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(TABLE, index=False)
    return rows


if __name__ == "__main__":
    main()
