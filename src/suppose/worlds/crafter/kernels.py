"""How the machine code of the world is made: one decorator for every compiled function.

A kernel is plain Python over arrays, compiled by numba on first use and kept in the folder's cache. It holds
no lock while it runs, and does no fast-math: a kernel gives the bits its Python text gives. With the
environment variable ``NUMBA_DISABLE_JIT=1`` the same text runs as Python; the tests compare the two.

numba keeps a compiled kernel for as long as the file of that kernel does not change, although the machine code of the
kernels it calls is inside. Here a kernel is kept for as long as none of the files in ``SOURCES`` changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

from suppose.core.progress import progress

__all__ = ["called", "kernel"]

Function = TypeVar("Function", bound=Callable[..., Any])
SOURCES = ("arrays", "creatures", "generation", "ground", "kernels", "noise", "player", "random", "step")
_used: set[int] = set()


@cache
def _stamp() -> str:
    """Digest of the texts that kernels are made of."""
    folder = Path(__file__).parent
    return hashlib.blake2b(b"".join((folder / f"{name}.py").read_bytes() for name in SOURCES)).hexdigest()


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
    compiled: Any = njit(cache=True, nogil=True, error_model="numpy")(function)
    kept: Any = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if hasattr(kept, "_source_stamp"):  # nothing of the sort when run as Python
        kept._source_stamp = (kept._source_stamp, _stamp())
    return cast(Function, compiled)


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
