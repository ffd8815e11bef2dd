"""Causal graphs."""
