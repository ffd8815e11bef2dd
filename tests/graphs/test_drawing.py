"""Drawings: valid, escaped, with no edge through a node and no label beyond its box."""

from __future__ import annotations

import itertools
import random
from xml.etree import ElementTree

import numpy as np
import pytest

from suppose.core.errors import GraphError
from suppose.graphs import DAG, draw
from suppose.graphs.drawing import _arranged, _lines, _measure
from suppose.graphs.layout import arrange

SVG = "{http://www.w3.org/2000/svg}"
ODD = '"<script>alert(1)</script>" -> "a & b"; "\'\\"" -> "a & b"; "x\\u0000" <-> "日本語の名前"'


def parsed(svg):
    return ElementTree.fromstring(svg)


def groups(svg, kind):
    return [g for g in parsed(svg).iter(f"{SVG}g") if kind in g.get("class", "").split()]


def sampled(route, count=40):
    """Points along a route, (depth, cross)."""
    t = np.linspace(0, 1, count)[:, None]
    basis = np.hstack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    return np.vstack([basis @ np.array(piece) for piece in route.pieces])


def random_drawing(seed, naive):
    rng = random.Random(seed)
    nodes, directed, bidirected = naive.random_graph(rng, 12, bidirected=True)
    index = {v: i for i, v in enumerate(nodes)}
    sizes = np.array([[rng.uniform(25, 110), rng.uniform(25, 60)] for _ in nodes])
    pairs = [[(index[a], index[b]) for a, b in edges] for edges in (directed, bidirected)]
    return arrange(sizes, *pairs, most=300.0 if seed % 2 else None), sizes, pairs


@pytest.mark.parametrize("seed", range(60))
def test_no_edge_touches_a_node_that_is_not_its_end(seed, naive):
    layout, _, pairs = random_drawing(seed, naive)
    assert len(layout.routes) == sum(map(len, pairs))
    for route in layout.routes:
        points = sampled(route)
        for i, (centre, extent) in enumerate(zip(layout.centres, layout.extents, strict=True)):
            slack = 0.01 if i in route[:2] else -1.5
            inside = np.all(np.abs(points - centre) < extent / 2 - slack, axis=1)
            assert not inside.any(), (seed, route[:2], i)


@pytest.mark.parametrize("seed", range(60))
def test_nodes_keep_their_distance_and_arrows_follow_depth(seed, naive):
    layout, sizes, (directed, _) = random_drawing(seed, naive)
    assert np.all(layout.extents >= sizes - 1e-9)
    for i, j in itertools.combinations(range(len(sizes)), 2):
        apart = np.abs(layout.centres[i] - layout.centres[j]) - (layout.extents[i] + layout.extents[j]) / 2
        assert apart.max() > 9, (i, j)
    assert all(layout.centres[a, 0] < layout.centres[b, 0] for a, b in directed)
    low, high = layout.centres - layout.extents / 2, layout.centres + layout.extents / 2
    assert low.min() > -1e-6 and np.all(high.max(axis=0) <= np.array(layout.size) + 1e-6)


def test_layers_are_as_short_as_possible():
    layout = arrange(np.full((4, 2), 20.0), [(0, 1), (1, 2), (3, 2)], [])
    depth = layout.centres[:, 0]
    assert depth[0] < depth[1] == depth[3] < depth[2]


def test_crossings_are_removed():
    layout = arrange(np.full((4, 2), 20.0), [(0, 3), (1, 2)], [])
    cross = layout.centres[:, 1]
    assert (cross[0] - cross[1]) * (cross[3] - cross[2]) > 0


def test_it_is_valid_xml_with_all_parts():
    dag = DAG("u -> {x y}; x -> m -> y; c -> {x y}; x <-> c")
    svg = draw(dag, treatment="x", outcome="y", latent="u", adjusted="c")
    assert len(groups(svg, "node")) == 5 and len(groups(svg, "edge")) == 7
    assert len(groups(svg, "bidirected")) == 2  # the edge and its key
    assert len(groups(svg, "causal")) == 3  # two edges and their key
    words = [text.text for text in groups(svg, "legend")[0].iter(f"{SVG}text")]
    assert words == [
        "treatment",
        "outcome",
        "adjusted for",
        "not measured",
        "causal path",
        "hidden common cause",
    ]
    heads = [len(list(edge.iter(f"{SVG}path"))) for edge in groups(svg, "edge")]
    assert sorted(heads) == [2] * 6 + [3]  # a bidirected edge has two arrowheads


