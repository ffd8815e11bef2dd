"""Causal graphs as diagrams, and intervention as a functor that cuts them.

A causal graph becomes the state ``I -> shown`` of Jacobs, Kissinger and Zanasi (2019): one box per vertex from its
parents to itself, every wire copied to the vertex's children and, if it is shown, to the output. An edge ``a <-> b``
becomes a box of its own, a hidden cause with an arrow to both. Intervening on ``a`` is surgery: the functor
:class:`Surgery` that keeps objects and sends the box ``a`` to ``discard ; uniform``. Conditioning the surgered state
on ``a = x`` gives ``P(... | do a = x)``; which full-support state takes the place of the uniform one does not matter.

What it does not do: surgery on part of a box's inputs (edge interventions), stochastic policies (substitute a box
of your own with :meth:`Diagram.substitute`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from suppose.graphs.dag import DAG, NodeSet, check_graph
from suppose.graphs.diagrams.diagram import Box, Diagram
from suppose.graphs.diagrams.semantics import Functor
from suppose.graphs.diagrams.types import Ty
from suppose.graphs.diagrams.wiring import Node, Wiring, compose
from suppose.graphs.factors import Factor

__all__ = ["Surgery", "explicit", "from_dag", "hidden_cause", "intervene"]


def hidden_cause(first: str, second: str) -> str:
    """Name of the vertex that ``first <-> second`` stands for.

    Examples
    --------
    >>> hidden_cause("S", "C")
    'S~C'
    """
    return f"{first}~{second}"


def explicit(dag: DAG) -> DAG:
    """The graph with every ``a <-> b`` as a latent vertex with an arrow to both.

    Examples
    --------
    >>> explicit(DAG("S -> T -> C; S <-> C"))
    DAG('S -> T; T -> C; S~C -> S; S~C -> C', latent=['S~C'])
    """
    check_graph(dag)
    causes = [hidden_cause(a, b) for a, b in dag.bidirected]
    arrows = [(name, end) for name, edge in zip(causes, dag.bidirected, strict=True) for end in edge]
    return dag.replace(directed=(*dag.directed, *arrows), bidirected=(), latent=(*dag.latent, *causes))


def from_dag(dag: DAG | str, shown: NodeSet | None = None) -> Diagram:
    """The state of a causal graph: a box per vertex, copies to children, shown vertices as outputs.

    Parameters
    ----------
    dag : DAG or str
        The graph; a cycle is refused when it is made.
    shown : str or iterable of str, optional
        Vertices at the output, in this order. All measured ones in node order when left out.

    Raises
    ------
    GraphError
        ``graph-cycle``, ``graph-syntax``, ``unknown-node``.

    Examples
    --------
    >>> print(from_dag("S -> T", shown="T"))
    S ; T : I -> T
    """
    graph = explicit(DAG(dag) if isinstance(dag, str) else dag)
    names = list(
        graph.observed if shown is None else [shown] if isinstance(shown, str) else dict.fromkeys(shown)
    )
    graph.ids(names, where="shown")
    wire = {name: k for k, name in enumerate(graph.nodes)}
    nodes = []
    for name in graph.order:
        parents = graph.parents(name)
        nodes.append(Node(Box(name, Ty(*parents), name), tuple(wire[p] for p in parents), (wire[name],)))
    return compose(Wiring(graph.nodes, (), tuple(wire[name] for name in names), tuple(nodes)))


class Surgery:
    """The functor that cuts some boxes: identity on objects and on every other box.

    Parameters
    ----------
    boxes : str or iterable of str
        Names of the boxes sent to ``discard ; uniform``.
    state : callable, optional
        Makes the state that takes the place of ``uniform`` from the type of its wires.

    Examples
    --------
    >>> print(Surgery("T")(Box("S", Ty(), "S") >> Box("T", "S", "T")))
    S ; discard(S) ; uniform(T) : I -> T
    """

    def __init__(self, boxes: str | Iterable[str], state: Callable[[Ty], Diagram] = Diagram.uniform) -> None:
        self.boxes = frozenset([boxes] if isinstance(boxes, str) else boxes)
        self._state = state

    def __call__(self, diagram: Diagram) -> Diagram:
        """The image of a diagram."""
        images = {
            box.name: Diagram.discard(box.dom) >> self._state(box.cod)
            for box in diagram.boxes
            if box.name in self.boxes
        }
        return diagram.substitute(images)


def intervene(diagram: Diagram, functor: Functor, do: Mapping[str, Any]) -> Factor:
    """Distribution of the other outputs once some boxes are set: surgery, then conditioning.

    Parameters
    ----------
    diagram : Diagram
        A state ``I -> W``, every set vertex among its outputs.
    functor : Functor
        Tables of the boxes.
    do : mapping
        State by vertex.

    Returns
    -------
    Factor
        Over the outputs that are not set.

    Raises
    ------
    GraphError
        ``unknown-box``, ``unknown-variable``, ``unknown-state``, and those of the functor.

    Examples
    --------
    >>> import numpy as np
    >>> on_off = ("off", "on")
    >>> f = Functor({
    ...     "a": Factor(("a",), (on_off,), np.array([.9, .1])),
    ...     "b": Factor(("b", "a"), (on_off, on_off), np.array([[.8, .3], [.2, .7]])),
    ... })
    >>> intervene(Diagram.from_dag("a -> b"), f, {"a": "on"}).values.tolist()
    [0.3, 0.7]
    """
    whole = functor(diagram.cut(list(do))).to_factor().at(do)
    return Factor(whole.variables, whole.states, whole.values / whole.total())
