"""The wires of a string diagram: types as lists of named objects.

An object is a variable. A type is a list of objects, one per wire, from left to right; ``@`` puts lists
beside each other and ``I``, the empty list, is its unit (the strict monoidal category of the paper).

What it does not do: sums of types, dual wires, dependent types.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from suppose.core.errors import GraphError

__all__ = ["Ty", "ty"]


@dataclass(frozen=True, init=False)
class Ty:
    """A list of objects.

    Parameters
    ----------
    *objects : str
        Names of variables, from left to right.

    Raises
    ------
    GraphError
        ``bad-object`` for a name that is empty or not text.

    Examples
    --------
    >>> print(Ty("S") @ Ty("T", "C"), "|", Ty())
    S @ T @ C | I
    >>> Ty("S", "T", "C")[1:] == Ty("T", "C")
    True
    """

    objects: tuple[str, ...]

    def __init__(self, *objects: str) -> None:
        for name in objects:
            if not isinstance(name, str) or not name.strip():
                raise GraphError(
                    "bad-object", f"expected the name of a variable, got {name!r}", where="type",
                    remedy='Name each wire by a text: Ty("S", "T").',
                )  # fmt: skip
        object.__setattr__(self, "objects", tuple(objects))

    def __matmul__(self, other: Ty | str) -> Ty:
        return Ty(*self.objects, *ty(other).objects)

    def __len__(self) -> int:
        return len(self.objects)

    def __iter__(self) -> Iterator[str]:
        return iter(self.objects)

    def __getitem__(self, place: slice) -> Ty:
        return Ty(*self.objects[place])

    def __str__(self) -> str:
        return " @ ".join(self.objects) or "I"

    def __repr__(self) -> str:
        return f"Ty({', '.join(map(repr, self.objects))})"


def ty(given: Ty | str) -> Ty:
    """The type itself, or a name as the type of one wire.

    Examples
    --------
    >>> ty("S") == Ty("S")
    True
    """
    return given if isinstance(given, Ty) else Ty(given)
