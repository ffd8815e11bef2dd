"""Augmented effects: truth on known worlds, invariance, and the refusal of malformed studies and tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from suppose.core.errors import Refusal
from suppose.datasets import load_optical_device, make_coloured_digits, make_linear_sem
from suppose.studies import load, loads
from suppose.studies.augmented_effect import AugmentedEffect

WORLD = make_linear_sem(800, 3, seed=8)
FRAME = WORLD.to_frame()
NAMES = ["x1", "x2", "x3"]
_, _, ROWS = np.linalg.svd(WORLD.f[None])
DIRECTIONS = [dict(zip(NAMES, map(float, row), strict=True)) for row in ROWS[1:]]
NULL = {"name": "null-translation", "directions": DIRECTIONS}


def study_of(frame=FRAME, **options):
    content = {
        "outcome": "y", "inputs": NAMES, "augmentation": NULL, "method": {"draws": 20}, "checks": {"held_out": False},
        **options,
    }  # fmt: skip
    return AugmentedEffect.from_frame(frame, **content)


def test_the_effect_is_nearer_than_least_squares() -> None:
    answer = study_of(method={"alpha": 0.01, "draws": 40}).run()
    truth = WORLD.f[0]
    assert abs(answer.headline.estimate - truth) < abs(answer.finding("DA+ERM").estimate - truth)
    assert abs(answer.finding("DA+ERM").estimate - truth) < abs(answer.finding("ERM").estimate - truth)
    assert "plain least squares says" in answer.sentence
    assert answer.table("coefficients").to_frame().shape == (3, 10)


def test_the_device_is_answered_from_its_file(tmp_path) -> None:
    (tmp_path / "s.toml").write_text(
        'question = "augmented-effect"\n[data]\nshipped = "optical/77"\n[roles]\noutcome = "light"\nfocus = "pixel9"\n'
        f"inputs = {[f'pixel{k}' for k in range(1, 10)]}\n"
        '[augmentation]\nname = "gaussian-noise"\n[method]\ndraws = 60\n[predict]\ndo = [{ pixel9 = 50 }, {}]\n'
    )
    answer = load(tmp_path / "s.toml").run(tmp_path / "run")
    truth = load_optical_device(77).f[8]
    assert answer.headline.low < truth < answer.headline.high
    assert answer.finding("ERM").low > truth
    assert answer.check("invariance").verdict == "informs"
    assert len(answer.table("predictions").rows) == 2
    assert answer.finding("do:2").estimate == pytest.approx(load_optical_device(77).frame["light"].mean())
    assert (tmp_path / "run" / "report.html").is_file()
    assert [figure.name for figure in answer.figures] == ["estimates", "path", "violation"]


def test_a_known_effect_is_held_against_the_change() -> None:
    known = dict(zip(NAMES, map(float, WORLD.f), strict=True))
    assert study_of(checks={"known": known}).run().check("invariance").verdict == "passes"
    answer = study_of(checks={"known": {"x1": 1.0}}).run()
    assert answer.check("invariance").verdict == "fails"
    assert answer.credibility == "not credible"
    assert answer.sentence.startswith("The changes named do not leave the outcome alone.")


def test_a_change_that_moves_nothing_warns() -> None:
    answer = study_of(augmentation={"name": "jitter", "width": 1e-4}).run()
    assert answer.check("relevance").verdict == "warns"
    assert answer.credibility in ("doubtful", "not credible")


def test_the_three_rules_are_reported_side_by_side() -> None:
    answer = study_of().run()
    assert [row[0] for row in answer.table("selectors").rows] == [
        "held-out rows", "held-out augmentations", "confounder correction",
    ]  # fmt: skip
    assert {finding.name for finding in answer.findings} == {"effect", "ERM", "DA+ERM", "IVL-CV", "IVL-LCV"}


def test_every_frame_library_and_any_number_of_jobs_give_the_same_answer() -> None:
    study = study_of(method={"draws": 30})
    one = study.run().to_json(timing=False)
    assert study.run(jobs=2, backend="threading").to_json(timing=False) == one
    assert study_of(pl.from_pandas(FRAME), method={"draws": 30}).run().to_json(timing=False) == one
    assert study.run(seed=5).to_json(timing=False) != one


def test_changes_are_named_from_a_list_and_composed() -> None:
    changes = [
        {"name": "gaussian-noise", "scale": 0.1, "columns": ["x2"]}, {"name": "permutation", "columns": ["x1", "x3"]},
    ]  # fmt: skip
    study = study_of(augmentation=changes)
    augment = study.augment(study.read().content)
    assert [part.columns for part in augment.parts] == [(1,), (0, 2)]
    again = loads(study.model_copy(update={"data": study.data.model_copy(update={"shipped": "x"})}).to_toml())
    assert again.augmentation == study.augmentation


def test_missing_values_are_refused_or_dropped() -> None:
    frame = FRAME.copy()
    frame.loc[3, "x2"] = np.nan
    with pytest.raises(Refusal, match="missing values in row 4"):
        study_of(frame).run()
    answer = study_of(frame, data={"missing": {"x2": "drop"}}).run()
    assert answer.headline.n == 799
    assert "1 rows left out" in answer.notes[0]


REFUSED = {
    "no inputs": ({"inputs": []}, "which columns are the inputs"),
    "outcome as input": ({"inputs": ["x1", "y"]}, "'y' is also the outcome"),
    "listed twice": ({"inputs": ["x1", "x1"]}, "listed twice"),
    "unknown focus": ({"focus": "x9"}, "roles.focus: 'x9' is not among the inputs"),
    "unknown direction": (
        {"augmentation": {"name": "null-translation", "directions": [{"x7": 1.0}]}}, "augmentation.directions: 'x7'",
    ),
    "unknown change": ({"augmentation": {"name": "gausian-noise"}}, "augmentation"),
    "change of pictures": ({"augmentation": {"name": "colour-jitter"}}, "'colour-jitter' is not a change of tables"),
    "foreign setting": (
        {"augmentation": {"name": "permutation", "scale": 2.0}}, "has no setting 'scale'; it has: columns",
    ),
    "setting left out": ({"augmentation": {"name": "jitter"}}, "'jitter' needs 'width'"),
    "no change": ({"augmentation": []}, "augmentation"),
    "grid that does not fit": ({"augmentation": {"name": "grid-symmetry", "grid": [2, 2]}}, "expected 3 cells"),
    "rule and number": ({"method": {"selector": "cv", "alpha": 0.1}}, "expected a rule or a number, got both"),
    "alpha of zero": ({"method": {"alpha": 0}}, "alpha"),
    "constant input": ({"frame": FRAME.assign(x2=1.0)}, "column 'x2': every row has the same value"),
    "few rows": ({"frame": FRAME.head(12)}, "expected at least 16 rows"),
    "text": ({"frame": FRAME.assign(x2="a")}, "expected numbers, got text"),
    "missing column": ({"frame": FRAME.drop(columns="x3")}, "roles.inputs: column 'x3'"),
}  # fmt: skip


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals(options, message) -> None:
    with pytest.raises(Refusal, match=message):
        study_of(**options).run()


# -- pictures ----------------------------------------------------------------------------------

HEAD = 'question = "augmented-effect"\n'
CHANGES = '[[augmentation]]\nname = "colour-jitter"\n[[augmentation]]\nname = "image-shift"\n'
QUICK = "[method]\nepochs = 2\nhidden = [8]\n"
TRAIN, TEST = make_coloured_digits(n=300, seed=1), make_coloured_digits("test", n=100, seed=1)


def pictures(tmp_path, **arrays):
    np.savez(tmp_path / "d.npz", **{"images": TRAIN.X, "outcome": TRAIN.y, **arrays})
    (tmp_path / "s.toml").write_text(HEAD + '[data]\nimages = "d.npz"\n' + CHANGES + QUICK)
    return load(tmp_path / "s.toml")


def test_pictures_from_an_archive(tmp_path) -> None:
    study = pictures(tmp_path, test_images=TEST.X, test_outcome=TEST.y)
    answer = study.run(tmp_path / "run")
    assert answer.headline.n == 100 and answer.headline.unit == "squared error on test pictures"
    assert len(answer.table("ways").rows) == 4
    assert "On the test pictures" in answer.sentence
    assert study.run().to_json(timing=False) == answer.to_json(timing=False)


def test_without_outcomes_the_test_pictures_get_predictions(tmp_path) -> None:
    bytes_first = (TEST.X * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    answer = pictures(tmp_path, test_images=bytes_first).run()
    assert answer.headline.unit.startswith("mean prediction")
    assert "For the test pictures" in answer.sentence


def test_pictures_from_a_folder(tmp_path) -> None:
    image = pytest.importorskip("PIL.Image")
    (tmp_path / "p").mkdir()
    for k in range(60):
        image.fromarray((TRAIN.X[k] * 255).astype(np.uint8).transpose(1, 2, 0)).save(
            tmp_path / "p" / f"{k}.png"
        )
    pd.DataFrame({"file": [f"{k}.png" for k in range(60)], "label": TRAIN.y[:60]}).to_csv(
        tmp_path / "t.csv", index=False
    )
    head = HEAD + '[data]\nimages = "p"\nfile = "t.csv"\n[roles]\noutcome = "label"\nimage = "file"\n'
    (tmp_path / "s.toml").write_text(head + CHANGES + QUICK)
    study = load(tmp_path / "s.toml")
    np.testing.assert_allclose(study.read().content.X, TRAIN.flat[:60], atol=1 / 255)
    assert study.run().notes[-1].startswith("Held-out pictures carry the same confounding")
    (tmp_path / "p" / "7.png").write_bytes(b"torn")
    with pytest.raises(Refusal, match="cannot be read as a picture"):
        study.run()
    (tmp_path / "p" / "7.png").unlink()
    with pytest.raises(Refusal, match="no file 'p/7.png'"):
        study.run()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": TRAIN.X * 9}, "expected whole numbers from 0 to 255"),
        ({"images": TRAIN.X[:, :, 0, 0]}, "expected pictures"),
        ({"outcome": TRAIN.y[:-1]}, "expected 300 finite numbers"),
        ({"outcome": np.ones(300)}, "every picture has the same outcome"),
        ({"test_images": TEST.X[..., :4]}, r"expected pictures of shape \(3, 8, 8\)"),
        ({"images": TRAIN.X[:20], "outcome": TRAIN.y[:20]}, "at least 50 pictures, got 20"),
        ({"images": TRAIN.X[:, :1]}, r"expected pictures \(3, height, width\)|colour"),
    ],
)
def test_refusals_of_pictures(tmp_path, arrays, message) -> None:
    study = pictures(tmp_path, **arrays)
    with pytest.raises(Refusal, match=message):
        study.run()


def test_archives_are_never_unpickled(tmp_path) -> None:
    study = pictures(tmp_path)
    np.savez(tmp_path / "d.npz", images=np.array([{}], dtype=object), outcome=np.ones(1))
    with pytest.raises(Refusal, match="cannot be read as an .npz file of plain arrays"):
        study.run()
    np.savez(tmp_path / "d.npz", images=TRAIN.X)
    with pytest.raises(Refusal, match="has no array 'outcome'; it has: images"):
        study.run()


def test_what_networks_cannot_do(tmp_path) -> None:
    study = pictures(tmp_path)
    with pytest.raises(Refusal, match="confounder correction has no meaning for networks"):
        load(tmp_path / "s.toml", ['method.selector="cc"']).run()
    assert study.check() == []
