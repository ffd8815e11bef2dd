"""How the machine code of belief networks is made: one decorator for every compiled function.

A kernel is plain Python over arrays, compiled by numba on first use and kept in the folder's cache. It holds no
lock while it runs and does no fast-math. Kernels are merged into the one that is called, which saves handing
many arrays on at every step. Machine code is kept for as long as none of the files in ``SOURCES`` changes: numba
by itself looks at the file of one kernel alone, although the code of the kernels it calls is inside.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit

__all__ = ["kernel"]

Function = TypeVar("Function", bound=Callable[..., Any])
# No kernel makes arrays, so none counts references to them.
OPTIONS: Any = {"cache": True, "nogil": True, "error_model": "numpy", "forceinline": True, "_nrt": False}
SOURCES = ("compiled", "couplings", "filtering", "losses", "prediction", "schedule", "updates", "volatility")


@cache
def _stamp() -> str:
    """Digest of the texts that kernels are made of."""
    folder = Path(__file__).parent
    return hashlib.blake2b(b"".join((folder / f"{name}.py").read_bytes() for name in SOURCES)).hexdigest()


def kernel(function: Function) -> Function:
    """The function, compiled on first use.

    Examples
    --------
    >>> from suppose.worlds.beliefs.couplings import lambert_of_log
    >>> round(float(lambert_of_log(1.0)), 12)  # W e^W = e at W = 1
    1.0
    """
    compiled: Any = njit(**OPTIONS)(function)
    kept: Any = getattr(getattr(compiled, "_cache", None), "_cache_file", None)
    if hasattr(kept, "_source_stamp"):  # nothing of the sort when run as Python
        kept._source_stamp = (kept._source_stamp, _stamp())
    return cast(Function, compiled)
