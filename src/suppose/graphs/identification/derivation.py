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

from dataclasses import dataclass

from suppose.graphs.identification.components import Mixed, bits
from suppose.graphs.identification.expression import (
    Expression,
    Probability,
    product_of,
    ratio_of,
    sum_of,
)
from suppose.graphs.identification.narration import Narrator
from suppose.graphs.identification.steps import Step

__all__ = ["Derivation", "Failure", "Identified", "derive", "follows", "identifiable"]


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


class Derivation(Narrator):
    """One run of ID on a graph of measured nodes."""

    def run(self, y: int, x: int) -> Identified | Failure:
        """``P(y | do(x))``; both as bits, disjoint."""
        mixed = self.mixed
        above = mixed.ancestors(y, mixed.all)
        if above != mixed.all:
            self.ancestors(y, x, above)
            x &= above
        if not x:
            formula: Expression = Probability(self.mixed.names(y))
            self.note(
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
            self.any_value(y, x, above, free)
        wanted = mixed.ancestors(y, above & ~x)
        parts = sorted(mixed.components(wanted), key=lambda part: part & -part)
        if len(parts) > 1:
            self.split(y, x, above, wanted, parts)
        factors: list[Expression] = []
        for part in parts:
            found = self.component(part, above)
            if isinstance(found, Failure):
                return found
            factors.append(found)
        rest = self.mixed.names(wanted & ~y)
        formula = sum_of(rest, product_of(factors, self.place), self.place)
        if len(parts) > 1 or rest:
            words = "The parts give the answer."
            self.note(0, above, y, x, words, formula)
        return Identified(formula, tuple(self.steps))

    # -- one c-component ------------------------------------------------------------------------

    def component(self, part: int, within: int) -> Expression | Failure:
        """``P(part | do(everything else))`` inside the ancestral set ``within``."""
        mixed = self.mixed
        tree = mixed.ancestors(part, within)
        if tree != within:
            self.restrict(part, within, tree)
        home = mixed.component((part & -part).bit_length() - 1, tree)
        chain = {node: self._conditional(node, tree) for node in bits(home)}
        while True:
            if tree == part:
                formula = self._law(chain, part)
                self.left(part, formula)
                return formula
            home = mixed.component((part & -part).bit_length() - 1, tree)
            if home == tree:
                self.stuck(part, tree)
                return Failure(tree, part, tuple(self.steps))
            if home == part:
                formula = self._law(chain, part)
                self.whole(part, tree, formula)
                return formula
            chain = {node: chain[node] for node in bits(home)}
            self.enter(part, home, self._law(chain, home))
            tree = home
            smaller = mixed.ancestors(part, tree)
            if smaller != tree:
                self.restrict(part, tree, smaller)
                chain = self._summed(chain, tree, smaller)
                tree = smaller

    def _conditional(self, node: int, within: int) -> Expression:
        given = self.mixed.pillow(node, within)
        return Probability((self.mixed.labels[node],), self.mixed.names(given))

    def _summed(self, chain: dict[int, Expression], tree: int, kept: int) -> dict[int, Expression]:
        """The chain of ``kept`` after summing the other nodes of ``tree`` out of the kernel."""
        found = {}
        for node in bits(kept):
            before = (1 << node) - 1
            gone = tree & ~kept & before
            found[node] = self._ratio(chain, tree & before, gone, node) if gone else chain[node]
        return found

    def _ratio(self, chain: dict[int, Expression], earlier: int, gone: int, node: int) -> Expression:
        """Conditional of ``node``: the kernel up to it over the kernel before it, ``gone`` summed out of both.

        Only factors that touch it through variables that are summed out matter; all others cancel.
        """
        names = {self.mixed.labels[other]: other for other in bits(gone)}
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
        shared = [chain[u] for u in sorted(linked)]
        above = sum_of(over, product_of([*shared, chain[node]], self.place), self.place)
        below = sum_of(over, product_of(shared, self.place), self.place)
        return ratio_of(above, below)

    def _law(self, chain: dict[int, Expression], part: int) -> Expression:
        return product_of((chain[node] for node in bits(part)), self.place)


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


def follows(mixed: Mixed, part: int, within: int) -> bool:
    """Whether ``P(part | do(all else))`` follows from the law of ``within``: the verdict of ID without its formula.

    Examples
    --------
    >>> from suppose.graphs.dag import DAG
    >>> graph = Mixed(DAG("x -> y; x <-> y; z -> x"))
    >>> follows(graph, graph.mask(["y"]), graph.all), follows(graph, graph.mask(["z"]), graph.all)
    (False, True)
    """
    tree = mixed.ancestors(part, within)
    while tree != part:
        home = mixed.component((part & -part).bit_length() - 1, tree)
        if home in (part, tree):
            return home == part
        tree = mixed.ancestors(part, home)
    return True


def identifiable(mixed: Mixed, y: int, x: int) -> bool:
    """Whether ``P(y | do(x))`` follows from the observed law; both as bits."""
    parts = mixed.components(mixed.ancestors(y, mixed.all & ~x))
    within = mixed.ancestors(y, mixed.all)
    return all(follows(mixed, part, within) for part in parts)
