"""Sample splitting: which fold each row lies in, for each repeat.

Folds hold the same number of rows (give or take one), the same mix of treatment arms, and whole
clusters. A split the user brings is taken as it is, after checking that it is a partition.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from suppose.core.errors import EstimationError
from suppose.core.random import generator

__all__ = ["check_arms", "draw_folds", "resolve_folds"]


def resolve_folds(
    folds: Any,
    n: int,
    *,
    repeats: Any = 1,
    seed: int = 0,
    strata: Int[np.ndarray, " n"] | None = None,
    clusters: Int[np.ndarray, " n"] | None = None,
) -> Int[np.ndarray, "n repeats"]:
    """Fold of each row for each repeat, from a number of folds or a split the user brings.

    Parameters
    ----------
    folds : int, (n,) or (n, repeats) int array, or list of (train, test) pairs
        A number draws that many; 1 means no sample splitting (fit and predict on all rows). An array
        holds the fold of each row. A list of (train, test) index pairs is one repeat, a list of such
        lists is one repeat each, as DoubleML and scikit-learn write splits.
    n : int
        Rows.
    repeats, seed, strata, clusters
        Used when folds are drawn: see :func:`draw_folds`.

    Raises
    ------
    EstimationError
        When the split is no partition of the rows, cuts a cluster, or has more folds than rows.

    Examples
    --------
    >>> resolve_folds([([2, 3], [0, 1]), ([0, 1], [2, 3])], 4)[:, 0]
    array([0, 0, 1, 1])
    """
    if isinstance(folds, (int, np.integer)) and not isinstance(folds, bool):
        return draw_folds(int(folds), n, repeats=repeats, seed=seed, strata=strata, clusters=clusters)
    given = _from_pairs(folds, n) if _is_pairs(folds) else _from_array(folds, n)
    if clusters is not None:
        _refuse_cut_clusters(given, clusters)
    return given


def draw_folds(
    count: int,
    n: int,
    *,
    repeats: Any = 1,
    seed: int = 0,
    strata: Int[np.ndarray, " n"] | None = None,
    clusters: Int[np.ndarray, " n"] | None = None,
) -> Int[np.ndarray, "n repeats"]:
    """Draw folds at random, balanced over treatment arms (``strata``), keeping clusters whole.

    With clusters, the folds hold the same number of clusters; a cluster counts to the rarest arm it has.

    Examples
    --------
    >>> np.bincount(draw_folds(2, 10)[:, 0])
    array([5, 5])
    """
    units = n if clusters is None else int(clusters.max()) + 1
    _check_counts(count, repeats, units, "rows" if clusters is None else "clusters")
    if clusters is not None and strata is not None:
        strata = _cluster_strata(strata, clusters, units)
    folds = np.empty((n, repeats), dtype=np.int64)
    for repeat in range(repeats):
        order = generator(seed, "folds", repeat).permutation(units)
        if strata is not None:
            order = order[np.argsort(strata[order], kind="stable")]
        unit_folds = np.empty(units, dtype=np.int64)
        unit_folds[order] = np.arange(units) % count
        folds[:, repeat] = unit_folds if clusters is None else unit_folds[clusters]
    return folds


def _check_counts(count: int, repeats: Any, units: int, of: str) -> None:
    if count < 1:
        raise EstimationError(
            "bad-folds", f"expected 1 (no splitting) or more folds, got {count}", where="folds",
            remedy="Five is usual.",
        )  # fmt: skip
    if isinstance(repeats, bool) or not isinstance(repeats, (int, np.integer)) or repeats < 1:
        raise EstimationError(
            "bad-repeats", f"expected a whole number from 1, got {repeats!r}", where="repeats",
            remedy="Write repeats=1 for one sample splitting.",
        )  # fmt: skip
    if count > units:
        raise EstimationError(
            "bad-folds", f"expected at most as many folds as {of}, got {count} folds for {units} {of}",
            where="folds", remedy="Use fewer folds.",
        )  # fmt: skip


def _cluster_strata(strata: np.ndarray, clusters: np.ndarray, units: int) -> Int[np.ndarray, " units"]:
    """For each cluster the arm it has that is rarest in the table."""
    counts = np.bincount(strata)
    by_rarity = np.argsort(-counts, kind="stable")  # commonest first, so that rarer arms overwrite
    kind = np.zeros(units, dtype=np.int64)
    for arm in by_rarity:
        kind[clusters[strata == arm]] = arm
    return kind


def _is_pairs(folds: Any) -> bool:
    if isinstance(folds, np.ndarray) or not isinstance(folds, Sequence) or len(folds) == 0:
        return False
    first = folds[0]
    return isinstance(first, (tuple, list)) and len(first) > 0 and not np.isscalar(first[0])


def _from_pairs(folds: Sequence[Any], n: int) -> Int[np.ndarray, "n repeats"]:
    nested = isinstance(folds[0][0], (tuple, list)) and not np.isscalar(folds[0][0][0])
    splits = folds if nested else [folds]
    result = np.full((n, len(splits)), -1, dtype=np.int64)
    for repeat, pairs in enumerate(splits):
        for fold, (train, test) in enumerate(pairs):
            train, test = np.asarray(train), np.asarray(test)
            if (
                np.any(result[test, repeat] >= 0)
                or len(np.union1d(train, test)) != n
                or len(train) + len(test) != n
            ):
                _refuse_partition(
                    f"fold {fold} of repeat {repeat} is not a test part with the rest as train part"
                )
            result[test, repeat] = fold
    if np.any(result < 0):
        _refuse_partition(f"row {int(np.argwhere(result < 0)[0, 0])} is in no test part")
    return result


def _from_array(folds: Any, n: int) -> Int[np.ndarray, "n repeats"]:
    try:
        given = np.asarray(folds)
    except ValueError:
        given = np.empty(0)
    if given.ndim == 1:
        given = given[:, None]
    whole = given.ndim == 2 and given.dtype.kind in "iuf" and bool(np.all(given == np.round(given)))
    if not whole or given.shape[0] != n or given.shape[1] == 0:
        raise EstimationError(
            "bad-folds", f"expected a number, whole numbers of shape ({n},) or ({n}, repeats), or "
            f"(train, test) pairs, got {type(folds).__name__} of shape {given.shape}", where="folds",
            remedy="Give the fold of each row, counted from 0.",
        )  # fmt: skip
    columns = [np.unique(given[:, repeat], return_inverse=True)[1] for repeat in range(given.shape[1])]
    return np.stack(columns, axis=1).astype(np.int64)


def _refuse_partition(problem: str) -> None:
    raise EstimationError(
        "folds-not-partition", problem, where="folds",
        remedy="Every row must be in exactly one test part, and in the train part of all other folds.",
    )  # fmt: skip


def _refuse_cut_clusters(folds: Int[np.ndarray, "n repeats"], clusters: Int[np.ndarray, " n"]) -> None:
    for repeat in range(folds.shape[1]):
        pairs = np.unique(np.stack([clusters, folds[:, repeat]]), axis=1)
        cut = np.flatnonzero(np.bincount(pairs[0]) > 1)
        if len(cut):
            row = int(np.flatnonzero(clusters == cut[0])[0])
            raise EstimationError(
                "cluster-cut", f"the cluster of row {row} is spread over several folds in repeat {repeat}",
                where="folds", remedy="Keep each cluster in one fold, or give a number to have it done.",
            )  # fmt: skip


def check_arms(folds: Int[np.ndarray, "n repeats"], index: Int[np.ndarray, " n"], arms: np.ndarray) -> None:
    """Refuse a split whose training part has fewer than two rows of some arm.

    Examples
    --------
    >>> check_arms(np.array([[0], [0], [1], [1]]), np.array([0, 0, 1, 1]), np.array([0.0, 1.0]))
    Traceback (most recent call last):
        ...
    suppose.core.errors.EstimationError: folds: without fold 0 of repeat 0 only 0 rows have the treatment 0...
    """
    total = np.bincount(index, minlength=len(arms))
    for repeat in range(folds.shape[1]):
        count = int(folds[:, repeat].max()) + 1
        inside = np.bincount(folds[:, repeat] * len(arms) + index, minlength=count * len(arms))
        left = total - inside.reshape(count, len(arms)) if count > 1 else total[None, :]
        if left.min() < 2:
            fold, arm = np.unravel_index(int(left.argmin()), left.shape)
            raise EstimationError(
                "arm-missing-from-fold", f"without fold {fold} of repeat {repeat} only {left.min()} rows "
                f"have the treatment {arms[arm]:g}, too few to learn from (n_samples = {len(index)})",
                where="folds", remedy="Use fewer folds, merge this arm with another, or add rows.",
            )  # fmt: skip
