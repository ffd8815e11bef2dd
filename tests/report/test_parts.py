from __future__ import annotations

import pytest

from suppose.core.answer import Finding, Table
from suppose.report.parts import checks_in_words, estimate, findings_grid, table_grid


def column(*cells, name="x"):
    table = Table(name="t", title="", columns=(name,), rows=tuple((cell,) for cell in cells))
    return [row[0] for row in table_grid(table).rows]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ((0.5, -1.25), ["0.50", "-1.25"]),
        ((0.0432, 1.2), ["0.043", "1.200"]),
        ((0.00001, 0.9), ["1e-05", "0.9000"]),
        ((25.8162, 0.8432, 2095.57), ["25.8", "0.843", "2,096"]),
        ((1.0, 2.0, 1500.0), ["1", "2", "1,500"]),
        ((-0.0, 0.25), ["0.000", "0.250"]),
        ((0.0, 0.0), ["0", "0"]),
        ((3, None), ["3", "–"]),
        ((True, False, None), ["yes", "no", "–"]),
        ((1e12, 2e12), ["1e+12", "2e+12"]),
        (("a", 0.12345), ["a", "0.123"]),
        ((None, None), ["–", "–"]),
        ((), []),
    ],
)
def test_a_column_of_numbers_reads_down(cells, expected):
    assert column(*cells) == expected


def test_no_number_is_shown_as_zero_that_is_none():
    for size in range(1, 12):
        assert all(float(text.replace(",", "")) != 0 for text in column(10.0**-size, 0.7, 1234.5))


@pytest.mark.parametrize(("name", "expected"), [("year", "1975"), ("school id", "1975"), ("paid", "1,975")])
def test_numbers_that_name_a_thing_get_no_separator(name, expected):
    assert column(1975, name=name) == [expected]


def test_numbers_are_told_from_words():
    table = Table(name="t", title="", columns=("a", "b", "c"), rows=(("x", 1, True), ("y", None, False)))
    assert table_grid(table).numeric == (False, True, False)


def test_findings_keep_the_columns_somebody_filled(answer):
    assert findings_grid(answer).columns[:3] == ("finding", "estimate (dollars)", "95% interval")
    bare = answer.model_copy(update={"findings": (Finding(name="a", label="A", estimate=2.0, unit="h"),)})
    assert findings_grid(bare).columns == ("finding", "estimate (h)")


def test_findings_of_different_units_and_levels_say_so(answer):
    mixed = (
        Finding(name="a", label="A", estimate=2.0, low=1.0, high=3.0, level=0.95, unit="h"),
        Finding(name="b", label="B", estimate=2.0, low=1.0, high=3.0, level=0.9, unit="kg"),
        Finding(name="c", label="C", estimate=2.0),
    )
    grid = findings_grid(answer.model_copy(update={"findings": mixed}))
    assert grid.columns == ("finding", "estimate", "interval", "unit")
    assert [row[2] for row in grid.rows] == ["1.00 to 3.00 (95%)", "1.00 to 3.00 (90%)", "–"]


def test_an_estimate_has_the_decimals_of_its_interval():
    assert estimate(Finding(name="a", label="", estimate=0.9531, low=0.9, high=1.2)) == "0.95"


def test_counts_of_checks(answer):
    assert checks_in_words(answer.checks) == "3 checks pass, 1 warns, 1 fails, 1 informs"
    assert checks_in_words(answer.checks[:1]) == "1 check passes"
    assert checks_in_words([]) == ""
