"""Answering a study of a world: laws found and weighed, examined, shown, and plans compared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from suppose.core.answer import Check, Credibility, Figure, Finding, Table, Verdict
from suppose.core.errors import EstimationError
from suppose.core.figures import draw_svg
from suppose.core.random import generator
from suppose.core.study import Steps
from suppose.core.tables import path_inside
from suppose.studies.parts import Parts, parts_step
from suppose.studies.verdict import credibility, listed
from suppose.worlds.explore import Step, Trajectory
from suppose.worlds.laws import InertiaModel, Law, LawWorldModel, RandomModel
from suppose.worlds.laws.evaluation import Comparison, evaluate_transitions
from suppose.worlds.laws.foresight import calibration, look_ahead, wrong_values
from suppose.worlds.laws.law import parse_laws
from suppose.worlds.laws.schema import Schema

__all__ = ["Found", "Gathered", "gather"]

OURS, BARE, EXPERTS, STILL, BLIND = (
    "laws",
    "unweighted laws",
    "product of experts",
    "nothing changes",
    "random",
)
CALIBRATED, POOR = 0.05, 0.15
MOST_EXAMINED = 400  # held-out steps


@dataclass(frozen=True)
class Found:
    """Laws of a life, weighed, and the parts of the life they were found on and are examined on."""

    model: LawWorldModel
    life: Trajectory
    learned: tuple[Step, ...]
    held_out: tuple[Step, ...]
    schema: Schema
    world: str


@dataclass(frozen=True)
class Gathered:
    """What an answer is made of."""

    sentence: str
    credibility: Credibility
    credibility_words: str
    parts: Parts


def gather(study: Any, record: Any, steps: Steps) -> Gathered:
    """The whole answer, heavy parts as named steps."""
    from suppose.studies.world_laws import laws_shown, never_seen
    from suppose.studies.world_pictures import rollout_shown
    from suppose.studies.world_plans import plans_compared

    life, schema = study.live(record)
    learned, held_out = split(life, study.checks.holdout, study.seed)
    content = steps.step("laws", lambda: find_laws(study, learned, schema))
    model = _model(content, schema)
    found = Found(model, life, learned, held_out, schema, record.name)
    examined = parts_step(steps, "examined", lambda: _examined(study, found))
    parts = [
        examined,
        parts_step(steps, "ahead", lambda: _ahead(study, found)),
        parts_step(steps, "plans", lambda: plans_compared(study, found)),
        parts_step(steps, "shown", lambda: laws_shown(found)),
        parts_step(steps, "never-seen", lambda: never_seen(found)),
        parts_step(steps, "picture", lambda: rollout_shown(study, found)),
    ]
    if study.checks.scenarios:
        from suppose.studies.world_scenarios import scenarios_compared

        parts.append(parts_step(steps, "scenarios", lambda: scenarios_compared(study, found)))
    whole: Parts = Parts.joined(parts)
    verdict, words = _verdict(whole.checks)
    return Gathered(_sentence(found, whole), verdict, words, whole)


def split(life: Sequence[Step], share: float, seed: int) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Steps to learn from and steps held out, each in order; which is which is drawn."""
    count = min(max(1, round(share * len(life))), len(life) - 1)
    out = set(generator(seed, "held out").permutation(len(life))[:count].tolist())
    learned = tuple(step for number, step in enumerate(life) if number not in out)
    return learned, tuple(step for number, step in enumerate(life) if number in out)


# Laws.


def find_laws(study: Any, learned: Sequence[Step], schema: Schema) -> dict[str, Any]:
    """Laws and weights, as a checkpoint keeps them."""
    laws = _synthesized(study, learned, schema)
    if not laws:
        raise EstimationError(
            "no-laws",
            f"no law was found in {len(learned):,} transitions",
            where="method",
            remedy="Record a longer life, or lower method.mdl.",
        )
    model = LawWorldModel(laws, schema, study.method.inference).fit(learned)
    return {
        "laws": json.dumps([law.to_dict() for law in model.laws]),
        "inference": model.inference,
        "weights": model.weights_,
        "active": np.asarray(model.active_, dtype=np.int64),
        "errors": np.asarray(model.errors_, dtype=np.int64),
        "log_likelihood": float(model.log_likelihood_),
    }


def _synthesized(study: Any, learned: Sequence[Step], schema: Schema) -> list[Law]:
    method = study.method
    if method.synthesizer == "given":
        from suppose.studies.world import unknown_law_file

        path = path_inside(method.laws, study.home)
        if not path.is_file():
            raise unknown_law_file(path)
        return list(parse_laws(path.read_text(encoding="utf-8")))
    if method.synthesizer == "llm":
        from suppose.worlds.laws.llm import LLMSynthesizer

        return list(
            LLMSynthesizer(
                method.base_url, method.model, study.home / method.cache, concurrency=method.concurrency
            ).synthesize(learned, schema)
        )
    from suppose.worlds.laws.inductive import InductiveSynthesizer

    return list(
        InductiveSynthesizer(method.max_atoms, method.mdl, method.analogies).synthesize(learned, schema)
    )


