"""Shapes and types are executed: every annotated function of suppose is checked while tests run."""

from __future__ import annotations

import os

os.environ.setdefault("MPLBACKEND", "Agg")
