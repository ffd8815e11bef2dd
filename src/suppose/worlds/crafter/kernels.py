"""How the machine code of the world is made: one decorator for every compiled function.

A kernel is plain Python over arrays, compiled by numba on first use and kept in the folder's cache. It holds
no lock while it runs, and does no fast-math: a kernel gives the bits its Python text gives. With the
environment variable ``NUMBA_DISABLE_JIT=1`` the same text runs as Python; the tests compare the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

from suppose.core.progress import progress

__all__ = ["called", "kernel"]

Function = TypeVar("Function", bound=Callable[..., Any])
_used: set[int] = set()


def kernel(function: Function) -> Function:
    """The function, compiled on first use.

    Examples
    --------
    >>> from typing import no_type_check
    >>> from suppose.worlds.crafter.random import seeded
    >>> key, _ = seeded(1)
    >>> key.shape, key.dtype.name
    ((624,), 'uint32')
    """
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy")(function))


def called(function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a kernel; the first call of a process says that it may have to be compiled.

    Examples
    --------
    >>> called(max, 2, 3)
    3
    """
    if id(function) in _used:
        return function(*arguments)
    with progress("compiling the world, once", None):
        result = function(*arguments)
    _used.add(id(function))
    return result