def _model(content: dict[str, Any], schema: Schema) -> LawWorldModel:
    laws = [Law.from_dict(part) for part in json.loads(content["laws"])]
    model = LawWorldModel(laws, schema, content["inference"])
    model.weights_ = np.asarray(content["weights"], dtype=np.float64)
    model.active_ = np.asarray(content["active"], dtype=np.int64)
    model.errors_ = np.asarray(content["errors"], dtype=np.int64)
    model.log_likelihood_ = content["log_likelihood"]
    return model


# The examination.


def _examined(study: Any, found: Found) -> Parts:
    """Fidelity on held-out steps beside simpler models, and calibration."""
    steps = _some(found.held_out, study.seed)
    models = rivals(found)
    compared = evaluate_transitions(
        models, steps, found.schema, trials=study.checks.trials, seed=study.seed, jobs=study.run_options.jobs
    )
    wrong = {
        name: np.array([wrong_values(models[name], step, found.schema) for step in steps])
        for name in (OURS, STILL)
    }
    own = {
        name: float(
            np.mean([wrong_values(models[name], step, found.schema, objects=False) == 0 for step in steps])
        )
        for name in (OURS, STILL)
    }
    told = calibration(found.model, steps, found.schema)
    checks = [_fidelity(wrong), _calibrated(told)]
    right = round(own[OURS] * len(steps))
    low, high = _wilson(right, len(steps))
    whose = " of everything but wandering objects" if found.schema.collections else ""
    findings = (
        Finding(name="foretold", label=f"Unseen steps foretold in full{whose and ', objects left out'}",
                estimate=100 * own[OURS], low=100 * low, high=100 * high, level=0.95, unit="%", n=len(steps),
                method="laws with weights" if study.method.inference == "onelife" else study.method.inference,
                estimand=f"every value{whose} is what the laws think likeliest", headline=True),
        Finding(name="unchanged", label="The same if nothing ever changed", estimate=100 * own[STILL], unit="%",
                n=len(steps)),
        Finding(name="first", label="True next state ranked first among states that did not come about",
                estimate=100 * compared[OURS].mean()["rank@1"], unit="%", n=len(steps)),
        Finding(name="laws", label="Laws found", estimate=float(len(found.model.laws))),
        Finding(name="mrr", label="Mean reciprocal rank of the true next state",
                estimate=compared[OURS].mean()["mrr"], n=len(steps)),
    )  # fmt: skip
    return Parts(
        findings=findings,
        checks=tuple(checks),
        tables=(_fidelity_table(compared, wrong), _by_action(compared, steps, wrong)),
        figures=(_rank_figure(compared), _calibration_figure(told)),
    )


def rivals(found: Found) -> dict[str, Any]:
    """The laws under other ways to weigh them, and models without laws, on the same steps."""
    laws, schema = found.model.laws, found.schema
    return {
        OURS: found.model,
        BARE: LawWorldModel(laws, schema, "none").fit(found.learned),
        EXPERTS: LawWorldModel(laws, schema, "poe").fit(found.learned),
        STILL: InertiaModel(schema),
        BLIND: RandomModel(schema),
    }


def _some(steps: Sequence[Step], seed: int) -> list[Step]:
    if len(steps) <= MOST_EXAMINED:
        return list(steps)
    chosen = np.sort(generator(seed, "examined").permutation(len(steps))[:MOST_EXAMINED])
    return [steps[int(place)] for place in chosen]


def _wilson(right: int, count: int) -> tuple[float, float]:
    """Ends of the 95% interval of a share."""
    z = 1.959963984540054
    share = right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return float(max(0.0, middle - reach)), float(min(1.0, middle + reach))


def _fidelity(wrong: dict[str, np.ndarray]) -> Check:
    """A sign test of whether the laws come nearer to the truth than the guess that nothing changes."""
    from scipy import stats

    better = int((wrong[OURS] < wrong[STILL]).sum())
    worse = int((wrong[OURS] > wrong[STILL]).sum())
    p = (
        float(stats.binomtest(better, better + worse, alternative="greater").pvalue)
        if better + worse
        else 1.0
    )
    verdict: Verdict = "passes" if p < 0.05 else "fails" if worse >= better else "warns"
    words = (
        f"On {better:,} of {len(wrong[OURS]):,} unseen steps the laws are nearer to what came than 'nothing changes', "
        f"on {worse:,} further away; {wrong[OURS].mean():.2f} values wrong on average against "
        f"{wrong[STILL].mean():.2f}."
    )
    return Check(
        name="fidelity",
        title="Unseen steps",
        null="The laws foretell unseen steps no better than the guess that nothing changes.",
        verdict=verdict,
        words=words,
        cannot_show="Situations unlike any in this record: the steps held out are from the same life.",
        statistic="steps nearer",
        value=float(better),
        p_value=p,
    )


