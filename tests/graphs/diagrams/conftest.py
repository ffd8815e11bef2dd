"""Random diagrams, rewrites by the laws, tables and graphs, and the evaluation of a diagram layer by layer."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def made() -> ModuleType:
    path = Path(__file__).with_name("making.py")
    spec = importlib.util.spec_from_file_location("suppose_tests_making_diagrams", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
