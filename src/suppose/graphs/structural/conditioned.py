"""A structural model in which something was seen: a world of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from suppose.core.errors import GraphError
from suppose.graphs.factors import Factor
from suppose.graphs.structural.gaussian import NormalLaw

if TYPE_CHECKING:
    from suppose.graphs.structural.model import StructuralModel

__all__ = ["Conditioned"]


@dataclass(frozen=True, eq=False)
class Conditioned:
    """What is left open once something was seen.

    Attributes
    ----------
    model : StructuralModel
        The model, uncut.
    given : mapping
        What was seen.

    Examples
    --------
    >>> from suppose.graphs.structural import Linear, StructuralModel
    >>> model = StructuralModel("x -> y", {"x": Linear(), "y": Linear({"x": 1.0})})
    >>> print(model.condition({"y": 2.0}).law)
    Normal law of
      x: mean 1, standard deviation 0.7071
    """

    model: StructuralModel
    given: Mapping[str, Any]

    @property
    def law(self) -> NormalLaw:
        """Closed form of the other vertices; refused with ``not-linear-gaussian`` where there is none."""
        return self.model.law(given=self.given)

    @property
    def marginals(self) -> dict[str, Factor]:
        """Probabilities of the states of every vertex; refused with ``not-discrete`` unless all are tables."""
        return self.model.network.marginals(given=self.given)

    def _all(self, given: Mapping[str, Any] | None, do: Mapping[str, Any] | None) -> dict[str, Any]:
        if do:
            raise GraphError(
                "do-after-seeing",
                "setting something after something was seen asks what would have been, which is another question "
                "than what would be",
                where="argument 'do'",
                remedy="Use model.do(...).condition(...) for what would be, model.counterfactual(...) for what "
                "would have been.",
            )  # fmt: skip
        return {**self.given, **(given or {})}

    def sample(
        self,
        rows: int,
        *,
        given: Mapping[str, Any] | None = None,
        do: Mapping[str, Any] | None = None,
        seed: int = 0,
    ) -> Any:
        """As :meth:`StructuralModel.sample`; ``do`` is refused with ``do-after-seeing``."""
        return self.model.sample(rows, given=self._all(given, do), seed=seed)

    def log_prob(
        self, frame: Any, *, given: Mapping[str, Any] | None = None, do: Mapping[str, Any] | None = None
    ) -> Float[np.ndarray, " rows"]:
        """As :meth:`StructuralModel.log_prob`; ``do`` is refused with ``do-after-seeing``."""
        return self.model.log_prob(frame, given=self._all(given, do))
