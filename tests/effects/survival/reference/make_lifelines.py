"""Reference numbers from lifelines on the rearrest data.

Run with lifelines installed, from this folder: ``python make_lifelines.py``. Writes ``lifelines.json``. ``compute`` is
also what the tests of the ``peer`` tier call, so that stored and live numbers come from the same lines.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent


def tables(rossi: Any) -> dict[str, Any]:
    """The data as they are; without ties; with groups of four, entries and weights."""
    n = len(rossi)
    place = np.arange(n)
    untied = rossi.assign(week=rossi["week"] + place / (10 * n))
    entry = np.minimum(place % 5, rossi["week"] - 1).astype(float)
    return {
        "plain": rossi,
        "untied": untied,
        "grouped": untied.assign(group=place // 4),
        "late": untied.assign(entry=entry),
        "weighted": untied.assign(weight=1.0 + place % 3),
    }


def cox(data: Any, **options: Any) -> dict[str, Any]:
    """Coefficients, standard errors, log-likelihood, tests of proportionality, baseline."""
    from lifelines import CoxPHFitter
    from lifelines.statistics import proportional_hazard_test

    model = CoxPHFitter().fit(data, "week", "arrest", fit_options={"precision": 1e-12}, **options)
    found: dict[str, Any] = {
        "coef": model.params_.tolist(), "se": model.standard_errors_.tolist(), "loglik": float(model.log_likelihood_),
    }  # fmt: skip
    if not options:
        for transform in ("identity", "log"):
            test = proportional_hazard_test(model, data, time_transform=transform)
            found[transform] = np.ravel(test.test_statistic).tolist()
        base = model.baseline_cumulative_hazard_
        found["baseline"] = base.iloc[:, 0].tolist()
        found["baseline_times"] = base.index.tolist()
    return found


def curves(data: Any, entry: Any = None) -> dict[str, Any]:
    """Kaplan-Meier and Nelson-Aalen at the event times, with intervals."""
    from lifelines import KaplanMeierFitter, NelsonAalenFitter

    events = sorted(set(data.loc[data["arrest"] == 1, "week"]))
    out: dict[str, Any] = {"times": [float(t) for t in events]}
    pairs = {"km": KaplanMeierFitter(), "na": NelsonAalenFitter(nelson_aalen_smoothing=False)}
    for name, model in pairs.items():
        model.fit(data["week"], data["arrest"], entry=entry)
        table = model.survival_function_ if name == "km" else model.cumulative_hazard_
        out[name] = table.loc[events].iloc[:, 0].tolist()
        out[f"{name}_interval"] = model.confidence_interval_.loc[events].to_numpy().tolist()
    return out


def parametric(data: Any) -> dict[str, Any]:
    """Log-likelihood and coefficients of the accelerated Weibull and log-logistic models."""
    import lifelines

    out: dict[str, Any] = {}
    for name in ("WeibullAFTFitter", "LogLogisticAFTFitter"):
        model = getattr(lifelines, name)().fit(data, "week", "arrest")
        out[name] = {
            "loglik": float(model.log_likelihood_),
            "params": {" ".join(key): float(value) for key, value in model.params_.items()},
            "se": {" ".join(key): float(value) for key, value in model.standard_errors_.items()},
        }
    return out


def compute(rossi: Any) -> dict[str, Any]:
    """All reference numbers."""
    from lifelines.statistics import multivariate_logrank_test

    data = tables(rossi)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rank = multivariate_logrank_test(rossi["week"], rossi["prio"].clip(0, 3), rossi["arrest"])
        return {
            "plain": cox(data["plain"]),
            "untied": cox(data["untied"]),
            "robust": cox(data["untied"], robust=True),
            "grouped": cox(data["grouped"], cluster_col="group"),
            "late": cox(data["late"], entry_col="entry"),
            "weighted": cox(data["weighted"], weights_col="weight", robust=True),
            "curves": curves(data["plain"]),
            "curves late": curves(data["late"], entry=data["late"]["entry"]),
            "log rank": [float(rank.test_statistic), float(rank.p_value)],
            "parametric": parametric(data["plain"]),
        }


def main() -> None:
    """Write the numbers."""
    import lifelines
    from lifelines.datasets import load_rossi

    content = {"lifelines": lifelines.__version__, "numbers": compute(load_rossi())}
    (HERE / "lifelines.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
