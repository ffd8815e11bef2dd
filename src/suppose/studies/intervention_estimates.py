"""Numbers for an identified intervention: counting with a bootstrap, estimating equations, or a network.

Counting makes one table of the nodes that the formula needs, and evaluates the formula on it. The bootstrap
draws that table anew (multinomial, cell by cell), so that rows are never touched again.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from suppose.core.errors import EstimationError, Refusal, StudyError
from suppose.core.progress import progress
from suppose.core.random import generator

__all__ = ["Settings", "bounds", "count", "estimated", "laws", "observed", "plug_in", "settings_of"]

MAX_CELLS = 2**28
MAX_SETTINGS = 60
FAILED = 0.1  # share of bootstrap draws without an answer beyond which there is no interval


@dataclass(frozen=True)
class Settings:
    """What is compared: values of the nodes that are set, in words; the first ``asked`` the study names itself."""

    values: tuple[dict[str, str], ...]
    asked: int = 1

    def words(self, place: int) -> str:
        """One setting in words, e.g. ``"S = 1, T = 0"``."""
        return ", ".join(f"{name} = {value}" for name, value in self.values[place].items())


def settings_of(study: Any, table: Any) -> Settings:
    """The setting asked for, the one it is compared with, and the others where one node is set."""
    from suppose.studies.intervention import word

    asked = {name: word(value) for name, value in study.query.do.items()}
    values = [asked]
    if study.query.against:
        values.append({name: word(value) for name, value in study.query.against.items()})
    if len(asked) == 1:
        name = next(iter(asked))
        every = [{name: state} for state in table.states[name][:MAX_SETTINGS]]
        values += [value for value in every if value not in values]
    return Settings(tuple(values), 1 + bool(study.query.against))


def count(table: Any, variables: tuple[str, ...], where: str = "data") -> Any:
    """Table of counts over ``variables`` as a factor; refused when it would not fit in memory."""
    from suppose.graphs.factors import Factor

    shape = tuple(len(table.states[name]) for name in variables)
    if math.prod(shape) > MAX_CELLS:
        raise StudyError(
            "too-many-cells", f"the formula needs a table of {', '.join(variables)}, which has {math.prod(shape):.3g} "
            f"cells; the limit is {float(MAX_CELLS):.3g}", where=where,
            remedy="Cut these columns into fewer groups, or use method.name = \"aipw\" where the formula allows it.",
        )  # fmt: skip
    place = np.ravel_multi_index([table.codes[name] for name in variables], shape)
    counts = np.bincount(place, minlength=math.prod(shape)).reshape(shape).astype(float)
    return Factor(variables, tuple(table.states[name] for name in variables), counts)


def plug_in(
    study: Any, estimand: Any, counts: Any, settings: Settings
) -> tuple[Float[np.ndarray, "settings states"], Float[np.ndarray, "draws settings states"]]:
    """Law of the outcome under each setting, from counts, and from counts drawn anew.

    A draw in which some ratio has no rows is ``nan``.
    """
    prior = study.method.prior

    def law(values: np.ndarray) -> np.ndarray:
        total = values + prior
        joint = type(counts)(counts.variables, counts.states, total / total.sum())
        return laws(study, estimand, joint, settings)

    point = law(counts.values)
    random = generator(study.seed, "bootstrap")
    seen = np.flatnonzero(counts.values)
    n = int(counts.values.sum())
    shares = counts.values.reshape(-1)[seen] / n
    draws = np.full((study.method.draws, *point.shape), np.nan)
    with progress("bootstrap", study.method.draws) as bar:
        for k in range(study.method.draws):
            values = np.zeros(counts.values.size)
            values[seen] = random.multinomial(n, shares)
            with contextlib.suppress(EstimationError):  # a cell that this draw left empty
                draws[k] = law(values.reshape(counts.values.shape))
            bar.advance()
    return point, draws


def laws(study: Any, estimand: Any, source: Any, settings: Settings) -> Float[np.ndarray, "settings states"]:
    """Law of the outcome under each setting; nan for one that was not asked about and has no rows to answer from."""
    found = [_law(study, estimand, source, setting) for setting in settings.values[: settings.asked]]
    for setting in settings.values[settings.asked :]:
        try:
            found.append(_law(study, estimand, source, setting))
        except EstimationError:
            found.append(np.full_like(found[0], np.nan))
    return np.stack(found)


def _law(study: Any, estimand: Any, joint: Any, setting: Mapping[str, str]) -> np.ndarray:
    from suppose.studies.intervention import word

    given = {name: word(value) for name, value in study.query.given.items()}
    found = estimand.evaluate(joint, at={**setting, **given})
    return np.asarray(found.keep(study.query.outcome).values)


def intervals(
    draws: Float[np.ndarray, "draws ..."], level: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Lower and upper bounds, standard errors, and the share of draws without an answer."""
    unknown = np.isnan(draws).reshape(len(draws), -1)
    bad = unknown[:, ~unknown.all(axis=0)].any(axis=1)  # what no draw tells is not answered at all
    good = draws[~bad]
    if bad.mean() > FAILED or len(good) < 2:
        nothing = np.full(draws.shape[1:], np.nan)
        return nothing, nothing, nothing, float(bad.mean())
    low, high = np.quantile(good, [(1 - level) / 2, (1 + level) / 2], axis=0)
    spread = good.std(axis=0, ddof=1)
    return np.asarray(low), np.asarray(high), np.asarray(spread), float(bad.mean())


