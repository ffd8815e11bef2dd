"""What every world can do: be sampled and be scored, as it is and as it would be.

A world is anything that holds a distribution over named quantities: a structural model, a Bayesian
network, a law-based simulator, a belief network. ``given=`` conditions on what was seen, ``do=`` sets
quantities by intervention. Methods that need no more than this take a :class:`World`, so that a world
of any room (or the user's own class) can stand in for another.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

__all__ = ["Setting", "World"]

Setting = Mapping[str, Any]
"""Values by name of quantity, as ``given=`` and ``do=`` take them."""


@runtime_checkable
class World(Protocol):
    """Something that can be sampled and scored under conditioning and intervention.

    Examples
    --------
    >>> class Coin:
    ...     def sample(self, rows, *, given=None, do=None, seed=0): return []
    ...     def log_prob(self, values, *, given=None, do=None): return []
    >>> isinstance(Coin(), World)
    True
    """

    def sample(
        self, rows: int, *, given: Setting | None = None, do: Setting | None = None, seed: int = 0
    ) -> Any:
        """Draw ``rows`` independent rows as a table with one column per quantity.

        The intervention ``do`` is made first, then rows are conditioned on ``given``. Same seed, same rows.
        """
        ...

    def log_prob(self, values: Any, *, given: Setting | None = None, do: Setting | None = None) -> Any:
        """Natural logarithm of the probability (or density) of each row of ``values``.

        Columns that are left out are summed (or integrated) over where the world can do so exactly; a world
        that cannot says so by a refusal.
        """
        ...
