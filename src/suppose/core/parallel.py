"""Many independent calls, on this machine or a cluster, with the same bits for any number of jobs.

Every call runs with BLAS and OpenMP held to one thread, whatever the number of jobs: parallel sums
inside a library would otherwise change the last bits with the number of threads. Randomness is the
caller's: each task carries its own seed (:mod:`suppose.core.random`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from suppose.core.errors import StudyError, nearest
from suppose.core.progress import progress

__all__ = ["BACKENDS", "check_backend", "core_count", "parallel_map", "resolve_jobs"]

Result = TypeVar("Result")

BACKENDS = ("loky", "threading", "dask", "ray")


def core_count() -> int:
    """Number of processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def resolve_jobs(jobs: int | None) -> int:
    """Number of jobs meant by ``jobs``: ``None`` is 1, ``-1`` is every core.

    Examples
    --------
    >>> resolve_jobs(None), resolve_jobs(3)
    (1, 3)
    """
    if jobs is None:
        return 1
    if isinstance(jobs, bool) or jobs == 0 or jobs < -1:
        raise StudyError(
            "bad-jobs",
            f"expected a positive whole number, or -1 for every core, got {jobs!r}",
            where="jobs",
            remedy="Write for example jobs = 2.",
        )
    return core_count() if jobs == -1 else int(jobs)


def parallel_map(
    function: Callable[..., Result],
    tasks: Iterable[Sequence[Any]],
    *,
    jobs: int | None = 1,
    backend: str = "loky",
    label: str | None = None,
) -> list[Result]:
    """Results of ``function(*task)`` for each task, in the order of the tasks.

    Parameters
    ----------
    function : callable
        Module-level function; with more than one job it is sent to other processes.
    tasks : iterable of sequences
        Positional arguments of each call. Arrays over 1 MB are memory-mapped to the workers.
    jobs : int, optional
        Calls at the same time; ``-1`` is every core.
    backend : {"loky", "threading", "dask", "ray"}
        Where the calls run. ``dask`` and ``ray`` use the cluster the user's client is connected to.
    label : str, optional
        Words of the progress bar; no bar without them.

    Raises
    ------
    StudyError
        For an unknown backend, a missing backend package, or a senseless number of jobs.

    Examples
    --------
    >>> parallel_map(pow, [(2, 3), (3, 2)], jobs=1)
    [8, 9]
    """
    work = [tuple(task) for task in tasks]
    jobs = min(resolve_jobs(jobs), max(len(work), 1))
    check_backend(backend)
    with progress(label, len(work)) as bar:
        results: list[Result] = []
        if jobs == 1 and backend in ("loky", "threading"):
            for task in work:
                results.append(_single_threaded(function, task))
                bar.advance()
            return results
        for result in _joblib_results(function, work, jobs, backend):
            results.append(result)
            bar.advance()
        return results


def _single_threaded(function: Callable[..., Result], task: tuple[Any, ...]) -> Result:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        return function(*task)


def _joblib_results(
    function: Callable[..., Result], work: list[tuple[Any, ...]], jobs: int, backend: str
) -> Iterable[Result]:
    import joblib

    calls = (joblib.delayed(_single_threaded)(function, task) for task in work)
    extra = {"inner_max_num_threads": 1} if backend == "loky" else {}
    with joblib.parallel_config(backend=backend, n_jobs=jobs, **extra):
        yield from joblib.Parallel(return_as="generator", max_nbytes="1M")(calls)


def check_backend(backend: str) -> None:
    """Refuse a backend that is unknown, not installed, or not connected."""
    if backend not in BACKENDS:
        raise StudyError(
            "unknown-backend",
            f"expected one of {', '.join(BACKENDS)}, got {backend!r}",
            where="backend",
            remedy=nearest(backend, BACKENDS) or "Leave it out to run on this machine.",
        )
    try:
        if backend == "ray":
            from ray.util.joblib import register_ray

            register_ray()
        elif backend == "dask":
            from distributed import get_client

            get_client()
    except ImportError as error:
        raise StudyError(
            "missing-backend",
            f"the package of backend {backend!r} is not installed ({error.name})",
            where="backend",
            remedy="Install it with: pip install 'suppose[cluster]'.",
        ) from error
    except ValueError as error:
        raise StudyError(
            "no-cluster",
            "backend 'dask' needs a connected dask client and there is none",
            where="backend",
            remedy="Create distributed.Client(...) before the call, or use backend 'loky'.",
        ) from error
