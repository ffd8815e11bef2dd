"""Random diagrams and their rewrites, random tables and graphs, and slow evaluations to compare with."""

from __future__ import annotations

import itertools

import numpy as np

from suppose.graphs import DAG
from suppose.graphs.diagrams import Box, Diagram, Functor, Ty, explicit
from suppose.graphs.diagrams.diagram import Layer
from suppose.graphs.factors import Factor

OBJECTS = ("A", "B", "C")
STATES = {"A": ("0", "1"), "B": ("x", "y", "z"), "C": ("no", "yes")}
SIGNATURE = (
    Box("a", Ty(), "A"), Box("f", "A", "B"), Box("g", "B", Ty("A", "C")), Box("h", Ty("A", "C"), "A"),
    Box("k", "A", "A"), Box("m", Ty("B", "B"), "C"),
)  # fmt: skip


def tables(seed: int, boxes=SIGNATURE) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    found = {}
    for box in boxes:
        outs = [len(STATES[name]) for name in box.cod]
        ins = [len(STATES[name]) for name in box.dom]
        columns = rng.dirichlet(np.ones(int(np.prod(outs))), size=int(np.prod(ins)))
        found[box.name] = columns.T.reshape(*outs, *ins)
    return found


def functor(seed: int) -> Functor:
    return Functor(tables(seed), STATES)


def stepwise(meaning: Functor, diagram: Diagram):
    """The channel by the definition: identities beside each generator, one matrix product per layer."""
    wires = list(diagram.dom.objects)
    result = identity(meaning, diagram.dom)
    for offset, box in diagram.layers:
        end = offset + len(box.dom)
        left, right = identity(meaning, Ty(*wires[:offset])), identity(meaning, Ty(*wires[end:]))
        result = result >> (left @ meaning.channel(box) @ right)
        wires[offset:end] = box.cod.objects
    return result


def identity(meaning: Functor, wires: Ty):
    result = meaning(Diagram.id(Ty()))
    for name in wires:
        one = meaning(Diagram.id(name))
        assert np.array_equal(one.values, np.eye(len(STATES[name])))
        result = result @ one
    return result


def generators() -> list[Box]:
    made = list(SIGNATURE)
    for name in OBJECTS:
        for part in (Diagram.copy(name), Diagram.copy(name, 3), Diagram.discard(name), Diagram.uniform(name)):
            made.append(part.layers[0].box)
    made += [Diagram.swap(a, b).layers[0].box for a, b in itertools.product(OBJECTS, OBJECTS)]
    return made


def random_diagram(rng: np.random.Generator, layers: int, dom: Ty | None = None, most: int = 4) -> Diagram:
    wires = list(dom.objects if dom is not None else rng.choice(OBJECTS, size=int(rng.integers(0, 3))))
    start, chosen, every = Ty(*wires), [], generators()
    for _ in range(layers):
        fits = [
            (k, box) for box in every for k in range(len(wires) + 1)
            if tuple(wires[k : k + len(box.dom)]) == box.dom.objects
            and len(wires) - len(box.dom) + len(box.cod) <= most
        ]  # fmt: skip
        offset, box = fits[int(rng.integers(len(fits)))]
        chosen.append(Layer(offset, box))
        wires[offset : offset + len(box.dom)] = box.cod.objects
    return Diagram(start, chosen)


def rewritten(diagram: Diagram, rng: np.random.Generator, steps: int) -> Diagram:
    """The diagram after random uses of the laws."""
    for _ in range(steps):
        law = LAWS[int(rng.integers(len(LAWS)))]
        diagram = law(diagram, rng)
    return diagram


def _split(diagram: Diagram, rng: np.random.Generator) -> tuple[Diagram, Diagram]:
    k = int(rng.integers(len(diagram.layers) + 1))
    first = Diagram(diagram.dom, diagram.layers[:k])
    return first, Diagram(first.cod, diagram.layers[k:])


def _wire(wires: Ty, rng: np.random.Generator) -> tuple[Ty, Ty, Ty] | None:
    if not len(wires):
        return None
    k = int(rng.integers(len(wires)))
    return wires[:k], wires[k : k + 1], wires[k + 1 :]


def counit(diagram: Diagram, rng: np.random.Generator) -> Diagram:
    first, last = _split(diagram, rng)
    place = _wire(first.cod, rng)
    if place is None:
        return diagram
    left, one, right = place
    ended = Diagram.discard(one) @ one if rng.random() < 0.5 else Diagram.id(one) @ Diagram.discard(one)
    return first >> Diagram.id(left) @ (Diagram.copy(one) >> ended) @ right >> last


def two_swaps(diagram: Diagram, rng: np.random.Generator) -> Diagram:
    first, last = _split(diagram, rng)
    k = int(rng.integers(len(first.cod) + 1))
    left, right = first.cod[:k], first.cod[k:]
    return first >> Diagram.swap(left, right) >> Diagram.swap(right, left) >> last


def nothing(diagram: Diagram, rng: np.random.Generator) -> Diagram:
    first, last = _split(diagram, rng)
    name = OBJECTS[int(rng.integers(3))]
    empty = Diagram.uniform(name) >> Diagram.discard(name)
    return first >> Diagram.id(first.cod) @ empty >> last


