"""The how-to pages run as they stand, and the list of all keys of an effect study is the true one."""

from __future__ import annotations

import doctest
import tomllib
from pathlib import Path

import pytest

from suppose.studies.effect import Effect

PAGES = Path(__file__).resolve().parents[2] / "docs" / "how-to"
QUICK = ("effect-study", "intervention", "runs", "tables")
SLOW = ("diagnostics", "doses", "estimators")
# Keys that show an example in place of their default, which is none or taken from elsewhere.
EXAMPLES = {
    "data.file", "roles.treatment", "roles.outcome", "roles.adjust", "roles.graph", "roles.cluster", "roles.reference",
    "roles.treatment_type", "method.outcome_learner", "method.treatment_learner", "checks.placebo_outcome",
    "checks.benchmarks", "roles.dose", "roles.graphs", "method.network",
}  # fmt: skip

pytestmark = pytest.mark.skipif(not PAGES.exists(), reason="the documentation is not beside the tests")


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
@pytest.mark.filterwarnings("ignore::suppose.core.errors.SupposeWarning")
def test_the_page_runs(name):
    result = doctest.testfile(
        str(PAGES / f"{name}.rst"), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE,
        encoding="utf-8",
    )  # fmt: skip
    assert result.attempted >= 5
    assert result.failed == 0


def listed_keys():
    page = (PAGES / "effect-study.rst").read_text(encoding="utf-8")
    block = page.partition("All keys, with their defaults")[2].partition(".. code-block:: toml\n")[2]
    lines = block.lstrip("\n").splitlines()
    end = next(k for k, line in enumerate(lines) if line and not line.startswith("   "))
    return tomllib.loads("\n".join(line[3:] for line in lines[:end]))


def test_every_key_of_an_effect_study_is_listed_with_its_default():
    listed = listed_keys()
    assert Effect.model_validate(listed)
    sections = {
        "data": "data",
        "roles": "roles",
        "method": "method",
        "checks": "checks",
        "run": "run_options",
    }
    for name, attribute in sections.items():
        fields = Effect.model_fields[attribute].annotation.model_fields
        assert set(listed[name]) == set(fields) - {"frame", "shipped"}, name
        for key, field in fields.items():
            if key in listed[name] and f"{name}.{key}" not in EXAMPLES:
                default = field.get_default(call_default_factory=True)
                value = listed[name][key]
                assert (tuple(value) if isinstance(value, list) else value) == default, f"{name}.{key}"
