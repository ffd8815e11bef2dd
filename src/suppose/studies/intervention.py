"""What would an outcome be if something were set? The study kind ``intervention``.

Takes a causal graph and a table (or a discrete network), asks whether the table can answer at all, and shows
the steps of the argument. Where it can, the formula is evaluated: by counting, with a bootstrap interval, or
by estimating equations where the formula is a back door or a front door. Where it cannot, the hedge is shown,
what would have to be measured, and how far the table bounds the answer all the same.

It trusts the graph. The checks ask what the graph says of the table (implied independences) and whether the
table has the cells that the formula divides by; no table can show that an edge which the graph leaves out is
really absent.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from suppose.core.answer import Answer, Assumption, InputFile, Provenance
from suppose.core.errors import StudyError, nearest
from suppose.core.run import sha256_file
from suppose.core.study import Material, Section, Steps
from suppose.core.tables import path_inside
from suppose.studies.intervention_columns import MAX_STATES, InterventionTable, read_columns
from suppose.studies.reported import ReportedStudy
from suppose.studies.tabular import DataSection, read_data

__all__ = ["Checks", "GraphSection", "Intervention", "InterventionTable", "Method", "Query"]

Value = str | int | float | bool


class InterventionData(DataSection):
    """A table, or a discrete network; ``cut`` turns numbers into that many groups of equal size."""

    network: str | None = None
    cut: dict[str, int] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_source(self) -> Any:
        given = [name for name in ("file", "shipped", "frame", "network") if getattr(self, name) is not None]
        if len(given) != 1:
            raise StudyError(
                "which-data", f"expected one source of data, got {' and '.join(given) or 'none'}", where="data",
                remedy='Write file = "table.csv", shipped = "..." or network = "model.bif".',
            )  # fmt: skip
        for column, groups in self.cut.items():
            if not 2 <= groups <= MAX_STATES:
                raise StudyError(
                    "bad-cut", f"expected 2 to {MAX_STATES} groups, got {groups}", where=f"data.cut.{column}",
                    remedy="Three or four groups are usual.",
                )  # fmt: skip
        return self


class GraphSection(Section):
    """The causal graph, as text or in a file (ours, dagitty or DOT), and the nodes that were not measured."""

    text: str | None = None
    file: str | None = None
    hidden: tuple[str, ...] = ()


class Query(Section):
    """What is set, what is asked, for whom; ``against`` is another setting to compare with."""

    do: dict[str, Value]
    outcome: str
    state: Value | None = None
    given: dict[str, Value] = Field(default_factory=dict)
    against: dict[str, Value] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Any:
        if not self.do:
            raise StudyError(
                "nothing-set", "the question sets nothing", where="query.do",
                remedy='Write do = { treatment = "yes" }.',
            )  # fmt: skip
        for name in self.given:
            if name in self.do or name == self.outcome:
                part = "set" if name in self.do else "the outcome"
                raise StudyError(
                    "role-taken",
                    f"{name!r} is also {part}",
                    where="query.given",
                    remedy="Give each node one part.",
                )
        if self.outcome in self.do:
            raise StudyError(
                "role-taken", f"{self.outcome!r} is also set", where="query.outcome",
                remedy="Ask about a node that is not set.",
            )  # fmt: skip
        if self.against and set(self.against) != set(self.do):
            raise StudyError(
                "different-settings", f"do sets {', '.join(self.do)}, against sets {', '.join(self.against)}",
                where="query.against", remedy="Set the same nodes in both, to other values.",
            )  # fmt: skip
        return self


class Method(Section):
    """How the formula is evaluated.

    ``plugin`` counts; ``aipw`` uses estimating equations where the formula is a back door or a front door;
    ``auto`` counts where every node of the formula has few states. ``prior`` is added to every cell.
    """

    name: Literal["auto", "plugin", "aipw"] = "auto"
    prior: float = Field(default=0.0, ge=0.0)
    level: float = Field(default=0.95, gt=0.5, lt=1.0)
    draws: int = Field(default=500, ge=50, le=100_000)
    learner: Literal["linear", "lasso", "forest", "boosting"] = "linear"
    folds: int = Field(default=5, ge=2, le=100)
    compare: bool = True


class Checks(Section):
    """Which attempts to break the answer are made."""

    independences: bool = True
    tests: int = Field(default=200, ge=1, le=10_000)
    alpha: float = Field(default=0.05, gt=0.0, lt=0.5)


class Intervention(ReportedStudy):
    """An outcome under intervention, from a graph and a table or a network.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"S": ["no", "no", "yes", "yes"] * 25, "C": ["no", "yes", "yes", "yes"] * 25})
    >>> study = Intervention.from_frame(frame, graph="S -> C", do={"S": "yes"}, outcome="C")
    >>> study.run().headline.estimate
    1.0
    """

    kind: ClassVar[str] = "intervention"

    question: Literal["intervention"] = "intervention"
    data: InterventionData
    graph: GraphSection = Field(default_factory=GraphSection)
    query: Query
    method: Method = Field(default_factory=Method)
    checks: Checks = Field(default_factory=Checks)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        graph: str,
        do: dict[str, Any],
        outcome: str,
        hidden: Any = (),
        data: dict[str, Any] | None = None,
        method: dict[str, Any] | None = None,
        checks: dict[str, Any] | None = None,
        run: dict[str, Any] | None = None,
        title: str = "",
        **query: Any,
    ) -> Any:
        """Study of a pandas, polars or pyarrow table; the keywords are the keys of the study file."""
        return cls.from_dict(
            {
                "question": "intervention",
                "title": title,
                "data": {"frame": frame, **(data or {})},
                "graph": {"text": graph, "hidden": list(hidden)},
                "query": {"do": do, "outcome": outcome, **query},
                "method": method or {},
                "checks": checks or {},
                "run": run or {},
            }
        )

    # -- reading -------------------------------------------------------------------------------

    def read(self) -> Material:
        """Read graph and table (or network) and match nodes with columns."""
        if self.data.network is not None:
            return self._read_network()
        dag, records = self._graph()
        measured = tuple(name for name in dag.nodes if name not in dag.latent)
        frame, inputs = read_data(self.data, self.home, {"graph": measured})
        self._refuse_unknown(measured)
        table = read_columns(self.data, dag, frame, measured)
        self._refuse_settings(table)
        return Material(table, (*inputs, *records))

    def _graph(self) -> tuple[Any, tuple[InputFile, ...]]:
        from suppose.graphs import DAG

        section = self.graph
        if (section.text is None) == (section.file is None):
            got = "neither" if section.text is None else "both"
            raise StudyError(
                "which-graph", f"expected graph.text or graph.file, got {got}", where="graph",
                remedy='Write text = "smoking -> tar -> cancer; smoking <-> cancer".',
            )  # fmt: skip
        records: tuple[InputFile, ...] = ()
        if section.text is not None:
            dag = DAG(section.text)
        else:
            path = path_inside(str(section.file), self.home)
            text = _text_of(path)
            dag = _parsed(text)
            size = path.stat().st_size
            records = (InputFile(name=str(section.file), sha256=sha256_file(path), bytes=size),)
        return self._with_hidden(dag), records

    def _with_hidden(self, dag: Any) -> Any:
        hidden = dag.names(dag.ids(self.graph.hidden, where="graph.hidden"))
        return dag.replace(latent=tuple(dict.fromkeys((*dag.latent, *hidden))))

    def _refuse_unknown(self, measured: tuple[str, ...]) -> None:
        query = self.query
        parts = {
            "query.outcome": (query.outcome,),
            "query.do": tuple(query.do),
            "query.given": tuple(query.given),
        }
        for where, names in parts.items():
            for name in names:
                if name not in measured:
                    raise StudyError(
                        "unknown-node", f"{name!r} is no measured node of the graph; measured are "
                        f"{', '.join(measured)}", where=where,
                        remedy=nearest(name, measured) or "Ask about measured nodes.",
                    )  # fmt: skip

    def _read_network(self) -> Material:
        from suppose.graphs.networks import DiscreteNetwork, load_network

        name = str(self.data.network)
        if name.endswith(".bif"):
            path = path_inside(name, self.home)
            network = DiscreteNetwork.from_bif(path)
            record = InputFile(name=name, sha256=sha256_file(path), bytes=path.stat().st_size)
        else:
            network = load_network(name)
            text = network.to_bif().encode()
            import hashlib

            record = InputFile(name=name, sha256=hashlib.sha256(text).hexdigest(), bytes=len(text))
        if self.graph.text is not None or self.graph.file is not None:
            raise StudyError(
                "graph-given-twice", "a network brings its own graph", where="graph",
                remedy="Leave graph.text and graph.file out; graph.hidden says what counts as not measured.",
            )  # fmt: skip
        dag = self._with_hidden(network.graph)
        self._refuse_unknown(tuple(name for name in dag.nodes if name not in dag.latent))
        table = InterventionTable(dag, network, {}, dict(network.states), {}, ())
        self._refuse_settings(table)
        return Material(table, (record,))

    def _refuse_settings(self, table: InterventionTable) -> None:
        query = self.query
        settings = [("query.do", query.do), ("query.given", query.given), ("query.against", query.against)]
        if query.state is not None:
            settings.append(("query.state", {query.outcome: query.state}))
        for where, setting in settings:
            for name, value in setting.items():
                known = table.states.get(name)
                if known is None:
                    raise StudyError(
                        "too-many-values", f"{name!r} has {len(np.unique(table.numbers[name])):,} values and cannot be "
                        "set or held at one of them", where=where,
                        remedy=f"Cut it into groups: data.cut = {{ {name} = 3 }}.",
                    )  # fmt: skip
                if word(value) not in known:
                    raise StudyError(
                        "unknown-state", f"{name!r} never has the value {word(value)!r}; it has "
                        f"{', '.join(known[:12])}",
                        where=where, remedy=nearest(word(value), known) or "Name one of these.",
                    )  # fmt: skip

    # -- answering -----------------------------------------------------------------------------

    def answer(self, material: Material, steps: Steps) -> Answer:
        """Identify, evaluate, check, and say it in words."""
        from suppose.studies.intervention_answer import gather

        parts, sentence, verdict, reason = gather(self, material.content, steps)
        return Answer(
            question="intervention", title=self.title or self._default_title(), sentence=sentence,
            credibility=verdict, credibility_words=reason, findings=parts.findings,
            assumptions=self._assumptions(material.content), checks=parts.checks, tables=parts.tables,
            figures=parts.figures, notes=(*material.content.notes, *parts.notes),
            provenance=Provenance(suppose="", python="", packages={}, seed=self.seed, study=""),
        )  # fmt: skip

    def _default_title(self) -> str:
        set_to = " and ".join(f"{name} were {word(value)}" for name, value in self.query.do.items())
        return f"What would {self.query.outcome} be if {set_to} for everyone?"

    def _assumptions(self, table: InterventionTable) -> tuple[Assumption, ...]:
        graph = Assumption(
            name="graph", statement="Every arrow and every hidden common cause that exists is drawn in the graph.",
            tested_by=("independences",) if self.checks.independences and table.network is None else (),
        )  # fmt: skip
        setting = Assumption(
            name="setting", statement="Setting a node changes what it causes, and nothing else in the graph.",
        )  # fmt: skip
        if table.network is not None:
            return graph, setting
        return (
            graph, setting,
            Assumption(name="independence", statement="Rows are independent draws from the population of interest."),
        )  # fmt: skip


def word(value: Value) -> str:
    """A value of a study file as the word for a state."""
    if isinstance(value, bool):
        return str(value)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(
            "unreadable-graph", f"the file cannot be read as text ({error})", where=f"graph.file {path.name!r}",
            remedy="Give a text file in our notation, dagitty's or DOT.",
        ) from error  # fmt: skip


def _parsed(text: str) -> Any:
    """Graph in our notation, dagitty's or DOT, told apart by the opening word."""
    from suppose.graphs import DAG

    opening = text.lstrip()[:20].lower()
    if opening.startswith(("digraph", "strict digraph")):
        return DAG.from_dot(text)
    if opening.startswith(("dag", "pdag", "mag")) and "{" in text:
        return DAG.from_dagitty(text)
    return DAG(text)
