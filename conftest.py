"""Installed before any test or doctest imports suppose, so that every shape annotation is checked."""

from __future__ import annotations

from jaxtyping import install_import_hook

install_import_hook("suppose", "beartype.beartype")
