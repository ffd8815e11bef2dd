"""Reference numbers from DoubleML on a stored table with stored folds.

Run with DoubleML installed, from this folder: ``python make_doubleml.py``. Writes ``doubleml.json``
(coefficients and standard errors, also by repeat) and, if it is missing, ``doubleml_table.csv``.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

HERE = Path(__file__).parent
COVARIATES = ["x0", "x1", "x2", "x3", "x4"]
REPEATS = 3

LOGISTIC = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-12)
LEARNERS = {
    "linear": (LinearRegression(), LOGISTIC),
    "ridge": (Ridge(3.0), LOGISTIC),
    "tree": (
        DecisionTreeRegressor(max_depth=3, random_state=1),
        DecisionTreeClassifier(max_depth=2, min_samples_leaf=20, random_state=1),
    ),
    "forest": (
        RandomForestRegressor(20, min_samples_leaf=5, random_state=2),
        RandomForestClassifier(20, min_samples_leaf=5, random_state=2),
    ),
}

# name: model, score, learners, outcome column, treatment column, repeats, clustered
CASES = {
    "plr": ("plr", "partialling out", "linear", "y", "dose", 1, False),
    "plr ridge": ("plr", "partialling out", "ridge", "y", "dose", 1, False),
    "plr repeats": ("plr", "partialling out", "tree", "y", "dose", REPEATS, False),
    "plr binary treatment": ("plr", "partialling out", "linear", "y", "d", 1, False),
    "plr iv-type": ("plr", "IV-type", "ridge", "y", "dose", 1, False),
    "plr iv-type repeats": ("plr", "IV-type", "tree", "y", "dose", REPEATS, False),
    "plr clusters": ("plr", "partialling out", "linear", "y", "dose", 1, True),
    "plr clusters repeats": ("plr", "partialling out", "tree", "y", "dose", REPEATS, True),
    "irm ate": ("irm", "ATE", "linear", "y", "d", 1, False),
    "irm ate repeats": ("irm", "ATE", "tree", "y", "d", REPEATS, False),
    "irm ate binary outcome": ("irm", "ATE", "classifiers", "event", "d", 1, False),
    "irm att": ("irm", "ATTE", "linear", "y", "d", 1, False),
    "irm att repeats": ("irm", "ATTE", "tree", "y", "d", REPEATS, False),
    "irm ate clusters": ("irm", "ATE", "linear", "y", "d", 1, True),
    "irm att clusters repeats": ("irm", "ATTE", "tree", "y", "d", REPEATS, True),
    "irm ate clipped": ("irm", "ATE", "linear", "y", "rare", 1, False),
    "irm att clipped": ("irm", "ATTE", "linear", "y", "rare", 1, False),
}
# Bits of a forest may move between versions of scikit-learn: compared live only, never stored.
LIVE_CASES = {
    "plr forest": ("plr", "partialling out", "forest", "y", "dose", REPEATS, False),
    "irm forest": ("irm", "ATE", "forest", "y", "d", REPEATS, False),
    "irm att forest clusters": ("irm", "ATTE", "forest", "y", "d", REPEATS, True),
}


def learners_of(case: tuple, table: pd.DataFrame) -> tuple:
    """Learner of the outcome and learner of the treatment for one case."""
    model, _, name, _, treatment, _, _ = case
    if name == "classifiers":
        return clone(LOGISTIC), clone(LOGISTIC)
    numbers, classes = LEARNERS[name]
    binary = table[treatment].nunique() == 2
    return clone(numbers), clone(classes if model == "irm" or binary else numbers)


def folds_of(case: tuple, table: pd.DataFrame) -> np.ndarray:
    """(n, repeats) folds of one case."""
    kind = "cluster_fold" if case[6] else "fold"
    return table[[f"{kind}{repeat}" for repeat in range(case[5])]].to_numpy()


def make_table() -> pd.DataFrame:
    """A table with confounding, a rare treatment, and clusters whose number the folds do not divide."""
    rng = np.random.default_rng(20240)
    n, groups = 420, 41
    x = rng.normal(size=(n, len(COVARIATES)))
    table = pd.DataFrame(x, columns=COVARIATES).round(6)
    group = rng.integers(0, groups, n)
    shared = rng.normal(size=groups)[group]
    table["d"] = (rng.random(n) < 1 / (1 + np.exp(-0.7 * x[:, 0] + 0.4 * x[:, 1]))).astype(int)
    table["rare"] = (rng.random(n) < 1 / (1 + np.exp(2.5 - 2.5 * x[:, 0]))).astype(int)
    table["dose"] = (0.6 * x[:, 0] + 0.5 * np.sin(x[:, 2]) + shared / 2 + rng.normal(size=n)).round(6)
    level = x[:, 0] + x[:, 1] ** 2 / 2 + 0.5 * x[:, 3] + shared + rng.normal(size=n)
    table["y"] = (level + 1.5 * table["d"] + 0.8 * table["dose"] * (1 + x[:, 4] / 3)).round(6)
    table["event"] = (table["y"] > table["y"].median()).astype(int)
    table["group"] = group
    for repeat in range(REPEATS):
        table[f"fold{repeat}"] = rng.permutation(np.arange(n) % 5)
        table[f"cluster_fold{repeat}"] = rng.permutation(np.arange(groups) % 5)[group]
    return table


def run_doubleml(case: tuple, table: pd.DataFrame) -> dict:
    """Coefficient and standard error of DoubleML, over repeats and for each."""
    import doubleml

    model, score, _, outcome, treatment, _, clustered = case
    cluster = {"cluster_cols": "group"} if clustered else {}
    columns = [*COVARIATES, outcome, treatment, *cluster.values()]
    data = doubleml.DoubleMLData(table[columns], outcome, treatment, x_cols=COVARIATES, **cluster)
    first, second = learners_of(case, table)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if model == "plr":
            extra = {"ml_g": clone(first)} if score == "IV-type" else {}
            peer = doubleml.DoubleMLPLR(data, first, second, score=score, **extra)
        else:
            peer = doubleml.DoubleMLIRM(data, first, second, score=score)
        folds = folds_of(case, table)
        splits = [
            [(np.flatnonzero(column != fold), np.flatnonzero(column == fold)) for fold in range(5)]
            for column in folds.T
        ]
        group = table["group"].to_numpy()
        clusters = [[([np.unique(group[a])], [np.unique(group[b])]) for a, b in split] for split in splits]
        peer.set_sample_splitting(splits, clusters if clustered else None)
        peer.fit()
    return {
        "coef": float(peer.coef[0]), "se": float(peer.se[0]), "all_coef": peer.all_coef[0].tolist(),
        "all_se": peer.all_se[0].tolist(),
    }  # fmt: skip


def main() -> None:
    """Write the table (once) and the reference numbers."""
    import doubleml
    import sklearn

    path = HERE / "doubleml_table.csv"
    if not path.exists():
        make_table().to_csv(path, index=False)
    table = pd.read_csv(path)
    versions = {
        "doubleml": doubleml.__version__,
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
    }
    numbers = {name: run_doubleml(case, table) for name, case in CASES.items()}
    (HERE / "doubleml.json").write_text(json.dumps({"versions": versions, "cases": numbers}, indent=1) + "\n")


if __name__ == "__main__":
    main()
