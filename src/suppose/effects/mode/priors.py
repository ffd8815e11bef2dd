"""What is believed of a shift, a scale or an error rate before the analysis: a small family of laws, as text.

``normal(mean, sd)``, ``uniform(low, high)``, ``triangular(low, peak, high)``, ``trapezoidal(low, left, right,
high)``, or a plain number. The text is matched, never evaluated.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import stats

from suppose.core.errors import EstimationError, nearest

__all__ = ["Prior"]

_TEXT = re.compile(r"\s*([a-z]+)\s*\(([^()]*)\)\s*")
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")
FORMS = (
    "normal(mean, sd)", "uniform(low, high)", "triangular(low, peak, high)", "trapezoidal(low, left, right, high)"
)  # fmt: skip
SIZES = {"fixed": 1, "normal": 2, "uniform": 2, "triangular": 3, "trapezoidal": 4}


@dataclass(frozen=True)
class Prior:
    """A law and its numbers.

    Examples
    --------
    >>> prior = Prior.of("triangular(0, .3, .6)")
    >>> prior.mean, str(prior), round(float(prior.quantile(np.array([0.5]))[0]), 6)
    (0.3, 'triangular(0, 0.3, 0.6)', 0.3)
    """

    law: str
    numbers: tuple[float, ...]

    @classmethod
    def of(cls, value: Any, where: str = "prior") -> Prior:
        """Prior of a number, a text, or a prior.

        Raises
        ------
        EstimationError
            ``bad-prior``.
        """
        if isinstance(value, Prior):
            return value
        if isinstance(value, (int, float, np.number)) and not isinstance(value, bool):
            return cls("fixed", _checked("fixed", (float(value),), where))
        text = str(value)
        if _NUMBER.fullmatch(text):
            return cls("fixed", _checked("fixed", (float(text),), where))
        match = _TEXT.fullmatch(text)
        if match is None or match[1] not in SIZES:
            known = ", ".join(FORMS)
            raise EstimationError(
                "bad-prior", f"expected a number or one of {known}, got {text[:60]!r}", where=where,
                remedy=nearest(text.partition("(")[0].strip(), SIZES) or 'Write for example "normal(0.3, 0.1)".',
            )  # fmt: skip
        try:
            numbers = tuple(float(part) for part in match[2].split(","))
        except ValueError:
            numbers = ()
        return cls(match[1], _checked(match[1], numbers, where))

    @property
    def mean(self) -> float:
        """Its mean."""
        a = self.numbers
        if self.law in ("fixed", "normal"):
            return a[0]
        return float(self._frozen().mean())

    def quantile(self, share: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """Values below which the shares lie; uniform shares give draws."""
        if self.law == "fixed":
            return np.full(len(share), self.numbers[0])
        return np.asarray(self._frozen().ppf(share))

    def _frozen(self) -> Any:
        a = self.numbers
        if self.law == "normal":
            return stats.norm(a[0], a[1])
        width = a[-1] - a[0]
        if self.law == "uniform":
            return stats.uniform(a[0], width)
        if self.law == "triangular":
            return stats.triang((a[1] - a[0]) / width, a[0], width)
        return stats.trapezoid((a[1] - a[0]) / width, (a[2] - a[0]) / width, a[0], width)

    def __str__(self) -> str:
        numbers = ", ".join(f"{number:g}" for number in self.numbers)
        return numbers if self.law == "fixed" else f"{self.law}({numbers})"


def _checked(law: str, numbers: tuple[float, ...], where: str) -> tuple[float, ...]:
    finite = len(numbers) == SIZES[law] and all(math.isfinite(number) for number in numbers)
    ordered = finite and (law != "normal" or numbers[1] > 0)
    if law in ("uniform", "triangular", "trapezoidal"):
        ordered = finite and list(numbers) == sorted(numbers) and numbers[0] < numbers[-1]
    if not ordered:
        raise EstimationError(
            "bad-prior-numbers", f"{law} needs {SIZES[law]} finite numbers in rising order (normal: a positive sd), "
            f"got {', '.join(f'{number:g}' for number in numbers) or 'none'}", where=where,
            remedy='Write for example "normal(0.3, 0.1)" or "triangular(0, 0.3, 0.6)".',
        )  # fmt: skip
    return numbers
