"""What the page on survey mode effects claims, measured at full size.

Run ``python -m benchmarks.mode_effects`` (about two minutes): writes ``docs/tables/mode_effects_claims.csv``
(statement, what is asked, what was measured, whether it holds), ``mode_effects_split.csv`` and
``mode_effects_coverage.csv`` (each way where it is right; inside: within ``3 sqrt(0.95 * 0.05 / R)`` of 95%). The slow
tests in ``tests/effects/mode/test_statements.py`` assert the same.
"""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import numpy as np

from suppose.core.random import generator, integer_seed
from suppose.effects.mode import ModeEffectAnalysis
from suppose.reproductions.mode_effects import (
    believed_slopes,
    grid_gaps,
    poll_claims,
    slope,
    split_slopes,
    verdict_biases,
)
from suppose.worlds.survey import closed_form, simulate

TABLES = Path(__file__).parent.parent / "docs" / "tables"
STRONG = {"beta": 0.3, "a_x": 1.0, "a_y": 1.0, "delta_x": 0.5, "delta_y": 0.5}
PRINTED = {
    0.05: (0.212, 0.355),
    0.1: (0.157, 0.390),
    0.2: (0.078, 0.436),
    0.3: (0.025, 0.463),
    0.5: (-0.017, 0.482),
}
Row = tuple[str, str, str, bool]


def statement_1(n: int = 200_000, sets: int = 20, seed: int = 1) -> list[Row]:
    """Simulated slopes against closed forms, all scenarios and parameter sets, and how long it takes."""
    processor = time.process_time()
    gaps = grid_gaps(n, sets, seed)
    busy = time.process_time() - processor
    worst = float(np.abs(gaps).max())
    return [
        ("1. Simulated against closed-form slopes, 12 scenarios, 20 parameter sets, 200,000 rows",
         "within 4 standard errors",
         f"largest of {len(gaps)}: {worst:.2f}; root mean square {np.sqrt((gaps**2).mean()):.2f}",
         worst <= 4.0),
        ("1. Time of the whole table, one core", "below 60 s", f"{busy:.0f} s of processor time",
         busy < 60),
    ]  # fmt: skip


def random_queries(queries: int, seed: int) -> int:
    """How many of random questions of d-separation get the answer networkx gives; graphs of 3 to 12 nodes."""
    import networkx as nx

    from suppose.graphs import DAG, d_separated

    agree = 0
    random = generator(seed, "d-separation")
    for _ in range(queries):
        size = int(random.integers(3, 13))
        names = [f"v{k}" for k in range(size)]
        upper = np.triu(random.random((size, size)) < random.uniform(0.1, 0.6), 1)
        edges = [(names[i], names[j]) for i, j in np.argwhere(upper).tolist()]
        other = nx.DiGraph()
        other.add_nodes_from(names)
        other.add_edges_from(edges)
        order = random.permutation(names).tolist()
        given = order[2 : 2 + int(random.integers(0, size - 1))]
        ours = d_separated(DAG.from_edges(edges, nodes=names), order[0], order[1], given)
        agree += ours == nx.is_d_separator(other, {order[0]}, {order[1]}, set(given))
    return agree


def statement_2(n: int = 200_000, queries: int = 2000, seed: int = 1) -> list[Row]:
    """Verdicts against simulated biases, and d-separation against networkx."""
    rows = verdict_biases(n, seed)
    agree = sum(row[-1] for row in rows)
    same = random_queries(queries, seed)
    return [
        ("2. Verdict of the graph agrees with the simulated bias, effects 0 and 0.3, every scenario", "all",
         f"{agree} of {len(rows)} sets", agree == len(rows)),
        ("2. d-separation agrees with networkx, random graphs of up to 12 nodes", "2,000 of 2,000",
         f"{same:,} of {queries:,}", same == queries),
    ]  # fmt: skip


