"""The parts of an answer about confounded inputs in a table: estimates, path, checks, predictions."""

from __future__ import annotations

from typing import Any

import numpy as np

from suppose.core.answer import Check, Figure, Finding, Table, Verdict, format_number
from suppose.core.figures import draw_svg, forest
from suppose.core.random import generator, integer_seed
from suppose.core.study import Steps
from suppose.effects.augmentation.invariance import ViolationCurve, invariance_report, violation_curve
from suppose.effects.augmentation.regressor import IVLRegressor, bootstrap_coefficients
from suppose.studies.parts import Parts, parts_step
from suppose.studies.verdict import credibility

__all__ = ["gather"]

RULES = {"cc": "confounder correction", "cv": "held-out rows", "lcv": "held-out augmentations"}
LABELS = {
    "ERM": "Least squares (ERM)",
    "DA+ERM": "Least squares on changed inputs (DA+ERM)",
    "IVL-CC": "IV-like, confounder correction",
    "IVL-CV": "IV-like, held-out rows",
    "IVL-LCV": "IV-like, held-out augmentations",
    "DA+IV": "Two-stage least squares (DA+IV)",
}


class _Fitted:
    """Everything the parts share: the fit, its bootstrap, and the words for it."""

    def __init__(self, study: Any, table: Any, steps: Steps) -> None:
        self.study, self.table = study, table
        options = study.method
        rule = options.alpha if options.alpha is not None else options.selector or "cc"
        self.model = IVLRegressor(
            study.augment(table), alpha=rule, candidates=options.candidates, low=options.low, high=options.high,
            seed=integer_seed(study.seed, "ivl"),
        ).fit(table.X, table.y)  # fmt: skip
        drawn = steps.step("bootstrap", lambda: dict(self._bootstrap()))
        self.draws = {name: np.asarray(values) for name, values in drawn.items()}
        self.focus = table.names.index(study.roles.focus) if study.roles.focus is not None else 0
        self.name = table.names[self.focus]
        self.unit = f"{study.roles.outcome_unit or study.roles.outcome} per unit of {self.name}"
        self.main = "IVL" if options.alpha is not None else f"IVL-{rule.upper()}"

    def _bootstrap(self) -> dict[str, np.ndarray]:
        options = self.study.run_options
        return bootstrap_coefficients(
            self.model, self.table.X, self.table.y, draws=self.study.method.draws,
            seed=integer_seed(self.study.seed, "bootstrap"), jobs=options.jobs, backend=options.backend,
        )  # fmt: skip

    def interval(self, values: np.ndarray) -> tuple[float, float, float]:
        """Percentile interval and standard deviation of bootstrap values (draws,)."""
        tail = (1 - self.study.method.level) / 2
        low, high = np.quantile(values, [tail, 1 - tail])
        return float(low), float(high), float(values.std(ddof=1))


def gather(study: Any, table: Any, steps: Steps) -> tuple[Parts, str, Any, str]:
    """Every part of the answer, its sentence, its verdict and the reason for it."""
    fit = _Fitted(study, table, steps)
    parts = Parts.joined([
        _estimates(fit),
        _predictions(fit),
        _path(fit),
        parts_step(steps, "invariance", lambda: _invariance(fit)),
        _violation(fit),
        _relevance(fit),
        _agreement(fit),
    ])  # fmt: skip
    verdict, words = credibility(parts.checks)
    headline = next(finding for finding in parts.findings if finding.headline)
    return parts, _sentence(fit, headline, verdict), verdict, words


# -- estimates ---------------------------------------------------------------------------------


