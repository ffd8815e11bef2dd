"""Parallel calls: order, the same bits for any number of jobs, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from suppose.core.errors import DataError, StudyError
from suppose.core.parallel import parallel_map, resolve_jobs
from suppose.core.random import check_seed, generator, integer_seed


def heavy(seed, size):
    matrix = generator(seed, "heavy").normal(size=(size, size))
    return (matrix @ matrix.T).sum(axis=0)


def refuse(number):
    raise DataError("some-code", f"number {number}", where="here", remedy="Do this.")


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_the_same_bits_for_any_number_of_jobs(backend):
    tasks = [(seed, 150) for seed in range(4)]
    one = parallel_map(heavy, tasks, jobs=1)
    two = parallel_map(heavy, tasks, jobs=2, backend=backend)
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_refusals_cross_processes_whole():
    with pytest.raises(DataError, match="here: number 3. Do this.") as caught:
        parallel_map(refuse, [(3,), (3,)], jobs=2)
    assert caught.value.code == "some-code"


def test_refusals():
    with pytest.raises(StudyError, match="got 0"):
        resolve_jobs(0)
    with pytest.raises(StudyError, match="Did you mean 'loky'"):
        parallel_map(heavy, [], backend="lokky")
    with pytest.raises(StudyError, match="dask"):
        parallel_map(heavy, [], backend="dask")
    with pytest.raises(StudyError, match="whole number from 0"):
        check_seed(-1)


def test_streams_are_named_not_ordered():
    generator(1, "a").random(100)
    assert generator(1, "b").random() == generator(1, "b").random()
    assert generator(1, "b", 1).random() != generator(1, "b", 2).random()
    assert integer_seed(1, "x") == integer_seed(1, "x") < 2**31
