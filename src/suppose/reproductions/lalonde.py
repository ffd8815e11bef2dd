"""LaLonde's benchmark: whether a survey can stand in for an experiment.

LaLonde (1986) and Dehejia and Wahba (1999) compare the National Supported Work experiment (185
trained and 260 untrained men) with what one would have concluded from the same trained men and
15,992 men of the Current Population Survey. The experiment says +1,794 dollars; the raw survey
comparison says -8,498. The claim at stake is that adjustment brings the survey back to the
experiment; every adjusted estimate is printed, whichever way it falls.
"""

from __future__ import annotations

import warnings
from typing import Any

from suppose.core.answer import Claim, Figure, Table, format_number
from suppose.core.errors import SupposeWarning
from suppose.core.figures import draw_svg, forest
from suppose.reproductions import Evidence

__all__ = ["PAPER", "TITLE", "measure"]

TITLE = "The LaLonde benchmark"
PAPER = "Dehejia and Wahba, JASA 94 (1999) 1053-1062; LaLonde, AER 76 (1986) 604-620"
COVARIATES = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75"]
TRUTH = 1794.0


def measure(scale: str, seed: int) -> Evidence:
    """Experimental, naive and adjusted estimates of what training did to earnings in 1978, in dollars."""
    experiment = _study("jobs/experiment", seed, estimand="ATE", method="aipw", learner="linear")
    answers = {
        f"survey, AIPW with {learner}": _study(
            "jobs/observational", seed, estimand="ATT", method="aipw", learner=learner
        )
        for learner in ("linear", "boosting")
    }
    difference = experiment.finding("difference:0")
    naive = next(iter(answers.values())).finding("difference:0")
    adjusted = experiment.headline
    rows = [
        ("experiment, difference in means", difference, experiment),
        ("experiment, AIPW", adjusted, experiment),
        ("survey, difference in means", naive, None),
    ]
    rows += [(name, answer.headline, answer) for name, answer in answers.items()]
    first = next(iter(answers.values()))
    rows += [
        (f"survey, {finding.label.lower()}", finding, None)
        for finding in first.findings
        if finding.name.endswith(":0") and not finding.name.startswith("difference")
    ]
    return Evidence(
        claims=(*_experimental_claims(difference, adjusted, naive), *_survey_claims(answers)),
        tables=(_table(rows),),
        figures=(_figure(rows),),
        notes=tuple(
            f"{name}: {answer.credibility}. {answer.credibility_words}" for name, answer in answers.items()
        ),
    )


def _study(shipped: str, seed: int, *, estimand: str, method: str, learner: str) -> Any:
    from suppose.studies.effect import Effect

    randomised = shipped == "jobs/experiment"
    study = Effect.from_dict(
        {
            "question": "effect",
            "data": {"shipped": shipped},
            "roles": {
                "treatment": "treat",
                "outcome": "re78",
                "adjust": COVARIATES,
                "outcome_unit": "dollars",
                "randomised": randomised,
            },
            "method": {"name": method, "estimand": estimand, "learner": learner},
            "checks": {"refute": [], "benchmarks": [], "heterogeneity": False},
            "run": {"seed": seed},
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SupposeWarning)
        return study.run()


def _experimental_claims(difference: Any, adjusted: Any, naive: Any) -> tuple[Claim, ...]:
    return (
        Claim(
            id="experiment",
            statement="Experimental difference in means",
            paper="1,794 dollars",
            measured=f"{difference.estimate:,.0f} dollars",
            holds=round(difference.estimate) == TRUTH,
        ),
        Claim(
            id="experiment-aipw",
            statement="AIPW on the experiment contains the experimental figure",
            paper="1,794 dollars",
            measured=_interval(adjusted),
            holds=adjusted.low <= TRUTH <= adjusted.high,
        ),
        Claim(
            id="naive",
            statement="Naive comparison with the CPS",
            paper="-8,498 dollars",
            measured=f"{naive.estimate:,.0f} dollars",
            holds=round(naive.estimate) == -8498,
        ),
    )


def _survey_claims(answers: dict[str, Any]) -> list[Claim]:
    return [
        Claim(
            id=name.replace(", ", "-").replace(" ", "-").lower(),
            statement=f"Adjustment recovers the experiment ({name})",
            paper="1,794 dollars",
            measured=f"{_interval(answer.headline)}; {answer.credibility}",
            holds=answer.headline.low <= TRUTH <= answer.headline.high,
        )
        for name, answer in answers.items()
    ]


def _interval(finding: Any) -> str:
    low, high = (
        format_number(finding.low, beside=finding.high),
        format_number(finding.high, beside=finding.low),
    )
    return f"{finding.estimate:,.0f} dollars ({low} to {high})"


def _table(rows: list[Any]) -> Table:
    cells = tuple(
        (label, f.estimate, f.standard_error, f.low, f.high, answer.credibility if answer is not None else "")
        for label, f, answer in rows
    )
    columns = ("estimate", "dollars", "standard error", "low", "high", "verdict of the checks")
    return Table(name="estimates", title="What training did to earnings in 1978", columns=columns, rows=cells)


def _figure(rows: list[Any]) -> Figure:
    points = [(label, f.estimate, f.low, f.high) for label, f, _ in rows]
    svg = draw_svg(
        "lalonde", lambda ax: forest(points, unit="dollars", reference=TRUTH, ax=ax), size=(6.4, 4.2)
    )
    words = "Estimates with 95% intervals; the dashed line is the experimental 1,794 dollars."
    return Figure.of("lalonde", "Experiment and survey", words, words, svg)
