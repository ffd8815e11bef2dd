"""The sequence that enumerations return."""

from __future__ import annotations

from suppose.graphs import DAG, adjustment_sets, open_paths

DIAMOND = DAG("<b> -> {x y}; x -> y".replace("<b>", '"<b>"'))


def test_it_is_a_sequence():
    found = adjustment_sets(DIAMOND, "x", "y", "all")
    assert found[0] == ("<b>",) and found[:1] == (("<b>",),) and list(found) == [("<b>",)]
    assert ("<b>",) in found and len(found) == 1 and found == adjustment_sets(DIAMOND, "x", "y", "all")


def test_html_is_escaped():
    for found in (adjustment_sets(DIAMOND, "x", "y"), open_paths(DIAMOND, "x", "y")):
        html = found._repr_html_()
        assert "<b>" not in html and "&lt;b&gt;" in html


def test_empty_tables():
    assert open_paths(DAG("x -> s <- y"), "x", "y").to_frame().empty
