"""Races against peers: one module per room, each with ``main() -> list[dict]``."""
