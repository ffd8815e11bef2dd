"""Whether to condition on the mode of a survey, read off a causal graph with true and recorded answers.

A node ``X`` is the truth, ``X*`` what is recorded of it; a name without a starred twin is recorded as it is. The
verdict for a set Z: take the first edge of every directed path from exposure to outcome out of the graph and ask
whether Z separates the *recorded* exposure from the *recorded* outcome in what is left.

- ``safe``: it does, Z holds nothing the outcome causes, and leaves out nothing else that moves the recorded exposure,
  or moves the recorded outcome and goes with the recorded exposure.
- ``null-safe``: it does, but Z holds an effect of the outcome (such as the mode people chose because of it), or leaves
  out such a cause of a recorded answer (such as a mode that moves the exposure): a test of no effect is valid, the
  size of an effect is not.
- ``unsafe``: it does not (the open paths are named), or Z holds a mediator or an effect of one.

The rule is worked out here from the definitions of Tomova et al. (arXiv 2510.00900, 2025); random linear models in
the tests hold it. Random error in the
recorded exposure attenuates a slope whatever the set; ``attenuation`` says so. What it does not do: say how large a
bias is, or judge a mode that changes how strongly an answer follows the truth.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

from suppose.core.errors import GraphError, SupposeWarning
from suppose.graphs import DAG, d_separated, open_paths
from suppose.graphs.dag import NodeSet
from suppose.graphs.listing import Listing
from suppose.graphs.query import causal_nodes, listing
from suppose.graphs.separation import Path

__all__ = ["ModeSets", "ModeVerdict", "mode_safe_sets", "mode_verdict", "warn_of_conditioning"]

Word = Literal["safe", "null-safe", "unsafe"]
ORDER: tuple[Word, ...] = ("safe", "null-safe", "unsafe")
MAX_CANDIDATES = 12


@dataclass(frozen=True)
class ModeVerdict:
    """What conditioning on a set does to the slope of recorded outcome on recorded exposure."""

    given: tuple[str, ...]
    verdict: Word
    reason: str
    open_paths: tuple[Path, ...] = ()
    """Non-causal paths that stay open, shortest first, at most three."""

    def __str__(self) -> str:
        return f"given {_braces(self.given)}: {self.verdict}. {self.reason}"


@dataclass(frozen=True)
class ModeSets(Listing[ModeVerdict]):
    """Verdicts of all sets of candidates; safe ones first, those without the mode before those with it."""

    exposure: str
    outcome: str
    mode: str
    attenuation: str
    """What random error in the recorded exposure does, in words; empty when it is recorded as it is."""

    @property
    def best(self) -> ModeVerdict | None:
        """The safe set to use, without the mode where possible; None when no set is safe."""
        return self.items[0] if self.items and self.items[0].verdict == "safe" else None

    def of(self, given: NodeSet) -> ModeVerdict:
        """The verdict of one set among the candidates."""
        wanted = {given} if isinstance(given, str) else set(given)
        for item in self.items:
            if set(item.given) == wanted:
                return item
        raise GraphError(
            "unknown-set", f"the verdicts do not cover the set {_braces(sorted(wanted))}", where="given",
            remedy="Name measured nodes that are neither exposure nor outcome.",
        )  # fmt: skip

    def line(self, item: ModeVerdict) -> str:
        """One verdict in a line."""
        return str(item)

    def rows(self) -> list[dict[str, Any]]:
        """Set, verdict and reason of each."""
        return [{"given": _braces(v.given), "verdict": v.verdict, "reason": v.reason} for v in self.items]


def mode_verdict(
    dag: DAG, exposure: str, outcome: str, given: NodeSet = (), *, recorded: tuple[str, str] | None = None
) -> ModeVerdict:
    """Whether conditioning on ``given`` is safe, and why (not).

    Parameters
    ----------
    dag : DAG
        Graph with true and recorded answers.
    exposure, outcome : str
        The true nodes.
    given : str or iterable of str
        Nodes conditioned on.
    recorded : (str, str), optional
        The recorded nodes; by default the names with a star where the graph has them.

    Raises
    ------
    GraphError
        ``unknown-node``, ``overlapping-sets``.

    Examples
    --------
    >>> dag = DAG("X -> Y; X -> X*; Y -> Y*; M -> {X* Y*}; {X Y} -> M")
    >>> print(mode_verdict(dag, "X", "Y", "M"))
    given {M}: unsafe. X* <- X -> M <- Y -> Y* is open: M is a collider and is given.
    """
    dag.ids([exposure, outcome], where="exposure and outcome")
    seen = recorded or recorded_names(dag, exposure, outcome)
    members = dag.names(dag.ids(given, where="given"))
    taken = [name for name in members if name in (exposure, outcome, *seen)]
    if taken:
        raise GraphError(
            "overlapping-sets", f"{taken[0]!r} is an answer of the comparison and in given", where="given",
            remedy="Name each node in one of them only.",
        )  # fmt: skip
    x, y = dag.ids(exposure), dag.ids(outcome)
    mediators = set(dag.names(causal_nodes(dag.adjacency, x, y))) - {outcome}
    spoiled = set(dag.descendants(mediators)) - set(dag.descendants(outcome)) if mediators else set()
    bad = [name for name in members if name in spoiled]
    if bad:
        return ModeVerdict(
            members, "unsafe", f"{listing(bad)} lies on the way from {exposure} to {outcome}, or is an effect of "
            "what does; holding it fixed removes part of the effect.",
        )  # fmt: skip
    first = {(exposure, name) for name in (*mediators, outcome)}
    cut = dag.replace(directed=[edge for edge in dag.directed if edge not in first])
    if d_separated(cut, seen[0], seen[1], members):
        after = [name for name in members if name in dag.descendants(outcome)]
        if after:
            return ModeVerdict(
                members, "null-safe", f"It closes every non-causal path, but {listing(after)} is an effect of "
                f"{outcome}: a test of no effect is valid, the size of an effect is not.",
            )  # fmt: skip
        moved = _movers(dag, (exposure, outcome), seen, members)
        if moved:
            return ModeVerdict(
                members, "null-safe", f"It closes every non-causal path, but {moved} and is not held fixed: a test of "
                "no effect is valid, the size of an effect is not.",
            )  # fmt: skip
        return ModeVerdict(members, "safe", "It closes every non-causal path between the recorded answers.")
    paths = tuple(open_paths(cut, seen[0], seen[1], members, limit=3))
    why = (
        "; ".join(step.reason for step in paths[0].steps if step.kind == "collider")
        or "nothing on it is given"
    )
    return ModeVerdict(members, "unsafe", f"{paths[0].text} is open: {why}.", paths)


def _movers(dag: DAG, true: tuple[str, str], recorded: tuple[str, str], given: Sequence[str]) -> str:
    """What else moves a recorded answer, is not given, and spoils the size of a slope, in words; empty without any.

    Of the recorded exposure: every cause but the exposure, hidden ones only where they go with the exposure (otherwise
    they are random error, which no set removes). Of the recorded outcome: causes that go with the recorded exposure,
    as an effect of exposure or outcome does.
    """
    for answer, node in zip(true, recorded, strict=True):
        if node == answer:
            continue
        others = [name for name in dag.parents(node) if name != answer and name not in given]
        if answer == true[0]:
            kept = [p for p in others if p not in dag.latent or not d_separated(dag, p, answer, given)]
        else:
            kept = [p for p in others if not d_separated(dag, p, recorded[0], given)]
        if kept:
            return f"{listing(kept)} moves {node}"
    return ""


def mode_safe_sets(
    dag: DAG,
    exposure: str,
    outcome: str,
    mode: str,
    *,
    latent: NodeSet = (),
    include: NodeSet = (),
    recorded: tuple[str, str] | None = None,
) -> ModeSets:
    """Verdicts for every set of measured nodes, the one to use first.

    Parameters
    ----------
    dag : DAG
        Graph with true and recorded answers.
    exposure, outcome, mode : str
        The true exposure and outcome, and the mode.
    latent : str or iterable of str
        Nodes not measured, besides those the graph marks.
    include : str or iterable of str
        Nodes in every set.
    recorded : (str, str), optional
        The recorded nodes; by default the names with a star where the graph has them.

    Raises
    ------
    GraphError
        ``unknown-node``, ``overlapping-sets``, ``too-many-candidates`` beyond 12 measured nodes.

    Examples
    --------
    >>> dag = DAG("X -> Y; X -> X*; Y -> Y*; M -> {X* Y*}")
    >>> print(mode_safe_sets(dag, "X", "Y", "M"))
    Condition on {M}.
      given {M}: safe. It closes every non-causal path between the recorded answers.
      given {}: unsafe. X* <- M -> Y* is open: nothing on it is given.
    """
    seen = recorded or recorded_names(dag, exposure, outcome)
    dag.ids(mode, where="mode")
    hidden = {*dag.names(dag.ids(latent, where="latent")), *dag.latent}
    fixed = dag.names(dag.ids(include, where="include"))
    free = [
        name for name in dag.nodes
        if name not in hidden and name not in (exposure, outcome, *seen, *fixed) and not _stand_in(dag, name, hidden)
    ]  # fmt: skip
    if len(free) > MAX_CANDIDATES:
        raise GraphError(
            "too-many-candidates", f"expected at most {MAX_CANDIDATES} measured nodes to choose from, got {len(free)}",
            where="dag", remedy="Mark nodes that were not measured as latent, or fix some with include.",
        )  # fmt: skip
    sets = [chosen for size in range(len(free) + 1) for chosen in combinations(free, size)]
    marked = dag.replace(latent=sorted(hidden), treatment=(), outcome=())
    found = [mode_verdict(marked, exposure, outcome, (*fixed, *chosen), recorded=seen) for chosen in sets]
    found.sort(key=lambda v: (ORDER.index(v.verdict), mode in v.given, len(v.given)))
    head = found[0]
    if head.verdict == "safe":
        reason = f"Condition on {_braces(head.given)}." if head.given else "No conditioning is needed."
    else:
        reason = (
            "No set of measured nodes is safe: state how far the mode moves answers, and analyse the bias."
        )
        reason += (
            f" Given {_braces(head.given)} a test of no effect is valid."
            if head.verdict == "null-safe"
            else ""
        )
    return ModeSets(tuple(found), True, reason, exposure, outcome, mode, _attenuation(dag, exposure, seen[0]))


def warn_of_conditioning(dag: DAG, exposure: str, outcome: str, given: NodeSet) -> ModeVerdict:
    """The verdict of a set asked for explicitly; warns when it holds an effect of the outcome.

    Examples
    --------
    >>> dag = DAG("X -> Y; X -> X*; Y -> Y*; {X Y} -> M")
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     found = warn_of_conditioning(dag, "X", "Y", "M")
    >>> print(caught[0].message)
    M is an effect of Y. Conditioning on it opens X* <- X -> M <- Y -> Y*.
    """
    found = mode_verdict(dag, exposure, outcome, given)
    after = [name for name in found.given if name in dag.descendants(outcome)]
    if after:
        words = f"{listing(after)} is an effect of {outcome}. "
        words += (
            f"Conditioning on it opens {found.open_paths[0].text}."
            if found.open_paths
            else "Conditioning on it keeps a test of no effect valid, but opens "
            f"{_own_path(dag, exposure, outcome, after)}, "
            "so the size of an effect is not what is estimated."
        )
        warnings.warn(words, SupposeWarning, stacklevel=2)
    return found


def _own_path(dag: DAG, exposure: str, outcome: str, after: Sequence[str]) -> str:
    """The collider an effect of the outcome stands for: exposure -> outcome <- error, with the effect given."""
    return f"{exposure} -> {outcome} <- (other causes of {outcome}) through {listing(list(after))}"


def recorded_names(dag: DAG, exposure: str, outcome: str) -> tuple[str, str]:
    """Names of the recorded answers: starred where the graph has such a node."""
    names = [f"{name}*" if f"{name}*" in dag.nodes else name for name in (exposure, outcome)]
    return names[0], names[1]


def _stand_in(dag: DAG, name: str, hidden: set[str]) -> bool:
    """A hidden cause's twin: a node whose recorded form (with a star) is a node of its own."""
    return f"{name}*" in dag.nodes and f"{name}*" not in hidden


def _attenuation(dag: DAG, exposure: str, recorded: str) -> str:
    if recorded == exposure:
        return ""
    return f"Random error in {recorded} pulls a slope towards zero whatever is conditioned on; no set removes that."


def _braces(names: Sequence[str]) -> str:
    return "{" + ", ".join(names) + "}"
