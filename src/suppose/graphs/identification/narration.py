"""The steps of a derivation in plain words, one method a rule."""

from __future__ import annotations

from collections.abc import Sequence

from suppose.graphs.identification.components import Mixed, bits
from suppose.graphs.identification.expression import Expression, Probability, product_of, sum_of
from suppose.graphs.identification.steps import Step
from suppose.graphs.query import listing

__all__ = ["Narrator"]


class Narrator:
    """Keeps the steps of one derivation; sets of nodes come as bits."""

    def __init__(self, mixed: Mixed) -> None:
        self.mixed = mixed
        self.place = mixed.number
        self.steps: list[Step] = []

    def note(self, rule: int, nodes: int, y: int, x: int, reason: str, formula: Expression | None) -> None:
        """Add a step about ``P(y | do(x))`` on the graph of ``nodes``."""
        names = self.mixed.names
        step = Step(
            rule, reason, names(y), names(x), (), self.mixed.graph, names(nodes), formula, held=names(x)
        )
        self.steps.append(step)

    def note_part(
        self, rule: int, tree: int, part: int, reason: str, query: Probability, formula: Expression | None
    ) -> None:
        """Add a step about one c-component on the graph of ``tree``."""
        names, graph = self.mixed.names, self.mixed.graph
        held = names(tree & ~part)
        step = Step(rule, reason, query.heads, query.do, (), graph, names(tree), formula, names(part), held)
        self.steps.append(step)

    def words(self, mask: int) -> str:
        """Names in a sentence."""
        return listing(self.mixed.names(mask))

    def ancestors(self, y: int, x: int, above: int) -> None:
        """Line 2 for the whole query."""
        gone = self.mixed.all & ~above
        words = (
            f"{self.words(gone)} {_is(gone, 'no cause')} of {self.words(y)}, direct or not: whatever happens there "
            "does not change it. Left out."
        )
        self.note(2, above, y, x & above, words, self.asked(y, x & above))

    def any_value(self, y: int, x: int, above: int, free: int) -> None:
        """Line 3."""
        words = (
            f"Once {self.words(x)} {'is' if x.bit_count() == 1 else 'are'} set, {self.words(free)} can reach "
            f"{self.words(y)} only through {_them(x)}: setting {_them(free)} too, to any value, changes nothing."
        )
        self.note(3, above, y, x | free, words, self.asked(y, x | free))

    def split(self, y: int, x: int, above: int, wanted: int, parts: Sequence[int]) -> None:
        """Line 4."""
        sets = ", ".join("{" + ", ".join(self.mixed.names(part)) + "}" for part in parts)
        words = (
            f"No hidden cause joins the parts {sets}: each can be asked for alone, its causes set from outside, and "
            "the answers multiply."
        )
        factors = [self.of_part(part) for part in parts]
        over = self.mixed.names(wanted & ~y)
        self.note(4, above, y, x, words, sum_of(over, product_of(factors)))

    def restrict(self, part: int, within: int, tree: int) -> None:
        """Line 2 for one c-component."""
        gone = within & ~tree
        words = f"{self.words(gone)} {_is(gone, 'no cause')} of {self.words(part)} in this graph. Summed out."
        self.note_part(2, tree, part, words, self.of_part(part), None)

    def whole(self, part: int, tree: int, formula: Expression) -> None:
        """Line 6."""
        words = (
            f"No hidden cause joins {self.words(part)} with any other node here: setting the others from outside and "
            "seeing them come to the same."
        )
        self.note_part(6, tree, part, words, self.of_part(part), formula)

    def enter(self, part: int, home: int, law: Expression) -> None:
        """Line 7."""
        words = (
            f"Hidden causes join {self.words(part)} with {self.words(home & ~part)}. Everything outside that group can "
            "be held fixed; inside, the law of the group takes the place of the observed law:"
        )
        self.note_part(7, home, part, words, self.of_part(home), law)

    def stuck(self, part: int, tree: int) -> None:
        """Line 5."""
        words = (
            f"Hidden causes join {self.words(part)} with {self.words(tree & ~part)}, which in turn "
            f"{'acts' if (tree & ~part).bit_count() == 1 else 'act'} on {_them(part)}, and nothing separates them: two "
            "worlds can agree on everything that is observed and differ in the answer."
        )
        self.note_part(5, tree, part, words, self.of_part(part), None)

    def left(self, part: int, formula: Expression) -> None:
        """Line 1 for one c-component."""
        words = "Nothing is left to be set: what was built up is the answer."
        self.note_part(1, part, part, words, self.of_part(part), formula)

    def asked(self, y: int, x: int) -> Probability:
        """``P(y | do(x))``."""
        return Probability(self.mixed.names(y), (), self.mixed.names(x))

    def of_part(self, part: int) -> Probability:
        """``P(part | do(its causes))``: what one c-component is asked for."""
        causes = 0
        for node in bits(part):
            causes |= self.mixed.parents[node]
        return self.asked(part, causes & ~part)


def _is(mask: int, what: str) -> str:
    return f"is {what}" if mask.bit_count() == 1 else f"are {what}s"


def _them(mask: int) -> str:
    return "it" if mask.bit_count() == 1 else "them"
