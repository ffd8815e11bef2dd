"""What every test of conditional independence can do, so that no search ever sees the data.

A test is bound to its data (or to a graph, see :mod:`suppose.discovery.oracle`) and answers batches of
questions of one size of the conditioning set. A ``p`` that is not a number means *not tested* (too few rows for
the table the question needs): searches take it as independence, count it and say so.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from suppose.core.errors import DataError

__all__ = ["BaseTest", "CITest", "Outcome", "OutcomeBatch", "check_alpha"]


class OutcomeBatch(NamedTuple):
    """Answers to a batch: p-values (NaN: not tested), statistics, and rows used."""

    p: Float[np.ndarray, " m"]
    stat: Float[np.ndarray, " m"]
    n: Int[np.ndarray, " m"]


@dataclass(frozen=True)
class Outcome:
    """Answer to one question.

    Attributes
    ----------
    x, y : str
        The two variables.
    given : tuple of str
        The variables held fixed.
    p_value, statistic : float
        ``p_value`` is not a number where the question could not be tested.
    n : int
        Rows used.
    """

    x: str
    y: str
    given: tuple[str, ...]
    p_value: float
    statistic: float
    n: int

    def __str__(self) -> str:
        given = f" given {', '.join(self.given)}" if self.given else ""
        value = "not tested" if np.isnan(self.p_value) else f"p = {self.p_value:.3g}"
        return f"{self.x} and {self.y}{given}: {value} (statistic {self.statistic:.3g}, {self.n:,} rows)"


@runtime_checkable
class CITest(Protocol):
    """A test of conditional independence bound to its material.

    ``costly`` tests are asked one set at a time where the search may stop early.
    """

    names: tuple[str, ...]
    n_tests: int
    costly: bool

    def batch(
        self, i: Int[np.ndarray, " m"], j: Int[np.ndarray, " m"], given: Int[np.ndarray, "m k"]
    ) -> OutcomeBatch:
        """Answers for ``m`` questions: variables ``i[a]`` and ``j[a]`` given the columns ``given[a]``."""
        ...

    def describe(self) -> str:
        """The test in one sentence."""
        ...


class BaseTest:
    """Counting and single questions, shared by the tests of the room."""

    costly = False

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.n_tests = 0
        self._lock = threading.Lock()

    def _count(self, questions: int) -> None:
        with self._lock:
            self.n_tests += questions

    def batch(
        self, i: Int[np.ndarray, " m"], j: Int[np.ndarray, " m"], given: Int[np.ndarray, "m k"]
    ) -> OutcomeBatch:
        """Answers for ``m`` questions; see :class:`CITest`."""
        raise NotImplementedError

    def one(self, x: int | str, y: int | str, given: tuple[int | str, ...] = ()) -> Outcome:
        """Answer to one question, variables by name or by position.

        Raises
        ------
        DataError
            ``missing-column`` for a name the test does not know, ``bad-value`` for a variable asked twice.
        """
        places = [self._place(v) for v in (x, y, *given)]
        if len(set(places)) < len(places):
            raise DataError(
                "bad-value", "a variable stands twice in the question", where="x, y, given",
                remedy="Name different variables, and none of the two among those given.",
            )  # fmt: skip
        i, j = np.array(places[:1]), np.array(places[1:2])
        answer = self.batch(i, j, np.array([places[2:]], dtype=np.int64).reshape(1, -1))
        known = [self.names[v] for v in places]
        return Outcome(
            known[0], known[1], tuple(known[2:]), float(answer.p[0]), float(answer.stat[0]), int(answer.n[0])
        )

    def _place(self, variable: int | str) -> int:
        if isinstance(variable, str) and variable in self.names:
            return self.names.index(variable)
        if isinstance(variable, (int, np.integer)) and 0 <= int(variable) < len(self.names):
            return int(variable)
        raise DataError(
            "missing-column", f"the test knows no variable {variable!r}; it has: {', '.join(self.names[:12])}",
            where="x, y, given", remedy="Name one of its variables.",
        )  # fmt: skip


def check_alpha(alpha: float) -> float:
    """The level of a test; refuses anything outside (0, 1) with ``bad-significance``."""
    if not isinstance(alpha, (int, float)) or isinstance(alpha, bool) or not 0 < alpha < 1:
        raise DataError(
            "bad-significance", f"expected a number between 0 and 1, got {alpha!r}", where="alpha",
            remedy="Write for example alpha = 0.01.",
        )  # fmt: skip
    return float(alpha)