def _calibrated(told: Any) -> Check:
    verdict: Verdict = "passes" if told.error <= CALIBRATED else "warns" if told.error <= POOR else "fails"
    return Check(
        name="calibration",
        title="Probabilities",
        null="Values given a probability come about as often as it says.",
        verdict=verdict,
        words=(
            f"Probabilities are off by {told.error:.3f} on average, over {int(told.counts.sum()):,} values that laws "
            f"spoke of in {told.transitions:,} unseen steps."
        ),
        cannot_show="How well single rare events are told; and nothing about values no law speaks of.",
        statistic="expected calibration error",
        value=told.error,
    )


def _fidelity_table(compared: Comparison, wrong: dict[str, np.ndarray]) -> Table:
    frame = compared.to_frame()
    exact = [100 * float((wrong[name] == 0).mean()) if name in wrong else None for name in frame["model"]]
    rows = tuple(
        (row["model"], share, row["rank@1"], row["mrr"], row["raw"], row["normalised"], row["overlap"])
        for (_, row), share in zip(frame.iterrows(), exact, strict=True)
    )
    return Table(
        name="fidelity",
        title="Unseen steps, by model",
        columns=("model", "in full, %", "rank@1", "MRR", "edits", "per leaf", "overlap"),
        rows=rows,
        note=(
            "Share of steps whose likeliest next state is right in full; rank of the true next state among states that "
            "did not come about; edits from a state drawn from the model to the true one. Each action counts alike."
        ),
    )


def _by_action(compared: Comparison, steps: Sequence[Step], wrong: dict[str, np.ndarray]) -> Table:
    ours, still = (compared[name].by_scenario()["mrr"] for name in (OURS, STILL))
    actions = np.array([step.action for step in steps])
    rows = tuple(
        (
            action,
            int((actions == action).sum()),
            100 * float((wrong[OURS][actions == action] == 0).mean()),
            100 * float((wrong[STILL][actions == action] == 0).mean()),
            float(ours[action]),
            float(still[action]),
        )
        for action in ours.index
    )
    return Table(
        name="by-action",
        title="Unseen steps, by action",
        columns=("action", "steps", "laws, %", "nothing changes, %", "MRR of laws", "MRR of nothing changes"),
        rows=rows,
    )


def _rank_figure(compared: Comparison) -> Figure:
    kept = Comparison(tuple(compared[name] for name in (OURS, EXPERTS, STILL)))
    mean = compared[OURS].mean()
    return Figure.of(
        "ranks",
        "Rank of the true next state",
        "Where the true next state comes among states that did not come about, by model.",
        f"Shares of ranks. The laws put the truth first in {mean['rank@1']:.0%} of the cases.",
        draw_svg("ranks", kept.plot, size=(6.2, 3.2)),
    )


def _calibration_figure(told: Any) -> Figure:
    return Figure.of(
        "calibration",
        "Do probabilities mean what they say?",
        "Share of values that came about over the probability given to them; larger dots stand for more values.",
        str(told),
        draw_svg("calibration", told.plot, size=(4.6, 4.0)),
    )


def _ahead(study: Any, found: Found) -> Parts:
    """Several steps ahead, from held-out places of the life."""
    seen = look_ahead(
        found.model, found.life, found.schema, study.checks.horizons, study.checks.starts, study.seed
    )
    if not seen.horizons:
        return Parts()
    last = seen.horizons[-1]
    better = seen.model[-1] <= seen.inertia[-1]
    words = (
        f"{last} steps on, {seen.model[-1]:.1f} values differ from what came; {seen.inertia[-1]:.1f} if nothing "
        "changed."
    )
    check = Check(
        name="look-ahead",
        title="Several steps ahead",
        null="Run on by itself, the model drifts away no faster than a world that stands still.",
        verdict="passes" if better else "warns",
        words=words,
        cannot_show="Runs longer than these. The steps started from are partly those the laws were found on.",
        statistic="values that differ",
        value=float(seen.model[-1]),
    )
    frame = seen.to_frame()
    return Parts(
        checks=(check,),
        tables=(Table.from_frame("ahead", "Several steps ahead", frame),),
        figures=(
            Figure.of(
                "ahead",
                "Several steps ahead",
                "Values that differ from what came, after the model ran on under the recorded actions.",
                words,
                draw_svg("ahead", seen.plot, size=(5.6, 3.0)),
            ),
        ),
    )


# In words.


def _verdict(checks: Sequence[Check]) -> tuple[Credibility, str]:
    verdict, words = credibility(checks)
    failed = [check.title[:1].lower() + check.title[1:] for check in checks if check.verdict == "fails"]
    return verdict, f"These laws are not to be relied on: {listed(failed)} failed." if failed else words


def _sentence(found: Found, whole: Parts) -> str:
    by_name = {finding.name: finding for finding in whole.findings}
    foretold, still = by_name["foretold"].estimate, by_name["unchanged"].estimate
    left_out = ", wandering objects left out," if found.schema.collections else ","
    text = (
        f"{len(found.model.laws):,} laws found in {len(found.learned):,} steps foretell {foretold:.0f}% of "
        f"{by_name['foretold'].n:,} unseen steps in full{left_out} where 'nothing changes' is right for "
        f"{still:.0f}%."
    )
    plans = [finding for finding in whole.findings if finding.name == "plan"]
    return f"{text} {plans[0].estimand}" if plans else text
