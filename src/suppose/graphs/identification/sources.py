"""Where probabilities come from: a joint table, rows, or a network. Each gives tables of a few variables on demand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from suppose.core.errors import GraphError
from suppose.core.tables import frame_of, require_columns
from suppose.graphs.factors import Factor, States

__all__ = ["LIMIT", "Source", "check_cells", "source_of"]

LIMIT = 2**28
"""Cells of the largest table that is ever made (2 GiB)."""


class Source:
    """Tables of the observed law."""

    states: dict[str, States]

    def table(self, variables: Sequence[str]) -> Factor:
        """Weights over ``variables``: probabilities or counts, summing to the same total for every call."""
        raise NotImplementedError


def check_cells(variables: Iterable[str], states: dict[str, States], what: str) -> None:
    """Refuse a table over :data:`LIMIT` cells by name."""
    names = list(variables)
    cells = math.prod(len(states[name]) for name in names)
    if cells > LIMIT:
        shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        raise GraphError(
            "clique-too-large", f"{what} needs a table of {cells:.3g} entries over {len(names)} variables ({shown}); "
            f"the limit is {float(LIMIT):.3g}", where="formula",
            remedy="Merge rare states, measure fewer of these, or give the states of some in 'at'.",
        )  # fmt: skip


class _Joint(Source):
    """A joint table over at least the variables of the formula."""

    def __init__(self, joint: Factor) -> None:
        if not np.isfinite(joint.values).all() or (joint.values < 0).any() or not joint.total() > 0:
            raise GraphError(
                "not-a-distribution",
                "expected weights that are finite, not below zero, and not all zero", where="joint table",
                remedy="Give probabilities or counts of all combinations.",
            )  # fmt: skip
        self.joint, self.states = joint, joint.states_of

    def table(self, variables: Sequence[str]) -> Factor:
        return self.joint.keep(variables)


class _Rows(Source):
    """Rows of a frame, coded once for every variable; tables are counted."""

    def __init__(self, frame: Any, variables: Sequence[str]) -> None:
        from suppose.graphs.networks.learning import coded, text_values

        table = frame_of(frame)
        require_columns(table.columns, variables, "node")
        self.states = {}
        self.codes: dict[str, np.ndarray] = {}
        for name in variables:
            values, states = text_values(table[name].to_native(), name)
            self.codes[name], self.states[name] = coded(values, states, name), states

    def table(self, variables: Sequence[str]) -> Factor:
        check_cells(variables, self.states, "counting rows")
        shape = tuple(len(self.states[name]) for name in variables)
        place = np.ravel_multi_index([self.codes[name] for name in variables], shape)
        counts = np.bincount(place, minlength=math.prod(shape)).reshape(shape).astype(float)
        return Factor(tuple(variables), tuple(self.states[name] for name in variables), counts)


class _Network(Source):
    """A network, asked for the joint of a few variables at a time."""

    def __init__(self, network: Any) -> None:
        self.network = network
        self.states = dict(network.states)

    def table(self, variables: Sequence[str]) -> Factor:
        check_cells(variables, self.states, "the network's answer")
        found: Factor = self.network.query(list(variables))
        return found


def source_of(given: Any, variables: Sequence[str]) -> Source:
    """The source of tables of ``variables`` that ``given`` is.

    Raises
    ------
    GraphError
        ``unknown-variable``, ``not-a-distribution``.
    DataError
        ``not-a-table``, ``missing-column``, ``missing-values``.
    """
    if isinstance(given, Factor):
        for name in variables:
            given.axis(name)
        return _Joint(given)
    if hasattr(given, "query") and hasattr(given, "graph"):
        given.graph.ids(list(variables), where="network")
        return _Network(given)
    return _Rows(given, variables)
