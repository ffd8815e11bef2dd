"""Through the vertices in causal order: drawing rows, and adding up their densities.

Rows given evidence are drawn exactly by rejection: causes are drawn as they are without it, and a row is kept
with the density of the evidence under its causes over the greatest density there can be (von Neumann 1951).
That needs no approximation and no burn-in, but many draws where the evidence is rare; beyond
:data:`PROPOSALS` draws it is refused.

Noises with a common cause (``<->``) are jointly normal: each is a sum of independent standard normal numbers of
itself and of its district's earlier vertices (Cholesky), so that evidence on one tilts the others.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from suppose.core.errors import EstimationError
from suppose.core.progress import progress
from suppose.core.random import generator
from suppose.graphs.networks.rows import draw
from suppose.graphs.structural.gaussian import NormalLaw
from suppose.graphs.structural.mechanisms import Function, Logit, Mechanism, Table, View
from suppose.graphs.structural.noise import TINY

if TYPE_CHECKING:
    from suppose.graphs.structural.model import StructuralModel

__all__ = ["District", "forward", "log_density", "rejection"]

Columns = dict[str, np.ndarray]
PROPOSALS = 2**23
"""Most rows drawn to keep those that agree with the evidence."""
HOPELESS = 2**19
"""Rows after which it is judged whether enough would be kept."""
BATCH = 2**16
CONFIGURATIONS = 2**12
"""Most combinations of states of left-out vertices a density is summed over."""
SAME = 1e-9


@dataclass(frozen=True, eq=False)
class District:
    """Vertices whose noises are correlated, in causal order.

    Attributes
    ----------
    members : tuple of str
        The vertices.
    covariance : array (members, members)
        Of their noises.
    lower : array (members, members)
        Its Cholesky factor.
    """

    members: tuple[str, ...]
    covariance: np.ndarray
    lower: np.ndarray


def _standard(uniform: np.ndarray) -> np.ndarray:
    from scipy.special import ndtri

    return np.asarray(ndtri(np.maximum(uniform, TINY)))


def view_of(model: StructuralModel, name: str, columns: Mapping[str, np.ndarray], rows: int) -> View:
    """What the mechanism of ``name`` sees."""
    return View({parent: columns[parent] for parent in model.graph.parents(name)}, model.states, rows)


def same(values: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Where two columns of a vertex without noise agree, up to rounding."""
    return np.asarray(np.abs(values - others) <= SAME * np.maximum(1.0, np.abs(others)))


class _Forward:
    """One pass: the columns drawn so far, and the logarithm of the share of each row that is to be kept."""

    def __init__(self, model: StructuralModel, rows: int, seed: int, batch: int) -> None:
        self.model, self.rows, self.seed, self.batch = model, rows, seed, batch
        self.columns: Columns = {}
        self.standard: Columns = {}
        self.log_keep: np.ndarray = np.zeros(rows)

    def uniform(self, name: str) -> np.ndarray:
        return generator(self.seed, "structural", name, self.batch).random(self.rows)

    def constant(self, name: str, value: float) -> np.ndarray:
        return np.full(self.rows, value, dtype=float if self.model.states[name] is None else np.intp)

    def run(self, fixed: Mapping[str, float], seen: Mapping[str, float]) -> None:
        for name in self.model.graph.order:
            if name in fixed:
                self.columns[name] = self.constant(name, fixed[name])
                if name in self.model.districts:  # its noise goes on being correlated with that of others
                    self.standard[name] = _standard(self.uniform(name))
            else:
                value = self.constant(name, seen[name]) if name in seen else None
                self.columns[name] = self.made(name, self.model.mechanism(name), value)

    def made(self, name: str, mechanism: Mechanism, seen: np.ndarray | None) -> np.ndarray:
        view = view_of(self.model, name, self.columns, self.rows)
        if isinstance(mechanism, (Table, Logit)):
            weights = mechanism.probabilities(view)
            if seen is None:
                return draw(self.uniform(name), weights)
            with np.errstate(divide="ignore"):
                self.log_keep += np.log(weights[seen[0]]) - mechanism.peak(int(seen[0]))
            return seen
        if mechanism.kind == "opaque":
            assert isinstance(mechanism, Function) and mechanism.noise is not None
            if seen is not None:
                raise not_additive(name)
            return mechanism.output(view, mechanism.noise.quantile(self.uniform(name)))
        location = mechanism.location(view)  # type: ignore[attr-defined]
        if mechanism.kind == "certain":
            if seen is not None:
                self.log_keep = np.where(same(location, seen), self.log_keep, -np.inf)
            return location if seen is None else seen
        return self.noisy(name, mechanism, location, seen)

    def noisy(self, name: str, mechanism: Any, location: np.ndarray, seen: np.ndarray | None) -> np.ndarray:
        """A number with additive noise, which may be correlated with others."""
        district = self.model.districts.get(name)
        if district is None:
            if seen is None:
                return np.asarray(location + mechanism.noise.quantile(self.uniform(name)))
            self.log_keep += mechanism.noise.log_prob(seen - location) - mechanism.noise.peak
            return seen
        k = district.members.index(name)
        for j in range(k):
            location = location + district.lower[k, j] * self.standard[district.members[j]]
        if seen is None:
            self.standard[name] = _standard(self.uniform(name))
            return np.asarray(location + district.lower[k, k] * self.standard[name])
        self.standard[name] = (seen - location) / district.lower[k, k]
        self.log_keep -= 0.5 * self.standard[name] ** 2
        return seen