def statement_3(n: int = 200_000, surveys: int = 200, seed: int = 1) -> list[Row]:
    """Sign reversal at full size, and the centre and coverage of bias analysis."""
    frame = simulate("S5", n, seed=seed, **STRONG).frame
    (out, _), (held, error) = slope(frame, ()), slope(frame, ("M",))
    fixed, drawn = believed_slopes(surveys, 2000, seed), believed_slopes(2 * surveys, 2000, seed, drawn=True)
    centre = float(fixed[:, 0].mean())
    covers, calibrated = (
        float(np.mean((found[:, 1] <= 0.3) & (found[:, 2] >= 0.3))) for found in (fixed, drawn)
    )
    bound = 3 * np.sqrt(0.95 * 0.05 / (2 * surveys))
    return [
        ("3. Slope given the mode, 200,000 rows", "at most 0", f"{held:.4f} (standard error {error:.4f})", held <= 0),
        ("3. Slope with the mode left out", "at least 0.45", f"{out:.4f}", out >= 0.45),
        ("3. Bias analysis, beliefs normal(0.5, 0.1), 200 surveys of 2,000 rows: mean of medians", "0.29 to 0.31",
         f"{centre:.4f}", abs(centre - 0.3) <= 0.01),
        ("3. The same: 95% intervals hold 0.3", "at least 93%", f"{covers:.1%}", covers >= 0.93),
        ("3. True shifts drawn from the belief, 400 surveys: 95% intervals hold 0.3", f"95% within {bound:.1%}",
         f"{calibrated:.1%}", abs(calibrated - 0.95) <= bound),
    ]  # fmt: skip


def statement_4(n: int = 200_000, seed: int = 1) -> tuple[list[Row], list[Any]]:
    """Slopes over the split: closed forms against the printed ones, simulation against both, the peak."""
    rows = split_slopes(n, seed)
    asked = [
        (closed_form("S5", given, share=p, **STRONG), figure)
        for share, figures in PRINTED.items()
        for p in (share, 1 - share)
        for given, figure in zip((("M",), ()), figures, strict=True)
    ]  # fmt: skip
    off = [(found, figure) for found, figure in asked if f"{found:.3f}" != f"{figure:.3f}"]
    words = f"{len(asked) - len(off)} of {len(asked)}" + "".join(
        f"; {a:.5f} where {b:g} is asked" for a, b in off[:1]
    )
    gap = max(max(abs(r[1] - r[5]) / r[2], abs(r[3] - r[6]) / r[4]) for r in rows)
    peaks = [rows[int(np.argmax([abs(row[column] - 0.3) for row in rows]))][0] for column in (1, 3)]
    return [
        ("4. Closed forms at shares 0.05 to 0.95 against the figures asked for", "equal to 3 decimals",
         words, not off),
        ("4. Simulated against closed forms, nine shares", "within 4 standard errors", f"largest {gap:.2f}", gap <= 4),
        ("4. Share with the largest bias, mode left out; held fixed", "0.5; 0.5", f"{peaks[0]:g}; {peaks[1]:g}",
         peaks == [0.5, 0.5]),
    ], rows  # fmt: skip


def statement_5(seed: int = 1) -> list[Row]:
    """The polls: contrast, standard error, time trend, and calibration to the vote."""
    from suppose.studies.survey import Survey

    study = Survey.from_dict(
        {
            "question": "survey", "data": {"shipped": "brexit-polls", "types": {"enddate": "date"}},
            "roles": {"outcome": "spread", "mode": "poll_type", "covariates": ["enddate"]},
            "calibration": {"total": -0.038}, "run": {"seed": seed},
        }
    )  # fmt: skip
    answer = study.run()
    plain, held = answer.finding("plain:Telephone"), answer.headline
    after = [float(str(row[-1])) for row in answer.table("calibration").rows]
    shifts = [answer.finding(f"shift:{mode}").estimate for mode in ("Online", "Telephone")]
    polls = {claim.id: claim for claim in poll_claims()}
    return [
        ("5. Polls, telephone minus online (standard error, equal variances)", "+0.0746 (0.0089)",
         str(polls["polls"].measured), bool(polls["polls"].holds)),
        ("5. The same with a time trend", "+0.079", f"{held.estimate:+.4f}", round(held.estimate, 3) == 0.079),
        ("5. The study's robust standard error (HC3)", "not asked", f"{plain.standard_error:.4f}", True),
        ("5. Means of both modes once calibrated to the vote; shifts taken back, online and telephone",
         "-0.038, stated", f"{after[0]:.3f}, {after[1]:.3f}; {shifts[0]:+.4f}, {shifts[1]:+.4f}",
         max(abs(a + 0.038) for a in after) < 1e-9),
    ]  # fmt: skip


