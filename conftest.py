"""Installed before any test or doctest imports suppose, so that every shape annotation is checked."""

from __future__ import annotations

from jaxtyping import install_import_hook

# An int is accepted where a float is asked for, as PEP 484 says.
CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"

install_import_hook("suppose", CHECKER)
