"""Installed before any test or doctest imports suppose, so that every shape annotation is checked."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from jaxtyping import install_import_hook

# An int is accepted where a float is asked for, as PEP 484 says.
CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"

install_import_hook("suppose", CHECKER)


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    """Figures of pyplot live until they are closed: a test leaves none to the next one."""
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")
