"""How much memory a fit will add, before it starts, and how many learners it fits.

Counted are copies of the covariates. A cross-fitted estimator holds one, every fit under way takes its
training rows (one), and what the learner copies of them:

======== ======================== ==============================================================
learner  copies of its rows       why
======== ======================== ==============================================================
linear   3                        standardised, centred, and the solver's own
lasso    4                        the same, and the folds of the choice of penalty
forest   0.5, and 3,600 bytes/row single precision; 200 trees whose leaves hold five rows or more
boosting 1.2                      rows held back for stopping early; a byte per value
object   3                        unknown: as ``linear``
======== ======================== ==============================================================

Models of the outcome are kept with the estimator, which matters for forests alone. ``SLACK`` is what
allocators keep for themselves. Measured against the peak of whole studies by ``benchmarks/memory_effects.py``.
"""

from __future__ import annotations

from typing import Any

from suppose.core.parallel import resolve_jobs

__all__ = ["fit_count", "fit_memory"]

COPIES = {"linear": 3.0, "lasso": 4.0, "forest": 0.5, "boosting": 1.2}
TREES = 3600  # bytes per training row of a forest of 200 trees
SLACK = 1.4
NUMBER = 8


def fit_memory(estimator: Any, rows: int, columns: int, arms: int = 2) -> int:
    """Bytes a fit of this estimator adds at its peak, its results included.

    Parameters
    ----------
    estimator : effect estimator, not fitted
    rows, columns : int
        Rows and covariates.
    arms : int
        Values of the treatment; 0 when it is continuous.

    Examples
    --------
    >>> from suppose.effects import PartiallyLinear
    >>> fit_memory(PartiallyLinear(outcome_learner="boosting", n_jobs=2), 1_000_000, 20) // 10**8
    12
    """
    table = rows * columns * NUMBER
    results = rows * NUMBER * (14 + 4 * max(arms, 2)) * _repeats(estimator)
    share, jobs = _training_share(estimator), resolve_jobs(estimator.n_jobs)
    learners = _learners(estimator)
    copies = max((1.0 + COPIES.get(str(name), 3.0) for name in learners), default=0.0)
    working = jobs * share * table * copies
    trees = TREES * rows * share
    if "forest" in learners:
        kept = trees * _folds(estimator) if estimator_learner(estimator, "outcome") == "forest" else 0.0
        working += jobs * trees + kept
    return int(SLACK * (table + results + working))


def fit_count(estimator: Any, arms: int = 2) -> int:
    """Learners one fit of this estimator fits.

    Examples
    --------
    >>> from suppose.effects import Interactive
    >>> fit_count(Interactive(folds=5, repeats=2), arms=2)
    30
    """
    rounds = _folds(estimator) * _repeats(estimator)
    outcome, treatment = estimator_learner(estimator, "outcome"), estimator_learner(estimator, "treatment")
    several = arms if "estimand" in estimator.get_params(deep=False) else 1
    return rounds * ((several if outcome is not None else 0) + (treatment is not None))


def estimator_learner(estimator: Any, which: str) -> Any:
    """The learner of the outcome or of the treatment; None where the estimator fits none."""
    given = estimator.get_params(deep=False)
    outcome = given.get("outcome_learner")
    if which == "outcome":
        return outcome
    role = next((name for name in ("propensity_learner", "treatment_learner") if name in given), None)
    if role is None:
        return None
    return given[role] or (outcome if isinstance(outcome, str) else "linear")


def _learners(estimator: Any) -> list[Any]:
    both = (estimator_learner(estimator, "outcome"), estimator_learner(estimator, "treatment"))
    return [learner if isinstance(learner, str) else "object" for learner in both if learner is not None]


def _folds(estimator: Any) -> int:
    folds = getattr(estimator, "folds", 1)
    return int(folds) if isinstance(folds, int) else 5


def _repeats(estimator: Any) -> int:
    repeats = getattr(estimator, "repeats", 1)
    return int(repeats) if isinstance(repeats, int) else 1


def _training_share(estimator: Any) -> float:
    folds = _folds(estimator)
    return 1.0 if folds <= 1 else 1.0 - 1.0 / folds