def not_additive(name: str) -> EstimationError:
    """The refusal of a vertex whose noise cannot be told from its value."""
    return EstimationError(
        "noise-not-additive",
        "its function takes the noise as an argument, so that neither its density nor its noise can be told "
        "from what was seen",
        where=f"node {name!r}", remedy="Write it as a function of the causes plus noise, or do not observe it.",
    )  # fmt: skip


def forward(
    model: StructuralModel,
    rows: int,
    seed: int,
    fixed: Mapping[str, float],
    seen: Mapping[str, float],
    batch: int = 0,
) -> tuple[Columns, np.ndarray]:
    """Columns of all vertices, and the logarithm of the share of each row that agrees with what was seen."""
    made = _Forward(model, rows, seed, batch)
    made.run(fixed, seen)
    return made.columns, made.log_keep


def rejection(
    model: StructuralModel, rows: int, seed: int, fixed: Mapping[str, float], seen: Mapping[str, float]
) -> Columns:
    """Rows of the law given what was seen, each drawn and kept or thrown away."""
    kept: list[Columns] = []
    found = tried = 0
    with progress("drawing rows that agree with what was seen", rows) as bar:
        while found < rows:
            size = min(BATCH, max(1_000, 4 * rows))
            columns, log_keep = forward(model, size, seed, fixed, seen, batch=1 + len(kept))
            threshold = generator(seed, "structural rejection", len(kept)).random(size)
            with np.errstate(divide="ignore"):
                keep = np.log(threshold) < log_keep
            kept.append({name: column[keep] for name, column in columns.items()})
            found, tried = found + int(keep.sum()), tried + size
            bar.advance(int(keep.sum()))
            if tried >= HOPELESS and found < rows * tried / PROPOSALS:
                listed = ", ".join(list(seen)[:12])
                raise EstimationError(
                    "evidence-too-rare",
                    f"{found:,} of {tried:,} drawn rows agree with what was seen of {listed}, and {rows:,} are "
                    "asked for",
                    where="given", remedy="Condition on fewer vertices or on their causes, or ask for fewer rows.",
                )  # fmt: skip
    return {name: np.concatenate([part[name] for part in kept])[:rows] for name in model.graph.nodes}


# -- densities ---------------------------------------------------------------------------------


def log_density(model: StructuralModel, seen: Columns, rows: int) -> np.ndarray:
    """Natural logarithm of the joint density of the columns of ``seen``, other causes summed over.

    Raises
    ------
    EstimationError
        ``cannot-integrate`` when a left-out cause is a number; ``noise-not-additive``.
    """
    nodes = set(model.graph.ancestors(list(seen)))
    order = [name for name in model.graph.order if name in nodes]
    hidden = [v for v in order if v not in seen and model.mechanism(v).kind != "certain"]
    sizes = [len(model.states[v] or ()) for v in hidden]  # zero for a number
    if not 0 < math.prod(sizes) <= CONFIGURATIONS:
        raise EstimationError(
            "cannot-integrate",
            f"{', '.join(hidden[:12])} {'is' if len(hidden) == 1 else 'are'} left out, and the density of the rest "
            "has no closed form without",
            where="columns",
            remedy="Add those columns; only states, or linear models with Gaussian noise, can be left out.",
        )  # fmt: skip
    total: np.ndarray | None = None
    for states in itertools.product(*map(range, sizes)):
        one = _one_density(model, order, seen, dict(zip(hidden, states, strict=True)), rows)
        total = one if total is None else np.logaddexp(total, one)
    assert total is not None
    return total


def _one_density(
    model: StructuralModel, order: list[str], seen: Columns, hidden: Mapping[str, int], rows: int
) -> np.ndarray:
    columns: Columns = dict(seen)
    residuals: Columns = {}
    score: np.ndarray = np.zeros(rows)
    for name in order:
        mechanism, view = model.mechanism(name), view_of(model, name, columns, rows)
        if name in hidden:
            columns[name] = np.full(rows, hidden[name], dtype=np.intp)
        if isinstance(mechanism, (Table, Logit)):
            with np.errstate(divide="ignore"):
                score += np.log(mechanism.probabilities(view)[columns[name], np.arange(rows)])
            continue
        if mechanism.kind == "opaque":
            raise not_additive(name)
        location = mechanism.location(view)  # type: ignore[attr-defined]
        if mechanism.kind == "certain":
            if name in seen:
                score = np.where(same(location, columns[name]), score, -np.inf)
            else:
                columns[name] = location
        elif name in model.districts:
            residuals[name] = columns[name] - location
        else:
            score += mechanism.noise.log_prob(columns[name] - location)  # type: ignore[attr-defined]
    for district in {id(d): d for d in model.districts.values()}.values():
        members = [name for name in district.members if name in residuals]
        law = NormalLaw(district.members, np.zeros(len(district.members)), district.covariance).keep(members)
        score += law.log_prob(np.stack([residuals[name] for name in members], axis=1)) if members else 0.0
    return score
