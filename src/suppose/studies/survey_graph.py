"""The graph of a survey study: which node is which column, what to hold fixed, and by which way the answer goes.

A node with a star is what is recorded of the node without it. Columns may be called either way: ``smoking`` stands for
the recorded ``smoking*`` where the graph has such a node.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from suppose.core.errors import StudyError, nearest
from suppose.effects.mode.graph import ModeSets, ModeVerdict, mode_safe_sets
from suppose.graphs import DAG, adjustment_sets, is_adjustment_set

__all__ = ["GraphView", "Plan", "cut_shifts", "plan_of", "read_graph"]

CONDITIONING = ("conditional", "stratified", "imputed", "weighted")
DAGITTY = re.compile(r"\s*dag\b[^{]*\{")


@dataclass(frozen=True)
class GraphView:
    """The graph beside the table: nodes of the answers and the mode, and the column of every measured node."""

    dag: DAG
    exposure: str | None
    outcome: str
    mode: str
    columns_of: dict[str, str]
    hidden: tuple[str, ...]
    fixed: tuple[str, ...]

    @property
    def recorded(self) -> tuple[str | None, str]:
        """Nodes recorded of exposure and outcome."""
        twin = [
            f"{name}*" if f"{name}*" in self.dag.nodes else name for name in (self.exposure, self.outcome)
        ]
        return twin[0], str(twin[1])

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the nodes that may be held fixed, the mode aside."""
        return tuple(self.columns_of.values())


@dataclass(frozen=True)
class Plan:
    """The way an answer goes: how the mode is dealt with, the covariates held fixed, and what the graph says of it.

    ``way`` is one of the ways of a slope, or ``"contrast"`` where mean answers are compared.
    """

    way: str
    covariates: tuple[str, ...]
    reason: str
    verdict: ModeVerdict | None = None
    sets: ModeSets | None = None
    view: GraphView | None = None
    identified: bool | None = None
    chosen: bool = field(default=False)
    """Whether the study named the way itself."""


def read_graph(study: Any) -> GraphView:
    """The study's graph, its nodes matched to the table's columns.

    Raises
    ------
    GraphError
        ``graph-syntax``, ``graph-cycle``, ``unknown-node``.
    StudyError
        ``node-without-column``.
    """
    roles, section = study.roles, study.graph
    dag = DAG.from_dagitty(section.text) if DAGITTY.match(section.text) else DAG.parse(section.text)
    dag = dag.replace(latent=[*dag.latent, *dag.names(dag.ids(section.latent, where="graph.latent"))])
    exposure = (
        None if roles.exposure is None else _true_node(dag, section.exposure, roles.exposure, "exposure")
    )
    outcome = _true_node(dag, section.outcome, roles.outcome, "outcome")
    dag.ids(roles.mode, where="roles.mode")
    offers = (roles.offer,) if roles.offer in dag.nodes else ()
    twins = {f"{name}*" for name in dag.nodes}
    aside = {exposure, outcome, f"{exposure}*", f"{outcome}*", roles.mode, *offers, *dag.latent}
    measured = [name for name in dag.nodes if name not in aside and f"{name}*" not in dag.nodes]
    known = _table_columns(study)
    columns_of = {
        name: name if known is None or name in known or name not in twins else name.removesuffix("*")
        for name in measured
    }
    if known is not None:
        absent = [name for name, column in columns_of.items() if column not in known]
        if absent:
            raise StudyError(
                "node-without-column", f"the table has no column for {', '.join(map(repr, absent))}",
                where="graph.text", remedy=nearest(absent[0], known)
                or f"List what was not measured: [graph] latent = {_quoted(absent)}.",
            )  # fmt: skip
    fixed: tuple[str, ...] = ()
    if roles.covariates is not None:
        node_of = {column: name for name, column in columns_of.items()}
        fixed = dag.names(
            dag.ids([node_of.get(name, name) for name in roles.covariates], where="roles.covariates")
        )
    hidden = (*dag.latent, *offers)
    if roles.covariates is not None:
        hidden = (*hidden, *(name for name in columns_of if name not in fixed))
        columns_of = {name: column for name, column in columns_of.items() if name in fixed}
    return GraphView(dag, exposure, outcome, roles.mode, columns_of, hidden, fixed)


def _true_node(dag: DAG, named: str | None, column: str, role: str) -> str:
    """Node of the true answer: the one named, or the column's name, without its star where the graph has both."""
    if named is not None:
        return dag.names(dag.ids(named, where=f"graph.{role}"))[0]
    plain = column.removesuffix("*")
    name = plain if plain in dag.nodes else column
    return dag.names(dag.ids(name, where=f"roles.{role}"))[0]