def observed(study: Any, table: Any, settings: Settings) -> Float[np.ndarray, "settings states"]:
    """Law of the outcome among the rows that happen to have each setting (nan where there are none)."""
    from suppose.studies.intervention import word

    given = {name: word(value) for name, value in study.query.given.items()}
    states = table.states[study.query.outcome]
    out = np.full((len(settings.values), len(states)), np.nan)
    for place, setting in enumerate(settings.values):
        rows = np.ones(table.rows, dtype=bool)
        for name, value in {**setting, **given}.items():
            rows &= table.codes[name] == table.states[name].index(value)
        if rows.any():
            counts = np.bincount(table.codes[study.query.outcome][rows], minlength=len(states))
            out[place] = counts / counts.sum()
    return out


def bounds(study: Any, table: Any, settings: Settings) -> Float[np.ndarray, "settings 2 states"]:
    """Least and largest share that any hidden causes allow (Robins 1989; Manski 1990).

    Rows that have the setting show their outcome; the others may have had any.
    """
    states = table.states[study.query.outcome]
    out = np.empty((len(settings.values), 2, len(states)))
    for place, setting in enumerate(settings.values):
        rows = np.ones(table.rows, dtype=bool)
        for name, value in setting.items():
            rows &= table.codes[name] == table.states[name].index(value)
        seen = np.bincount(table.codes[study.query.outcome][rows], minlength=len(states)) / table.rows
        out[place] = seen, seen + 1 - rows.mean()
    return out


def estimated(study: Any, table: Any, estimand: Any, settings: Settings, state: str | None) -> Any:
    """Front-door or AIPW estimator of the mean outcome (or the share of ``state``) under each arm, fitted."""
    import pandas as pd

    from suppose.effects import FrontDoor, Interactive

    name = next(iter(study.query.do))
    outcome = study.query.outcome
    y = table.numbers[outcome] if state is None else _indicator(table, outcome, state)
    columns: dict[str, np.ndarray] = {name: table.codes[name].astype(float)}
    mediators = _columns(table, estimand.mediators) if estimand.kind == "front-door" else {}
    covariates = _columns(table, estimand.adjustment) if estimand.kind == "back-door" else {}
    X = pd.DataFrame(columns | mediators | covariates)
    options: dict[str, Any] = {
        "outcome_learner": study.method.learner, "folds": study.method.folds, "level": study.method.level,
        "reference": table.states[name].index(settings.values[min(1, len(settings.values) - 1)][name]),
        "seed": study.seed, "n_jobs": study.run_options.jobs, "backend": study.run_options.backend,
    }  # fmt: skip
    if estimand.kind == "front-door":
        return FrontDoor(name, mediators=list(mediators), **options).fit(X, y)
    return Interactive(name, covariates=list(covariates), **options).fit(X, y)


def _indicator(table: Any, node: str, state: str) -> np.ndarray:
    return np.asarray(table.codes[node] == table.states[node].index(state), dtype=float)


def _columns(table: Any, nodes: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Numbers as they are, categories as one column per state but the first."""
    out: dict[str, np.ndarray] = {}
    for node in nodes:
        if node in table.numbers:
            out[node] = table.numbers[node]
        else:
            out |= {f"{node}={state}": _indicator(table, node, state) for state in table.states[node][1:]}
    return out


def can_estimate(study: Any, estimand: Any, table: Any) -> str | None:
    """Why estimating equations cannot answer, or None when they can."""
    if len(study.query.do) != 1:
        return "more than one node is set"
    if study.query.given:
        return "the question is about a group (query.given)"
    if estimand.kind not in ("unadjusted", "back-door", "front-door"):
        return "the formula is neither a back door nor a front door"
    return None if next(iter(study.query.do)) in table.codes else "the node that is set has too many values"


def problem_of(attempt: Any) -> tuple[Any | None, Refusal | None]:
    """Result of an attempt, or the refusal it met."""
    try:
        return attempt(), None
    except Refusal as refusal:
        return None, refusal
