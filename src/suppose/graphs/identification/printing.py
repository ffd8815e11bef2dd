"""Formulas on paper: plain text, LaTeX and MathML, each made by one walk over the tree.

A variable that a sum binds while a variable of that name is in sight is written with a prime. Names of one letter
with a trailing number are set with a subscript. Every name is escaped for the form it is written in.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from html import escape

from suppose.graphs.identification.expression import Bind, Expression, Probability, Product, Ratio, Sum, Zero

__all__ = ["latex", "mathml", "text"]

Names = Mapping[str, tuple[str, int, str | None]]
"""What each variable in sight is written as: a name, a number of primes, and the state it is held at."""


def text(expression: Expression) -> str:
    """The formula as plain text.

    Examples
    --------
    >>> print(text(Sum(("x",), Product((Probability(("x",)), Probability(("y",), ("x", "m")))))))
    sum_{x} P(x) P(y | x, m)
    """
    return _Text().top(expression)


def latex(expression: Expression) -> str:
    r"""The formula for LaTeX's mathematics mode.

    Examples
    --------
    >>> print(latex(Probability(("y",), (), ("x1",))))
    P(y \mid \operatorname{do}(x_{1}))
    """
    return _Latex().top(expression)


def mathml(expression: Expression) -> str:
    """The formula as a MathML element, which browsers draw without help.

    Examples
    --------
    >>> mathml(Probability(("y",)))
    '<math display="block"><mi>P</mi><mo>(</mo><mi>y</mi><mo>)</mo></math>'
    """
    return f'<math display="block">{_MathML().top(expression)}</math>'


class _Writer:
    """The walk; the three forms fill in how the pieces look."""

    def top(self, expression: Expression) -> str:
        """The whole formula; its free variables are written as they are."""
        return self.write(expression, {name: (name, 0, None) for name in expression.free}, False)

    def write(self, e: Expression, names: Names, inside: bool) -> str:
        """One formula; ``inside`` when a factor stands beside it, so that sums need brackets."""
        if isinstance(e, Probability):
            return self.probability(e, names)
        if isinstance(e, Zero):
            return self.number("0")
        if isinstance(e, Product):
            if not e.factors:
                return self.number("1")
            last = len(e.factors) - 1
            return self.beside([self.write(f, names, inside or k < last) for k, f in enumerate(e.factors)])
        if isinstance(e, Ratio):
            return self.ratio(self.write(e.above, names, False), self.write(e.below, names, False), e)
        if isinstance(e, Bind):
            return self.write(e.body, _bound(e, names), inside)
        assert isinstance(e, Sum)
        taken = {(name, primes) for name, primes, state in names.values() if state is None}
        inner = dict(names)
        for variable in e.over:
            base = variable.partition("\0")[0]
            primes = 0
            while (base, primes) in taken:
                primes += 1
            taken.add((base, primes))
            inner[variable] = (base, primes, None)
        body = self.sum([self.name(inner[v]) for v in e.over], self.write(e.body, inner, False))
        return self.brackets(body) if inside else body

    def probability(self, e: Probability, names: Names) -> str:
        heads = [self.name(names[v]) for v in e.heads]
        after = [self.name(names[v]) for v in e.given]
        if e.do:
            after = [self.do([self.name(names[v]) for v in e.do]), *after]
        return self.of(heads, after)

    def name(self, written: tuple[str, int, str | None]) -> str:
        raise NotImplementedError

    def number(self, digits: str) -> str:
        raise NotImplementedError

    def of(self, heads: Sequence[str], after: Sequence[str]) -> str:
        raise NotImplementedError

    def do(self, names: Sequence[str]) -> str:
        raise NotImplementedError

    def sum(self, over: Sequence[str], body: str) -> str:
        raise NotImplementedError

    def ratio(self, above: str, below: str, e: Ratio) -> str:
        raise NotImplementedError

    def beside(self, factors: Sequence[str]) -> str:
        raise NotImplementedError

    def brackets(self, body: str) -> str:
        raise NotImplementedError


def _bound(e: Bind, names: Names) -> Names:
    inner = dict(names)
    for variable, state in e.states:
        inner[variable] = (variable, 0, state)
    for variable, other in e.names:
        inner[variable] = names[other]
    return inner


class _Text(_Writer):
    def name(self, written: tuple[str, int, str | None]) -> str:
        base, primes, state = written
        return f"{base}{chr(39) * primes}" + (f" = {state}" if state is not None else "")

    def number(self, digits: str) -> str:
        return digits

    def of(self, heads: Sequence[str], after: Sequence[str]) -> str:
        return f"P({', '.join(heads)}{' | ' + ', '.join(after) if after else ''})"

    def do(self, names: Sequence[str]) -> str:
        return f"do({', '.join(names)})"

    def sum(self, over: Sequence[str], body: str) -> str:
        return f"sum_{{{', '.join(over)}}} {body}"

    def ratio(self, above: str, below: str, e: Ratio) -> str:
        upper = above if _single(e.above) else f"[{above}]"
        lower = below if _single(e.below) else f"[{below}]"
        return f"{upper} / {lower}"

    def beside(self, factors: Sequence[str]) -> str:
        return " ".join(factors)

    def brackets(self, body: str) -> str:
        return f"[{body}]"


_LATEX = {c: f"\\{c}" for c in "#$%&_{}"} | {
    "\\": r"\backslash ", "~": r"\sim ", "^": r"\hat{}", " ": r"\ ",
}  # fmt: skip


class _Latex(_Writer):
    def name(self, written: tuple[str, int, str | None]) -> str:
        base, primes, state = written
        stem, number = _split(base)
        shown = self._word(stem) + (f"_{{{number}}}" if number else "") + "'" * primes
        return f"{shown}{{=}}{self._word(state)}" if state is not None else shown

    def _word(self, word: str) -> str:
        escaped = "".join(_LATEX.get(c, c) for c in _clean(word))
        return escaped if len(word) == 1 or word.isdigit() else f"\\mathrm{{{escaped}}}"

    def number(self, digits: str) -> str:
        return digits

    def of(self, heads: Sequence[str], after: Sequence[str]) -> str:
        bar = r" \mid " + ", ".join(after) if after else ""
        return f"P({', '.join(heads)}{bar})"

    def do(self, names: Sequence[str]) -> str:
        return rf"\operatorname{{do}}({', '.join(names)})"

    def sum(self, over: Sequence[str], body: str) -> str:
        return rf"\sum_{{{', '.join(over)}}} {body}"

    def ratio(self, above: str, below: str, e: Ratio) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def beside(self, factors: Sequence[str]) -> str:
        return r" \, ".join(factors)

    def brackets(self, body: str) -> str:
        return f"[{body}]"


class _MathML(_Writer):
    def name(self, written: tuple[str, int, str | None]) -> str:
        base, primes, state = written
        stem, number = _split(base)
        shown = f"<mi>{escape(_clean(stem))}</mi>"
        mark = f"<mo>{chr(0x2032) * primes}</mo>"
        if number and primes:
            shown = f"<msubsup>{shown}<mn>{number}</mn>{mark}</msubsup>"
        elif number:
            shown = f"<msub>{shown}<mn>{number}</mn></msub>"
        elif primes:
            shown = f"<msup>{shown}{mark}</msup>"
        return f"{shown}<mo>=</mo><mtext>{escape(_clean(state))}</mtext>" if state is not None else shown

    def number(self, digits: str) -> str:
        return f"<mn>{digits}</mn>"

    def _list(self, names: Sequence[str]) -> str:
        return '<mo separator="true">,</mo>'.join(names)

    def of(self, heads: Sequence[str], after: Sequence[str]) -> str:
        bar = f"<mo>|</mo>{self._list(after)}" if after else ""
        return f"<mi>P</mi><mo>(</mo>{self._list(heads)}{bar}<mo>)</mo>"

    def do(self, names: Sequence[str]) -> str:
        return f'<mi mathvariant="normal">do</mi><mo>(</mo>{self._list(names)}<mo>)</mo>'

    def sum(self, over: Sequence[str], body: str) -> str:
        return f"<munder><mo>&#8721;</mo><mrow>{self._list(over)}</mrow></munder><mrow>{body}</mrow>"

    def ratio(self, above: str, below: str, e: Ratio) -> str:
        return f"<mfrac><mrow>{above}</mrow><mrow>{below}</mrow></mfrac>"

    def beside(self, factors: Sequence[str]) -> str:
        return '<mspace width="0.2em"/>'.join(factors)

    def brackets(self, body: str) -> str:
        return f"<mrow><mo>[</mo>{body}<mo>]</mo></mrow>"


def _single(e: Expression) -> bool:
    """Whether a formula needs no brackets beside a stroke."""
    return isinstance(e, Probability) or (isinstance(e, Bind) and _single(e.body))


def _split(name: str) -> tuple[str, str]:
    """A letter and its number, or the whole name."""
    found = re.fullmatch(r"([A-Za-z])_?(\d+)", name)
    return (found[1], found[2]) if found else (name, "")


def _clean(word: str) -> str:
    """The word without characters that cannot be shown."""
    return "".join(
        c if unicodedata.category(c) not in ("Cc", "Cs", "Co", "Cn", "Cf") else "\ufffd" for c in word
    )
