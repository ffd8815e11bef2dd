"""A whole answer as the job-training study gives it, with made-up rows, for tests of the report."""

from __future__ import annotations

from typing import Any

import numpy as np

from suppose.core.answer import (
    Answer,
    Assumption,
    Check,
    Figure,
    Finding,
    InputFile,
    Provenance,
    Table,
    Timing,
)
from suppose.core.figures import PALETTE, draw_svg, forest

STUDY = """question = "effect"
title = "What did job training do to earnings?"

[data]
table = "jobs_cps.csv"

[roles]
treatment = "treat"
outcome = "re78"
adjust = ["age", "education", "black", "hispanic", "married", "nodegree", "re74", "re75"]

[method]
score = "aipw"
estimand = "att"
learner = "boosting"
folds = 5

[run]
seed = 20240611
"""

COVARIATES = (
    ("age", 25.8162, 33.2252, -0.7965, -0.0312, 1.18),
    ("years of education", 10.3459, 12.0275, -0.6785, 0.0481, 0.94),
    ("black", 0.8432, 0.0735, 2.4277, 0.0663, 1.02),
    ("hispanic (self-described, any race)", 0.0595, 0.0720, -0.0506, -0.0124, 0.97),
    ("married", 0.1892, 0.7117, -1.2330, 0.1432, 1.31),
    ("no high-school degree", 0.7081, 0.2958, 0.9038, -0.0287, 0.99),
    ("earnings in 1974 (US dollars)", 2095.57, 14016.80, -1.5688, -0.2216, 0.41),
    ("earnings in 1975 (US dollars)", 1532.06, 13650.80, -1.7464, -0.1874, 0.38),
    ("unemployed in 1974", 0.7081, 0.1196, 1.4890, 0.0921, 1.06),
    ("unemployed in 1975 – naïve coding «0 €»", 0.6000, 0.1093, 1.2116, 0.0714, 1.05),
)


def sample_answer() -> Answer:
    """The answer; every call gives an equal one."""
    return Answer(
        question="effect",
        title="What did job training do to the men's earnings in 1978?",
        sentence="Job training raised yearly earnings by 1,794 dollars (95% interval 551 to 3,038).",
        credibility="doubtful",
        credibility_words="The experiment stands on its own, but the comparison with the population survey "
        "does not: trained men are unlike nearly everyone in it, and a placebo outcome moves.",
        findings=_findings(),
        assumptions=_assumptions(),
        checks=_checks(),
        tables=_tables(),
        figures=_figures(),
        notes=(
            "Earnings are in dollars of 1982.",
            "Of 15,992 men in the survey, 15,218 were trimmed: their propensity lies below 0.02, where no "
            "trained man is found.",
        ),
        provenance=Provenance(
            suppose="0.1.0",
            python="3.11.9",
            packages={"numpy": "2.3.5", "pandas": "2.3.3", "scikit-learn": "1.8.0", "scipy": "1.16.3"},
            seed=20240611,
            study=STUDY,
            inputs=(
                InputFile(name="jobs_experiment.csv", sha256="4f" * 32, bytes=18_312, rows=445, columns=12),
                InputFile(name="jobs_cps.csv", sha256="c09d" * 16, bytes=812_444, rows=15_992, columns=12),
            ),
            timing=Timing(
                started="2026-11-23T09:22:11+00:00", seconds=74.21, cores=2, jobs=2, peak_memory_mb=412.7
            ),
        ),
    )


def _findings() -> tuple[Finding, ...]:
    estimates = (
        ("experiment", "Experiment", 1794.342, 550.57, 3038.11, 632.85, 0.0046, 445,
         "difference in means", "average effect"),
        ("naive", "Survey, unadjusted", -8497.516, -9893.16, -7101.88, 712.02, 0.0, 16177,
         "difference in means", "none: groups differ"),
        ("plr", "Survey, partially linear", 704.21, -461.3, 1869.7, 594.6, 0.236, 16177,
         "double machine learning, boosting", "variance-weighted effect"),
        ("aipw", "Survey, doubly robust", 1203.9, -204.8, 2612.6, 718.7, 0.094, 959,
         "AIPW, boosting, trimmed at 0.02", "effect on the trained (overlap)"),
    )  # fmt: skip
    return tuple(
        Finding(
            name=name, label=label, estimate=estimate, low=low, high=high, level=0.95, unit="dollars",
            standard_error=error, p_value=p, n=n, method=method, estimand=estimand,
            headline=name == "experiment",
        )
        for name, label, estimate, low, high, error, p, n, method, estimand in estimates
    )  # fmt: skip


