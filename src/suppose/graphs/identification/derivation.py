r"""ID: effects of interventions from observations, by the seven rules of Shpitser and Pearl (2006), step by step.

For :math:`P(y \mid do(x))` in a graph :math:`G` over :math:`V`, with :math:`An` the ancestors and c-components the
sets joined by ``<->`` paths:

1. nothing is set: :math:`\sum_{v \setminus y} P(v)`;
2. nodes that are no ancestors of :math:`y` are summed out;
3. nodes that are no ancestors of :math:`y` once the arrows into :math:`x` are cut may be set to any value;
4. the rest falls into the c-components of :math:`G \setminus X`, each asked for with all other nodes set;
5. a c-component :math:`S` inside a graph that is one c-component: not identified, and the two are a hedge;
6. :math:`S` is a c-component of the graph: :math:`\prod_{v \in S} P(v \mid v^{<})`;
7. :math:`S` lies inside a larger c-component :math:`S'`: continue in :math:`G_{S'}` with the law
   :math:`\prod_{v \in S'} P(v \mid v^{<})`.

After rule 7 the law is a *kernel* (a law of :math:`S'` for every setting of what came before), so that its
conditionals are ratios of sums of that kernel, not conditionals of the observed law. Here a kernel is kept as its
chain of conditionals along one causal order for the whole question: restricting the chain to a c-component leaves
it as it is, and summing nodes out turns the conditional of :math:`v` into a ratio only where a node that is summed
out precedes :math:`v` and touches its conditional. Along one order all chains fit together, so that estimated
formulas are probabilities too.

Departure: after rule 4 every question is one c-component with all else set, where rules 3 and 4 cannot apply again,
so that the recursion of the paper is a loop, and its cost is polynomial. Conditionals of the observed law are
written with the fewest variables the graph allows (its ordered Markov property).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from suppose.graphs.identification.components import Mixed, bits
from suppose.graphs.identification.expression import (
    Expression,
    Probability,
    product_of,
    ratio_of,
    sum_of,
)
from suppose.graphs.identification.steps import Step
from suppose.graphs.query import listing

__all__ = ["Derivation", "Failure", "Identified", "derive"]


@dataclass(frozen=True)
class Identified:
    """A formula and the steps that lead to it."""

    formula: Expression
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Failure:
    """The two c-components where rule 5 stopped, as bits, and the steps that lead there."""

    outer: int
    inner: int
    steps: tuple[Step, ...]


class Derivation:
    """One run of ID on a graph of measured nodes."""

    def __init__(self, mixed: Mixed) -> None:
        self.mixed = mixed
        self.place = {mixed.graph.nodes[node]: k for k, node in enumerate(mixed.order)}
        self.steps: list[Step] = []

    def run(self, y: int, x: int) -> Identified | Failure:
        """``P(y | do(x))``; both as bits, disjoint."""
        mixed = self.mixed
        above = mixed.ancestors(y, mixed.all)
        if above != mixed.all:
            self._ancestors(y, x, above)
            x &= above
        if not x:
            formula: Expression = Probability(self._named(y))
            self._note(
                1,
                above,
                y,
                0,
                "Nothing is set from outside that matters to it: the observed law answers.",
                formula,
            )
            return Identified(formula, tuple(self.steps))
        free = above & ~x & ~mixed.ancestors(y, above, cut=x)
        if free:
            self._any_value(y, x, above, free)
        wanted = mixed.ancestors(y, above & ~x)
        parts = sorted(mixed.components(wanted), key=lambda part: self._first(part))
        if len(parts) > 1:
            self._split(y, x, above, wanted, parts)
        factors: list[Expression] = []
        for part in parts:
            found = self.component(part, above)
            if isinstance(found, Failure):
                return found
            factors.append(found)
        rest = self._named(wanted & ~y)
        formula = sum_of(rest, product_of(factors, self.place), self.place)
        if len(parts) > 1 or rest:
            words = "Put together, the parts give the answer."
            self._note(0, above, y, x, words, formula)
        return Identified(formula, tuple(self.steps))

    # -- one c-component ------------------------------------------------------------------------

    def component(self, part: int, within: int) -> Expression | Failure:
        """``P(part | do(everything else))`` inside the ancestral set ``within``."""
        mixed = self.mixed
        tree = mixed.ancestors(part, within)
        if tree != within:
            self._restrict(part, within, tree)
        chain = {node: self._conditional(node, tree) for node in bits(tree)}
        while True:
            if tree == part:
                formula = self._law(chain, part)
                words = f"Nothing is left to be set: what was built up for {listing(self._named(part))} is the answer."
                self._note(1, tree, part, 0, words, formula, part)
                return formula
            home = mixed.component((part & -part).bit_length() - 1, tree)
            if home == tree:
                self._fail(part, tree)
                return Failure(tree, part, tuple(self.steps))
            if home == part:
                formula = self._law(chain, part)
                self._whole(part, tree, formula)
                return formula
            chain = {node: chain[node] for node in bits(home)}
            self._enter(part, tree, home, self._law(chain, home))
            tree = home
            smaller = mixed.ancestors(part, tree)
            if smaller != tree:
                self._restrict(part, tree, smaller)
                chain = self._summed(chain, tree, smaller)
                tree = smaller

    def _conditional(self, node: int, within: int) -> Expression:
        given = self.mixed.pillow(node, within)
        return Probability((self.mixed.graph.nodes[node],), self._named(given))

    def _summed(self, chain: dict[int, Expression], tree: int, kept: int) -> dict[int, Expression]:
        """The chain of ``kept`` after summing the other nodes of ``tree`` out of the kernel."""
        before = self.mixed.before
        found = {}
        for node in bits(kept):
            gone = tree & ~kept & before[node]
            found[node] = self._ratio(chain, tree & before[node], gone, node) if gone else chain[node]
        return found

    def _ratio(self, chain: dict[int, Expression], earlier: int, gone: int, node: int) -> Expression:
        """Conditional of ``node``: the kernel up to it over the kernel before it, ``gone`` summed out of both.

        Only factors that touch it through variables that are summed out matter; all others cancel.
        """
        names = {self.mixed.graph.nodes[other]: other for other in bits(gone)}
        touched, front = set(), set(names) & chain[node].free
        linked: set[int] = set()
        while front:
            touched |= front
            new = {u for u in bits(earlier) if u not in linked and not chain[u].free.isdisjoint(front)}
            linked |= new
            front = {name for u in new for name in chain[u].free if name in names} - touched
        if not touched:
            return chain[node]
        over = sorted(touched, key=self.place.__getitem__)
        shared = [chain[u] for u in self.mixed.order if u in linked]
        above = sum_of(over, product_of([*shared, chain[node]], self.place), self.place)
        below = sum_of(over, product_of(shared, self.place), self.place)
        return ratio_of(above, below)

    def _law(self, chain: dict[int, Expression], part: int) -> Expression:
        return product_of((chain[node] for node in self.mixed.sorted(part)), self.place)

    # -- the steps in words -----------------------------------------------------------------------

    def _named(self, mask: int) -> tuple[str, ...]:
        return tuple(self.mixed.graph.nodes[node] for node in self.mixed.sorted(mask))

    def _first(self, part: int) -> int:
        return min(self.place[name] for name in self._named(part))

    def _note(
        self, rule: int, nodes: int, y: int, x: int, reason: str, formula: Expression | None, part: int = 0
    ) -> None:
        self.steps.append(Step(
            rule, reason, self._named(y), self._named(x), (), self.mixed.graph, self.mixed.names(nodes), formula,
            self._named(part),
        ))  # fmt: skip

    def _ancestors(self, y: int, x: int, above: int) -> None:
        gone = self._named(self.mixed.all & ~above)
        verb = "is no cause" if len(gone) == 1 else "are no causes"
        words = (
            f"{listing(gone)} {verb} of {listing(self._named(y))}, direct or not: whatever happens there does not "
            "change it. Left out."
        )
        self._note(2, above, y, x & above, words, Probability(self._named(y), (), self._named(x & above)))

    def _any_value(self, y: int, x: int, above: int, free: int) -> None:
        names = self._named(free)
        words = (
            f"Once {listing(self._named(x))} {_is(self._named(x))} set, {listing(names)} can reach "
            f"{listing(self._named(y))} only through {_them(self._named(x))}: setting {_them(names)} too, to any "
            "value, changes nothing."
        )
        self._note(3, above, y, x | free, words, Probability(self._named(y), (), self._named(x | free)))

    def _split(self, y: int, x: int, above: int, wanted: int, parts: Sequence[int]) -> None:
        factors: list[Expression] = [self._asked(part, above) for part in parts]
        sets = ", ".join("{" + ", ".join(self._named(part)) + "}" for part in parts)
        words = (
            f"No hidden cause joins the parts {sets}: each can be asked for alone, its causes set from outside, and "
            "the answers multiply."
        )
        over = self._named(wanted & ~y)
        formula = product_of(factors)
        self._note(4, above, y, x, words, sum_of(over, formula) if over else formula)

    def _asked(self, part: int, within: int) -> Probability:
        """``P(part | do(its causes))``: what one c-component is asked for."""
        causes = 0
        for node in bits(part):
            causes |= self.mixed.parents[node] & within
        return Probability(self._named(part), (), self._named(causes & ~part))

    def _restrict(self, part: int, within: int, tree: int) -> None:
        names = self._named(within & ~tree)
        verb = "is no cause" if len(names) == 1 else "are no causes"
        them = "it" if part.bit_count() == 1 else "them"
        words = f"{listing(names)} {verb} of {them} in this graph. Summed out."
        self._note(2, tree, part, tree & ~part, words, self._asked(part, tree), part)

    def _whole(self, part: int, tree: int, formula: Expression) -> None:
        words = (
            f"No hidden cause joins {listing(self._named(part))} with any other node here: setting the others from "
            "outside and seeing them come to the same."
        )
        self._note(6, tree, part, tree & ~part, words, formula, part)

    def _enter(self, part: int, tree: int, home: int, law: Expression) -> None:
        others = self._named(home & ~part)
        words = (
            f"Hidden causes join {listing(self._named(part))} with {listing(others)}. Everything outside that group "
            f"can be held fixed; inside, the law of the group takes the place of the observed law."
        )
        self._note(7, home, part, home & ~part, words, law, part)

    def _fail(self, part: int, tree: int) -> None:
        others = self._named(tree & ~part)
        words = (
            f"Hidden causes join {listing(self._named(part))} with {listing(others)}, all of which act on "
            f"{'it' if part.bit_count() == 1 else 'them'}, and nothing separates them: two worlds can agree on "
            "everything that is observed and differ in the answer."
        )
        self._note(5, tree, part, tree & ~part, words, None, part)


def derive(mixed: Mixed, y: int, x: int) -> Identified | Failure:
    """Run ID for ``P(y | do(x))`` on the whole graph.

    Examples
    --------
    >>> from suppose.graphs.dag import DAG
    >>> graph = Mixed(DAG("smoking -> tar -> cancer; smoking <-> cancer"))
    >>> print(derive(graph, graph.mask(["cancer"]), graph.mask(["smoking"])).formula)
    sum_{tar} P(tar | smoking) sum_{smoking'} P(smoking') P(cancer | smoking', tar)
    """
    return Derivation(mixed).run(y, x)


def _is(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"
