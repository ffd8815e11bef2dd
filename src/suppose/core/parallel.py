"""Many independent calls, on this machine or a cluster, with the same bits for any number of jobs.

Every call runs with BLAS and OpenMP held to one thread, whatever the number of jobs: parallel sums
inside a library would otherwise change the last bits with the number of threads. Randomness is the
caller's: each task carries its own seed (:mod:`suppose.core.random`).

Backends ``dask`` and ``ray`` use the client the user's program is connected with. Without one they connect
to the cluster that ``DASK_SCHEDULER_ADDRESS`` or ``RAY_ADDRESS`` names, and without such a name they start
a cluster of ``jobs`` workers on this machine, which ends with the process. On a cluster of the user's own
the cluster decides how many calls run at the same time, not ``jobs``.

What it does not do: no retries of calls whose worker died beyond what the cluster does by itself, and no
shipping of code. Workers need suppose, and the user's own modules, in the same version.
"""

from __future__ import annotations

import importlib
import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any, TypeVar

from suppose.core.errors import StudyError, nearest
from suppose.core.progress import progress

__all__ = ["BACKENDS", "CLUSTERS", "check_backend", "core_count", "parallel_map", "resolve_jobs"]

Result = TypeVar("Result")

BACKENDS = ("loky", "threading", "dask", "ray")
CLUSTERS = {"dask": "DASK_SCHEDULER_ADDRESS", "ray": "RAY_ADDRESS"}  # where each looks for an address
SECONDS_TO_ANSWER = 15
LARGE = 100_000  # bytes; larger arguments are sent to a cluster once, not with every call


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
        Where the calls run; see the module for how ``dask`` and ``ray`` find their cluster.
    label : str, optional
        Words of the progress bar; no bar without them.

    Raises
    ------
    StudyError
        For an unknown backend, a missing backend package, a cluster that does not answer, or a senseless
        number of jobs.

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
        through = _ray_results if backend == "ray" else _joblib_results
        for result in through(function, work, jobs, backend):
            results.append(result)
            bar.advance()
        return results


def _single_threaded(function: Callable[..., Result], task: tuple[Any, ...]) -> Result:
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        return function(*task)


def _joblib_results(
    function: Callable[..., Result], work: list[tuple[Any, ...]], jobs: int, backend: str
) -> Iterator[Result]:
    import joblib
    from threadpoolctl import threadpool_limits

    calls = (joblib.delayed(_single_threaded)(function, task) for task in work)
    extra = {"inner_max_num_threads": 1} if backend == "loky" else {}
    if backend == "dask" and _connect_dask(jobs):
        jobs = -1
    # Threads share one set of libraries: limits of single calls would be lifted by whoever ends first.
    held = threadpool_limits(limits=1) if backend == "threading" else nullcontext()
    with held, joblib.parallel_config(backend=backend, n_jobs=jobs, **extra):
        yield from joblib.Parallel(return_as="generator", max_nbytes="1M")(calls)


def _ray_results(
    function: Callable[..., Result], work: list[tuple[Any, ...]], jobs: int, backend: str
) -> Iterator[Result]:
    """Results through ray's own tasks: joblib's ray backend gives nothing back before all is done."""
    import ray

    _connect_ray(jobs)
    stored: dict[int, Any] = {}  # the same array in many tasks goes to the store of the cluster once

    def sent(argument: Any) -> Any:
        if getattr(argument, "nbytes", 0) < LARGE:
            return argument
        if id(argument) not in stored:
            stored[id(argument)] = ray.put(argument)
        return stored[id(argument)]

    remote = ray.remote(num_cpus=1, max_retries=3)(_call_single_threaded)
    waiting: deque[Any] = deque()  # a few calls ahead, so that a refusal leaves little work behind
    ahead = 2 * max(int(ray.cluster_resources().get("CPU", 1)), 1)
    try:
        for task in work:
            if len(waiting) == ahead:
                yield ray.get(waiting.popleft())
            waiting.append(remote.remote(function, *(sent(argument) for argument in task)))
        while waiting:
            yield ray.get(waiting.popleft())
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error


def _call_single_threaded(function: Callable[..., Result], *arguments: Any) -> Result:
    return _single_threaded(function, arguments)


# -- clusters ------------------------------------------------------------------------------------


def check_backend(backend: str) -> None:
    """Refuse a backend that is unknown or not installed, or whose named cluster does not answer."""
    if backend not in BACKENDS:
        raise StudyError(
            "unknown-backend",
            f"expected one of {', '.join(BACKENDS)}, got {backend!r}",
            where="backend",
            remedy=nearest(backend, BACKENDS) or "Leave it out to run on this machine.",
        )
    if backend not in CLUSTERS:
        return
    try:
        importlib.import_module("distributed" if backend == "dask" else "ray")
    except ImportError as error:
        raise StudyError(
            "missing-backend",
            f"the package of backend {backend!r} is not installed ({error.name})",
            where="backend",
            remedy="Install it with: pip install 'suppose[cluster]'.",
        ) from error
    if os.environ.get(CLUSTERS[backend]):
        _connect_dask(1) if backend == "dask" else _connect_ray(1)


def _connect_dask(jobs: int) -> bool:
    """Make sure of a dask client; True where the cluster is the user's own and decides by itself."""
    import distributed

    try:
        return not getattr(distributed.get_client(), "_of_suppose", False)
    except ValueError:
        pass  # no client yet
    address = os.environ.get(CLUSTERS["dask"])
    if address:
        try:
            distributed.Client(address, timeout=SECONDS_TO_ANSWER)
        except (OSError, ValueError) as error:
            raise _no_cluster("dask", address) from error
        return True
    local = distributed.LocalCluster(
        n_workers=jobs, threads_per_worker=1, dashboard_address=None, silence_logs=logging.ERROR
    )
    distributed.Client(local)._of_suppose = True
    return False


def _connect_ray(jobs: int) -> None:
    """Make sure that ray is connected, to the named cluster or to one of ``jobs`` workers started here."""
    import ray

    if ray.is_initialized():
        return
    address = os.environ.get(CLUSTERS["ray"])
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # the first refusal is raised, it says enough
    if address and not _answers(address):
        raise _no_cluster("ray", address)
    where: dict[str, Any] = {"address": address} if address else {"num_cpus": jobs}
    try:
        ray.init(**where, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise _no_cluster("ray", address or "this machine", f" ({str(error)[:150]})") from error


def _answers(address: str) -> bool:
    """Whether anything listens at ``host:port``, asked first: ray itself tries for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdigit():
        return True  # a word such as "auto", which only ray understands
    try:
        socket.create_connection((host, int(port)), timeout=SECONDS_TO_ANSWER).close()
    except OSError:
        return False
    return True


def _no_cluster(backend: str, address: str, reason: str = "") -> StudyError:
    return StudyError(
        "no-cluster",
        f"no {backend} cluster answers at {address}{reason}",
        where=f"backend {backend!r}",
        remedy=f"Start it, correct the variable {CLUSTERS[backend]}, or unset it to work on this machine.",
    )
