"""Pictures as confounded inputs: reading them, and the answer that networks give.

One network per way of training (plain, on changed pictures, IV-like with the chosen moment and with the other
one), each a named step of the run. The headline is the difference in squared error on test pictures where
their outcome is known, and else the mean prediction for them; without test pictures a fifth is held out.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from suppose.core.answer import Check, Figure, Finding, InputFile, Table, Verdict
from suppose.core.columns import to_numbers
from suppose.core.errors import DataError, StudyError
from suppose.core.figures import draw_svg, forest
from suppose.core.random import generator, integer_seed
from suppose.core.run import sha256_file
from suppose.core.study import Material, Steps
from suppose.core.tables import available_memory, path_inside
from suppose.effects.augmentation.network import IVLNetwork
from suppose.studies.augmented_table import AugmentedTable
from suppose.studies.parts import Parts
from suppose.studies.tabular import read_data
from suppose.studies.verdict import credibility

__all__ = ["gather_pictures", "read_pictures"]

ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
MAX_PICTURES_BYTES = 8_000_000_000
WAYS = {
    "ERM": ("Plain network (ERM)", {"objective": "erm"}),
    "DA+ERM": ("Network on changed pictures (DA+ERM)", {"objective": "da-erm"}),
    "effect": ("IV-like network", {"objective": "ivl"}),
    "other-moment": ("IV-like network, other moment", {"objective": "ivl"}),
}


def read_pictures(study: Any) -> Material:
    """Pictures and outcomes of an ``.npz`` file, or of a folder and the table that names its files."""
    name = str(study.data.images)
    if name.endswith(".npz"):
        table, record = _read_archive(path_inside(name, study.home), name, study.data.size)
        inputs: tuple[InputFile, ...] = (record,)
    else:
        table, inputs = _read_folder(study, name)
    if len(table.y) < 50:
        raise DataError(
            "too-few-rows", f"expected at least 50 pictures, got {len(table.y)}", where="data.images",
            remedy="Networks need many pictures.",
        )  # fmt: skip
    if np.ptp(table.y) == 0:
        raise DataError(
            "no-variation", "every picture has the same outcome", where="outcome", remedy="Check the labels."
        )
    return Material(table, inputs)


def _read_archive(path: Path, name: str, size: int | None) -> tuple[AugmentedTable, InputFile]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {key: archive[key] for key in archive.files}
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            "unreadable-file", "it cannot be read as an .npz file of plain arrays", where=f"file {path.name!r}",
            remedy="Write it with numpy.savez(file, images=..., outcome=...).",
        ) from error  # fmt: skip
    missing = [key for key in ("images", "outcome") if key not in arrays]
    if missing:
        raise DataError(
            "missing-array", f"it has no array {missing[0]!r}; it has: {', '.join(arrays) or 'none'}",
            where=f"file {path.name!r}", remedy="Write it with numpy.savez(file, images=..., outcome=...).",
        )  # fmt: skip
    images = _channels_first(arrays["images"], "images", size)
    outcome = _outcomes(arrays["outcome"], len(images), "outcome")
    shape = images.shape[1:]
    test_X = test_y = None
    if "test_images" in arrays:
        tests = _channels_first(arrays["test_images"], "test_images", size)
        if tests.shape[1:] != shape:
            raise DataError(
                "image-shape", f"expected pictures of shape {shape}, got {tests.shape[1:]}", where="test_images",
                remedy="Bring all pictures to one size.",
            )  # fmt: skip
        test_X = tests.reshape(len(tests), -1)
        if "test_outcome" in arrays:
            test_y = _outcomes(arrays["test_outcome"], len(tests), "test_outcome")
    record = InputFile(
        name=name,
        sha256=sha256_file(path),
        bytes=path.stat().st_size,
        rows=len(images),
        columns=int(np.prod(shape)),
    )
    flat = images.reshape(len(images), -1)
    return AugmentedTable(flat, outcome, (), tuple(int(n) for n in shape), test_X, test_y), record


def _outcomes(values: np.ndarray, count: int, where: str) -> np.ndarray:
    if values.shape != (count,) or values.dtype.kind not in "iufb" or not np.isfinite(values).all():
        raise DataError(
            "bad-outcome", f"expected {count} finite numbers, got shape {values.shape} of {values.dtype}", where=where,
            remedy="One number per picture.",
        )  # fmt: skip
    return values.astype(np.float64)


def _channels_first(images: np.ndarray, where: str, size: int | None) -> np.ndarray:
    """Pictures (n, channels, height, width) with values between 0 and 1."""
    if images.ndim == 3:
        images = images[:, None]
    elif images.ndim == 4 and images.shape[-1] in (1, 3, 4) and images.shape[1] not in (1, 3):
        images = images.transpose(0, 3, 1, 2)
    if images.ndim != 4 or images.dtype.kind not in "uif" or images.shape[1] not in (1, 3, 4):
        raise DataError(
            "image-shape", f"expected pictures (n, height, width[, channels]), got {images.shape}", where=where,
            remedy="Grey pictures are (n, height, width), coloured ones (n, height, width, 3).",
        )  # fmt: skip
    values = images[:, :3].astype(np.float64)
    values = values / 255.0 if images.dtype == np.uint8 else values
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        raise DataError(
            "image-values", "expected whole numbers from 0 to 255 (uint8) or numbers from 0 to 1", where=where,
            remedy="Divide by the largest possible value.",
        )  # fmt: skip
    if size is None or values.shape[-2:] == (size, size):
        return values
    rows = np.linspace(0, values.shape[2] - 1, size).round().astype(int)
    columns = np.linspace(0, values.shape[3] - 1, size).round().astype(int)
    return values[:, :, rows][:, :, :, columns]


def _read_folder(study: Any, name: str) -> tuple[AugmentedTable, tuple[InputFile, ...]]:
    roles = study.roles
    if roles.image is None:
        raise StudyError(
            "missing-role", "a folder of pictures goes with a column that names the files", where="roles.image",
            remedy='Write image = "file".',
        )  # fmt: skip
    named = {"roles.outcome": (roles.outcome,), "roles.image": (roles.image,)}
    frame, inputs = read_data(study.data, study.home, named)
    outcome = to_numbers(frame, roles.outcome, role="roles.outcome", as_type=None)
    kept = np.isfinite(outcome)
    if not kept.all() and study.data.policy(roles.outcome) != "drop":
        raise DataError(
            "missing-value", "missing values; these are never filled in",
            where=f"roles.outcome: column {roles.outcome!r}",
            remedy=f'Say data.missing = {{ {roles.outcome} = "drop" }} to leave these rows out.',
        )  # fmt: skip
    files = [str(file) for file, keep in zip(frame[roles.image].to_list(), kept, strict=True) if keep]
    pictures = [_picture(study.home, f"{name}/{file}", study.data.size) for file in files]
    shapes = {picture.shape for picture in pictures}
    if len(shapes) > 1:
        raise DataError(
            "image-shape", f"expected pictures of one size, got {' and '.join(map(str, sorted(shapes)[:3]))}",
            where="data.images", remedy="Write data.size = 32 to bring them to 32 by 32 pixels.",
        )  # fmt: skip
    have = available_memory()
    need = len(pictures) * pictures[0].size * 8 * 4
    if need > min(MAX_PICTURES_BYTES, 0.8 * have if have is not None else np.inf):
        raise DataError(
            "table-too-large", f"the pictures need about {need / 1e9:.1f} GB", where="data.images",
            remedy="Write data.size = 32, or use fewer pictures.",
        )  # fmt: skip
    images = _channels_first(np.stack(pictures), "data.images", None)
    shape = tuple(int(n) for n in images.shape[1:])
    return AugmentedTable(images.reshape(len(images), -1), outcome[kept], (), shape), inputs


def _picture(home: Path, name: str, size: int | None) -> np.ndarray:
    """One picture as (height, width, 3) bytes."""
    from PIL import Image, UnidentifiedImageError

    path = path_inside(name, home)
    if path.suffix.lower() not in ENDINGS:
        raise DataError(
            "unknown-format", f"expected a file ending in {', '.join(ENDINGS)}, got {path.name!r}",
            where="roles.image", remedy="Save the picture as PNG.",
        )  # fmt: skip
    try:
        with Image.open(io.BytesIO(path.read_bytes())) as picture:
            whole = picture.convert("RGB")
            return np.asarray(whole if size is None else whole.resize((size, size)), dtype=np.uint8)
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise DataError(
            "unreadable-file", "it cannot be read as a picture", where=f"file {path.name!r}",
            remedy="Check that the file is whole.",
        ) from error  # fmt: skip


# -- answering -------------------------------------------------------------------------------------


def _network(study: Any, table: AugmentedTable, way: str) -> IVLNetwork:
    options = study.method
    binary = set(np.unique(table.y)) <= {0.0, 1.0}
    moment = options.moment
    if way == "other-moment":
        moment = "loss" if moment == "residual" else "residual"
    rule = options.alpha if options.alpha is not None else options.selector or 0.1
    return IVLNetwork(
        study.augment(table), alpha=rule, moment=moment, output="probability" if binary else "number",
        hidden=options.hidden, epochs=options.epochs, learning_rate=options.learning_rate, batch=options.batch,
        standardise=False, redraw=options.redraw, candidates=options.candidates, low=max(options.low, 1e-3),
        high=options.high, seed=integer_seed(study.seed, "network"), **WAYS[way][1],
    )  # fmt: skip


def gather_pictures(study: Any, table: AugmentedTable, steps: Steps) -> tuple[Parts, str, Any, str]:
    """Every part of the answer for pictures, its sentence, its verdict and the reason for it."""
    if study.method.selector == "cc":
        raise StudyError(
            "bad-alpha", "the confounder correction has no meaning for networks", where="method.selector",
            remedy='Use selector = "cv", or give alpha.',
        )  # fmt: skip
    train, test_X, test_y, held = _parted(study, table)
    trained = {way: _trained(study, train, test_X, way, steps) for way in WAYS}
    predictions = {way: np.asarray(result["prediction"]) for way, result in trained.items()}
    findings, rows = _scores(
        study, predictions, test_y, {way: float(r["alpha"]) for way, r in trained.items()}
    )
    shown = [(f.label, f.estimate, f.low, f.high) for f in findings]
    unit = findings[0].unit
    svg = draw_svg("estimates", lambda ax: forest(shown, unit=unit, reference=None, ax=ax), size=(6.6, 3.0))
    where = "a held-out fifth" if held else "the test pictures"
    words = f"On {where}, with intervals for the mean over pictures."
    figure = Figure.of("estimates", "Every way of training", words, f"Forest plot. {words}", svg)
    table_of = Table(
        name="ways", title="Every way of training", rows=rows,
        columns=("network", "alpha", "squared error", "standard error", "wrong side of one half", "mean prediction"),
        note="Errors are empty where the outcome of the test pictures is not known.",
    )  # fmt: skip
    checks = (_moved(predictions), *_invariant(study, train, trained))
    notes = (
        ("Held-out pictures carry the same confounding as the others: their error favours ERM.",)
        if held
        else ()
    )
    parts = Parts(findings=findings, checks=checks, tables=(table_of,), figures=(figure,), notes=notes)
    verdict, reason = credibility(checks)
    if all(check.verdict == "informs" for check in checks):
        verdict, reason = (
            "not judged",
            "No check of pictures can say whether the changes leave the outcome alone.",
        )
    return parts, _sentence(study, findings, test_y, held), verdict, reason


def _parted(study: Any, table: AugmentedTable) -> tuple[AugmentedTable, np.ndarray, np.ndarray | None, bool]:
    if table.test_X is not None:
        return table, table.test_X, table.test_y, False
    order = generator(study.seed, "held-out-pictures").permutation(len(table.y))
    cut = max(1, len(order) // 5)
    kept, held = order[cut:], order[:cut]
    train = AugmentedTable(table.X[kept], table.y[kept], (), table.shape)
    return train, table.X[held], table.y[held], True


def _trained(study: Any, train: AugmentedTable, test_X: np.ndarray, way: str, steps: Steps) -> dict[str, Any]:
    def compute() -> dict[str, Any]:
        from suppose.effects.augmentation.transformations import draw

        network = _network(study, train, way).fit(train.X, train.y)
        sample = train.X[:2000]
        changed = draw(study.augment(train), sample, generator(study.seed, "moved"))[0]
        base = network.predict(sample)
        moved = float(np.sqrt(np.mean((network.predict(changed) - base) ** 2)))
        spread = float(base.std())
        alpha = network.alpha_ if np.isfinite(network.alpha_) else -1.0
        return {"prediction": network.predict(test_X), "alpha": alpha, "moved": moved, "spread": spread}

    return steps.step(f"network {way}", compute)


def _scores(
    study: Any, predictions: dict[str, np.ndarray], test_y: np.ndarray | None, alphas: dict[str, float]
) -> tuple[tuple[Finding, ...], tuple[Any, ...]]:
    from scipy.stats import norm

    reach = float(norm.ppf(0.5 + study.method.level / 2))
    unit = study.roles.outcome_unit or study.outcome_words
    scale = f"mean prediction, {unit}" if test_y is None else "squared error on test pictures"
    findings, rows = [], []
    for way in ("effect", "ERM", "DA+ERM", "other-moment"):
        values = predictions[way] if test_y is None else (predictions[way] - test_y) ** 2
        mean = float(values.mean())
        error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
        findings.append(Finding(
            name=way, label=WAYS[way][0], estimate=mean, low=mean - reach * error, high=mean + reach * error,
            level=study.method.level, unit=scale,
            standard_error=error, n=len(values), headline=way == "effect",
            method=f"{study.method.epochs} epochs" + (f", alpha {alphas[way]:.3g}" if alphas[way] > 0 else ""),
        ))  # fmt: skip
        known = test_y is not None
        wrong = float(np.mean((predictions[way] > 0.5) != (test_y > 0.5))) if test_y is not None else None
        rows.append((
            WAYS[way][0], alphas[way] if alphas[way] > 0 else None, mean if known else None,
            error if known else None, wrong, float(predictions[way].mean()),
        ))  # fmt: skip
    return tuple(findings), tuple(rows)


def _moved(predictions: dict[str, np.ndarray]) -> Check:
    gap = float(np.sqrt(np.mean((predictions["effect"] - predictions["ERM"]) ** 2)))
    spread = float(predictions["ERM"].std())
    share = gap / spread if spread > 0 else 0.0
    return Check(
        name="difference", title="What the changes make of it", verdict="informs", value=share,
        words=f"IV-like and plain predictions differ by {share:.0%} of the latter's standard deviation.",
        null="Both networks predict the same.", statistic="difference over standard deviation",
        cannot_show="Which of them is nearer to the effect.",
    )  # fmt: skip


def _invariant(study: Any, train: AugmentedTable, trained: dict[str, dict[str, Any]]) -> tuple[Check, ...]:
    plain, causal = trained["ERM"], trained["effect"]
    collapsed = causal["spread"] < 0.05 * max(plain["spread"], 1e-12)
    shares = [float(r["moved"]) / max(float(r["spread"]), 1e-12) for r in (plain, causal)]
    words = (
        f"The changes move the plain network's predictions by {shares[0]:.0%} of their standard deviation, the IV-like "
        f"network's by {shares[1]:.0%}."
    )
    if collapsed:
        words += " The IV-like network predicts nearly the same for every picture: alpha is too small for it."
    verdict: Verdict = "warns" if collapsed else "informs"
    return (
        Check(
            name="invariance", title="Invariance of the outcome", verdict=verdict, words=words, value=shares[1],
            null="The changes named leave the outcome alone.", statistic="change over standard deviation",
            cannot_show="Whether the outcome itself would change: no picture can tell.",
        ),
    )  # fmt: skip


def _sentence(study: Any, findings: tuple[Finding, ...], test_y: np.ndarray | None, held: bool) -> str:
    by = {finding.name: finding for finding in findings}
    causal, plain, changed = by["effect"], by["ERM"], by["DA+ERM"]
    if test_y is None:
        return (
            f"For the test pictures, {study.outcome_words} would be {causal.estimate_words()} on average "
            f"({causal.interval_words()}); a plain network says {plain.estimate_words()}."
        )
    where = "held-out pictures" if held else "the test pictures"
    return (
        f"On {where} the IV-like network errs by {causal.estimate_words()} (squared, {causal.interval_words()}), "
        f"training on changed pictures by {changed.estimate_words()}, plain training by {plain.estimate_words()}."
    )
