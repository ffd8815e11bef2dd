"""Numbers of DoubleML and linearmodels on one small panel, stored beside this script.

Run with a Python that has doubleml 0.11 and linearmodels: ``python make_reference.py``. Learners are least
squares and one decision tree, folds are given and hold equally many units, so that nothing is left to chance.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

HERE = Path(__file__).parent
FOLDS = 4
COVARIATES = ["x1", "x2", "x3"]
APPROACHES = {"cre_normal": "cre_normal", "cre_general": "cre_general", "fd_exact": "fd_exact",
              "wg_approx": "within"}  # fmt: skip
CASES = {
    f"{approach} {learner} {score}": (approach, learner, score)
    for approach in APPROACHES
    for learner in ("linear", "tree")
    for score in ("partialling out", "IV-type")
    if not (learner == "tree" and approach == "wg_approx")  # demeaned features tie up to rounding
}


def make_table() -> pd.DataFrame:
    """A panel of 60 units and 6 periods."""
    rng = np.random.default_rng(7)
    units, periods = 60, 6
    a = np.repeat(rng.normal(size=units), periods)
    x = 0.5 * a[:, None] + rng.normal(size=(units * periods, 3))
    d = np.tanh(x[:, 0]) + 0.5 * x[:, 1] + a + rng.normal(size=len(a))
    y = 0.5 * d + np.sin(x[:, 0]) + x[:, 1] * x[:, 2] / 2 + a + rng.normal(size=len(a))
    table = pd.DataFrame(
        {"unit": np.repeat(np.arange(units), periods), "time": np.tile(np.arange(periods), units)}
    )
    table["d"], table["y"] = d, y
    table[COVARIATES] = x
    table["fold"] = rng.permutation(np.arange(units) % FOLDS)[table["unit"]]
    start = rng.permutation(np.repeat([2, 3, 4, 99], units // 4))
    table["start"] = start[table["unit"]]
    table["on"] = (table["time"] >= table["start"]).astype(int)
    return table.round(6)


def learner(name: str) -> Any:
    """Least squares, or a tree of depth 3."""
    return LinearRegression() if name == "linear" else DecisionTreeRegressor(max_depth=3, random_state=0)


def run_doubleml(case: tuple[str, str, str], table: pd.DataFrame) -> dict[str, float]:
    """Coefficient and standard error of DoubleMLPLPR."""
    import doubleml

    approach, name, score = case
    data = doubleml.DoubleMLPanelData(
        table, y_col="y", d_cols="d", t_col="time", id_col="unit", x_cols=COVARIATES, static_panel=True
    )
    extra = {"ml_g": learner(name)} if score == "IV-type" else {}
    model = doubleml.DoubleMLPLPR(
        data, learner(name), learner(name), score=score, approach=approach, draw_sample_splitting=False,
        n_folds=FOLDS, **extra,
    )  # fmt: skip
    rows = model.data_transform.data
    fold = table.drop_duplicates("unit").set_index("unit")["fold"].loc[rows["unit"]].to_numpy()
    units = table.drop_duplicates("unit")
    model.set_sample_splitting(
        [[(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(FOLDS)]],
        [[([units["unit"][units["fold"] != k].to_numpy()], [units["unit"][units["fold"] == k].to_numpy()])
          for k in range(FOLDS)]],
    )  # fmt: skip
    model.fit()
    return {"coef": float(model.coef[0]), "se": float(model.se[0])}


def run_linearmodels(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Fixed effects, first differences and pooled least squares, clustered by unit."""
    from linearmodels.panel import FirstDifferenceOLS, PanelOLS, PooledOLS

    data = table.set_index(["unit", "time"])
    right = data[["d", *COVARIATES]]
    fits = {
        "pooled": PooledOLS(data["y"], right.assign(one=1.0)),
        "fe": PanelOLS(data["y"], right, entity_effects=True),
        "fd": FirstDifferenceOLS(data["y"], right),
    }
    found = {}
    for name, fit in fits.items():
        result = fit.fit(cov_type="clustered", cluster_entity=True, debiased=True)
        found[name] = {"coef": float(result.params["d"]), "se": float(result.std_errors["d"])}
    return found


CELLS = [(2, 1, 2), (2, 1, 4), (3, 2, 3), (3, 2, 5), (3, 0, 1), (4, 3, 5)]  # start, base, period


def run_staggered(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Group-time effects of DoubleMLDIDBinary on the same folds and learners."""
    import doubleml
    from doubleml.did import DoubleMLDIDBinary

    frame = table.assign(start=table["start"].replace(99, np.inf))
    data = doubleml.DoubleMLPanelData(
        frame, y_col="y", d_cols="start", t_col="time", id_col="unit", x_cols=COVARIATES
    )
    units = table.drop_duplicates("unit")
    found = {}
    for control in ("never_treated", "not_yet_treated"):
        for start, base, time in CELLS:
            model = DoubleMLDIDBinary(
                data, start, base, time, LinearRegression(), propensity_learner(), control_group=control,
                n_folds=FOLDS, draw_sample_splitting=False,
            )  # fmt: skip
            late = 99 if control == "never_treated" else time + 1
            inside = units[(units["start"] == start) | (units["start"] >= late)]
            fold = inside["fold"].to_numpy()
            model.set_sample_splitting(
                [[(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(FOLDS)]]
            )
            model.fit()
            found[f"{control} {start} {time}"] = {"coef": float(model.coef[0]), "se": float(model.se[0])}
    return found


def propensity_learner() -> Any:
    """Logistic regression, solved to the last digits."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(tol=1e-12, max_iter=10_000)


def main() -> None:
    """Write the table and the numbers."""
    warnings.simplefilter("ignore")
    table = make_table()
    table.to_csv(HERE / "panel_table.csv", index=False)
    table = pd.read_csv(HERE / "panel_table.csv")
    import doubleml
    import linearmodels

    content = {
        "doubleml": {"version": doubleml.__version__,
                     "cases": {name: run_doubleml(case, table) for name, case in CASES.items()}},
        "linearmodels": {"version": linearmodels.__version__, "cases": run_linearmodels(table)},
        "staggered": run_staggered(table),
    }  # fmt: skip
    (HERE / "panel.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
