"""Sample splitting: balance, whole clusters, splits the user brings, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import KFold

from suppose.core.errors import EstimationError
from suppose.effects.folds import check_arms, draw_folds, resolve_folds


def test_folds_balance_rows_and_arms() -> None:
    arms = np.random.default_rng(0).integers(0, 3, 101)
    folds = draw_folds(5, 101, repeats=2, seed=1, strata=arms)
    for column in folds.T:
        assert np.ptp(np.bincount(column)) <= 1
        for arm in range(3):
            assert np.ptp(np.bincount(column[arms == arm], minlength=5)) <= 1
    assert (folds[:, 0] != folds[:, 1]).any()


def test_seed_decides_the_folds() -> None:
    assert (draw_folds(3, 50, seed=4) == draw_folds(3, 50, seed=4)).all()
    assert (draw_folds(3, 50, seed=4) != draw_folds(3, 50, seed=5)).any()


def test_clusters_stay_whole_and_balanced_over_arms() -> None:
    rng = np.random.default_rng(1)
    clusters = rng.integers(0, 23, 400)
    treated = (clusters % 4 == 0).astype(int)  # treatment given to whole clusters
    folds = draw_folds(4, 400, seed=0, strata=treated, clusters=clusters)[:, 0]
    by_cluster = [np.unique(folds[clusters == c]) for c in range(23)]
    assert all(len(found) == 1 for found in by_cluster)
    first = np.array([found[0] for found in by_cluster])
    assert np.ptp(np.bincount(first)) <= 1
    assert np.ptp(np.bincount(first[::4], minlength=4)) <= 1


def test_pairs_as_doubleml_and_scikit_learn_write_them() -> None:
    splits = [list(KFold(3, shuffle=True, random_state=seed).split(np.zeros(10))) for seed in (0, 1)]
    folds = resolve_folds(splits, 10)
    assert folds.shape == (10, 2)
    for repeat in (0, 1):
        for fold, (_, test) in enumerate(splits[repeat]):
            assert (folds[test, repeat] == fold).all()
    assert (resolve_folds(splits[1], 10)[:, 0] == folds[:, 1]).all()


def test_labels_of_given_folds_do_not_matter() -> None:
    given = np.array([7, 7, 3, 3, 9])
    assert resolve_folds(given, 5)[:, 0].tolist() == [1, 1, 0, 0, 2]
    assert resolve_folds(given.tolist(), 5)[:, 0].tolist() == [1, 1, 0, 0, 2]


def test_one_fold_is_no_splitting() -> None:
    assert (resolve_folds(1, 6) == 0).all()


@pytest.mark.parametrize(
    ("folds", "words"),
    [
        (0, "expected 1 .no splitting. or more folds, got 0"),
        (7, "got 7 folds for 6 rows"),
        ("five", "expected a number, whole numbers of shape"),
        (np.zeros(5), r"of shape \(6,\) or \(6, repeats\)"),
        (np.full(6, 0.5), "expected a number, whole numbers"),
        ([([0, 1, 2], [3, 4, 5])], "row 0 is in no test part"),
        ([([0, 1, 2, 3], [3, 4, 5]), ([3, 4, 5], [0, 1, 2])], "fold 0 of repeat 0 is not a test part"),
        ([([3, 4, 5], [0, 1, 2]), ([3, 4, 5], [0, 1, 2])], "fold 1 of repeat 0"),
    ],
)
def test_bad_folds_are_refused(folds: Any, words: str) -> None:
    with pytest.raises(EstimationError, match=words):
        resolve_folds(folds, 6)


@pytest.mark.parametrize("repeats", [0, 1.5, True])
def test_bad_repeats_are_refused(repeats: Any) -> None:
    with pytest.raises(EstimationError, match="expected a whole number from 1"):
        resolve_folds(2, 6, repeats=repeats)


def test_cut_clusters_and_too_few_are_refused() -> None:
    clusters = np.array([0, 0, 1, 1])
    with pytest.raises(EstimationError, match="the cluster of row 0 is spread over several folds"):
        resolve_folds(np.array([0, 1, 0, 1]), 4, clusters=clusters)
    with pytest.raises(EstimationError, match="got 3 folds for 2 clusters"):
        resolve_folds(3, 4, clusters=clusters)


def test_training_part_without_an_arm_is_refused() -> None:
    folds, index = np.array([[0], [0], [1], [1], [1]]), np.array([1, 0, 0, 0, 1])
    with pytest.raises(EstimationError, match="without fold 0 of repeat 0 only 1 rows have the treatment 5"):
        check_arms(folds, index, np.array([4.0, 5.0]))