def _assumptions() -> tuple[Assumption, ...]:
    return (
        Assumption(
            name="No unmeasured confounding",
            statement="Given the ten covariates, who was trained does not depend on what they would have "
            "earned. In the experiment the lottery secures it; in the survey nothing does.",
            tested_by=("placebo_outcome", "placebo_treatment"),
        ),
        Assumption(
            name="Overlap",
            statement="Every trained man has survey men like him.",
            tested_by=("overlap", "balance"),
        ),
        Assumption(name="No interference", statement="One man's training leaves another's earnings alone."),
    )


def _checks() -> tuple[Check, ...]:
    rows: tuple[tuple[str, str, str, Any, str, str, str, float, float | None], ...] = (
        ("placebo_treatment", "Placebo treatment", "With training shuffled among the men the effect is zero.",
         "passes", "With training shuffled, the effect vanishes: 41 dollars, as chance would have it.",
         "Whether the real treatment is confounded.", "mean effect over 20 shuffles", 41.2, 0.81),
        ("placebo_outcome", "Placebo outcome: earnings in 1975",
         "Training in 1976 cannot have changed earnings in 1975: the effect on them is zero.",
         "fails", "Training seems to change earnings of the year before it, by -1,302 dollars. The survey "
         "comparison carries a difference that training did not make.",
         "How large the bias is for earnings in 1978.", "effect on the placebo", -1302.4, 0.00003),
        ("overlap", "Overlap", "Every trained man has a propensity between 0.02 and 0.98.",
         "warns", "31 of 185 trained men (17%) have hardly any survey men like them.",
         "Whether men alike on these covariates are alike on others.", "share outside", 0.168, None),
        ("balance", "Balance after weighting", "Standardised differences are below 0.25 in size.",
         "passes", "The largest difference that remains is 0.22, of earnings in 1974.",
         "Balance of what was not measured.", "largest difference", -0.2216, None),
        ("subset", "Stability over random halves", "The effect in random halves agrees with the whole.",
         "passes", "Ten random halves give effects from 512 to 1,884 dollars, as sampling allows.",
         "A bias shared by all halves.", "spread over halves", 402.7, 0.37),
        ("learners", "Agreement of learners", "No null; the spread over learners is reported.",
         "informs", "Linear, lasso, forest and boosting learners give 489 to 1,204 dollars.",
         "Which learner is right.", "spread over learners", 715.0, None),
    )  # fmt: skip
    return tuple(
        Check(
            name=name, title=title, null=null, verdict=verdict, words=words, cannot_show=blind,
            statistic=statistic, value=value, p_value=p,
        )
        for name, title, null, verdict, words, blind, statistic, value, p in rows
    )  # fmt: skip


def _tables() -> tuple[Table, ...]:
    random = np.random.default_rng(3)
    weights = tuple(
        (f"man {i:03d}", int(random.integers(17, 55)), round(float(random.beta(0.4, 6)), 6), bool(i % 7))
        for i in range(400)
    )
    groups = tuple(
        (
            f"{group} · Übersicht nach Schulabschluss und Familienstand",
            *np.round(random.normal(900, 700, 9), 1),
        )
        for group in ("no degree, single", "no degree, married", "degree, single", "degree, married")
    )
    return (
        Table(
            name="balance", title="Balance of covariates, trained against survey",
            columns=("covariate", "mean, trained", "mean, survey", "difference before", "difference after",
                     "variance ratio after"),
            rows=COVARIATES,
            note="Differences are standardised: in standard deviations of the trained. Below 0.1 is usually "
            "held to be small, above 0.25 large.",
        ),
        Table(
            name="groups", title="Effects by group",
            columns=("group", *(f"{kind}, {year}" for kind in ("effect", "low", "high")
                                for year in (1976, 1977, 1978))),
            rows=tuple((name, *(float(value) for value in values)) for name, *values in groups),
        ),
        Table(name="weights", title="Weights of the men in the survey",
              columns=("man", "age", "propensity", "kept"), rows=weights),
        Table(
            name="sensitivity_bounds", title="What an unmeasured confounder could do",
            columns=("as strong as", "partial R² with outcome", "partial R² with treatment", "effect, low",
                     "effect, high"),
            rows=(("black", 0.0124, 0.0938, 211.4, 2196.3), ("married", 0.0031, 0.0212, 988.0, 1419.8),
                  ("earnings in 1975", 0.0893, 0.1177, -1498.2, 3906.0)),
            note="Robustness value 4.1%: a confounder that explains that much of both takes the effect to 0.",
        ),
    )  # fmt: skip