def _table_columns(study: Any) -> tuple[str, ...] | None:
    """Columns of the study's table, where they can be known without reading it."""
    import narwhals as nw

    from suppose.core.tables import column_names, frame_of, path_inside

    data = study.data
    if data.frame is not None:
        frame: nw.DataFrame[Any] = frame_of(data.frame)
        return tuple(frame.columns)
    if data.shipped is not None:
        from suppose.datasets.shipped import resolve

        known = column_names(resolve(data.shipped), data.encoding)
    else:
        known = column_names(path_inside(str(data.file), study.home), data.encoding)
    return None if known is None else tuple(known)


def _quoted(names: list[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def cut_shifts(view: GraphView, *, exposure: bool, outcome: bool) -> DAG:
    """The graph once the mode's arrows into recorded answers are taken back; arrows into true answers stay.

    Examples
    --------
    >>> dag = DAG("X -> Y; X -> X*; Y -> Y*; M -> {X* Y*}")
    >>> view = GraphView(dag, "X", "Y", "M", {}, (), ())
    >>> cut_shifts(view, exposure=True, outcome=False).text
    'X -> Y; X -> X*; Y -> Y*; M -> Y*'
    """
    gone = {
        (view.mode, name) for name, taken in zip(view.recorded, (exposure, outcome), strict=True)
        if taken and name not in (view.exposure, view.outcome)
    }  # fmt: skip
    kept = [edge for edge in view.dag.directed if edge not in gone]
    return view.dag.replace(directed=kept, nodes=view.dag.nodes)


def plan_of(study: Any, view: GraphView | None) -> Plan:
    """What to hold fixed and which way to go."""
    if study.roles.exposure is None:
        return _contrast_plan(study, view)
    way, beliefs = study.method.way, _beliefs(study)
    covariates = tuple(study.roles.covariates or ())
    if view is None:
        words = "No graph was given, so nothing says whether to hold the mode fixed."
        chosen = way != "auto"
        return Plan(way if chosen else beliefs or "naive", covariates, words, chosen=chosen)
    sets = _sets(view, view.dag)
    if way != "auto":
        held = (view.mode,) if way in CONDITIONING else ()
        dag = _taken_back(study, view, way)
        found = _sets(view, dag, include=held, without_mode=not held).items[0]
        return Plan(way, _columns(view, found), found.reason, found, sets, view, chosen=True)
    best = sets.items[0]
    if best.verdict != "safe" and beliefs is not None:
        found = _sets(view, _taken_back(study, view, beliefs), without_mode=True).items[0]
        return Plan(beliefs, _columns(view, found), sets.reason, found, sets, view)
    way = "conditional" if view.mode in best.given else "naive"
    return Plan(way, _columns(view, best), sets.reason, best, sets, view)


def _beliefs(study: Any) -> str | None:
    """The way of the beliefs the study states, if any."""
    if study.bias is not None and study.bias.priors():
        return "bias"
    return "rates" if study.rates is not None and study.rates.given() else None


def _taken_back(study: Any, view: GraphView, way: str) -> DAG:
    """The graph that holds for the way: without the arrows the beliefs take back."""
    if way == "bias" and study.bias is not None:
        names = set(study.bias.priors())
        return cut_shifts(view, exposure="exposure" in names, outcome="outcome" in names)
    if way == "rates" and study.rates is not None:
        names = {name.partition("_")[0] for name in study.rates.given()}
        return cut_shifts(view, exposure="exposure" in names, outcome="outcome" in names)
    return view.dag


def _sets(
    view: GraphView, dag: DAG, *, include: tuple[str, ...] = (), without_mode: bool = False
) -> ModeSets:
    hidden = (*view.hidden, view.mode) if without_mode else view.hidden
    return mode_safe_sets(
        dag, str(view.exposure), view.outcome, view.mode,
        latent=[name for name in hidden if name not in include], include=(*view.fixed, *include),
    )  # fmt: skip


def _columns(view: GraphView, verdict: ModeVerdict) -> tuple[str, ...]:
    return tuple(view.columns_of[name] for name in verdict.given if name != view.mode)


def _contrast_plan(study: Any, view: GraphView | None) -> Plan:
    """Whether the contrast of modes is the effect of the mode on what is recorded."""
    covariates = tuple(study.roles.covariates or ())
    if view is None:
        words = "No graph was given: the difference between modes holds the mode effect and who answered in which."
        return Plan("contrast", covariates, words)
    recorded = view.recorded[1]
    dag = view.dag.replace(latent=dict.fromkeys((*view.hidden, view.outcome)) if recorded != view.outcome
                           else view.hidden)  # fmt: skip
    if study.roles.covariates is None:
        sets = list(adjustment_sets(dag, view.mode, recorded, "minimum"))
        found = tuple(sets[0]) if sets else ()
        covariates = tuple(view.columns_of[name] for name in found)
        reason = is_adjustment_set(dag, view.mode, recorded, found).reason
        return Plan("contrast", covariates, reason, view=view, identified=bool(sets))
    verdict = is_adjustment_set(dag, view.mode, recorded, view.fixed)
    return Plan("contrast", covariates, verdict.reason, view=view, identified=verdict.valid)
