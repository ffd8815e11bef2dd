"""Double machine learning for panels: which estimators get rid of a unit's unobserved level.

Fuhr and Papies (arXiv 2409.01266, 2024) report in their abstract that (a) splitting rows rather than units
hardly matters, (b) most intuitive estimators do not remove the level, (c) correlated random effects inside
double machine learning are accurate when the sample is large against the number of confounders, and (d) how
strongly the level moves the covariates decides how badly the others fail. Their tables were not available to
us, so the worlds, sizes and numbers are ours (:func:`suppose.datasets.make_panel`) and every claim is one
of direction, with the bounds written beside it. The wages of 545 men are the real table at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from suppose.core.answer import Claim, Figure, Table
from suppose.core.figures import PALETTE, draw_svg, forest
from suppose.core.parallel import parallel_map
from suppose.core.random import integer_seed
from suppose.reproductions import Evidence

__all__ = ["PAPER", "TITLE", "measure", "simulate", "summary", "union_wages"]

TITLE = "Panels and double machine learning"
PAPER = "Fuhr and Papies, Double Machine Learning meets Panel Data, arXiv 2409.01266 (2024)"
THETA = 0.5
DRAWS = {"cpu": 12, "gpu": 100}
# name: (transform or linear method, folds by)
CONTENDERS: dict[str, tuple[str, str]] = {
    "linear pooled": ("linear:pooled", ""),
    "linear FE": ("linear:fe", ""),
    "pooled": ("pooled", "unit"),
    "within": ("within", "unit"),
    "FD exact": ("fd_exact", "unit"),
    "CRE, means of X only": ("cre_means", "unit"),
    "CRE": ("cre", "unit"),
    "CRE, row folds": ("cre", "rows"),
}
COVARIATES = ["exper", "expersq", "married", "poorhlth", "educ", "black", "hisp"]


def simulate(
    world: Mapping[str, Any], contenders: Sequence[str], draws: int, seed: int, *, learner: Any = None,
    jobs: int = -1,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Estimates of every contender on draws of one world.

    Parameters
    ----------
    world : mapping
        Keywords of :func:`~suppose.datasets.make_panel`.
    contenders : sequence of str
        Names among ``CONTENDERS``.
    draws, seed : int
        Number of draws, and the seed of the first.
    learner : str or regressor, optional
        80 boosted trees when left out.
    jobs : int
        Draws at the same time.

    Returns
    -------
    dict
        Name to (draws, 5): estimate, low, high, ICC of the treatment residual, its p-value.
    """
    tasks = [
        (dict(world), tuple(contenders), integer_seed(seed, "draw", draw), learner) for draw in range(draws)
    ]
    found = np.array(parallel_map(_draw, tasks, jobs=jobs, label="panels"))  # (draws, contenders, 5)
    return {name: found[:, k] for k, name in enumerate(contenders)}


def _draw(
    world: dict[str, Any], contenders: tuple[str, ...], seed: int, learner: Any
) -> list[tuple[float, ...]]:
    from suppose.datasets import make_panel

    table = make_panel(theta=THETA, seed=seed, **world)
    return [_estimate(table.X, table.y, name, seed, learner) for name in contenders]


def _estimate(X: Any, y: Any, name: str, seed: int, learner: Any) -> tuple[float, ...]:
    from suppose.effects.panel import LinearPanel, PanelDML

    transform, fold_by = CONTENDERS[name]
    roles = {"treatment": "d", "unit": "unit", "time": "time"}
    if transform.startswith("linear:"):
        effect = LinearPanel(**roles, method=transform.removeprefix("linear:")).fit(X, y).effect_
        return effect.estimate, effect.low, effect.high, np.nan, np.nan
    model = PanelDML(
        **roles, approach=transform, fold_by=fold_by, repeats=1, seed=seed,
        outcome_learner=_trees() if learner is None else learner,
    ).fit(X, y)  # fmt: skip
    effect = model.effect_
    return effect.estimate, effect.low, effect.high, model.residual_icc_, model.residual_icc_p_


def _trees() -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(
        max_iter=80, learning_rate=0.08, max_leaf_nodes=15, early_stopping=False
    )