def _figures() -> tuple[Figure, ...]:
    return (
        Figure.of(
            "estimates", "Four ways to ask", "Points are estimates, lines 95% intervals. Only the first "
            "compares men whom a lottery made alike; the dashed line is no effect.",
            "Interval plot of four estimates in dollars: experiment 1,794; survey unadjusted -8,498; "
            "partially linear 704; doubly robust 1,204.",
            draw_svg("estimates", lambda ax: forest(
                [(f.label, f.estimate, f.low, f.high) for f in _findings()], unit="dollars a year", ax=ax),
                size=(5.6, 2.4)),
        ),
        Figure.of(
            "love", "Balance before and after weighting", "Standardised differences of the covariates.",
            "Dot plot of standardised differences of ten covariates before and after weighting.",
            draw_svg("love", _love, size=(5.6, 3.8)),
        ),
        Figure.of(
            "propensity", "Who could have been in training", "Propensity of trained and survey men; the "
            "ground between the dashed lines is kept.",
            "Two histograms of the propensity score; survey men pile up below 0.02.",
            draw_svg("propensity", _propensity, size=(5.6, 3.0)),
        ),
        Figure.of(
            "sensitivity_contour", "How strong a confounder would have to be", "Lines join confounders that "
            "leave the same effect, in dollars; the red line leaves none.",
            "Contour plot of the effect that remains, by partial R² with treatment and outcome.",
            draw_svg("sensitivity_contour", _contour, size=(5.6, 3.8)),
        ),
    )  # fmt: skip


def _love(ax: Any) -> None:
    at = np.arange(len(COVARIATES))
    ax.plot([row[3] for row in COVARIATES], at, "o", color=PALETTE["muted"], label="before", fillstyle="none")
    ax.plot([row[4] for row in COVARIATES], at, "o", color=PALETTE["blue"], label="after")
    ax.axvspan(-0.1, 0.1, color=PALETTE["rule"], alpha=0.5, linewidth=0)
    ax.set_yticks(at, [row[0] for row in COVARIATES])
    ax.invert_yaxis()
    ax.set_xlabel("standardised difference")
    ax.legend(loc="lower right")


def _propensity(ax: Any) -> None:
    random = np.random.default_rng(4)
    bins = np.linspace(0, 1, 41)
    ax.hist(random.beta(0.5, 5, 2000), bins, density=True, color=PALETTE["muted"], alpha=0.5, label="survey")
    ax.hist(random.beta(3, 2.5, 185), bins, density=True, color=PALETTE["blue"], alpha=0.6, label="trained")
    for edge in (0.02, 0.98):
        ax.axvline(edge, color=PALETTE["orange"], linewidth=1, linestyle=(0, (4, 3)))
    ax.set(xlabel="propensity", ylabel="density")
    ax.legend()


def _contour(ax: Any) -> None:
    axis = np.linspace(0.001, 0.3, 60)
    x, y = np.meshgrid(axis, axis)
    effect = 1204 - 29000 * np.sqrt(y * x / (1 - x))
    levels = [-6000, -4000, -2000, -1000, 0, 500, 1000]
    colours = [PALETTE["red"] if level == 0 else PALETTE["muted"] for level in levels]
    lines = ax.contour(x, y, effect, levels, colors=colours, linewidths=1.2, negative_linestyles="solid")
    ax.clabel(lines, fmt="%.0f", fontsize=8.5)
    ax.plot([0.0938], [0.0124], "D", color=PALETTE["blue"])
    ax.annotate("as strong as “black”", (0.0938, 0.0124), (6, 5), textcoords="offset points", fontsize=9)
    ax.set(xlabel="partial R² with treatment", ylabel="partial R² with outcome")
