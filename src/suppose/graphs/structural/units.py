"""What each unit of a table would have been: abduction, action, prediction (Pearl 2009, th. 7.1.7).

From each row the noises are told (abduction), the vertices of ``do`` are set (action), and what they change is
made anew from the same noises (prediction). What ``do`` does not reach stays as it was seen.

Where noise is added it is exactly the difference between a vertex and what its causes make of it. A state does
not tell its noise: :class:`Logit` has a threshold, below or above which the noise lay, and one draw from the
logistic law on that side is taken; a table says even less, so that the answer is not unique and a ``coupling``
is needed (``"monotone"``: one uniform number and states in their order; ``"gumbel"``: shared Gumbel numbers; see
:mod:`suppose.graphs.networks.couplings`). Bounds without one: ``model.network.counterfactual(...)``.

In linear Gaussian models columns may be left out: the answer is then the expected value given the rest of the
row. What it does not do: settings that differ by row, more than one counterfactual world at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import narwhals as nw
import numpy as np

from suppose.core.columns import row_words
from suppose.core.errors import DataError, EstimationError, GraphError, nearest
from suppose.core.random import check_seed, generator
from suppose.core.tables import frame_of
from suppose.graphs.factors import States
from suppose.graphs.networks.counterfactual import COUPLINGS
from suppose.graphs.networks.couplings import gumbel
from suppose.graphs.networks.rows import draw
from suppose.graphs.structural.gaussian import linear_parts, solve
from suppose.graphs.structural.mechanisms import Logit, Table, impossible, numeric
from suppose.graphs.structural.passes import Columns, not_additive, same, view_of
from suppose.graphs.structural.rows import read_columns

if TYPE_CHECKING:
    from suppose.graphs.structural.model import StructuralModel

__all__ = ["counterfactual"]


def counterfactual(
    model: StructuralModel, frame: Any, do: Mapping[str, Any], *, coupling: str = "none", seed: int = 0
) -> Any:
    """The rows of ``frame`` as they would have been under ``do``.

    Parameters
    ----------
    model : StructuralModel
        The model.
    frame : any frame narwhals knows
        What was seen: a column for every vertex that ``do`` changes and for all their causes. Columns that are
        no vertices are handed through.
    do : mapping
        Setting of the counterfactual world.
    coupling : {"none", "monotone", "gumbel"}
        How a state and what it would have been go together where only a table is known.
    seed : int
        Of the draws for states; numbers need none.

    Returns
    -------
    frame of the kind that came in
        The same columns and rows.

    Raises
    ------
    DataError
        ``missing-column``, ``missing-values``, ``unknown-state``.
    EstimationError
        ``counterfactual-not-unique`` (a table and no coupling), ``impossible-evidence``, ``noise-not-additive``.

    Examples
    --------
    >>> from suppose.graphs.structural import Linear, Logit, StructuralModel
    >>> import pandas as pd
    >>> model = StructuralModel("dose -> cured", {"dose": Linear(), "cured": Logit({"dose": 2.0})})
    >>> seen = pd.DataFrame({"dose": [1.0], "cured": ["1"]})
    >>> model.counterfactual(seen, do={"dose": 3.0})["cured"].tolist()
    ['1']
    """
    if coupling not in COUPLINGS:
        raise GraphError(
            "unknown-coupling", f"expected one of {', '.join(COUPLINGS)}, got {coupling!r}",
            where="argument 'coupling'", remedy=nearest(str(coupling), COUPLINGS) or "Name one of these.",
        )  # fmt: skip
    check_seed(seed)
    table = frame_of(frame)
    _, fixed = model.settings(None, do)
    names = [name for name in table.columns if name in model.states]
    changed = set(model.graph.without_incoming(list(fixed)).descendants(list(fixed))) - fixed.keys()
    needed = changed | set(model.graph.parents(list(changed)))
    absent = [name for name in model.graph.nodes if name in needed and name not in names]
    columns = read_columns(model, table, names)
    if absent:
        parts = linear_parts(model)
        if parts is None:
            raise DataError(
                "missing-column",
                "the table lacks this vertex, which is needed to tell what would have been (only linear models with "
                "Gaussian noise can do without)",
                where=f"node: column {absent[0]!r}", remedy="Add the column.",
            )  # fmt: skip
        made = _expected(model, parts, columns, fixed)
    else:
        unit = _Units(model, columns, len(table), coupling, seed)
        made = unit.run(fixed, changed)
    return _handed_back(
        model, table, {name: made[name] for name in names if name in changed or name in fixed}
    )


class _Units:
    """Both worlds of the same units: as seen, and as they would have been."""

    def __init__(self, model: StructuralModel, seen: Columns, rows: int, coupling: str, seed: int) -> None:
        self.model, self.seen, self.rows, self.coupling, self.seed = model, seen, rows, coupling, seed
        self.made: Columns = dict(seen)

    def run(self, fixed: Mapping[str, float], changed: set[str]) -> Columns:
        for name, value in fixed.items():
            self.made[name] = np.full(
                self.rows, value, dtype=float if self.model.states[name] is None else np.intp
            )
        for name in self.model.graph.order:
            if name in changed:
                self.made[name] = self.predicted(name)
        return self.made

    def predicted(self, name: str) -> np.ndarray:
        model, mechanism = self.model, self.model.mechanism(name)
        then = view_of(model, name, self.seen, self.rows)
        now = view_of(model, name, self.made, self.rows)
        if isinstance(mechanism, (Table, Logit)):
            return self.state(name, mechanism, mechanism.probabilities(then), mechanism.probabilities(now))
        if mechanism.kind == "opaque":
            raise not_additive(name)
        before, after = mechanism.location(then), mechanism.location(now)  # type: ignore[attr-defined]
        if mechanism.kind == "certain":
            self.refuse(name, ~same(before, self.seen[name]))
            return np.asarray(after)
        noise = self.seen[name] - before
        self.refuse(name, mechanism.noise.log_prob(noise) == -np.inf)  # type: ignore[attr-defined]
        return np.asarray(np.where(after == before, self.seen[name], after + noise))

    def refuse(self, name: str, wrong: np.ndarray) -> None:
        if wrong.any():
            raise impossible(
                f"column {name!r}", f"the value in {row_words(wrong)} does not follow from its causes"
            )

    def state(self, name: str, mechanism: Table | Logit, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """The state each unit would have had, from the probabilities before and after."""
        states, at = self.seen[name], np.arange(self.rows)
        own = before[states, at]
        self.refuse(name, own <= 0)
        moved = (before != after).any(axis=0)
        unsure = moved & (own < 1) & (after.max(axis=0) < 1)
        if isinstance(mechanism, Table) and self.coupling == "none" and unsure.any():
            raise EstimationError(
                "counterfactual-not-unique",
                f"the tables of {name} do not say which unit would have had which state",
                where="counterfactual",
                remedy="Choose coupling='monotone' or 'gumbel'; model.network.counterfactual gives bounds.",
            )
        uniform = generator(self.seed, "structural unit", name).random(self.rows)
        if isinstance(mechanism, Table) and self.coupling == "gumbel":
            made = self.by_gumbel(mechanism, states, uniform)
        else:  # the uniform number lay where it gave the state that was seen
            low = (np.cumsum(before, axis=0) - before)[states, at]
            made = draw(np.minimum(low + own * uniform, np.nextafter(1.0, 0.0)), after)
        return np.where(moved, made, states)

    def by_gumbel(self, mechanism: Table, states: np.ndarray, uniform: np.ndarray) -> np.ndarray:
        """A draw from the joint law of both states, given the one that was seen."""
        values, parents = mechanism.factor.values, mechanism.factor.variables[1:]
        columns, settings = values.reshape(len(values), -1), values[0].size
        then, now = (
            np.ravel_multi_index([world[parent] for parent in parents], values.shape[1:])
            for world in (self.seen, self.made)
        )
        pairs, which = np.unique(then * settings + now, return_inverse=True)
        joint = gumbel(columns[:, pairs // settings], columns[:, pairs % settings])
        return draw(uniform, joint[states, :, which].T)


def _expected(
    model: StructuralModel,
    parts: tuple[np.ndarray, np.ndarray, np.ndarray],
    columns: Columns,
    fixed: Mapping[str, float],
) -> Columns:
    """Expected values in a linear Gaussian model: the noises are replaced by their mean given the row."""
    mean, loadings, omega = parts
    nodes = model.graph.nodes
    seen = [name for name in columns if loadings[nodes.index(name)].any()]
    at = [nodes.index(name) for name in seen]
    rows = len(next(iter(columns.values()))) if columns else 1
    off = np.stack([columns[name] for name in seen]) - mean[at, None] if seen else np.zeros((0, rows))
    across = omega @ loadings[at].T
    noises = across @ solve(loadings[at] @ across, off)
    made: Columns = {}
    for name in model.graph.order:
        mechanism: Any = model.mechanism(name)
        if name in fixed or mechanism.kind == "certain":
            made[name] = np.full(rows, fixed.get(name, getattr(mechanism, "value", 0.0)))
        else:
            made[name] = mechanism.location(view_of(model, name, made, rows)) + noises[nodes.index(name)]
    return made


def _handed_back(model: StructuralModel, table: nw.DataFrame[Any], made: Columns) -> Any:
    """The table with the columns that changed, each of the kind it came in."""
    new = [_series(table[name], model.states[name], values) for name, values in made.items()]
    return table.with_columns(*new).to_native() if new else table.to_native()


def _series(old: nw.Series[Any], states: States | None, values: np.ndarray) -> nw.Series[Any]:
    backend = old.implementation
    if states is None:
        return nw.new_series(old.name, values, backend=backend)
    if old.dtype == nw.Boolean:
        return nw.new_series(
            old.name, np.asarray([state == "True" for state in states])[values], backend=backend
        )
    numbers = numeric(states) if old.dtype.is_numeric() else None
    if numbers is not None:
        return nw.new_series(old.name, numbers[values], backend=backend).cast(old.dtype)
    texts = np.asarray(states, dtype=object)[values]
    if isinstance(old.dtype, (nw.Categorical, nw.Enum)) and old.implementation.is_pandas():
        import pandas as pd

        ordered = bool(old.to_native().cat.ordered)
        native = pd.Series(pd.Categorical(texts, categories=list(states), ordered=ordered), name=old.name)
        return nw.from_native(native, series_only=True)
    made = nw.new_series(old.name, texts.tolist(), dtype=nw.String, backend=backend)
    return made.cast(old.dtype) if isinstance(old.dtype, nw.Categorical) else made
