"""Rows of a network: drawn from it, and scored by it.

Rows given evidence are drawn exactly: the causes of the evidence are summed out one by one, and drawn in the
reverse order, each from its own sum given those drawn before it (forward filtering, backward sampling; Dawid
1992). All others follow their tables. Scores are sums of logarithms; where columns are left out, the rows are
one more axis of the tables, so that all rows are summed at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from suppose.core.errors import DataError
from suppose.core.random import generator
from suppose.core.tables import frame_of, require_columns
from suppose.graphs.networks.contraction import Term, check_size, combine, eliminate, plan_elimination
from suppose.graphs.networks.learning import coded, text_values

if TYPE_CHECKING:
    from suppose.graphs.networks.network import DiscreteNetwork

__all__ = ["draw", "log_prob", "sample"]

CHUNK = 2**22
"""Entries of the largest table made for one portion of rows."""


def check_rows(rows: int) -> None:
    """Refuse a number of rows that is none."""
    if isinstance(rows, bool) or not isinstance(rows, (int, np.integer)) or rows < 1:
        raise DataError(
            "bad-rows", f"expected a whole number of at least 1, got {rows!r}", where="argument 'rows'",
            remedy="Write for example rows=1000.",
        )  # fmt: skip


def draw(uniform: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Numbers drawn by inverse distribution function: ``weights`` has shape (states, rows) or (states, 1)."""
    steps = np.cumsum(weights, axis=0)
    found: np.ndarray = (uniform[None, :] * steps[-1] >= steps[:-1]).sum(axis=0)
    return found


def _columns(table: np.ndarray, codes: list[np.ndarray]) -> np.ndarray:
    """The columns of a table at the states its other axes have in each row."""
    return np.moveaxis(table, 0, -1)[tuple(codes)].T if codes else table[:, None]


def sample(
    network: DiscreteNetwork,
    rows: int,
    given: Mapping[str, Any] | None,
    do: Mapping[str, Any] | None,
    seed: int,
) -> Any:
    """See :meth:`DiscreteNetwork.sample`."""
    import pandas as pd

    check_rows(rows)
    seen, set_ = network._codes(given, do)
    names = network.graph.nodes
    codes: dict[int, np.ndarray] = {
        v: np.full(rows, state, dtype=np.intp) for v, state in (seen | set_).items()
    }

    def uniform(v: int) -> np.ndarray:
        return generator(seed, "network", names[v]).random(rows)

    causes = network._relevant(set(seen), set_)
    _draw_causes(network, network._sliced(causes, seen | set_, set_), codes, uniform, given)
    for name in network.graph.order:
        v = network._index[name]
        if v not in codes:
            (_, *parents), values = network._terms[v]
            codes[v] = draw(uniform(v), _columns(values, [codes[u] for u in parents]))
    return pd.DataFrame({
        name: pd.Categorical.from_codes(codes[v].astype(np.int64), categories=pd.Index(network._states[name]))
        for v, name in enumerate(names)
    })  # fmt: skip


def _draw_causes(
    network: DiscreteNetwork, terms: list[Term], codes: dict[int, np.ndarray], uniform: Any, given: Any
) -> None:
    """Draw the causes of the evidence, given it."""
    plan = plan_elimination([ids for ids, _ in terms], network._sizes())
    check_size(plan, network.graph.nodes)
    buckets: list[tuple[int, tuple[int, ...], np.ndarray]] = []

    def visit(v: int, joined: list[Term]) -> None:
        others = tuple(dict.fromkeys(u for ids, _ in joined for u in ids if u != v))
        buckets.append((v, others, combine(joined, (v, *others))))

    total, _ = eliminate(terms, plan, (), visit=visit)
    if not total > 0:
        raise network._impossible(given)
    for v, others, table in reversed(buckets):
        codes[v] = draw(uniform(v), _columns(table, [codes[u] for u in others]))


def log_prob(
    network: DiscreteNetwork, frame: Any, given: Mapping[str, Any] | None, do: Mapping[str, Any] | None
) -> np.ndarray:
    """See :meth:`DiscreteNetwork.log_prob`."""
    table = frame_of(frame)
    require_columns(network.graph.nodes, table.columns, "node")
    seen, set_ = network._codes(given, do)
    codes: dict[int, np.ndarray] = {}
    impossible: np.ndarray = np.zeros(len(table), dtype=bool)
    for name in table.columns:
        v = network._index[name]
        values, _ = text_values(table[name].to_native(), name)
        found = coded(values, network._states[name], name)
        if v in seen or v in set_:  # a row that contradicts what is held fixed cannot occur
            impossible |= found != (seen | set_)[v]
        else:
            codes[v] = found
    base = network.evidence_log_prob(given or {}, do) if seen else 0.0
    if base == -np.inf:
        raise network._impossible(given)
    relevant = network._relevant({*codes, *seen}, set_)
    scores = np.full(len(table), -base)
    scores += _scores(network, network._sliced(relevant, seen | set_, set_), codes, len(table))
    return np.where(impossible, -np.inf, scores)


def _scores(
    network: DiscreteNetwork, terms: list[Term], codes: dict[int, np.ndarray], rows: int
) -> np.ndarray:
    batch = len(network._states)
    whole = [term for term in terms if set(term[0]) <= codes.keys()]
    rest = [term for term in terms if not set(term[0]) <= codes.keys()]
    scores: np.ndarray = np.zeros(rows)
    with np.errstate(divide="ignore"):
        for ids, values in whole:
            scores = scores + np.log(values[tuple(codes[u] for u in ids)] if ids else values)
    if not rest:
        return scores
    scopes = [tuple(u for u in ids if u not in codes) for ids, _ in rest]
    plan = plan_elimination(scopes, network._sizes())
    check_size(plan, network.graph.nodes)
    step = max(1, int(CHUNK // plan.entries))
    for start in range(0, rows, step):
        stop = min(start + step, rows)
        portion = {v: code[start:stop] for v, code in codes.items()}
        joined = [_by_row(term, portion, batch) for term in rest]
        keep = (batch,) if any(batch in ids for ids, _ in joined) else ()
        values, log = eliminate(joined, plan, keep, batch=batch)
        with np.errstate(divide="ignore"):
            scores[start:stop] += np.log(values) + log
    return scores


def _by_row(term: Term, codes: Mapping[int, np.ndarray], batch: int) -> Term:
    """The table with its observed axes replaced by one axis of rows."""
    ids, values = term
    seen = [u for u in ids if u in codes]
    if not seen:
        return term
    free = [u for u in ids if u not in codes]
    turned = values.transpose([ids.index(u) for u in (*seen, *free)])
    return (batch, *free), turned[tuple(codes[u] for u in seen)]
