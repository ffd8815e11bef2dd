"""What the survival page claims of the flexible family, measured on simulated tables.

Run ``python -m benchmarks.survival_claims`` (a few minutes): writes ``docs/tables/survival_claims.csv``. Bias and
coverage of every coefficient with the covariate on phi and gamma (200 tables of 1,000 rows, 30% censored), on other
pairs of parameters, and with a cured share; coverage of average effects; how often both scales free are called weakly
identified on Weibull and on Burr tables; how often the check of fit warns when the model is right.

A share of coverage over R tables is inside when it is within ``3 sqrt(0.95 * 0.05 / R)`` of 0.95.
"""

from __future__ import annotations

import csv
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from suppose.core.errors import SupposeWarning
from suppose.core.parallel import parallel_map
from suppose.datasets import make_survival
from suppose.effects import FlexibleSurvival

TABLE = Path(__file__).parent.parent / "docs" / "tables" / "survival_claims.csv"
DRAWS = 200
Row = dict[str, Any]

#: Law of the table, scale, and formulas of the fit.
SETTINGS: dict[str, tuple[dict[str, Any], str, dict[str, str]]] = {
    "x on phi and gamma": (
        {"phi": (0.0, 0.5), "gamma": (0.5, 0.3), "kappa": 0.5}, "aft", {"phi": "x", "gamma": "x"},
    ),
    "x on lambda and gamma": (
        {"lambda_": (0.0, 0.5), "gamma": (0.5, 0.3), "kappa": 1.0}, "ph", {"lambda": "x", "gamma": "x"},
    ),
    "x on lambda": ({"lambda_": (0.3, -0.5), "gamma": (0.0,), "kappa": 2.0}, "ph", {"lambda": "x"}),
    "cured share": ({"lambda_": (0.5, -0.5), "gamma": (0.4,), "kappa": -0.5}, "ph", {"lambda": "x"}),
}  # fmt: skip


