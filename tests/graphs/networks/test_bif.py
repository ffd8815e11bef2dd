"""BIF files: written and read back to the bit, in all their spellings, and refused with the block named."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from suppose.core.errors import DataError, GraphError
from suppose.graphs.factors import Factor
from suppose.graphs.networks import DiscreteNetwork
from suppose.graphs.networks.bif import read_bif

HEAD = """
network test {}
variable rain { type discrete [ 2 ] { no, yes }; }
variable cloud { type discrete [ 3 ] { none, few, many }; }
variable wet { type discrete [ 2 ] { no, yes }; }
"""
TAIL = """
probability ( rain | cloud ) { (none) 1, 0; (few) 0.8, 0.2; (many) 0.4, 0.6; }
probability ( cloud ) { table 0.5, 0.3, 0.2; }
probability ( wet | rain, cloud ) { table .1, .2, .3, .4, .5, .6, .9, .8, .7, .6, .5, .4; }
"""


def test_rows_tables_and_defaults_are_read_by_the_rules_of_the_format() -> None:
    tables = read_bif(HEAD + TAIL)
    assert list(tables) == ["rain", "cloud", "wet"]
    assert tables["rain"].values.tolist() == [[1, 0.8, 0.4], [0, 0.2, 0.6]]
    wet = tables["wet"]  # the child runs slowest, the last parent fastest
    assert wet.variables == ("wet", "rain", "cloud")
    assert wet.at({"wet": "no", "rain": "yes"}).values.tolist() == [0.4, 0.5, 0.6]
    assert wet.at({"wet": "yes", "rain": "no"}).values.tolist() == [0.9, 0.8, 0.7]
    assert np.allclose(wet.values.sum(axis=0), 1)
    default = TAIL.replace("(few) 0.8, 0.2; (many) 0.4, 0.6;", "default 0.5, 0.5;")
    assert read_bif(HEAD + default)["rain"].values.tolist() == [[1, 0.5, 0.5], [0, 0.5, 0.5]]


def test_comments_properties_and_quotes_are_passed_over() -> None:
    text = HEAD.replace("variable wet", "// a remark\n/* probability ( x ) { */ variable wet").replace(
        "no, yes }; }", 'no, "yes"; }; property position = (1, 2); }', 1
    )
    text = text.replace('"yes"; }; property', '"yes" }; property')
    assert read_bif(text + TAIL)["rain"].states[0] == ("no", "yes")


@pytest.mark.parametrize(
    "name", ["two words", "a,b", "a|b", "(x)", "a//b", "a{b}", "naïve", "50%", "x;y", "a=1"]
)
def test_any_name_survives_writing(name) -> None:
    states = (name, f"not {name}")
    numbers = np.array([1 / 3, 1 - 1 / 3])
    network = DiscreteNetwork("root -> leaf", {
        "root": Factor(("root",), (states,), numbers),
        "leaf": Factor(("leaf", "root"), (states, states), np.array([[1e-300, 0.1 + 0.2], [1.0, 1 - (0.1 + 0.2)]])),
    })  # fmt: skip
    again = DiscreteNetwork.from_bif(network.to_bif())
    assert again == network and again.states == network.states
    assert again.tables["leaf"].values.tobytes() == network.tables["leaf"].values.tobytes()


def test_files_are_read_plain_and_compressed(tmp_path) -> None:
    text = HEAD + TAIL
    plain, packed = tmp_path / "a.bif", tmp_path / "b.bif.gz"
    plain.write_text(text, encoding="utf-8")
    packed.write_bytes(gzip.compress(text.encode()))
    assert (
        DiscreteNetwork.from_bif(plain)
        == DiscreteNetwork.from_bif(str(packed))
        == DiscreteNetwork.from_bif(text)
    )
    packed.write_bytes(gzip.compress(text.encode())[:-20])
    with pytest.raises(DataError, match=r"file 'b.bif.gz': it cannot be read"):
        DiscreteNetwork.from_bif(packed)
    plain.write_bytes(b"\xff\xfe\x00variable")
    with pytest.raises(DataError, match=r"file 'a.bif': it cannot be read"):
        DiscreteNetwork.from_bif(plain)
    with pytest.raises(DataError, match=r"file 'none.bif': there is no such file"):
        DiscreteNetwork.from_bif(tmp_path / "none.bif")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("table 0.5, 0.3, 0.2", "table 0.5, 0.5", "probability of 'cloud': expected 3 numbers, got 2"),
        ("table 0.5, 0.3, 0.2", "table 0.5, 0.3, a", "probability of 'cloud': expected numbers"),
        ("table 0.5, 0.3, 0.2;", "", "numbers of some settings of its parents are missing"),
        ("(none) 1, 0;", "", "probability of 'rain': the numbers of some settings"),
        ("(none)", "(nome)", "names the state 'nome', expected one of none, few, many. Did you mean 'none'"),
        ("(none)", "(none, few)", "a row names 2 states, the variable has 1 parents"),
        (
            "rain | cloud",
            "rain | clouds",
            "it names 'clouds', which no variable block declares. Did you mean 'cloud'",
        ),
        ("( rain | cloud )", "( rain, wet | cloud )", "expected one variable before"),
        ("[ 3 ]", "[ 4 ]", "variable 'cloud': 4 states are declared, 3 are listed"),
        ("none, few, many", "none, few, few", "variable 'cloud': a state is listed twice"),
        ("type discrete [ 3 ] { none, few, many };", "type continuous;", "expected 'type discrete"),
        (
            "probability ( wet | rain, cloud )",
            "probability ( cloud | rain, wet )",
            "variable 'cloud': it has two tables",
        ),
        ("variable wet", "variable rain", "variable 'rain': it is declared twice"),
        (
            "probability ( cloud ) { table 0.5, 0.3, 0.2; }",
            "",
            "variable 'cloud': it has no probability block",
        ),
        (
            "table 0.5, 0.3, 0.2",
            "numbers 0.5, 0.3, 0.2",
            "expected a row, 'table' or 'default', got 'numbers",
        ),
        (".5, .4; }", ".5, .4;", "the block is not closed"),
        ("table 0.5, 0.3, 0.2", "table 0.5, 0.3, 0.3", r"table of 'cloud': .* sums to 1\+0.1"),
        ("(few) 0.8, 0.2", "(few) 1.2, -0.2", "table of 'rain': .* below zero"),
        (
            "( cloud ) { table 0.5, 0.3, 0.2; }",
            "( cloud | rain ) { default 0.5, 0.3, 0.2; }",
            "cycle",
        ),
    ],
)
def test_malformed_files_are_refused_by_block(old, new, message) -> None:
    text = HEAD + TAIL
    assert old in text
    with pytest.raises(GraphError, match=message):
        DiscreteNetwork.from_bif(text.replace(old, new, 1))


@pytest.mark.parametrize("text", ["{}", "\n", "network x {\n}\n", "variable {"])
def test_texts_without_a_network_are_refused(text) -> None:
    with pytest.raises(GraphError, match=r"no variable is declared|not closed"):
        DiscreteNetwork.from_bif(text)


def test_names_the_format_cannot_hold_are_refused() -> None:
    network = DiscreteNetwork("x", {"x": Factor(("x",), (('say "yes"', "no"),), np.array([0.5, 0.5]))})
    with pytest.raises(GraphError, match="cannot hold the name 'say \"yes\"'"):
        network.to_bif()


def test_columns_off_by_rounding_are_taken_on_request() -> None:
    text = HEAD + TAIL.replace("0.5, 0.3, 0.2", "0.50001, 0.3, 0.2")
    with pytest.raises(GraphError, match=r"sums to 1\+1e-05"):
        DiscreteNetwork.from_bif(text)
    assert DiscreteNetwork.from_bif(text, normalize=True).tables["cloud"].total() == pytest.approx(
        1, abs=1e-15
    )
    with pytest.raises(GraphError, match=r"sums to 1\+0.1"):
        DiscreteNetwork.from_bif(text.replace("0.50001", "0.6"), normalize=True)
