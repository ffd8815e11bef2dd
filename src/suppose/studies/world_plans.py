"""Plans compared in the laws, and, where the world itself can be asked, in it too."""

from __future__ import annotations

from typing import Any

from suppose.core.answer import Check, Figure, Finding, Table, Verdict, format_number
from suppose.core.figures import draw_svg
from suppose.studies.parts import Parts
from suppose.worlds.laws.plans import PlanComparison, compare_plans
from suppose.worlds.laws.questions import CrafterTruth, Question, crafter_questions
from suppose.worlds.laws.reported import PLANS
from suppose.worlds.laws.schema import plain

__all__ = ["plans_compared", "questions_of"]


def questions_of(study: Any, found: Any) -> list[Question]:
    """What is asked: the study's own plans first, then the shipped ones."""
    asked: list[Question] = []
    if study.plans.plan:
        state = plain(found.life[study.plans.start].state)
        asked.append(
            Question("the plans", "", state, tuple(study.plan_list()), study.reward(), study.plans.ends)
        )
    if study.plans.shipped:
        asked += crafter_questions(study.seed)
    return asked


def plans_compared(study: Any, found: Any) -> Parts:
    """Worth of every plan under the laws; a check against the world where that can be asked."""
    asked = questions_of(study, found)
    if not asked:
        return Parts()
    crafter = study.world.environment == "crafter"
    parts = []
    agree: list[tuple[str, PlanComparison, PlanComparison | None]] = []
    for question in asked:
        ours = _compared(study, found.model, found.schema, question)
        truth = _compared(study, CrafterTruth(), found.schema, question) if crafter else None
        agree.append((question.name, ours, truth))
        parts.append(_one(question, ours))
    check = _agreement(agree) if crafter else _unchecked()
    joined: Parts = Parts.joined([*parts, Parts(checks=(check,), tables=(_table(agree),))])
    return joined


def _compared(study: Any, model: Any, schema: Any, question: Question) -> PlanComparison:
    return compare_plans(
        model, question.state, question.plans, question.reward, study.plans.rollouts, study.seed,
        schema=schema, ends=question.ends, jobs=study.run_options.jobs,
    )  # fmt: skip


def _one(question: Question, ours: PlanComparison) -> Parts:
    """Finding and figure of one question."""
    best = ours.names.index(ours.preferred)
    second = max(
        (k for k in range(len(ours.names)) if k != best), key=lambda k: float(ours.means[k]), default=best
    )
    gap, low, high = ours.difference(best, second)
    slug = question.name.lower().replace(" ", "-")
    finding = Finding(
        name="plan" if question.name == "the plans" else f"plan-{slug}",
        label=f"{question.name}: {ours.preferred!r} over {ours.names[second]!r}"
        if question.name != "the plans" else f"{ours.preferred!r} over {ours.names[second]!r}",
        estimate=gap, low=low, high=high, level=0.95, unit=ours.words, n=int(ours.rewards.shape[1]),
        method="rollouts of the laws", estimand=_said(ours, best, second, low),
    )  # fmt: skip
    figure = Figure.of(
        f"plans-{slug}" if question.name != "the plans" else "plans",
        question.words or "What the plans are worth",
        f"Mean {ours.words} of each plan over {ours.rewards.shape[1]} rollouts of the laws, with two standard errors.",
        str(ours),
        draw_svg(f"plans-{slug}", ours.plot, size=(6.2, 0.9 + 0.4 * len(ours.names))),
    )
    return Parts(findings=(finding,), figures=(figure,))


def _said(ours: PlanComparison, best: int, second: int, low: float) -> str:
    """The comparison in one sentence."""
    first, other = (format_number(float(ours.means[k])) for k in (best, second))
    if low > 0:
        return f"Of the plans, {ours.names[best]!r} would end best: {ours.words} {first} against {other}."
    return f"The plans do not differ clearly: {ours.words} {first} and {other}."


def _table(agree: list[tuple[str, PlanComparison, PlanComparison | None]]) -> Table:
    rows: list[tuple[Any, ...]] = []
    for name, ours, truth in agree:
        frame = ours.to_frame()
        reported = PLANS.get(name)
        for k, plan in enumerate(ours.names):
            rows.append((
                name, plan, float(frame["mean"][k]), float(frame["sd"][k]), float(frame["steps"][k]),
                None if truth is None else float(truth.means[k]),
                None if reported is None else f"{reported[0][k]:g} | {reported[1][k]:g}",
            ))  # fmt: skip
    columns: tuple[str, ...] = (
        "question",
        "plan",
        "mean",
        "sd",
        "steps",
        "in the world itself",
        "paper: world | model",
    )
    if all(row[-1] is None for row in rows):
        columns, rows = columns[:-2], [row[:-2] for row in rows]
    note = "The paper's maps and plans were not released: ours are other maps with the same choice."
    return Table(
        name="plans", title="Plans", columns=columns, rows=tuple(rows), note=note if len(columns) > 5 else ""
    )


def _agreement(agree: list[tuple[str, PlanComparison, PlanComparison | None]]) -> Check:
    """Whether laws and world prefer the same plans."""
    same = [name for name, ours, truth in agree if truth is not None and _prefers_same(ours, truth)]
    other = [name for name, _, _ in agree if name not in same]
    verdict: Verdict = "passes" if not other else "warns" if same else "fails"
    words = f"Laws and world prefer the same plan in {len(same)} of {len(agree)} questions"
    return Check(
        name="plans",
        title="Plans in the world itself",
        null="The plan that the laws prefer is the one that ends better in the world.",
        verdict=verdict,
        words=words + (f"; not in: {', '.join(other)}." if other else "."),
        cannot_show="Other plans, other places to start from.",
        statistic="same preference",
        value=float(len(same)),
    )


def _prefers_same(ours: PlanComparison, truth: PlanComparison) -> bool:
    """The same plan is best, and by the laws it is better than any other by more than nothing."""
    best = ours.names.index(ours.preferred)
    ahead = all(ours.means[best] > ours.means[k] for k in range(len(ours.names)) if k != best)
    return ahead and ours.preferred == truth.preferred


def _unchecked() -> Check:
    return Check(
        name="plans",
        title="Plans in the world itself",
        null="The plan that the laws prefer is the one that ends better in the world.",
        verdict="informs",
        words="The world itself cannot be asked here: the plans were followed in the laws alone.",
        cannot_show="What the plans would really lead to.",
    )