def summary(found: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Bias, RMSE, coverage and mean ICC of each contender, and the Monte Carlo error of the bias."""
    return {
        name: {
            "bias": float(np.mean(values[:, 0]) - THETA),
            "error of bias": float(np.std(values[:, 0], ddof=1) / np.sqrt(len(values))),
            "rmse": float(np.sqrt(np.mean((values[:, 0] - THETA) ** 2))),
            "coverage": float(np.mean((values[:, 1] <= THETA) & (values[:, 2] >= THETA))),
            "icc": float(np.mean(values[:, 3])),
        }
        for name, values in found.items()
    }


def measure(scale: str, seed: int) -> Evidence:
    """Bias of every estimator in worlds with known effect, and the union premium of 545 men."""
    draws = DRAWS[scale]
    base = {"units": 200, "periods": 10, "p": 5}
    few = ("linear FE", "pooled", "CRE, means of X only", "CRE")
    worlds: dict[str, tuple[dict[str, Any], Sequence[str]]] = {
        "separable, rho 0.7": (base | {"rho": 0.7}, tuple(CONTENDERS)),
        "separable, rho 0": (base | {"rho": 0.0}, few),
        "separable, rho 0.9": (base | {"rho": 0.9}, few),
        "not separable, rho 0.7": (base | {"rho": 0.7, "separable": False}, few),
        "linear, rho 0.7": (base | {"rho": 0.7, "form": "linear"}, few),
        "binary treatment, rho 0.7": (base | {"rho": 0.7, "binary": True}, ("pooled", "CRE")),
    }
    results = {
        name: summary(simulate(world, names, draws, integer_seed(seed, name)))
        for name, (world, names) in worlds.items()
    }
    small = {"units": 50, "periods": 10, "p": 100, "rho": 0.7}
    sizes = {
        "K = 100, N = 50": summary(simulate(small, ("CRE",), draws, integer_seed(seed, "small"))),
        "K = 100, N = 1000": summary(
            simulate(small | {"units": 1000}, ("CRE",), draws // 2, integer_seed(seed, "large"))
        ),
    }
    wages = union_wages(seed, repeats=2 if scale == "cpu" else 5)
    return Evidence(
        claims=(*_claims(results, sizes), *_wage_claims(wages)),
        tables=(_table(results | sizes), wages["table"]),
        figures=(_figure(results), wages["figure"]),
        notes=(
            f"{draws} draws of each world ({draws // 2} with 1,000 units); the tables of the paper were not "
            "available, so bounds are ours.",
            "Learner: 80 boosted trees for worlds, 150 for the wages; five folds, one repeat in worlds.",
        ),
    )


def _claims(
    results: Mapping[str, Mapping[str, Mapping[str, float]]], sizes: Mapping[str, Any]
) -> list[Claim]:
    main = results["separable, rho 0.7"]
    gap = main["CRE"]["bias"] - main["CRE, row folds"]["bias"]
    pooled = {rho: results[f"separable, rho {rho}"]["pooled"]["bias"] for rho in ("0", "0.7", "0.9")}
    worlds = [name for name in results if not name.startswith("binary")]
    worst = max(worlds, key=lambda name: abs(results[name]["CRE"]["bias"]))
    ratio = sizes["K = 100, N = 50"]["CRE"]["rmse"] / sizes["K = 100, N = 1000"]["CRE"]["rmse"]
    means = results["separable, rho 0"]["CRE, means of X only"]
    return [
        _claim("row-folds", "Row-wise splitting changes the CRE estimate little (mean below 0.02)",
               "largely inconsequential (abstract)", f"{gap:+.3f}", abs(gap) < 0.02),
        _claim("pooled-fails", "Pooled machine learning keeps the units' levels (bias above 0.08)",
               "most intuitive estimators fail (abstract)", f"{main['pooled']['bias']:+.3f}",
               main["pooled"]["bias"] > 0.08),
        _claim("linear-fe-fails", "Linear fixed effects miss nonlinear confounding (bias above 0.025)",
               "most intuitive estimators fail (abstract)", f"{main['linear FE']['bias']:+.3f}",
               main["linear FE"]["bias"] > 0.025),
        _claim("cre-accurate", "CRE is accurate (bias below 0.03, RMSE below 0.05)",
               "accurate when the sample is large (abstract)",
               f"{main['CRE']['bias']:+.3f}, RMSE {main['CRE']['rmse']:.3f}",
               abs(main["CRE"]["bias"]) < 0.03 and main["CRE"]["rmse"] < 0.05),
        _claim("cre-across", "CRE is accurate across settings (bias below 0.08 everywhere)",
               "accurate across settings (abstract)",
               f"worst {results[worst]['CRE']['bias']:+.3f} ({worst})",
               abs(results[worst]["CRE"]["bias"]) < 0.08),
        _claim("sample-size", "With 100 confounders CRE needs many units (RMSE at least 3 times larger with few)",
               "needs a large sample (abstract)", f"{ratio:.1f} times (50 against 1,000 units)", ratio >= 3),
        _claim("rho", "How the level moves covariates decides how badly pooling fails",
               "influence of the level on X decides (abstract)",
               ", ".join(f"rho {rho}: {bias:+.3f}" for rho, bias in pooled.items()),
               pooled["0"] > pooled["0.7"] > pooled["0.9"]),
        _claim("mean-treatment", "Without the mean treatment CRE fails when X shows nothing (bias above 0.3)",
               None, f"{means['bias']:+.3f}, ICC {means['icc']:.2f}", means["bias"] > 0.3),
    ]  # fmt: skip


def _claim(name: str, statement: str, paper: str | None, measured: str, holds: object) -> Claim:
    return Claim(
        id=name, statement=statement, paper=paper or "nothing we could read", measured=measured,
        holds=bool(holds),
    )  # fmt: skip


def union_wages(seed: int, *, repeats: int = 5) -> dict[str, Any]:
    """Linear and machine-learned estimates of the union premium, with table and figure."""
    from suppose.datasets import load_union_wages
    from suppose.effects.panel import PanelDML, compare_transforms

    wages = load_union_wages()
    model = PanelDML("union", "nr", "year", covariates=COVARIATES, period=True, repeats=repeats, seed=seed)
    transforms = ("pooled", "cre_means", "within", "fd_exact", "cre")
    found = compare_transforms(model, wages[["nr", "year", "union", *COVARIATES]], wages["lwage"], transforms)
    shown = [(row.name, row.effect.estimate, row.effect.low, row.effect.high) for row in found.rows]
    words = "Union premium in log points with 95% intervals; the dashed line is linear fixed effects."
    reference = found.row("linear fe").effect.estimate
    own = [row.name for row in found.rows].index("cre")
    svg = draw_svg(
        "union",
        lambda ax: forest(shown, unit="log points", reference=reference, emphasis=own, ax=ax),
        size=(6.4, 3.8),
    )
    figure = Figure.of("union", "What union membership does to pay", words, words, svg)
    table = Table.from_frame(
        "union",
        "What union membership does to pay",
        found.to_frame().drop(columns=["standard error", "rows"]).round(4),
    )
    return {"found": found, "figure": figure, "table": table}


def _wage_claims(wages: Mapping[str, Any]) -> list[Claim]:
    found = wages["found"]
    value = {row.name: row.effect.estimate for row in found.rows}
    references = {"linear pooled": 0.182, "linear fe": 0.080, "linear fd": 0.042}
    linear = [
        _claim(name.replace(" ", "-"), f"Union premium, {name}: {figure:.3f} to 0.002, as elsewhere", None,
               f"{value[name]:.4f}", abs(value[name] - figure) < 0.002)
        for name, figure in references.items()
    ]  # fmt: skip
    cre = value["cre"]
    return [
        *linear,
        _claim("union-cre", "CRE gives a premium near fixed effects: 0.05 to 0.12, below half of pooled DML",
               None, f"{cre:.3f}; pooled {value['pooled']:.3f}",
               0.05 <= cre <= 0.12 and cre < value["pooled"] / 2),
    ]  # fmt: skip


def _table(results: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Table:
    rows = tuple(
        (world, name, *(round(row[key], 3) for key in ("bias", "error of bias", "rmse", "coverage")))
        for world, contenders in results.items()
        for name, row in contenders.items()
    )
    columns = ("world", "estimator", "bias", "its error", "RMSE", "coverage")
    return Table(name="bias", title="Bias of the estimators, true effect 0.5", columns=columns, rows=rows)


def _figure(results: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Figure:
    worlds = list(results)[:5]
    colours = {"pooled": "red", "linear FE": "orange", "CRE, means of X only": "purple", "CRE": "blue"}

    def draw(ax: Any) -> None:
        for shift, (name, colour) in enumerate(colours.items()):
            heights = [results[world][name]["bias"] for world in worlds]
            places = np.arange(len(worlds)) + (shift - 1.5) * 0.14
            ax.plot(heights, places, "o", color=PALETTE[colour], markersize=6, label=name)
        ax.axvline(0, color=PALETTE["muted"], linewidth=1, linestyle=(0, (4, 3)))
        ax.set_yticks(range(len(worlds)), worlds)
        ax.set_ylim(len(worlds) - 0.5, -0.5)
        ax.set_xlabel("bias (true effect 0.5)")
        ax.grid(axis="x", linewidth=0.8)
        ax.legend(loc="lower right")

    worst = max(abs(results[world]["CRE"]["bias"]) for world in worlds)
    words = (
        f"Bias of four estimators in five worlds; that of correlated random effects is {worst:.3f} at most."
    )
    return Figure.of("bias", "Bias by world", words, words, draw_svg("bias", draw, size=(7.0, 4.0)))