def _estimates(fit: _Fitted) -> Parts:
    model, j = fit.model, fit.focus
    rule = "alpha given" if fit.main == "IVL" else RULES[fit.main.removeprefix("IVL-").lower()]
    rows = [("effect", f"IV-like, {rule}", float(model.coef_[j]), fit.draws["chosen"][:, j])]
    rows += [
        (name, LABELS[name], float(values[j]), fit.draws[name][:, j])
        for name, values in model.alternatives_.items()
        if name not in (fit.main, "DA+IV")
    ]
    findings = tuple(_finding(fit, *row) for row in rows)
    shown = [(f.label, f.estimate, f.low, f.high) for f in findings]
    svg = draw_svg(
        "estimates", lambda ax: forest(shown, unit=fit.unit, ax=ax), size=(6.6, 1.1 + 0.42 * len(shown))
    )
    words = "; ".join(f"{f.label} {f.estimate_words()}" for f in findings)
    level = f"{100 * fit.study.method.level:g}%"
    figure = Figure.of(
        "estimates", f"What {fit.name} does, by every estimator",
        f"Points with {level} bootstrap intervals; the answer is in blue.", f"Forest plot of estimates: {words}.", svg,
    )  # fmt: skip
    return Parts(findings=findings, figures=(figure,), tables=(_coefficients(fit), _selectors(fit)))


def _finding(fit: _Fitted, name: str, label: str, estimate: float, draws: np.ndarray) -> Finding:
    low, high, error = fit.interval(draws)
    low, high = min(low, estimate), max(high, estimate)
    alpha = f"alpha {fit.model.alpha_:.3g}, " if name == "effect" else ""
    return Finding(
        name=name, label=label, estimate=estimate, low=low, high=high, level=fit.study.method.level, unit=fit.unit,
        standard_error=error, n=len(fit.table.y), headline=name == "effect", estimand="effect of setting the input",
        method=f"{alpha}percentile bootstrap, {len(draws)} draws",
    )  # fmt: skip


def _coefficients(fit: _Fitted) -> Table:
    model = fit.model
    names = [name for name in model.alternatives_ if name != fit.main]
    tail = (1 - fit.study.method.level) / 2
    low, high = np.quantile(fit.draws["chosen"], [tail, 1 - tail], axis=0)
    rows = tuple(
        (name, float(model.coef_[j]), float(low[j]), float(high[j]),
         *(float(model.alternatives_[other][j]) for other in names))
        for j, name in enumerate(fit.table.names)
    )  # fmt: skip
    return Table(
        name="coefficients", title="Coefficients of every input", rows=rows,
        columns=("input", fit.main, "low", "high", *names),
        note=f"Change of {fit.study.outcome_words} per unit of the input. DA+IV is usually under-identified.",
    )  # fmt: skip


def _selectors(fit: _Fitted) -> Table:
    rows = tuple(
        (
            RULES[name],
            choice.alpha,
            float(choice.scores.min()),
            float(fit.model.alternatives_[key][fit.focus]),
        )
        for name, choice in fit.model.selections_.items()
        if (key := f"IVL-{name.upper()}") in fit.model.alternatives_
    )
    return Table(
        name="selectors", title="Weight alpha by every rule", rows=rows,
        columns=("rule", "alpha", "score", f"effect of {fit.name}"),
        note="Scores are squared errors on held-out rows; for the confounder correction, squared distance of norms.",
    )  # fmt: skip


def _predictions(fit: _Fitted) -> Parts:
    settings = fit.study.predict.do
    if not settings:
        return Parts()
    model, names, unit = fit.model, fit.table.names, fit.study.roles.outcome_unit or fit.study.roles.outcome
    means = fit.table.X.mean(axis=0)
    findings, rows = [], []
    for number, setting in enumerate(settings, start=1):
        at = np.array([setting.get(name, means[j]) for j, name in enumerate(names)])
        estimate = float(model.outcome_mean_ + (at - means) @ model.coef_)
        low, high, error = fit.interval(model.outcome_mean_ + fit.draws["chosen"] @ (at - means))
        words = ", ".join(f"{name} = {value:g}" for name, value in setting.items()) or "inputs at their means"
        finding = Finding(
            name=f"do:{number}", label=f"If set: {words}", estimate=estimate, low=min(low, estimate),
            high=max(high, estimate), level=fit.study.method.level, unit=unit, standard_error=error,
            method="IV-like regression, percentile bootstrap of the coefficients", estimand="E[Y | do(X)]",
        )  # fmt: skip
        findings.append(finding)
        shift = at - means
        plain = float(model.outcome_mean_ + shift @ model.alternatives_["ERM"])
        rows.append((words, estimate, finding.low, finding.high, plain))
    table = Table(
        name="predictions", title=f"{fit.study.outcome_words} under inputs that are set", rows=tuple(rows),
        columns=("set", "IV-like", "low", "high", "least squares"),
        note="Inputs that are not named stay at their means.",
    )  # fmt: skip
    return Parts(findings=tuple(findings), tables=(table,))