def dead_box(diagram: Diagram, rng: np.random.Generator) -> Diagram:
    first, last = _split(diagram, rng)
    if "A" not in first.cod.objects:
        return diagram
    k = first.cod.objects.index("A")
    box = (SIGNATURE[1], SIGNATURE[4])[int(rng.integers(2))]
    spare = Diagram.copy("A") >> (box >> Diagram.discard(box.cod)) @ "A"
    return first >> Diagram.id(first.cod[:k]) @ spare @ first.cod[k + 1 :] >> last


def other_copies(diagram: Diagram, rng: np.random.Generator) -> Diagram:
    """Cocommutativity and coassociativity at every copy."""
    layers: list[Layer] = []
    for offset, box in diagram.layers:
        image: Diagram = box
        if box.kind == "copy" and len(box.cod) == 2 * len(box.dom):
            image = box >> Diagram.swap(box.dom, box.dom)
        elif box.kind == "copy":
            nested = (Diagram.copy(box.dom) @ box.dom, Diagram.id(box.dom) @ Diagram.copy(box.dom))
            image = Diagram.copy(box.dom) >> nested[int(rng.integers(2))]
        layers += [Layer(offset + inner, part) for inner, part in image.layers]
    return Diagram(diagram.dom, layers)


def interchange(diagram: Diagram, rng: np.random.Generator) -> Diagram:
    """Two neighbouring generators that share no wire, in the other order."""
    layers = list(diagram.layers)
    if len(layers) < 2:
        return diagram
    k = int(rng.integers(len(layers) - 1))
    (i, f), (j, g) = layers[k], layers[k + 1]
    if j >= i + len(f.cod):
        layers[k : k + 2] = [Layer(j - len(f.cod) + len(f.dom), g), Layer(i, f)]
    elif j + len(g.dom) <= i:
        layers[k : k + 2] = [Layer(j, g), Layer(i - len(g.dom) + len(g.cod), f)]
    return Diagram(diagram.dom, layers)


def slide_through_swap(diagram: Diagram, rng: np.random.Generator) -> Diagram:
    """Naturality of the symmetry: a box with one wire past it, before and after a swap."""
    layers: list[Layer] = []
    wires = list(diagram.dom.objects)
    for offset, box in diagram.layers:
        end = offset + len(box.dom)
        if box.kind == "box" and end < len(wires) and rng.random() < 0.5:
            other = Ty(wires[end])
            past = Diagram.swap(box.dom, other) >> Diagram.id(other) @ box >> Diagram.swap(other, box.cod)
            layers += [Layer(offset + inner, part) for inner, part in past.layers]
        else:
            layers.append(Layer(offset, box))
        wires[offset:end] = box.cod.objects
    return Diagram(diagram.dom, layers)


LAWS = (counit, two_swaps, nothing, dead_box, other_copies, interchange, slide_through_swap)


# -- graphs and their models -------------------------------------------------------------------


def random_graph(rng: np.random.Generator, nodes: int, arrows: float = 0.5, hidden: float = 0.3) -> DAG:
    names = [f"v{k}" for k in rng.permutation(nodes)]
    pairs = list(itertools.combinations(names, 2))
    directed = [pair for pair in pairs if rng.random() < arrows]
    bidirected = [pair for pair in pairs if rng.random() < hidden]
    return DAG.from_edges(directed, bidirected, nodes=names)


def three_node_graphs() -> list[DAG]:
    """Every graph over x, y, z with arrows along one order and any hidden causes: 8 * 8 of them."""
    pairs = [("x", "y"), ("x", "z"), ("y", "z")]
    subsets = [list(itertools.compress(pairs, keep)) for keep in itertools.product((0, 1), repeat=3)]
    return [DAG.from_edges(d, b, nodes=("x", "y", "z")) for d in subsets for b in subsets]


def random_model(graph: DAG, seed: int, states: int = 2) -> dict[str, Factor]:
    """Tables for every vertex, hidden causes as vertices of their own; all numbers well above zero."""
    rng = np.random.default_rng(seed)
    whole = explicit(graph)
    words = tuple(map(str, range(states)))
    found = {}
    for name in whole.nodes:
        parents = whole.parents(name)
        columns = 0.1 / states + 0.9 * rng.dirichlet(np.ones(states), size=states ** len(parents))
        values = columns.T.reshape([states] * (1 + len(parents)))
        found[name] = Factor((name, *parents), (words,) * (1 + len(parents)), values)
    return found


def truth(graph: DAG, model: dict[str, Factor], treatment: str | None = None) -> Factor:
    """Product of the tables, that of the treatment left out, hidden vertices summed: no diagram involved."""
    product = Factor.constant()
    for name in explicit(graph).order:
        own = model[name]
        kept = own if name != treatment else Factor((name,), own.states[:1], np.ones(len(own.states[0])))
        product = product * kept
    return product.keep(graph.observed)


def joined_to_a_child(graph: DAG, treatment: str) -> bool:
    """Whether hidden causes join the treatment to one of its children, by trying every walk of <->."""
    reached = {treatment}
    for _ in graph.nodes:
        reached |= {b for a, b in (*graph.bidirected, *((b, a) for a, b in graph.bidirected)) if a in reached}
    return any(child in reached for a, child in graph.directed if a == treatment)
