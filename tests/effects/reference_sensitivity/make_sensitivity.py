"""Reference numbers of DoubleML's sensitivity analysis on the stored table, folds and learners.

Run with DoubleML installed: ``python make_sensitivity.py``. Writes ``sensitivity.json``: bounds, their
standard errors and confidence bounds, robustness values and benchmarks. The table, the cases, the folds
and the learners are those of ``../reference/make_doubleml.py``.
"""

from __future__ import annotations

import json
import runpy
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone

HERE = Path(__file__).parent
SHARED = runpy.run_path(str(HERE.parent / "reference" / "make_doubleml.py"))
COVARIATES = SHARED["COVARIATES"]
SCENES = ((0.03, 0.03, 1.0, 0.95, 0.0), (0.1, 0.05, 0.7, 0.90, 0.5), (0.2, 0.3, -1.0, 0.95, 4.0))
BENCHMARKS = (["x0"], ["x1", "x3"], ["x4"])
CASES = (
    "plr", "plr repeats", "plr binary treatment", "plr iv-type", "plr clusters", "irm ate",
    "irm ate repeats", "irm ate binary outcome", "irm att", "irm att repeats", "irm ate clusters",
)  # fmt: skip


def fitted_peer(case: tuple, table: pd.DataFrame):
    """DoubleML's estimator of one case, fitted on the stored folds."""
    import doubleml

    model, score, _, outcome, treatment, _, clustered = case
    cluster = {"cluster_cols": "group"} if clustered else {}
    data = doubleml.DoubleMLData(
        table[[*COVARIATES, outcome, treatment, *cluster.values()]], outcome, treatment, x_cols=COVARIATES,
        **cluster,
    )  # fmt: skip
    first, second = SHARED["learners_of"](case, table)
    if model == "plr":
        extra = {"ml_g": clone(first)} if score == "IV-type" else {}
        peer = doubleml.DoubleMLPLR(data, first, second, score=score, **extra)
    else:
        peer = doubleml.DoubleMLIRM(data, first, second, score=score)
    splits = [
        [(np.flatnonzero(column != fold), np.flatnonzero(column == fold)) for fold in range(5)]
        for column in SHARED["folds_of"](case, table).T
    ]
    group = table["group"].to_numpy()
    clusters = [[([np.unique(group[a])], [np.unique(group[b])]) for a, b in split] for split in splits]
    peer.set_sample_splitting(splits, clusters if clustered else None)
    return peer.fit()


def run_sensitivity(case: tuple, table: pd.DataFrame, benchmarks: bool = True) -> dict:
    """Everything DoubleML's sensitivity analysis says in one case."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = fitted_peer(case, table)
        scenes = []
        for cf_y, cf_d, rho, level, null in SCENES:
            found = peer.sensitivity_analysis(cf_y, cf_d, rho, level, null).sensitivity_params
            flat = {f"{part} {side}": float(found[part][side][0]) for part in ("theta", "se", "ci")
                    for side in ("lower", "upper")}  # fmt: skip
            scenes.append({**flat, "rv": float(found["rv"][0]), "rva": float(found["rva"][0])})
        gains = (
            [peer.sensitivity_benchmark(names).iloc[0].to_dict() for names in BENCHMARKS]
            if benchmarks
            else []
        )
    return {"scenes": scenes, "benchmarks": gains}


def main() -> None:
    """Write the reference numbers."""
    import doubleml
    import sklearn

    table = pd.read_csv(HERE.parent / "reference" / "doubleml_table.csv")
    versions = {
        "doubleml": doubleml.__version__,
        "scikit-learn": sklearn.__version__,
        "numpy": np.__version__,
    }
    numbers = {name: run_sensitivity(SHARED["CASES"][name], table) for name in CASES}
    (HERE / "sensitivity.json").write_text(
        json.dumps({"versions": versions, "cases": numbers}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
