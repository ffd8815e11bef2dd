"""Weights of laws: a convex problem over the opinions of active laws alone.

With laws ``i`` that hold in ``(s, a)`` and have an opinion on the observable ``o``, weights ``w >= 0`` and log-scores
``f_i(v)`` (-10 for values a law does not list),

    P(o = v | s, a) = exp(sum_i w_i f_i(v)) / sum_u exp(sum_i w_i f_i(u)),

and the loss is ``-sum log P(observed) + penalty * sum_i w_i`` with ``0 <= w_i <= 10`` (OneLife, arXiv 2510.12088). It
is convex in ``w``. OneLife runs a few steps of L-BFGS through automatic differentiation over dense domains; here the
opinions are gathered once as sparse scores, values that nobody lists are summed in closed form, and a bounded L-BFGS
finds the minimum. Laws without an opinion on anything that was seen keep the weight they start with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64
from scipy import optimize, sparse

from suppose.core.errors import EstimationError
from suppose.core.random import generator
from suppose.worlds.laws.observables import SILENT

__all__ = ["BOUND", "PENALTY", "START", "Opinions", "Pool", "pool", "solve_weights"]

START, BOUND, PENALTY = 0.5, 10.0, 0.001
MEMORY = 4e9  # bytes
Floats = Float64[np.ndarray, " _"]


@dataclass(frozen=True, eq=False)
class Opinions:
    """Opinions of laws on cases; a case is one observable of one transition.

    Attributes
    ----------
    law, case : array of int, shape (k,)
        Of each opinion.
    opinion : array of int, shape (e,)
        Of each listed value.
    value, score : array of float, shape (e,)
        Listed values and their log-scores.
    outcome : array of float, shape (c,)
        What was observed, by case.
    size : array of float, shape (c,)
        Values in the domain, by case.
    """

    law: Int64[np.ndarray, " k"]
    case: Int64[np.ndarray, " k"]
    opinion: Int64[np.ndarray, " e"]
    value: Float64[np.ndarray, " e"]
    score: Float64[np.ndarray, " e"]
    outcome: Float64[np.ndarray, " c"]
    size: Float64[np.ndarray, " c"]


@dataclass(frozen=True, eq=False)
class Pool:
    """The log-linear pool of some opinions, ready for any weights.

    Attributes
    ----------
    scores : sparse array, shape (rows, laws)
        Summed log-scores; a row is one value of one case, or all values nobody lists.
    offset : array of float, shape (rows,)
        Logarithm of how many values a row stands for.
    begins : array of int, shape (cases,)
        First row of each case.
    observed : array of int, shape (cases,)
        Row of what was observed.
    times : array of float, shape (cases,)
        How often the same case was seen.
    """

    scores: Any
    offset: Float64[np.ndarray, " rows"]
    begins: Int64[np.ndarray, " cases"]
    observed: Int64[np.ndarray, " cases"]
    times: Float64[np.ndarray, " cases"]

    def log_likelihood(self, weights: Float64[np.ndarray, " laws"]) -> float:
        """Sum of the log-probabilities of what was observed."""
        return -self._loss(weights)[0]

    def _loss(self, weights: Any) -> tuple[float, Floats]:
        """Negative log-likelihood and its gradient."""
        logits = self.scores @ weights + self.offset
        counts = np.diff(np.append(self.begins, len(logits)))
        tops = np.maximum.reduceat(logits, self.begins)
        shifted = np.exp(logits - np.repeat(tops, counts))
        totals = np.add.reduceat(shifted, self.begins)
        loss = float(self.times @ (tops + np.log(totals) - logits[self.observed]))
        pull = shifted / np.repeat(totals / self.times, counts)
        pull[self.observed] -= self.times
        return loss, np.asarray(self.scores.T @ pull)


def pool(opinions: Opinions, laws: int) -> Pool:
    """Gathers opinions into one sparse problem; cases that are alike are counted once.

    Parameters
    ----------
    opinions : Opinions
    laws : int
        How many laws there are.

    Raises
    ------
    EstimationError
        ``too-many-opinions`` where the problem would not fit into memory.

    Examples
    --------
    >>> one = Opinions(np.array([0]), np.array([0]), np.array([0, 0]), np.array([1.0, 0.0]),
    ...                np.log([0.9, 0.1]), np.array([1.0]), np.array([2.0]))
    >>> round(float(np.exp(pool(one, 1).log_likelihood(np.array([1.0])))), 6)
    0.9
    """
    case, inverse, outcome = _rows(opinions)
    cases = len(opinions.outcome)
    counts = np.bincount(case, minlength=cases)
    rest = np.maximum(opinions.size - counts, 0.0)
    lengths = counts + (rest > 0)
    begins = np.cumsum(lengths) - lengths
    place = np.arange(len(case)) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = begins[case] + place
    offset = np.zeros(int(lengths.sum()))
    offset[(begins + counts)[rest > 0]] = np.log(rest[rest > 0])
    block = lengths[opinions.case]
    if block.sum() * 28 > MEMORY:
        raise EstimationError(
            "too-many-opinions",
            f"{len(opinions.law):,} opinions on {cases:,} values need more than {MEMORY / 1e9:.0f} GB",
            where="fit",
            remedy="Give fewer transitions, or laws that hold less often.",
        )
    starts = np.cumsum(block) - block
    within = np.arange(int(block.sum())) - np.repeat(starts, block)
    data = np.full(len(within), SILENT)
    listed = rows[inverse] - begins[opinions.case[opinions.opinion]]
    data[starts[opinions.opinion] + listed] = opinions.score
    matrix = sparse.csr_array(
        (data, (np.repeat(begins[opinions.case], block) + within, np.repeat(opinions.law, block))),
        shape=(len(offset), laws),
    )
    return _condensed(Pool(matrix, offset, begins, rows[outcome], np.ones(cases)))


def _rows(opinions: Opinions) -> tuple[Any, Any, Any]:
    """Cases of the distinct pairs of case and value, in order; where each listed value and outcome is among them."""
    cases = np.concatenate([opinions.case[opinions.opinion], np.arange(len(opinions.outcome))])
    values = np.concatenate([opinions.value, opinions.outcome])
    levels, codes = np.unique(values, return_inverse=True)
    keys, inverse = np.unique(cases * len(levels) + codes, return_inverse=True)
    count = len(opinions.value)
    return keys // len(levels), inverse[:count], inverse[count:]


def _condensed(whole: Pool) -> Pool:
    """The pool with cases that are alike counted rather than repeated.

    Two cases are alike if the same laws give the same scores, and the same one came about. They are told apart by
    projections of their rows on random directions, which are the same for every pool.
    """
    cases, laws = len(whole.begins), whole.scores.shape[1]
    if not cases:
        return whole
    directions = generator(0, "laws", "projections").standard_normal((2, laws))
    rows = np.stack([whole.scores @ direction for direction in directions])
    marks = np.concatenate([np.add.reduceat(np.cos(rows), whole.begins, axis=1), rows[:, whole.observed]])
    counts = np.diff(np.append(whole.begins, len(whole.offset)))
    spread = np.add.reduceat(whole.offset, whole.begins)
    signature = np.round(np.vstack([marks, counts, spread]), 9)
    _, first, times = np.unique(signature, axis=1, return_index=True, return_counts=True)
    order = np.argsort(first)
    kept, times = first[order], times[order]
    lengths = counts[kept]
    begins = np.cumsum(lengths) - lengths
    places = np.arange(int(lengths.sum())) + np.repeat(whole.begins[kept] - begins, lengths)
    observed = begins + whole.observed[kept] - whole.begins[kept]
    return Pool(
        sparse.csr_array(whole.scores[places]), whole.offset[places], begins, observed, times.astype(float)
    )


def solve_weights(
    problem: Pool,
    start: float = START,
    bound: float = BOUND,
    penalty: float = PENALTY,
    iterations: int = 5_000,
) -> tuple[Floats, int]:
    """Weights that make what was observed most likely, and how many iterations it took.

    Raises
    ------
    EstimationError
        ``weights-not-found`` where the minimum is not reached.

    Examples
    --------
    >>> two = Opinions(np.array([0, 1]), np.array([0, 0]), np.array([0, 1]), np.array([1.0, 0.0]),
    ...                np.zeros(2), np.array([1.0]), np.array([2.0]))
    >>> weights, _ = solve_weights(pool(two, 3))
    >>> [round(float(weight), 2) for weight in weights]
    [0.92, 0.0, 0.5]
    """
    laws = problem.scores.shape[1]
    weights = np.full(laws, start)
    heard = np.flatnonzero(np.diff(problem.scores.tocsc().indptr))
    if not len(heard):
        return weights, 0
    part = Pool(
        sparse.csr_array(problem.scores[:, heard]),
        problem.offset,
        problem.begins,
        problem.observed,
        problem.times,
    )

    def loss(given: Any) -> tuple[float, Floats]:
        value, gradient = part._loss(given)
        return value + penalty * float(given.sum()), gradient + penalty

    found = optimize.minimize(
        loss,
        np.full(len(heard), start),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, bound)] * len(heard),
        options={"maxiter": iterations, "maxfun": 4 * iterations, "maxcor": 20, "ftol": 1e-9, "gtol": 1e-6},
    )
    if not found.success and found.nit >= iterations:
        raise EstimationError(
            "weights-not-found",
            f"no minimum within {iterations:,} iterations: {found.message}",
            where="fit",
            remedy="Allow more iterations.",
        )
    weights[heard] = found.x
    return weights, int(found.nit)