WAYS = {
    "mode held fixed (S3)": ("S3", "conditional", ()),
    "within modes, pooled (S3)": ("S3", "stratified", ()),
    "other mode imputed, 20 times (S3)": ("S3", "imputed", ()),
    "reference mode weighted by C (S7)": ("S7", "weighted", ("C",)),
    "effect of the mode by the offer (S10)": ("S10", "instrument", ()),
    "difference of means (S3)": ("S3", "contrast", ()),
}


def coverage(surveys: int = 400, n: int = 500, seed: int = 1) -> list[tuple[str, str, str, str]]:
    """Bias and coverage of each way where it is right: slope 0.3, effect of the mode 0.5."""
    rows = []
    bound = 3 * np.sqrt(0.95 * 0.05 / surveys)
    for name, (scenario, way, covariates) in WAYS.items():
        offer = "R" if way == "instrument" else None
        world = {"a_r": 2.0} if offer else {}
        truth = 0.5 if way in ("instrument", "contrast") else 0.3
        found = np.empty((surveys, 3))
        for k in range(surveys):
            frame = simulate(scenario, n, seed=integer_seed(seed, "coverage", name, k), **world).frame
            model = ModeEffectAnalysis(
                "X*",
                "M",
                covariates=covariates,
                instrument=offer,
                imputations=20 if way == "imputed" else 0,
                seed=k,
            ).fit(frame[["X*", "M", *covariates, *([offer] if offer else [])]], frame["Y*"])
            if way == "contrast":
                (c,) = model.contrast_
                found[k] = c.difference, c.low, c.high
            else:
                e = getattr(model, f"{way}_")
                found[k] = e.estimate, e.low, e.high
        held = float(np.mean((found[:, 1] <= truth) & (truth <= found[:, 2])))
        error = found[:, 0].std(ddof=1) / np.sqrt(surveys)
        rows.append((name, f"{found[:, 0].mean() - truth:+.4f} ({error:.4f})", f"{held:.1%}",
                     "yes" if abs(held - 0.95) <= bound else "no"))  # fmt: skip
    return rows


def main(seed: int = 1) -> list[Row]:
    """Measure all statements and write the tables."""
    four, split = statement_4(seed=seed)
    rows = [
        *statement_1(seed=seed),
        *statement_2(seed=seed),
        *statement_3(seed=seed),
        *four,
        *statement_5(seed),
    ]
    with (TABLES / "mode_effects_claims.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("statement", "asked", "measured", "holds"))
        writer.writerows((*row[:3], "yes" if row[3] else "no") for row in rows)
    with (TABLES / "mode_effects_split.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(
            ("share", "left out", "held fixed", "left out, closed form", "held fixed, closed form")
        )
        writer.writerows(
            (f"{r[0]:g}", *(f"{value:.3f}" for value in (r[1], r[3], r[5], r[6]))) for r in split
        )
    with (TABLES / "mode_effects_coverage.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("way", "bias (standard error)", "95% intervals hold the truth", "inside"))
        writer.writerows(coverage(seed=seed))
    return rows


if __name__ == "__main__":
    for statement, asked, measured, holds in main():
        print(f"{'yes' if holds else 'NO':<4} {statement}: {measured} (asked: {asked})")
