"""Finite tables over named variables: the arrays that networks, diagrams and identified formulas share.

A :class:`Factor` is an array with one axis per variable and one place per state. Sums, products, ratios
and selections keep names attached to axes, so that no code outside counts axes. A joint distribution, a
conditional table, a stochastic channel and a kernel are all factors; what the numbers mean is the caller's.

What it does not do: sparse tables, continuous variables, logarithms (see the contraction of networks).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from suppose.core.errors import GraphError, nearest

__all__ = ["Factor", "States"]

States = tuple[str, ...]
"""The states of a discrete variable, in the order of its axis."""


@dataclass(frozen=True, eq=False)
class Factor:
    """Numbers for every combination of states of some variables.

    Parameters
    ----------
    variables : tuple of str
        Names, one per axis.
    states : tuple of tuple of str
        The states of each variable, in the order of its axis.
    values : array, one axis per variable
        The numbers; not copied, not to be changed.

    Raises
    ------
    GraphError
        ``repeated-variable``, ``wrong-shape`` when axes and states disagree.

    Examples
    --------
    >>> joint = Factor(("rain", "wet"), (("no", "yes"), ("no", "yes")), np.array([[.6, .1], [.05, .25]]))
    >>> joint.sum_out("wet").values.tolist()
    [0.7, 0.3]
    >>> round((joint / joint.sum_out("wet")).at({"rain": "yes", "wet": "yes"}).total(), 4)
    0.8333
    """

    variables: tuple[str, ...]
    states: tuple[States, ...]
    values: Float[np.ndarray, "..."]

    def __post_init__(self) -> None:
        if len(set(self.variables)) != len(self.variables):
            twice = next(name for name in self.variables if self.variables.count(name) > 1)
            raise GraphError(
                "repeated-variable", f"expected each variable once, got {', '.join(self.variables)}",
                where=f"variable {twice!r}", remedy="Give each axis a name of its own.",
            )  # fmt: skip
        shape = tuple(len(states) for states in self.states)
        if self.values.shape != shape or len(shape) != len(self.variables):
            raise GraphError(
                "wrong-shape",
                f"expected an array of shape {shape} for {', '.join(self.variables) or 'no variables'}, "
                f"got {self.values.shape}",
                remedy="Give one axis per variable, as long as its states, in this order.",
            )

    @classmethod
    def constant(cls, number: float = 1.0) -> Factor:
        """A factor over no variables."""
        return cls((), (), np.asarray(number, dtype=float))

    @property
    def states_of(self) -> dict[str, States]:
        """States by variable."""
        return dict(zip(self.variables, self.states, strict=True))

    def axis(self, variable: str) -> int:
        """Number of the axis of ``variable``."""
        try:
            return self.variables.index(variable)
        except ValueError:
            raise GraphError(
                "unknown-variable", f"this table is over {', '.join(self.variables) or 'no variables'}",
                where=f"variable {variable!r}", remedy=nearest(variable, self.variables) or "Name one of these.",
            ) from None  # fmt: skip

    def code(self, variable: str, state: Any) -> int:
        """Number of ``state`` on the axis of ``variable``; states are compared as text."""
        states = self.states[self.axis(variable)]
        try:
            return states.index(str(state))
        except ValueError:
            raise GraphError(
                "unknown-state", f"expected one of {', '.join(states[:12])}, got {str(state)!r}",
                where=f"variable {variable!r}", remedy=nearest(str(state), states) or "Name one of these.",
            ) from None  # fmt: skip

    # -- algebra -------------------------------------------------------------------------------

    def __mul__(self, other: Factor) -> Factor:
        return self._aligned(other, np.multiply)

    def __truediv__(self, other: Factor) -> Factor:
        """Ratio; a cell where both are zero is ``nan``, which no later sum hides."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._aligned(other, np.divide)

    def _aligned(self, other: Factor, operation: np.ufunc) -> Factor:
        names = [*self.variables, *(name for name in other.variables if name not in self.variables)]
        mine, theirs = self.states_of, other.states_of
        for name in set(mine) & set(theirs):
            if mine[name] != theirs[name]:
                raise GraphError(
                    "different-states",
                    f"one table has the states {', '.join(mine[name])}, the other {', '.join(theirs[name])}",
                    where=f"variable {name!r}", remedy="Use the same states in the same order in both.",
                )  # fmt: skip
        both = theirs | mine
        values = np.asarray(
            operation(self._spread(names), other._spread(names))
        )  # a number, too, is an array
        return Factor(tuple(names), tuple(both[name] for name in names), values)

    def _spread(self, names: Sequence[str]) -> np.ndarray:
        """The values with the axes of ``names``, of length one where this factor has none."""
        own = [name for name in names if name in self.variables]
        turned = np.transpose(self.values, [self.axis(name) for name in own])
        lengths = iter(turned.shape)
        return turned.reshape([next(lengths) if name in self.variables else 1 for name in names])

    def sum_out(self, variables: str | Iterable[str]) -> Factor:
        """Sum over ``variables``; those that are left keep their order."""
        gone = {variables} if isinstance(variables, str) else set(variables)
        axes = tuple(sorted(self.axis(name) for name in gone))
        kept = [i for i in range(len(self.variables)) if i not in axes]
        values = np.asarray(self.values.sum(axis=axes))
        return Factor(tuple(self.variables[i] for i in kept), tuple(self.states[i] for i in kept), values)

    def keep(self, variables: str | Iterable[str]) -> Factor:
        """Sum over all other variables, and put the axes in the order of ``variables``."""
        names = [variables] if isinstance(variables, str) else list(variables)
        return self.sum_out(set(self.variables) - set(names)).reorder(names)

    def at(self, setting: Mapping[str, Any]) -> Factor:
        """The slice where each named variable has its given state; the named axes go."""
        place: list[Any] = [slice(None)] * len(self.variables)
        for name, state in setting.items():
            place[self.axis(name)] = self.code(name, state)
        kept = [i for i, name in enumerate(self.variables) if name not in setting]
        values = np.asarray(self.values[tuple(place)])
        return Factor(tuple(self.variables[i] for i in kept), tuple(self.states[i] for i in kept), values)

    def reorder(self, variables: Sequence[str]) -> Factor:
        """The same numbers with the axes in the order of ``variables``."""
        axes = [self.axis(name) for name in variables]
        return Factor(tuple(variables), tuple(self.states[i] for i in axes), np.transpose(self.values, axes))

    def total(self) -> float:
        """Sum of all numbers."""
        return float(self.values.sum())

    def allclose(self, other: Factor, tolerance: float = 1e-9) -> bool:
        """Whether both hold the same numbers, whatever the order of their axes."""
        if set(self.variables) != set(other.variables) or self.states_of != other.states_of:
            return False
        turned = other.reorder(self.variables).values
        return bool(np.allclose(self.values, turned, rtol=0.0, atol=tolerance, equal_nan=True))

    def to_frame(self) -> Any:
        """The table in long form: one row per combination of states, the number in column ``value``."""
        import pandas as pd

        grid = np.indices(self.values.shape).reshape(len(self.variables), -1)
        columns: dict[str, Any] = {
            name: pd.Categorical(np.asarray(states)[codes], categories=list(states))
            for name, states, codes in zip(self.variables, self.states, grid, strict=True)
        }
        return pd.DataFrame({**columns, "value": self.values.reshape(-1)})
