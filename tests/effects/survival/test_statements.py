"""What docs/systems/flexible-survival.rst claims: coverage, identification, the reproduction; pages and refusals."""

from __future__ import annotations

import doctest
import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
CLAIMS = ROOT / "benchmarks" / "survival_claims.py"
PAGE = ROOT / "docs" / "how-to" / "survival.rst"


@pytest.fixture(scope="module")
def claims() -> dict[str, Any]:
    if not CLAIMS.exists():
        pytest.skip("the benchmarks are not beside the tests")
    return runpy.run_path(str(CLAIMS))


def test_a_few_tables_of_every_setting(claims: dict[str, Any]) -> None:
    """Names, truths and coefficients of the claims belong together (the numbers themselves are the slow tier's)."""
    for name in claims["SETTINGS"]:
        rows = claims["coverage"](name, draws=4)
        biases = [abs(row["bias"]) for row in rows if "bias" in row]
        assert len(biases) >= 4 and max(biases) < 0.5, name
        assert np.mean([row["coverage"] for row in rows]) > 0.6, name


@pytest.mark.slow
def test_bias_and_coverage_with_x_on_phi_and_gamma(claims: dict[str, Any]) -> None:
    rows = claims["coverage"]("x on phi and gamma", draws=200)
    assert rows[0]["seconds"] < 180
    for row in rows:
        assert abs(row.get("bias", 0.0)) < 0.05, row
        assert 0.90 <= row["coverage"] <= 0.98, row


@pytest.mark.slow
@pytest.mark.parametrize("name", ["x on lambda and gamma", "x on lambda", "cured share"])
def test_coverage_of_other_settings(claims: dict[str, Any], name: str) -> None:
    for row in claims["coverage"](name, draws=200):
        assert 0.90 <= row["coverage"] <= 0.99, row


@pytest.mark.slow
def test_weak_identification_is_called_where_it_is(claims: dict[str, Any]) -> None:
    weibull, burr = claims["identification"](draws=50)
    assert weibull["coverage"] >= 0.9 and burr["coverage"] <= 0.1


@pytest.mark.slow
def test_the_check_of_fit_leaves_right_models_alone(claims: dict[str, Any]) -> None:
    for row in claims["fit_check"](draws=50):
        assert row["coverage"] <= 0.15, row


@pytest.mark.slow
def test_the_reproduction_holds() -> None:
    from suppose.reproductions import reproduce

    result = reproduce("flexible-survival")
    assert result.seconds < 300
    broken = [claim.statement for claim in result.claims if not claim.holds]
    assert not broken


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not beside the tests")
def test_the_how_to_page_runs() -> None:
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    result = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags, encoding="utf-8")
    assert result.attempted > 15 and result.failed == 0


@pytest.mark.skipif(not PAGE.exists(), reason="the documentation is not beside the tests")
def test_every_refusal_has_its_page() -> None:
    source = ROOT / "src" / "suppose"
    files = [*(source / "effects" / "survival").glob("*.py"), *(source / "studies").glob("survival*.py"),
             source / "datasets" / "survival.py"]  # fmt: skip
    pattern = r'(?:DataError|EstimationError|StudyError|_refuse)\(\s*"([a-z-]+)"'
    codes = {code for path in files for code in re.findall(pattern, path.read_text("utf-8"))}
    ours = {"bad-duration", "bad-event", "bad-shape", "formula-syntax", "no-events", "separated-events"}
    assert ours <= codes
    older = {"missing-outcome", "missing-column", "missing-value", "missing-values", "columns-differ", "not-numeric",
             "bad-level", "column-used-twice", "one-cluster", "too-few-rows", "constant-column", "too-many-levels",
             "role-taken", "repeated-column", "unknown-arm"}  # fmt: skip
    pages = ROOT / "docs" / "errors"
    assert not [code for code in sorted(codes - older) if not (pages / f"{code}.rst").exists()]
