"""Survey mode effects: what holding the mode fixed removes, what it opens, and what bias analysis needs instead.

Tomova, Silverwood, Tennant and Wright (arXiv 2510.00900, 2025) argue with graphs and print no figures; a later
simulation study of the same group (Survey Futures Working Paper 19, 2026) reports reversed signs, selection that
amplifies bias, and the largest bias at an even split. Only abstract and summaries were read: the paper's side of each
claim is its words. The worlds, closed forms and numbers are ours; the polls before the referendum of 2016 are real.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from suppose.core.answer import Claim, Figure, Table
from suppose.core.figures import PALETTE, draw_svg
from suppose.core.progress import progress
from suppose.core.random import generator, integer_seed
from suppose.datasets import load_brexit_polls
from suppose.effects.mode import ModeEffectAnalysis, calibrate, mode_contrast, mode_verdict
from suppose.graphs import DAG
from suppose.reproductions import Evidence
from suppose.worlds.survey import SCENARIOS, Scenario, closed_form, simulate

__all__ = [
    "PAPER",
    "TITLE",
    "believed_slopes",
    "grid_gaps",
    "measure",
    "slope",
    "split_slopes",
    "verdict_biases",
]

TITLE = "Survey mode effects"
PAPER = "Tomova, Silverwood, Tennant and Wright, arXiv 2510.00900 (2025)"
SIZES = {"cpu": (60_000, 4, 100), "gpu": (200_000, 20, 200)}
STRONG = {"beta": 0.3, "a_x": 1.0, "a_y": 1.0, "delta_x": 0.5, "delta_y": 0.5}
SHARES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
FAR = 4.0  # standard errors of simulation: what agrees with a closed form lies within, a bias beyond


def measure(scale: str, seed: int) -> Evidence:
    """Closed forms and verdicts against simulated surveys, ways of dealing with the mode, the split, and real polls."""
    n, sets, surveys = SIZES[scale]
    gaps = grid_gaps(n, sets, seed)
    biases = verdict_biases(n, seed)
    split = split_slopes(n, seed)
    found = believed_slopes(surveys, 2000, seed)
    claims = (
        *_conditioning_claims(n, seed), _belief_claim(found), _verdict_claim(biases), *_follow_up_claims(split),
        _closed_form_claim(gaps, n), *poll_claims(),
    )  # fmt: skip
    return Evidence(
        claims=claims,
        tables=(_verdict_table(biases),),
        figures=(_split_figure(split),),
        notes=(
            "The paper prints no figures and uses no data; no number of it is quoted.",
            "The follow-up study is known to us by its summary alone.",
        ),
    )


# -- measuring ---------------------------------------------------------------------------------------


def slope(frame: Any, given: tuple[str, ...]) -> tuple[float, float]:
    """Slope of Y* on X* beside ``given`` in least squares, and its sandwich standard error."""
    X = np.column_stack([frame["X*"], np.ones(len(frame)), *(frame[name] for name in given)])
    y = frame["Y*"].to_numpy()
    inverse = np.linalg.inv(X.T @ X)
    coefficients = inverse @ (X.T @ y)
    scores = X * (y - X @ coefficients)[:, None]
    return float(coefficients[0]), float(np.sqrt((inverse @ (scores.T @ scores) @ inverse)[0, 0]))


def _drawn(scenario: Scenario, random: np.random.Generator) -> dict[str, float]:
    """A parameter set: strengths and shifts within one, effects within a half, noise, and any split from 10 to 90%."""
    world = {name: float(random.uniform(-1, 1)) for name in scenario.parameters}
    common = {"beta": (-0.5, 0.5), "share": (0.1, 0.9), "noise_x": (0, 0.6), "noise_y": (0, 0.6)}
    return world | {name: float(random.uniform(*ends)) for name, ends in common.items()}


def grid_gaps(n: int, sets: int, seed: int) -> Float[np.ndarray, " g"]:
    """Simulated minus closed-form slopes in standard errors: every scenario and given set, ``sets`` parameter sets."""
    gaps = []
    with progress("simulating scenarios", len(SCENARIOS) * sets) as bar:
        for name, scenario in SCENARIOS.items():
            random = generator(seed, "mode grid", name)
            for k in range(sets):
                world = _drawn(scenario, random)
                frame = simulate(name, n, seed=integer_seed(seed, "mode grid", name, k), **world).frame
                for given in scenario.sets:
                    estimate, error = slope(frame, given)
                    gaps.append((estimate - closed_form(name, given, **world)) / error)
                bar.advance()
    return np.array(gaps)


def verdict_biases(n: int, seed: int) -> list[tuple[str, str, float, str, float, float, bool]]:
    """(scenario, given, effect, verdict of the graph, simulated bias, its standard error, whether they agree)."""
    rows = []
    for name, scenario in SCENARIOS.items():
        dag = DAG.parse(scenario.text)
        for beta in (0.0, 0.3):
            frame = simulate(
                name, n, seed=integer_seed(seed, "mode verdicts", name, str(beta)), beta=beta
            ).frame
            for given in scenario.sets:
                verdict = mode_verdict(dag, "X", "Y", given).verdict
                estimate, error = slope(frame, given)
                unbiased = verdict == "safe" or (verdict == "null-safe" and beta == 0)
                agrees = (abs(estimate - beta) <= FAR * error) is unbiased
                rows.append(
                    (name, ", ".join(given) or "nothing", beta, verdict, estimate - beta, error, agrees)
                )
    return rows


def split_slopes(n: int, seed: int) -> list[tuple[float, float, float, float, float, float, float]]:
    """(share, naive, its error, given M, its error, naive in closed form, given M in closed form)."""
    rows = []
    for k, share in enumerate(SHARES):
        world = STRONG | {"share": share}
        frame = simulate("S5", n, seed=integer_seed(seed, "mode split", k), **world).frame
        rows.append((share, *slope(frame, ()), *slope(frame, ("M",)), closed_form("S5", (), **world),
                     closed_form("S5", ("M",), **world)))  # fmt: skip
    return rows


def believed_slopes(surveys: int, n: int, seed: int, *, drawn: bool = False) -> Float[np.ndarray, "s 3"]:
    """Median, low and high of bias analyses with shifts believed normal(0.5, 0.1), over surveys of ``n`` rows.

    The true shifts are 0.5 each; with ``drawn`` they are drawn from the belief, survey by survey.
    """
    found = np.empty((surveys, 3))
    beliefs = {"exposure": "normal(0.5, 0.1)", "outcome": "normal(0.5, 0.1)"}
    with progress("analysing surveys", surveys) as bar:
        for k in range(surveys):
            world = dict(STRONG)
            if drawn:
                shifts = generator(seed, "true shifts", k).normal(0.5, 0.1, 2)
                world |= {"delta_x": float(shifts[0]), "delta_y": float(shifts[1])}
            frame = simulate("S5", n, seed=integer_seed(seed, "believed", k), **world).frame
            model = ModeEffectAnalysis(exposure="X*", mode="M", imputations=0, seed=k)
            bias = model.fit(frame[["X*", "M"]], frame["Y*"]).bias_analysis(beliefs, draws=2000)
            found[k] = bias.median, bias.low, bias.high
            bar.advance()
    return found


# -- claims ------------------------------------------------------------------------------------------


def _ways(n: int, seed: int, scenario: str) -> ModeEffectAnalysis:
    frame = simulate(scenario, n, seed=integer_seed(seed, "mode ways", scenario), beta=0.3).frame
    model = ModeEffectAnalysis(exposure="X*", mode="M", imputations=5, seed=seed)
    return model.fit(frame[["X*", "M"]], frame["Y*"])


def _within(estimate: Any, truth: float) -> bool:
    return bool(abs(estimate.estimate - truth) <= FAR * estimate.standard_error)


def _conditioning_claims(n: int, seed: int) -> tuple[Claim, ...]:
    chance, chosen = _ways(n, seed, "S3"), _ways(n, seed, "S5")
    held, out = chance.conditional_, chance.naive_
    collider, imputed = chosen.conditional_, chosen.imputed_
    gap = imputed.estimate - collider.estimate
    return (
        Claim(
            id="removes", statement="Holding the mode fixed removes mode effects where nothing selects the mode",
            paper="removes it (no figure)",
            measured=f"{held.estimate:.3f} (truth 0.3), {out.estimate:.3f} with the mode left out",
            holds=_within(held, 0.3) and not _within(out, 0.3),
        ),
        Claim(
            id="opens", statement="Holding the mode fixed opens a collider path where both answers select the mode",
            paper="opens it (no figure)",
            measured=f"{collider.estimate:.3f} (truth 0.3)", holds=not _within(collider, 0.3),
        ),
        Claim(
            id="imputation", statement="Imputing the other mode's answers does the same as holding the mode fixed",
            paper="the same bias (no figure)", measured=f"{imputed.estimate:.3f} against {collider.estimate:.3f}",
            holds=abs(gap) <= FAR * float(np.hypot(imputed.standard_error, collider.standard_error)),
        ),
    )  # fmt: skip


def _belief_claim(found: Float[np.ndarray, "s 3"]) -> Claim:
    held = float(np.mean((found[:, 1] <= 0.3) & (found[:, 2] >= 0.3)))
    mean = float(found[:, 0].mean())
    return Claim(
        id="bias-analysis", statement="Bias analysis brings the truth back without holding the mode fixed",
        paper="needs no conditioning (no figure)", holds=abs(mean - 0.3) <= 0.01 and held >= 0.93,
        measured=f"mean of medians {mean:.3f} (truth 0.3), intervals hold it in {held:.1%} of {len(found)} surveys",
    )  # fmt: skip


def _verdict_claim(biases: list[Any]) -> Claim:
    agree = sum(row[-1] for row in biases)
    return Claim(
        id="verdicts", statement="What the graph says of a set agrees with the simulated bias, in every scenario",
        paper="read off graphs (no figure)", measured=f"{agree} of {len(biases)} sets", holds=agree == len(biases),
    )  # fmt: skip


def _follow_up_claims(split: list[Any]) -> tuple[Claim, ...]:
    at = {row[0]: row for row in split}
    worst_out = max(split, key=lambda row: abs(row[1] - 0.3))[0]
    worst_held = max(split, key=lambda row: abs(row[3] - 0.3))[0]
    plain = closed_form("S5", (), **(STRONG | {"a_x": 0.0, "a_y": 0.0}))
    even = at[0.5]
    return (
        Claim(
            id="sign", statement="Strong selection turns the sign once the mode is held fixed",
            paper="turned (follow-up, no figure)",
            measured=f"{even[3]:.3f} (standard error {even[4]:.3f}); closed form {even[6]:.3f}",
            holds=even[3] + 2 * even[4] < 0,
        ),
        Claim(
            id="amplifies", statement="Selection amplifies the bias of leaving the mode out",
            paper="amplified (follow-up, no figure)",
            measured=f"bias {even[1] - 0.3:.3f} with selection, {plain - 0.3:.3f} without",
            holds=abs(even[1] - 0.3) > abs(plain - 0.3) + FAR * even[2],
        ),
        Claim(
            id="even-split", statement="The bias is largest at an even split",
            paper="an even split (follow-up, no figure)",
            measured=f"largest at a share of {worst_out:g} (mode left out) and {worst_held:g} (held fixed)",
            holds=worst_out == worst_held == 0.5,
        ),
    )  # fmt: skip


def _closed_form_claim(gaps: Float[np.ndarray, " g"], n: int) -> Claim:
    worst = float(np.abs(gaps).max())
    return Claim(
        id="closed-forms", statement="Simulated slopes are those of our closed forms", paper="not in the paper",
        measured=f"largest of {len(gaps)} gaps {worst:.2f} standard errors ({n:,} rows)", holds=worst <= FAR,
    )  # fmt: skip


def poll_claims() -> tuple[Claim, ...]:
    """The contrast of modes in the polls, and what calibrating it to the vote takes."""
    polls = load_brexit_polls()
    spread, mode = polls["spread"].to_numpy(float), polls["poll_type"].to_numpy(object).astype(str)
    (contrast,) = mode_contrast(spread, mode, "Online", robust=False)
    found = calibrate(spread, mode, total=-0.038)
    means = [float(found.adjusted[mode == name].mean()) for name in ("Online", "Telephone")]
    shifts = found.shifts
    return (
        Claim(
            id="polls", statement="Polls before the referendum: remain minus leave by telephone minus online",
            paper="not in the paper",
            measured=f"{contrast.difference:+.4f} ({contrast.standard_error:.4f})",
            holds=(round(contrast.difference, 4), round(contrast.standard_error, 4)) == (0.0746, 0.0089),
        ),
        Claim(
            id="vote", statement="Calibrated to the vote, both modes' means are the vote's", paper="-0.038 (the vote)",
            measured=f"{means[0]:.3f} and {means[1]:.3f}, taking back {shifts['Online']:+.4f} online and "
            f"{shifts['Telephone']:+.4f} by telephone", holds=max(abs(m + 0.038) for m in means) < 1e-12,
        ),
    )  # fmt: skip


# -- showing -----------------------------------------------------------------------------------------


def _verdict_table(biases: list[Any]) -> Table:
    columns = ("scenario", "held fixed", "effect", "verdict", "simulated bias", "standard error", "agree")
    rows = tuple((*row[:4], round(row[4], 4), round(row[5], 4), row[6]) for row in biases)
    note = "; ".join(f"{scenario.id}: {scenario.words}" for scenario in SCENARIOS.values())
    return Table(
        name="verdicts", title="Verdicts and simulated biases", columns=columns, rows=rows, note=f"{note}."
    )


def _closed(shares: Any, given: tuple[str, ...]) -> list[float]:
    return [closed_form("S5", given, **(STRONG | {"share": float(share)})) for share in shares]


def _split_figure(split: list[Any]) -> Figure:
    share = np.linspace(0.02, 0.98, 97)
    lines = {
        "mode left out": (PALETTE["orange"], 1, _closed(share, ())),
        "mode held fixed": (PALETTE["purple"], 3, _closed(share, ("M",))),
    }

    def draw(ax: Any) -> None:
        for label, (colour, column, values) in lines.items():
            ax.plot(share, values, color=colour, linewidth=2, label=label)
            ax.plot(
                [row[0] for row in split], [row[column] for row in split], "o", color=colour, markersize=5
            )
        ax.axhline(0.3, color=PALETTE["blue"], linewidth=2, label="truth")
        ax.axhline(0, color=PALETTE["rule"], linewidth=1)
        ax.set(xlabel="share answering in the other mode", ylabel="slope", xlim=(0, 1))
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=3)

    even = next(row for row in split if row[0] == 0.5)
    words = (
        f"Truth 0.3; at an even split {even[1]:.2f} with the mode left out, {even[3]:.2f} with it held fixed."
    )
    return Figure.of(
        "split", "Bias against the mode split",
        f"Scenario S5: both answers select the mode and are moved by it. Lines: closed forms; dots: simulated. {words}",
        f"Two curves that leave the truth most at an even split. {words}", draw_svg("split", draw, (6.2, 4.0)),
    )  # fmt: skip
