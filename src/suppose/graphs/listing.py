"""What an enumeration returns: its items in a fixed order, and whether these are all there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from suppose.core.errors import GraphError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Listing", "check_limit", "take"]

T = TypeVar("T")


@dataclass(frozen=True)
class Listing(Sequence[T], Generic[T]):
    """Found items as a sequence.

    Attributes
    ----------
    items : tuple
        What was found, best first where there is an order.
    complete : bool
        False when the limit cut the enumeration short.
    reason : str
        In words: what the items are, or why there are none.
    """

    items: tuple[T, ...]
    complete: bool
    reason: str

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def rows(self) -> list[dict[str, Any]]:
        """The items as rows of a table."""
        return [{"item": item} for item in self.items]

    def to_frame(self) -> pd.DataFrame:
        """The items as a pandas table, one row each."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def __str__(self) -> str:
        lines = [self.reason, *(f"  {self.line(item)}" for item in self.items)]
        return "\n".join(lines if self.complete else [*lines, "  ... and more (raise limit to see them)"])

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.reason)}</p>{self.to_frame().to_html(index=False, border=0)}"

    def line(self, item: T) -> str:
        """One item in one line."""
        return str(item)


def check_limit(limit: int) -> int:
    """The limit as a whole number of at least 1.

    Raises
    ------
    GraphError
        ``bad-limit``.
    """
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise GraphError(
            "bad-limit", f"expected a whole number of at least 1, got {limit!r}", where="limit",
            remedy="Give the largest number of results you want to see.",
        )  # fmt: skip
    return limit


def take(found: Iterable[T], limit: int) -> tuple[list[T], bool]:
    """The first ``limit`` items, and whether there were no more."""
    items = list(islice(found, check_limit(limit) + 1))
    return items[:limit], len(items) <= limit