def test_names_are_escaped():
    for svg in (draw(DAG(ODD)), draw(DAG(ODD), title="<b>&")):
        root = parsed(svg)
        assert not list(root.iter(f"{SVG}script")) and "<script" not in svg and "\x00" not in svg
    titles = [node.find(f"{SVG}title").text for node in groups(draw(DAG(ODD)), "node")]
    assert "<script>alert(1)</script>" in titles and "a & b" in titles


def test_the_report_takes_it_whole():
    from suppose.core.answer import Figure
    from suppose.report.svg import inline, is_inert

    figure = Figure.of("graph", "", "", "the graph", draw(DAG(ODD), treatment="a & b"))
    drawing = inline(figure, "g")
    assert is_inert(figure) and "var(--blue" in drawing and "var(--ink" in drawing and "<style" not in drawing
    assert drawing.count("<rect") == 2 * 5 + 2 and 'font-size="13"' in drawing


def test_a_page_can_set_the_colours():
    svg = draw(DAG("x -> y"), treatment="x", outcome="y")
    for name in ("paper", "ink", "muted", "treatment", "outcome", "adjusted", "font"):
        assert f"var(--suppose-{name}," in svg


@pytest.mark.parametrize("seed", range(12))
def test_twelve_nodes_fit_a_phone(seed, naive):
    rng = random.Random(seed)
    names = [f"variable_{i}" for i in range(12)]
    edges = [pair for pair in itertools.combinations(names, 2) if rng.random() < 0.2]
    dag = DAG.from_edges(edges, rng.sample(list(itertools.combinations(names, 2)), 2), names)
    width = float(parsed(draw(dag)).get("width"))
    assert 360 / max(width, 360) * 13 >= 10.5, width  # pixels of a letter on a phone


def test_labels_stay_within_their_boxes():
    dag = DAG('"a rather long variable name" -> "averyveryverylongunbrokencolumnname" -> WWWWWWWWWW')
    layout, labels, rightwards = _arranged(dag, "right", set())
    assert rightwards
    for extent, lines in zip(layout.extents, labels, strict=True):
        assert max(_measure(line) for line in lines) + 10 < extent[0] and len(lines) <= 3


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("age", ["age"]),
        ("years_of_schooling_completed", ["years_of_", "schooling_", "completed"]),
        ("householdIncomePerCapita", ["household", "IncomePer", "Capita"]),
        ("x" * 60, ["x" * 16, "x" * 16, "x" * 15 + "…"]),
        (" ", [" "]),
    ],
)
def test_labels_break_where_words_end(name, lines):
    assert _lines(name, 10) == lines


@pytest.mark.parametrize("text", ["", "a", "a; b; c", "a <-> b", "a <-> b; b <-> c; a <-> c"])
@pytest.mark.parametrize("direction", ["auto", "right", "down"])
def test_small_graphs(text, direction):
    dag = DAG(text)
    assert len(groups(draw(dag, direction=direction), "node")) == len(dag)


def test_same_graph_same_bytes_and_notebook_display():
    dag = DAG("a -> b; a <-> c")
    assert draw(dag) == draw(DAG("a -> b; a <-> c")) == dag.to_svg() == dag._repr_svg_()
    assert DAG()._repr_svg_() is None


def test_no_legend_where_none_is_wished_or_needed():
    assert not groups(draw(DAG("a -> b")), "legend")
    assert not groups(draw(DAG("a -> b"), treatment="a", legend=False), "legend")


def test_refusals():
    with pytest.raises(
        GraphError, match=r"direction: expected one of auto, right, down.*Did you mean 'down'"
    ) as caught:
        draw(DAG("a -> b"), direction="downs")
    assert caught.value.code == "bad-kind"
    with pytest.raises(GraphError, match=r"treatment: the graph has no node 'aa'"):
        draw(DAG("a -> b"), treatment="aa")
    big = DAG.from_edges(nodes=[f"n{i}" for i in range(151)])
    with pytest.raises(GraphError, match="at most 150 nodes") as caught:
        draw(big)
    assert caught.value.code == "graph-too-large" and big._repr_svg_() is None