def one_fit(name: str, n: int, rate: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Error of each coefficient, whether its interval holds the truth, and the same for the average effects."""
    law, scale, formulas = SETTINGS[name]
    world = make_survival(n, censor_rate=rate, seed=seed, **law)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SupposeWarning)
        model = FlexibleSurvival("event", scale=scale, formulas=formulas).fit(world.X, world.y)
    frame = model.to_frame()
    truth = np.array([true_value(world, coefficient) for coefficient in frame["name"]])
    held = (frame["low"] <= truth) & (truth <= frame["high"])
    return (frame["estimate"] - truth).to_numpy(), held.to_numpy(), np.array(effects_held(model, world, law))


def true_value(world: Any, coefficient: str) -> float:
    """The coefficient the table was drawn with."""
    return float(
        np.log1p(world.truth["kappa"]) if coefficient == "kappa: intercept" else world.truth[coefficient]
    )


def effects_held(model: Any, world: Any, law: dict[str, Any]) -> list[bool]:
    """Whether the intervals of survival and mean time at 1, and of the median or the cured share, hold the truth."""
    held = []
    for measure in ("survival", "rmst", "cure" if law["kappa"] < 0 else "median"):
        try:
            (effect,) = model.effect(world.X, "x", times=1.0, measure=measure)
        except ValueError:
            held.append(False)
            continue
        truth = true_effect(law, measure)
        held.append(bool(effect.low <= truth <= effect.high))
    return held


def true_effect(law: dict[str, Any], measure: str) -> float:
    """Effect of x under the law itself, by quadrature or closed form."""
    from suppose.effects.survival import APGW

    values = []
    for x in (1.0, 0.0):
        logs = {
            name: law.get(name, (0.0,))[0] + x * (law[name][1] if len(law.get(name, (0.0,))) > 1 else 0.0)
            for name in ("lambda_", "phi", "gamma")
        }
        shapes = {name: float(np.exp(value)) for name, value in logs.items()}
        one = APGW(shapes["gamma"], law["kappa"], lambda_=shapes["lambda_"], phi=shapes["phi"])
        grid = (np.arange(200_000) + 0.5) / 200_000
        values.append(
            {
                "survival": lambda one=one: float(one.sf(1.0)),
                "rmst": lambda one=one, grid=grid: float(one.sf(grid).mean()),
                "median": lambda one=one: float(one.quantile(0.5)),
                "cure": lambda one=one: one.cure_fraction,
            }[measure]()
        )
    return values[0] - values[1]


def coverage(name: str, *, draws: int = DRAWS, n: int = 1000, rate: float = 0.3, jobs: int = 1) -> list[Row]:
    """Bias and coverage of each coefficient, and coverage of the effects, over simulated tables."""
    start = time.perf_counter()
    found = parallel_map(one_fit, [(name, n, rate, seed) for seed in range(draws)], jobs=jobs, label=name)
    seconds = time.perf_counter() - start
    errors, held, effects = (np.stack([item[k] for item in found]) for k in range(3))
    law, scale, formulas = SETTINGS[name]
    labels = coefficient_names(scale, formulas)
    bound = 3 * np.sqrt(0.95 * 0.05 / draws)
    rows = [
        {
            "setting": name, "quantity": label, "bias": float(errors[:, k].mean()),
            "bias_error": float(errors[:, k].std(ddof=1) / np.sqrt(draws)), "coverage": float(held[:, k].mean()),
            "inside": bool(abs(held[:, k].mean() - 0.95) <= bound), "draws": draws, "seconds": seconds,
        }
        for k, label in enumerate(labels)
    ]  # fmt: skip
    last = "cure" if law["kappa"] < 0 else "median"
    rows += [
        {
            "setting": name, "quantity": f"effect: {label}", "coverage": float(effects[:, k].mean()),
            "inside": bool(abs(effects[:, k].mean() - 0.95) <= bound), "draws": draws, "seconds": seconds,
        }
        for k, label in enumerate(("survival", "rmst", last))
    ]  # fmt: skip
    return rows


def coefficient_names(scale: str, formulas: dict[str, str]) -> list[str]:
    """Names of the coefficients of a fit with these formulas."""
    free = [
        name for name in ("lambda", "phi", "gamma", "kappa") if name != {"ph": "phi", "aft": "lambda"}[scale]
    ]
    return [
        f"{name}: {column}"
        for name in free
        for column in (("intercept", "x") if formulas.get(name) == "x" else ("intercept",))
    ]


def is_called_weak(kappa: float, seed: int, n: int = 1000) -> bool:
    """Whether a fit with both scales free is called weakly identified."""
    world = make_survival(n, lambda_=(0.0, 0.5), gamma=(0.4,), kappa=kappa, censor_rate=0.0, seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SupposeWarning)
        return bool(FlexibleSurvival("event", scale="both").fit(world.X, world.y).weakly_identified_)


def identification(draws: int = 50, jobs: int = 1) -> list[Row]:
    """Share of tables on which the warning is given."""
    rows = []
    for name, kappa in (("Weibull", 1.0), ("Burr", 0.0)):
        called = parallel_map(is_called_weak, [(kappa, seed) for seed in range(draws)], jobs=jobs, label=name)
        rows.append(
            {"setting": "both scales free", "quantity": f"warned on {name} tables", "coverage": float(np.mean(called)),
             "draws": draws}
        )  # fmt: skip
    return rows


def fit_check_warns(seed: int, n: int) -> bool:
    """Whether the study's check of fit warns on a table its model is right for."""
    from suppose.studies.survival import Survival

    world = make_survival(n, lambda_=(0.0, 0.5), gamma=(0.4,), kappa=1.0, seed=seed)
    study = Survival.from_frame(
        world.frame, duration="time", event="event", treatment="x", randomised=True, checks={"shuffles": 0},
        method={"scale": "ph", "compare": False},
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SupposeWarning)
        return study.run().check("fit").verdict != "passes"


def fit_check(draws: int = 100, jobs: int = 1) -> list[Row]:
    """Share of right models that the check of fit warns of."""
    rows = []
    for n in (200, 1000):
        warned = parallel_map(
            fit_check_warns, [(seed, n) for seed in range(draws)], jobs=jobs, label="fit check"
        )
        rows.append(
            {"setting": "check of fit", "quantity": f"warned of a right model, {n:,} rows",
             "coverage": float(np.mean(warned)), "draws": draws}
        )  # fmt: skip
    return rows


def main(jobs: int = 1) -> list[Row]:
    """Measure everything and write the table."""
    rows: list[Row] = []
    for part in (*(lambda name=name: coverage(name, jobs=jobs) for name in SETTINGS),
                 lambda: identification(jobs=jobs), lambda: fit_check(jobs=jobs)):  # fmt: skip
        rows += part()
        write(rows)
    return rows


def write(rows: list[Row]) -> None:
    """The table of the site, as far as it is measured."""
    columns = ("setting", "quantity", "bias", "bias_error", "coverage", "inside", "draws")
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    with TABLE.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([cell(row.get(column)) for column in columns] for row in rows)


def cell(value: Any) -> str:
    """A figure with three digits, text as it is, nothing for what was not measured."""
    return "" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    for line in main():
        print(line)
