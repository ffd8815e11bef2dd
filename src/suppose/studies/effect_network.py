"""Settings of the attention network in an effect study, its estimator, and what it reads beside the table.

``[method] name = "transtee"`` takes the settings of ``[method.network]``. With ``roles.dose`` the treatment is
an arm with a dose; with ``roles.graphs`` each value of the treatment names a graph, whose edges stand in a
table of the columns ``graph``, ``from`` and ``to``.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field

from suppose.core.answer import InputFile
from suppose.core.cost import Cost, peak_memory, resident_memory
from suppose.core.errors import DataError, StudyError
from suppose.core.run import sha256_file
from suppose.core.study import Section
from suppose.core.tables import path_inside, read_table

__all__ = ["Network", "build_network", "network_cost", "read_graphs", "refuse_wrong_method"]

EDGE_COLUMNS = ("graph", "from", "to")


class Network(Section):
    """The network and its training; see :class:`suppose.effects.TransTEE` for each setting."""

    epochs: int = Field(default=300, ge=1, le=100_000)
    members: int = Field(default=10, ge=2, le=1_000)
    interval: Literal["bootstrap", "ensemble"] = "bootstrap"
    patience: int | None = Field(default=60, ge=1)
    restarts: int = Field(default=1, ge=1, le=100)
    learning_rate: float = Field(default=5e-3, gt=0.0, le=10.0)
    weight_decay: float = Field(default=5e-3, ge=0.0)
    batch_size: int = Field(default=128, ge=1)
    d_model: int = Field(default=10, ge=1, le=4096)
    heads: int = Field(default=2, ge=1, le=64)
    layers: int = Field(default=1, ge=1, le=64)
    covariate_embedding: Literal["per_feature", "shared"] = "per_feature"
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    balance: Literal["none", "tr", "ptr"] = "none"
    balance_weight: float = Field(default=0.1, ge=0.0)
    shuffles: int = Field(default=10, ge=5, le=1_000)


def refuse_wrong_method(study: Any) -> None:
    """Refuse doses and graphs with a method that has no use for them, and averages the network does not take."""
    roles, method = study.roles, study.method
    if method.name == "transtee":
        if method.estimand != "ATE":
            raise StudyError(
                "bad-estimand", "the network averages over everyone", where="method.estimand",
                remedy='Leave it out, or use name = "aipw".',
            )  # fmt: skip
        if roles.dose is not None and roles.graphs is not None:
            raise StudyError(
                "dose-and-graphs", "a treatment is an arm with a dose or a graph, not both", where="roles.graphs",
                remedy="Leave one of them out.",
            )  # fmt: skip
        return
    for role in ("dose", "graphs"):
        if getattr(roles, role) is not None:
            raise StudyError(
                "needs-network", f"method {method.name!r} has no use for it", where=f"roles.{role}",
                remedy='Use name = "transtee", or leave it out.',
            )  # fmt: skip


def build_network(study: Any, table: Any, covariates: tuple[str, ...] | None = None) -> Any:
    """The estimator with the study's settings, not fitted."""
    from suppose.effects import TransTEE

    settings = study.method.network.model_dump()
    settings.pop("shuffles")
    balance = settings.pop("balance")
    kind = "auto"
    if study.roles.treatment_type == "continuous" or (table.kind == "continuous" and table.graphs is None):
        kind = "dose" if study.roles.dose is not None else "continuous"
    return TransTEE(
        table.treatment, treatment_kind=kind, dose=study.roles.dose, graphs=table.graphs,
        covariates=list(table.covariates if covariates is None else covariates), cluster=table.cluster,
        reference=table.reference, balance=None if balance == "none" else balance, level=study.method.level,
        seed=study.seed, **settings,
    )  # fmt: skip


def read_graphs(
    study: Any, labels: dict[float, str], values: np.ndarray
) -> tuple[tuple[Any, ...], tuple[str, ...], InputFile]:
    """Graphs of the treatment's values, in their order, from the study's table of edges.

    Raises
    ------
    DataError
        ``graph-missing`` for a value of the treatment that has no edges in the table.
    """
    import networkx as nx

    path = path_inside(str(study.roles.graphs), study.home)
    edges = read_table(path, columns=list(EDGE_COLUMNS), encoding=study.data.encoding)
    missing = [name for name in EDGE_COLUMNS if name not in edges.columns]
    if missing:
        raise DataError(
            "missing-column", f"no such column; the table has: {', '.join(edges.columns)}",
            where=f"roles.graphs: column {missing[0]!r}",
            remedy="A table of edges has the columns graph, from and to.",
        )  # fmt: skip
    columns = [[_text(value) for value in edges[name].to_list()] for name in EDGE_COLUMNS]
    drawn: dict[str, Any] = {}
    for graph, source, target in zip(*columns, strict=True):
        drawn.setdefault(graph, nx.Graph()).add_edge(source, target)
    names = [labels.get(float(value), _text(float(value))) for value in np.unique(values)]
    for name in names:
        if name not in drawn:
            raise DataError(
                "graph-missing", f"{name!r} is a value of the treatment without edges",
                where=f"roles.graphs: file {study.roles.graphs!r}",
                remedy="Write one row (graph, from, to) for each edge of each graph.",
            )  # fmt: skip
    record = InputFile(
        name=str(study.roles.graphs), sha256=sha256_file(path), bytes=path.stat().st_size,
        rows=edges.shape[0], columns=len(EDGE_COLUMNS),
    )  # fmt: skip
    return tuple(drawn[name] for name in names), tuple(names), record


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def network_cost(study: Any, table: Any) -> Cost:
    """Networks to be trained, and the memory of all members on one batch and on the whole table."""
    network = study.method.network
    refits = network.shuffles * ("placebo-treatment" in study.checks.refute)
    refits += network.members * (study.checks.placebo_outcome is not None)
    tokens = max(len(table.covariates), 1)
    per_row = 8 * tokens * (12 * network.d_model + 2 * network.heads * tokens + 50) * network.layers
    rows = max(len(table.y), 3 * network.batch_size)
    added = network.members * network.restarts * rows * per_row
    memory = max(resident_memory() + added, peak_memory() or 0)
    fits = network.members * network.restarts + refits
    return Cost(memory=memory, fits=fits, rows=len(table.y), held=memory - added)