def _path(fit: _Fitted) -> Parts:
    path = fit.model.path()
    svg = draw_svg("path", lambda ax: path.plot(ax, highlight=fit.focus), size=(6.4, 3.6))
    words = (
        f"Coefficients as the weight alpha grows: least squares on changed inputs at the right, pure instrument at "
        f"the left. {fit.name} is in colour; vertical lines are the choices of the three rules."
    )
    return Parts(figures=(Figure.of("path", "The path over alpha", words, f"{words} {path}.", svg),))


# -- checks ------------------------------------------------------------------------------------


def _invariance(fit: _Fitted) -> Parts:
    study, table, seed = fit.study, fit.table, integer_seed(fit.study.seed, "invariance")
    if study.checks.known is not None:
        f = np.array([study.checks.known.get(name, 0.0) for name in table.names])
        report = invariance_report(f, fit.model.augment, table.X, seed=seed)
        words = _named(report.words, "the known function")
        verdict: Verdict = report.verdict
        blind = "Whether the function given is the effect."
    elif study.checks.held_out:
        from sklearn.ensemble import HistGradientBoostingRegressor
        from threadpoolctl import threadpool_limits

        order = generator(study.seed, "held-out-half").permutation(len(table.y))
        half = len(order) // 2
        learner = HistGradientBoostingRegressor(
            max_iter=100, random_state=integer_seed(study.seed, "boosting")
        )
        with threadpool_limits(limits=1):
            learner.fit(table.X[order[:half]], table.y[order[:half]])
        report = invariance_report(learner, fit.model.augment, table.X[order[half:]], seed=seed)
        words = f"{_named(report.words, 'a boosted model of the other half of the rows')} "
        words += "That model carries the confounding, so it cannot acquit or convict."
        verdict = "informs"
        blind = (
            "Whether the outcome itself would change: no table can, since the changes were never made in it."
        )
    else:
        return Parts()
    check = Check(
        name="invariance", title="Invariance of the outcome", verdict=verdict, words=words, cannot_show=blind,
        null="The changes named leave the outcome alone.", statistic="change over standard deviation",
        value=float(report.share) if np.isfinite(report.share) else None,
    )  # fmt: skip
    return Parts(checks=(check,))


def _named(words: str, function: str) -> str:
    """The words of an invariance report with the function called by its name."""
    return words.replace("changes f", f"changes {function}").replace("change f", f"change {function}")


def _curve(fit: _Fitted, coefficients: np.ndarray, alpha: float, sizes: Any = None) -> ViolationCurve:
    contrast = np.zeros(len(fit.table.names))
    contrast[fit.focus] = 1.0
    model = fit.model
    return violation_curve(
        model.moments_,
        model.jacobian_,
        model.parameter_covariance_,
        coefficients,
        alpha,
        contrast,
        sizes=sizes,
    )


