"""Headline claims of papers, re-run: what the paper reports, what we measured, whether it holds.

One module per paper, named by its slug. A module has ``TITLE``, ``PAPER``, and
``measure(scale, seed) -> Evidence``. Claims that do not hold are findings, and are printed as such.
"""

from __future__ import annotations

import importlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suppose.core.answer import Answer, Check, Claim, Figure, Finding, Provenance, Table
from suppose.core.errors import StudyError, nearest
from suppose.core.random import check_seed

__all__ = ["REPRODUCTIONS", "SCALES", "Evidence", "Reproduction", "reproduce"]

REPRODUCTIONS = {
    "lalonde": "suppose.reproductions.lalonde",
    "panel-dml": "suppose.reproductions.panel_dml",
    "transtee": "suppose.reproductions.transtee",
    "ivl-augmentation": "suppose.reproductions.ivl_augmentation",
    "flexible-survival": "suppose.reproductions.flexible_survival",
    "string-diagrams": "suppose.reproductions.string_diagrams",
    "mode-effects": "suppose.reproductions.mode_effects",
    "onelife": "suppose.reproductions.onelife",
}
SCALES = ("cpu", "gpu")


@dataclass(frozen=True)
class Evidence:
    """What a reproduction measured."""

    claims: tuple[Claim, ...]
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reproduction:
    """A paper's claims beside ours, and what it took."""

    slug: str
    title: str
    paper: str
    scale: str
    seed: int
    seconds: float
    claims: tuple[Claim, ...]

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON-ready data."""
        return {
            "slug": self.slug,
            "paper": self.paper,
            "scale": self.scale,
            "seed": self.seed,
            "seconds": self.seconds,
            "claims": [claim.model_dump(mode="json") for claim in self.claims],
        }


def reproduce(slug: str, *, scale: str = "cpu", seed: int = 1, out: str | Path | None = None) -> Reproduction:
    """Re-run a paper's headline claims.

    Parameters
    ----------
    slug : str
        One of :data:`REPRODUCTIONS`.
    scale : {"cpu", "gpu"}
        Minutes on two cores, or the paper's own size.
    seed : int
        Seed of everything random.
    out : path, optional
        Folder for ``claims.json`` and ``report.html``.

    Raises
    ------
    StudyError
        For an unknown slug or scale.
    """
    if slug not in REPRODUCTIONS:
        raise StudyError(
            "unknown-reproduction",
            f"there is no reproduction {slug!r}; there are: {', '.join(REPRODUCTIONS)}",
            where="reproduce",
            remedy=nearest(slug, REPRODUCTIONS) or "Run suppose list.",
        )
    if scale not in SCALES:
        raise StudyError(
            "unknown-scale",
            f"expected cpu or gpu, got {scale!r}",
            where="--scale",
            remedy="Leave it out for cpu.",
        )
    module = importlib.import_module(REPRODUCTIONS[slug])
    clock = time.perf_counter()
    evidence: Evidence = module.measure(scale, check_seed(seed))
    seconds = round(time.perf_counter() - clock, 3)
    result = Reproduction(slug, module.TITLE, module.PAPER, scale, seed, seconds, evidence.claims)
    if out is not None:
        _write(result, evidence, Path(out))
    return result


def _write(result: Reproduction, evidence: Evidence, folder: Path) -> None:
    from suppose.core.run import write_atomic
    from suppose.report import write

    write_atomic(folder / "claims.json", json.dumps(result.to_dict(), indent=1, ensure_ascii=False) + "\n")
    write(_as_answer(result, evidence), folder)


def _as_answer(result: Reproduction, evidence: Evidence) -> Answer:
    """The claims in the form every report has."""
    held = [claim for claim in result.claims if claim.holds]
    broken = [claim for claim in result.claims if claim.holds is False]
    checks = tuple(
        Check(
            name=claim.id,
            title=claim.statement,
            null=f"The paper reports {claim.paper}.",
            cannot_show="",
            verdict="passes" if claim.holds else "informs" if claim.holds is None else "fails",
            words=f"Paper: {claim.paper}. Measured: {claim.measured}. "
            + ("Holds." if claim.holds else "Not measured." if claim.holds is None else "Does not hold."),
        )
        for claim in result.claims
    )
    rows = tuple((claim.statement, claim.paper, claim.measured, claim.holds) for claim in result.claims)
    table = Table(name="claims", title="Claims", columns=("claim", "paper", "measured", "holds"), rows=rows)
    return Answer(
        question="reproduction",
        title=f"{result.title}: {result.paper}",
        sentence=f"{len(held)} of {len(result.claims)} claims hold at scale {result.scale!r}.",
        credibility="not credible" if broken else "credible",
        credibility_words="; ".join(f"does not hold: {claim.statement}" for claim in broken)
        or "Every claim holds.",
        findings=(
            Finding(name="claims", label="Claims that hold", estimate=float(len(held)), headline=True),
        ),
        checks=checks,
        tables=(table, *evidence.tables),
        figures=evidence.figures,
        notes=evidence.notes,
        provenance=Provenance(suppose="", python="", packages={}, seed=result.seed, study=""),
    )
