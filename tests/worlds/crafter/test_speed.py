"""What is claimed of speed, in processor time of one core; the race with the reference is in the benchmarks."""

from __future__ import annotations

import time

import numpy as np
import pytest

from suppose.worlds.crafter import ACTIONS, CrafterBatch, advance
from suppose.worlds.crafter.generation import generate

pytestmark = pytest.mark.slow


def fastest(call, turns=5):
    """Shortest processor time of a call, all threads together."""
    times = []
    for _ in range(turns):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return min(times)


def test_twenty_thousand_pure_transitions_a_second_and_a_new_map_in_twenty_milliseconds():
    world = generate((64, 64), (9, 9), 1)
    actions = [np.array([action]) for action in np.random.default_rng(0).integers(0, len(ACTIONS), 2_000)]
    advance(world, actions[0])

    def run():
        now = world
        for action in actions:
            now, _ = advance(now, action)

    assert len(actions) / fastest(run) >= 20_000
    assert fastest(lambda: generate((64, 64), (9, 9), 2)) <= 0.02


def test_a_batch_makes_fifty_thousand_transitions_a_second_on_each_core():
    actions = np.random.default_rng(1).integers(0, len(ACTIONS), (200, 256))
    with CrafterBatch(256, seed=1, jobs=2, restart=False) as batch:
        batch.step(actions[0])

        def run():
            for chosen in actions:
                batch.step(chosen)

        assert actions.size / fastest(run) >= 50_000
