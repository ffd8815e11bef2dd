"""How a vertex comes about from its causes: small frozen objects, never code from text.

==================  ==========================================================================================
:class:`Linear`     number = intercept + sum of coefficient times cause + noise
:class:`Function`   number = the user's own Python function of the causes + noise (or of the causes and noise)
:class:`Table`      state with the probabilities a table gives under the states of the causes
:class:`Logit`      one of two states: the second where intercept + sum of coefficients + logistic noise > 0
:class:`Fixed`      a value set from outside
==================  ==========================================================================================

Causes with states enter :class:`Linear` and :class:`Logit` with one coefficient per state, or as numbers where
their states read as numbers. What it does not do: feedback, time.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from suppose.core.errors import EstimationError, GraphError, Refusal
from suppose.graphs.factors import Factor, States
from suppose.graphs.networks.tables import mapping_of
from suppose.graphs.structural.noise import Gaussian, Noise

__all__ = ["Fixed", "Function", "Linear", "Logit", "Mechanism", "Table", "View"]

Kind = Literal["additive", "certain", "opaque", "states"]
Coefficients = Mapping[str, float | Mapping[str, float]]


@dataclass(frozen=True)
class View:
    """What a mechanism sees of its causes in some rows.

    Attributes
    ----------
    columns : mapping of str to array (rows,)
        Numbers, or numbers of states.
    states : mapping of str to tuple of str or None
        States by vertex; None for a vertex of numbers.
    rows : int
        How many rows.
    """

    columns: Mapping[str, np.ndarray]
    states: Mapping[str, States | None]
    rows: int

    def numbers(self, name: str) -> np.ndarray:
        """The column as numbers."""
        states = self.states[name]
        if states is None:
            return self.columns[name]
        as_numbers = numeric(states)
        assert as_numbers is not None  # checked when the model was made
        return np.asarray(as_numbers[self.columns[name]])

    def values(self, name: str) -> np.ndarray:
        """The column as the user knows it: numbers where it can be, else the states as text."""
        states = self.states[name]
        if states is None or numeric(states) is not None:
            return self.numbers(name)
        return np.asarray(np.asarray(states)[self.columns[name]])


def numeric(states: States) -> np.ndarray | None:
    """The states as numbers, None where some are words."""
    try:
        found = np.asarray([float(state) for state in states])
    except ValueError:
        return None
    return found if np.isfinite(found).all() else None


class Mechanism(ABC):
    """Base of all mechanisms."""

    @property
    @abstractmethod
    def kind(self) -> Kind:
        """How the vertex comes about: from a number and noise, from its causes alone, or as a state."""

    @property
    def states(self) -> States | None:
        """States of the vertex; None where it is a number."""
        return None

    def check(self, name: str, parents: tuple[str, ...], states: Mapping[str, States | None]) -> None:  # noqa: B027 (most fit anywhere)
        """Refuse a mechanism that does not fit its place in the graph."""

    @abstractmethod
    def words(self, name: str) -> str:
        """The mechanism as an equation."""


def impossible(where: str, what: str) -> EstimationError:
    """The refusal of what cannot have been seen."""
    return EstimationError(
        "impossible-evidence", f"what was seen has probability zero in this model: {what}", where=where,
        remedy="Look for a mistyped value, or for a mechanism that does not fit the data.",
    )  # fmt: skip


def check_noise(noise: Any, name: str) -> None:
    """Refuse what is no law of noise."""
    if not isinstance(noise, Noise):
        raise GraphError(
            "bad-noise", f"expected a law of noise, got {type(noise).__name__}", where=f"node {name!r}",
            remedy="Write for example noise=Gaussian(1.0).",
        )  # fmt: skip


def check_number(value: Any, where: str) -> float:
    """The value as a finite number."""
    wrong = isinstance(value, (bool, str)) or value is None
    try:
        number = math.nan if wrong else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise GraphError(
            "bad-setting",
            f"expected a finite number, got {value!r}",
            where=where,
            remedy="Write for example 1.5.",
        )
    return number


def _check_coefficients(
    given: Coefficients, name: str, parents: tuple[str, ...], states: Mapping[str, States | None]
) -> None:
    given = mapping_of(given, f"node {name!r}, coefficients")
    if set(given) != set(parents):
        raise GraphError(
            "wrong-causes",
            f"expected one coefficient for each of its causes ({', '.join(parents) or 'it has none'}), got "
            f"{', '.join(given) or 'none'}",
            where=f"node {name!r}", remedy="Make the arrows of the graph and the mechanisms agree.",
        )  # fmt: skip
    for parent, coefficient in given.items():
        where = f"node {name!r}, coefficient of {parent!r}"
        own = states[parent]
        if isinstance(coefficient, Mapping):
            if own is None or set(coefficient) != set(own):
                expected = (
                    "one number, because it has no states"
                    if own is None
                    else f"a number for each of {', '.join(own)}"
                )
                raise GraphError(
                    "wrong-causes", f"expected {expected}, got numbers for {', '.join(coefficient)}", where=where,
                    remedy="Give a cause with states one number per state, any other cause one number.",
                )  # fmt: skip
            for number in coefficient.values():
                check_number(number, where)
        else:
            check_number(coefficient, where)
            if own is not None and numeric(own) is None:
                raise GraphError(
                    "wrong-causes", f"its states ({', '.join(own[:6])}) are no numbers", where=where,
                    remedy="Give a cause with states one number per state, any other cause one number.",
                )  # fmt: skip


def _predictor(coefficients: Coefficients, intercept: float, view: View) -> np.ndarray:
    found = np.full(view.rows, float(intercept))
    for parent, coefficient in coefficients.items():
        if isinstance(coefficient, Mapping):
            states = view.states[parent]
            assert states is not None
            found += np.asarray([coefficient[state] for state in states])[view.columns[parent]]
        else:
            found += float(coefficient) * view.numbers(parent)
    return found


def _sum_words(coefficients: Coefficients, intercept: float) -> str:
    words = f"{intercept:.4g}"
    for parent, coefficient in coefficients.items():
        if isinstance(coefficient, Mapping):
            listed = ", ".join(f"{state}: {number:.4g}" for state, number in coefficient.items())
            words += f" + [{parent} {listed}]"
        else:
            words += f" {'-' if coefficient < 0 else '+'} {abs(coefficient):.4g} {parent}"
    return words


@dataclass(frozen=True)
class Linear(Mechanism):
    """A number that is a weighted sum of its causes plus noise.

    Parameters
    ----------
    coefficients : mapping of str to float, or to a mapping from state to float
        Change of the vertex per unit of each cause (in its unit over theirs), or by state of a discrete cause.
    intercept : float
        Value without causes and noise.
    noise : Noise
        Law of the rest.

    Examples
    --------
    >>> Linear({"dose": 0.5}, intercept=1.0).words("pressure")
    'pressure = 1 + 0.5 dose + Gaussian(1)'
    """

    coefficients: Coefficients = field(default_factory=dict)
    intercept: float = 0.0
    noise: Noise = Gaussian()  # noqa: RUF009 (frozen)

    @property
    def kind(self) -> Kind:
        """A number with noise added."""
        return "additive"

    def check(self, name: str, parents: tuple[str, ...], states: Mapping[str, States | None]) -> None:
        """Refuse it where it does not fit its place in the graph."""
        _check_coefficients(self.coefficients, name, parents, states)
        check_number(self.intercept, f"node {name!r}, intercept")
        check_noise(self.noise, name)

    def location(self, view: View) -> Float[np.ndarray, " rows"]:
        """The vertex without its noise."""
        return _predictor(self.coefficients, self.intercept, view)

    def words(self, name: str) -> str:
        """The mechanism as an equation."""
        return f"{name} = {_sum_words(self.coefficients, self.intercept)} + {self.noise}"


@dataclass(frozen=True)
class Function(Mechanism):
    """A number by the user's own function of its causes.

    Parameters
    ----------
    function : callable
        Takes a mapping from cause to array (rows,) - numbers, or the states as text - and returns the numbers
        of the vertex as an array (rows,), row by row and without randomness of its own.
    noise : Noise or None
        Law of the part that is added; None when the causes decide the vertex.
    additive : bool, default=True
        Whether the noise is added. If not, ``function`` takes the noise as its second argument; such a vertex
        can be sampled and set, but not scored or observed in a counterfactual.

    Examples
    --------
    >>> bend = Function(lambda causes: causes["x"] ** 2, noise=None)
    >>> bend.location(View({"x": np.array([1.0, 3.0])}, {"x": None}, 2)).tolist()
    [1.0, 9.0]
    """

    function: Callable[..., Any]
    noise: Noise | None = Gaussian()  # noqa: RUF009 (frozen)
    additive: bool = True

    @property
    def kind(self) -> Kind:
        """How the noise enters."""
        return "certain" if self.noise is None else "additive" if self.additive else "opaque"

    def check(self, name: str, parents: tuple[str, ...], states: Mapping[str, States | None]) -> None:
        """Refuse it where it does not fit its place in the graph."""
        if self.noise is not None:
            check_noise(self.noise, name)
        if not callable(self.function):
            raise GraphError(
                "mechanism-failed", f"expected a function, got {type(self.function).__name__}",
                where=f"node {name!r}", remedy="Give a Python function of the causes.",
            )  # fmt: skip

    def location(self, view: View) -> Float[np.ndarray, " rows"]:
        """The vertex without its noise."""
        return self._called(view)

    def output(self, view: View, noise: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """The vertex with noise that is not added."""
        return self._called(view, noise)

    def _called(self, view: View, *noise: np.ndarray) -> np.ndarray:
        causes = {parent: view.values(parent) for parent in view.columns}
        where = f"function of the causes {', '.join(causes) or '(none)'}"
        try:
            found = np.asarray(self.function(causes, *noise), dtype=float)
        except Refusal:
            raise
        except Exception as error:
            raise GraphError(
                "mechanism-failed", f"it failed with {type(error).__name__}: {error}", where=where,
                remedy="It gets a mapping from cause to array, and the noise only with additive=False.",
            ) from error  # fmt: skip
        found = np.broadcast_to(found, (view.rows,)) if found.ndim == 0 else found
        if found.shape != (view.rows,) or not np.isfinite(found).all():
            what = (
                "numbers that are not finite"
                if found.shape == (view.rows,)
                else f"an array of shape {found.shape}"
            )
            raise GraphError(
                "mechanism-failed", f"expected {view.rows:,} finite numbers, it returned {what}", where=where,
                remedy="Return one number per row.",
            )  # fmt: skip
        return np.array(found)

    def words(self, name: str) -> str:
        """The mechanism as an equation."""
        inside = "causes" if self.kind != "opaque" else f"causes, {self.noise}"
        known = getattr(self.function, "__name__", "<lambda>")
        return f"{name} = {'f' if known == '<lambda>' else known}({inside})" + (
            f" + {self.noise}" if self.kind == "additive" else ""
        )


@dataclass(frozen=True)
class Table(Mechanism):
    """A state with probabilities by the states of its causes.

    Parameters
    ----------
    factor : Factor
        Over (vertex, causes...), summing to one over the vertex.

    Examples
    --------
    >>> Table(Factor(("coin",), (("heads", "tails"),), np.array([.5, .5]))).states
    ('heads', 'tails')
    """

    factor: Factor

    @property
    def kind(self) -> Kind:
        """A state."""
        return "states"

    @property
    def states(self) -> States:
        """States of the vertex."""
        return self.factor.states[0]

    def check(self, name: str, parents: tuple[str, ...], states: Mapping[str, States | None]) -> None:
        """Refuse it where it does not fit its place in the graph."""
        for parent, own in zip(self.factor.variables[1:], self.factor.states[1:], strict=True):
            if states[parent] is None:
                raise GraphError(
                    "wrong-table", f"its cause {parent} is a number, and a table has a column per state",
                    where=f"node {name!r}", remedy="Use Logit or Function, or cut the cause into states.",
                )  # fmt: skip
            if states[parent] != own:
                raise GraphError(
                    "different-states",
                    f"its own mechanism has the states {', '.join(states[parent] or ())}, the table of {name} has "
                    f"{', '.join(own)}",
                    where=f"variable {parent!r}", remedy="Use the same states in the same order in both.",
                )  # fmt: skip

    def probabilities(self, view: View) -> Float[np.ndarray, "states rows"]:
        """Probability of every state in every row."""
        values, parents = self.factor.values, self.factor.variables[1:]
        if not parents:
            return np.repeat(values[:, None], view.rows, axis=1)
        place: tuple[Any, ...] = (slice(None), *(view.columns[parent] for parent in parents))
        return np.asarray(values[place])

    def peak(self, state: int) -> float:
        """Logarithm of the greatest probability of a state."""
        top = float(self.factor.values[state].max())
        return math.log(top) if top > 0 else 0.0

    def words(self, name: str) -> str:
        """The mechanism as an equation."""
        parents = self.factor.variables[1:]
        given = f" given {', '.join(parents)}" if parents else ""
        return f"{name}: table of {', '.join(self.states)}{given}"


@dataclass(frozen=True)
class Logit(Mechanism):
    """One of two states, by whether a weighted sum of its causes plus logistic noise is above zero.

    Parameters
    ----------
    coefficients : mapping of str to float, or to a mapping from state to float
        Change of the log odds of the second state per unit of each cause, or by state of a discrete cause.
    intercept : float
        Log odds without causes.
    states : pair of str
        The two states.

    Examples
    --------
    >>> treated = Logit({"age": 0.1}, intercept=-4.0, states=("no", "yes"))
    >>> treated.probabilities(View({"age": np.array([40.0])}, {"age": None}, 1))[:, 0].tolist()
    [0.5, 0.5]
    """

    coefficients: Coefficients = field(default_factory=dict)
    intercept: float = 0.0
    states: States = ("0", "1")

    @property
    def kind(self) -> Kind:
        """A state."""
        return "states"

    def check(self, name: str, parents: tuple[str, ...], states: Mapping[str, States | None]) -> None:
        """Refuse it where it does not fit its place in the graph."""
        _check_coefficients(self.coefficients, name, parents, states)
        check_number(self.intercept, f"node {name!r}, intercept")
        own = self.states if isinstance(self.states, (tuple, list)) else ()
        if len(own) != 2 or len(set(own)) != 2 or not all(isinstance(state, str) for state in own):
            raise GraphError(
                "wrong-table", f"expected two different states as text, got {self.states!r}",
                where=f"node {name!r}", remedy="Use Table for more states.",
            )  # fmt: skip

    def probabilities(self, view: View) -> Float[np.ndarray, "states rows"]:
        """Probability of both states in every row."""
        from scipy.special import expit

        odds = _predictor(self.coefficients, self.intercept, view)
        return np.stack([expit(-odds), expit(odds)])

    def peak(self, state: int) -> float:
        """Logarithm of a bound of the probability of a state."""
        return 0.0

    def words(self, name: str) -> str:
        """The mechanism as an equation."""
        return (
            f"{name} = {self.states[1]} where {_sum_words(self.coefficients, self.intercept)} + logistic > 0, "
            f"else {self.states[0]}"
        )


@dataclass(frozen=True)
class Fixed(Mechanism):
    """A value set from outside.

    Parameters
    ----------
    value : float or int
        The number, or the number of the state.
    states : tuple of str, optional
        States of the vertex, where it has some.

    Examples
    --------
    >>> Fixed(2.0).words("dose")
    'dose = 2 (set from outside)'
    """

    value: float
    states: States | None = None

    @property
    def kind(self) -> Kind:
        """No noise."""
        return "certain"

    def location(self, view: View) -> np.ndarray:
        """The value in every row."""
        return np.full(view.rows, self.value, dtype=float if self.states is None else np.intp)

    def words(self, name: str) -> str:
        """The mechanism as an equation."""
        shown = f"{self.value:.4g}" if self.states is None else self.states[int(self.value)]
        return f"{name} = {shown} (set from outside)"
