"""PC: which arrows the independences in a table support (Spirtes, Glymour and Scheines 2000, section 5.4.2).

Skeleton by PC-stable, colliders by one of four rules, then Meek's rules; see :mod:`suppose.discovery.skeleton` and
:mod:`suppose.discovery.orientation`. The result is the same whatever the order of columns: they are worked on in
the order of their names, and the default rule ``maxp`` does not depend on that order either.

Assumes that all common causes are columns, that there is no selection and no feedback, and that independences
come from missing arrows alone (faithfulness). What it does not do: none of these can be seen in the result, and
no error rate is promised for the graph as a whole; ask :func:`suppose.discovery.bootstrap_graph` how stable edges are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from suppose.core.errors import DataError, nearest
from suppose.core.parallel import resolve_jobs
from suppose.discovery.choice import bind_test
from suppose.discovery.knowledge import Knowledge
from suppose.discovery.orientation import COLLIDERS, Conflict, orient
from suppose.discovery.protocol import check_alpha
from suppose.discovery.skeleton import learn_skeleton
from suppose.graphs.pdag import PDAG

__all__ = ["PC"]

REASONS = {0: "", 1: "known", 2: "collider", 3: "follows"}


class PC(BaseEstimator):
    """Partly directed graph from tests of conditional independence.

    Parameters
    ----------
    test : str or CITest
        ``auto`` picks by the kinds of the columns; or one of the names of :data:`suppose.discovery.choice.TESTS`; or a
        test bound to its material, and then ``fit`` takes no table: ``PC(test=...).fit()``.
    alpha : float
        Level of each test; smaller gives fewer edges.
    collider : {"maxp", "sepset", "conservative", "majority"}
        How colliders are told, see :mod:`suppose.discovery.orientation`.
    max_cond : int, optional
        Most variables held fixed at once.
    knowledge : Knowledge or mapping, optional
        Tiers, required and forbidden arrows.
    missing : {"refuse", "test-wise"}
        What is done with missing values.
    n_jobs : int
        Threads; the result does not depend on it.
    seed : int
        Used by tests that draw (``kci``, ``rcit``).

    Attributes
    ----------
    graph_ : PDAG
    skeleton_ : (p, p) bool
        Pairs joined, in the order of columns.
    tests_ : dict from int to int
        Questions asked, by number of variables held fixed.
    conflicts_ : tuple of Conflict
    untested_ : int
        Questions with too few rows, taken as independence.
    deterministic_ : tuple
        Pairs ``(a, b, set)`` where a variable follows from others; kept joined.
    test_ : CITest
        The test, bound to the table.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> a, b = rng.normal(size=(2, 2000))
    >>> c = a + b + rng.normal(size=2000)
    >>> X = np.column_stack([a, b, c, c + rng.normal(size=2000)])
    >>> print(PC().fit(X, names=["a", "b", "c", "d"]).graph_)
    a -> c; b -> c; c -> d
    """

    def __init__(
        self,
        test: Any = "auto",
        alpha: float = 0.01,
        collider: Any = "maxp",
        max_cond: int | None = None,
        knowledge: Any = None,
        missing: Any = "refuse",
        n_jobs: int | None = 1,
        seed: int = 0,
    ) -> None:
        self.test = test
        self.alpha = alpha
        self.collider = collider
        self.max_cond = max_cond
        self.knowledge = knowledge
        self.missing = missing
        self.n_jobs = n_jobs
        self.seed = seed

    def fit(self, X: Any = None, y: Any = None, *, names: Sequence[str] | None = None) -> PC:
        """Learn the graph of the columns of ``X``; ``y`` is not used.

        Raises
        ------
        DataError
            ``bad-significance``, ``unknown-choice``, and the refusals of the test about columns.
        GraphError
            ``unknown-node``, ``contradictory-knowledge``, ``graph-cycle``.
        """
        alpha, jobs = check_alpha(self.alpha), resolve_jobs(self.n_jobs)
        if self.collider not in COLLIDERS:
            raise DataError(
                "unknown-choice", f"expected one of {', '.join(COLLIDERS)}, got {self.collider!r}", where="collider",
                remedy=nearest(str(self.collider), COLLIDERS) or "Choose one of these.",
            )  # fmt: skip
        test, given = bind_test(self.test, X, names, missing=self.missing, seed=self.seed)
        required, forbidden = read_knowledge(self.knowledge).masks(test.names)
        found = learn_skeleton(
            test, alpha, first_set=self.collider != "maxp", max_cond=self.max_cond, never=forbidden & forbidden.T,
            always=required | required.T, jobs=jobs, label="skeleton",
        )  # fmt: skip
        turned = orient(
            found, test, alpha=alpha, rule=self.collider, required=required, forbidden=forbidden, jobs=jobs
        )
        self._keep(test, given, found, turned)
        return self

    def _keep(self, test: Any, given: Sequence[str], found: Any, turned: Any) -> None:
        names = test.names
        place = [names.index(name) for name in given]
        within = np.ix_(place, place)
        self.test_ = test
        self.graph_ = PDAG(turned.marks[within], given)
        self.skeleton_ = found.adjacent[within]
        self.reasons_ = turned.reason[within]
        self.tests_ = dict(enumerate(found.tests))
        self.conflicts_: tuple[Conflict, ...] = turned.conflicts
        self.untested_ = found.untested
        self.colliders_ = tuple(tuple(names[v] for v in triple) for triple in turned.colliders)
        self.ambiguous_ = tuple(tuple(names[v] for v in triple) for triple in turned.ambiguous)
        self.deterministic_ = tuple(
            (names[i], names[j], tuple(names[v] for v in members)) for i, j, members in found.singular
        )
        self._sets, self._order = found.sepsets, names
        self.n_features_in_ = len(names)

    def sepset(self, a: str, b: str) -> tuple[str, ...] | None:
        """The set that separated two variables; ``None`` where they are joined or were not tested."""
        check_is_fitted(self, "graph_")
        self.graph_.id(a), self.graph_.id(b)
        members = self._sets.get(self._order.index(a), self._order.index(b))
        return None if members is None else tuple(self._order[v] for v in members)

    def why(self, a: str, b: str) -> str:
        """Why two variables are, or are not, joined, and why the edge is turned as it is.

        Examples
        --------
        >>> from suppose.discovery.oracle import Oracle
        >>> from suppose.graphs import DAG
        >>> print(PC(test=Oracle(DAG("a -> b <- c; b -> d"))).fit().why("b", "d"))
        b -> d: the other way round would make a new collider or a cycle.
        """
        check_is_fitted(self, "graph_")
        edge = self.graph_.edge(a, b)
        if edge is None:
            members = self.sepset(a, b)
            if members is None:
                return f"{a} and {b} are not joined: known."
            return f"{a} and {b} are not joined: independent given {', '.join(members) or 'nothing'}."
        i, j = self.graph_.id(a), self.graph_.id(b)
        grounds = {int(self.reasons_[i, j]), int(self.reasons_[j, i])} - {0}
        words = {
            1: "known",
            2: "; ".join(
                f"{x} and {z} are independent given {', '.join(self.sepset(x, z) or ()) or 'nothing'}, not given {k}"
                for x, k, z in self.colliders_
                if k in (a, b) and (a in (x, z) or b in (x, z))
            ),
            3: "the other way round would make a new collider or a cycle",
        }
        text = "; ".join(words[g] for g in sorted(grounds)) or "the table does not tell which way"
        return f"{a} {edge} {b}: {text}."

    def to_frame(self) -> Any:
        """Edges with the ground of each as a pandas table."""
        check_is_fitted(self, "graph_")
        frame = self.graph_.to_frame()
        ids = [
            (self.graph_.id(a), self.graph_.id(b)) for a, b in zip(frame["from"], frame["to"], strict=True)
        ]
        frame["ground"] = [REASONS[max(int(self.reasons_[i, j]), int(self.reasons_[j, i]))] for i, j in ids]
        return frame


def read_knowledge(knowledge: Any) -> Knowledge:
    """Knowledge from a :class:`Knowledge`, a mapping of its parts, or nothing."""
    if knowledge is None:
        return Knowledge()
    if isinstance(knowledge, Knowledge):
        return knowledge
    parts = ("tiers", "required", "forbidden")
    if not isinstance(knowledge, Mapping) or set(knowledge) - set(parts):
        came = ", ".join(map(str, knowledge)) if isinstance(knowledge, Mapping) else type(knowledge).__name__
        raise DataError(
            "unknown-choice", f"expected a Knowledge or a mapping with {', '.join(parts)}, got {came}",
            where="knowledge", remedy="Write for example {'tiers': [['age'], ['wage']]}.",
        )  # fmt: skip
    return Knowledge(**{str(key): value for key, value in knowledge.items()})
