"""Worlds: simulators, given or learned from what was seen, that can be asked what would happen."""