def _violation(fit: _Fitted) -> Parts:
    curve = _curve(fit, fit.model.coef_, fit.model.alpha_)
    plain = _curve(fit, fit.model.alternatives_["DA+ERM"], float("inf"), curve.sizes)
    share = curve.breakdown / curve.spread
    limit = fit.study.checks.violation
    verdict: Verdict = "passes" if share >= limit else "warns"
    words = curve.words
    words += (
        f" DA+ERM would need {plain.breakdown / plain.spread:.2g}." if np.isfinite(plain.breakdown) else ""
    )
    check = Check(
        name="violation", title="Violation of the invariance", verdict=verdict, words=words,
        null=f"Changes of the outcome below {limit:g} of its standard deviation do not turn the sign.",
        statistic="violation that brings the estimate to zero, in sd of the outcome",
        value=float(share) if np.isfinite(share) else None,
        cannot_show="Whether the changes do move the outcome, and violations that differ between rows.",
    )  # fmt: skip

    def draw(ax: Any) -> None:
        curve.plot(ax, unit=fit.unit, label="IV-like")
        plain.plot(ax, unit=fit.unit, colour="orange", label="DA+ERM")
        ax.legend(loc="upper left")

    caption = (
        "If the changes named did move the outcome unnoticed, estimates could lie anywhere in the shading."
    )
    figure = Figure.of(
        "violation", "How the estimate moves as the invariance is violated", caption, f"{caption} {words}",
        draw_svg("violation", draw, size=(6.4, 3.6)),
    )  # fmt: skip
    keep = curve.sizes[:: max(1, len(curve.sizes) // 8)]
    thin = _curve(fit, fit.model.coef_, fit.model.alpha_, keep)
    rows = tuple(
        (100 * float(size) / curve.spread, float(low), float(high))
        for size, low, high in zip(thin.sizes, thin.low, thin.high, strict=True)
    )
    table = Table(
        name="violation", title="Range of the effect under a violation", rows=rows,
        columns=("change of the outcome, % of its sd", "low", "high"),
    )  # fmt: skip
    return Parts(checks=(check,), figures=(figure,), tables=(table,))


def _relevance(fit: _Fitted) -> Parts:
    model, j = fit.model, fit.focus
    share = float(model.first_stage_[j])
    directions = int(
        np.linalg.matrix_rank(model.jacobian_, tol=1e-8 * max(np.abs(model.jacobian_).max(), 1e-300))
    )
    noise = model.n_parameters_ / len(fit.table.y)
    verdict: Verdict = "warns" if share < 2 * noise else "passes"
    words = (
        f"The changes explain {share:.1%} of the variation of {fit.name} after them (chance alone {noise:.1%}) and "
        f"move {directions} of {len(fit.table.names)} directions"
    )
    words += "." if directions == len(fit.table.names) else "; in the others confounding stays as it is."
    check = Check(
        name="relevance", title="Reach of the changes", verdict=verdict, words=words,
        null="The changes move the input.", statistic="share of variation explained", value=share,
        cannot_show="Whether confounding lies in the directions that are moved.",
    )  # fmt: skip
    return Parts(checks=(check,))


def _agreement(fit: _Fitted) -> Parts:
    rules = [name for name in ("IVL-CC", "IVL-CV", "IVL-LCV") if name in fit.model.alternatives_]
    values = [float(fit.model.alternatives_[name][fit.focus]) for name in rules]
    low, high, _ = fit.interval(fit.draws["chosen"][:, fit.focus])
    outside = [name for name, value in zip(rules, values, strict=True) if not low <= value <= high]
    listed = ", ".join(f"{name} {format_number(value)}" for name, value in zip(rules, values, strict=True))
    words = f"The rules for alpha give {listed}" + (
        "; all lie within the interval." if not outside else f"; outside the interval: {', '.join(outside)}."
    )
    check = Check(
        name="selectors", title="Rules for the weight", verdict="warns" if outside else "passes", words=words,
        null="Every rule for alpha leads to the same effect.", statistic="range of the effect over rules",
        value=max(values) - min(values), cannot_show="Which rule is right: each rests on a guess of its own.",
    )  # fmt: skip
    return Parts(checks=(check,))


def _sentence(fit: _Fitted, finding: Finding, verdict: str) -> str:
    roles = fit.study.roles
    unit = f" {roles.outcome_unit}" if roles.outcome_unit else ""
    size = finding.estimate_words().removeprefix("-")
    verb = "higher" if finding.estimate >= 0 else "lower"
    plain = float(fit.model.alternatives_["ERM"][fit.focus])
    text = (
        f"If {fit.name} were set one unit higher, {fit.study.outcome_words} would be {size}{unit} {verb} "
        f"({finding.interval_words()}); plain least squares says {format_number(plain)}"
    )
    undecided = finding.low is not None and finding.high is not None and finding.low <= 0 <= finding.high
    text += ". The data do not settle the direction." if undecided else "."
    if verdict == "not credible":
        return f"The changes named do not leave the outcome alone. Taken at face value: {text[0].lower()}{text[1:]}"
    return text
