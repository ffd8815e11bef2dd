"""What an answer will take, said before the work starts: memory at its peak, and how many fits.

The memory is what the process holds by then (measured) and what the method will add (estimated by the
method's room). It is a plan, not a limit: shared libraries and allocators move it by some tens of percent.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from suppose.core.errors import StudyError
from suppose.core.tables import available_memory

__all__ = ["Cost", "peak_memory", "refuse_too_large", "resident_memory"]

WORTH_SAYING = 1_000_000_000  # bytes on top of what the process holds; smaller runs are not announced
MANY_ROW_FITS = 20_000_000  # rows times fits from which a run takes minutes


def resident_memory() -> int:
    """Bytes of memory this process holds now (its peak so far where the system does not say)."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return peak_memory() or 0
    import resource

    return pages * resource.getpagesize()


def peak_memory() -> int | None:
    """Most bytes of memory this process held so far; ``None`` where the system does not say."""
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


@dataclass(frozen=True)
class Cost:
    """What an answer will take.

    Attributes
    ----------
    memory : int
        Bytes at the peak, what the process holds already included.
    fits : int
        Learners to be fitted.
    rows : int
        Rows of the table.
    held : int
        Bytes of ``memory`` the process held before, which no answer is to be blamed for.

    Examples
    --------
    >>> print(Cost(memory=2_600_000_000, fits=312, rows=1_000_000))
    Needs about 2.6 GB of memory; fits 312 learners to a table of 1,000,000 rows.
    >>> Cost(memory=200_000_000, fits=40, rows=445).worth_saying
    False
    """

    memory: int
    fits: int
    rows: int
    held: int = 0

    @property
    def worth_saying(self) -> bool:
        """Whether a user should hear of it before the work starts."""
        return self.memory - self.held >= WORTH_SAYING or self.fits * self.rows >= MANY_ROW_FITS

    def __str__(self) -> str:
        return (
            f"Needs about {self.memory / 1e9:.1f} GB of memory; fits {self.fits:,} learners to a table of "
            f"{self.rows:,} rows."
        )


def refuse_too_large(cost: Cost) -> None:
    """Refuse work that this machine's free memory cannot hold.

    Raises
    ------
    StudyError
        ``not-enough-memory``, with both numbers.
    """
    free = available_memory()
    need = cost.memory - resident_memory()
    if free is not None and need > free:
        raise StudyError(
            "not-enough-memory",
            f"answering it needs about {cost.memory / 1e9:.1f} GB, this machine has {free / 1e9:.1f} GB free",
            where="study",
            remedy="Use fewer rows or covariates, run.jobs = 1, or a lighter learner ('linear', 'boosting').",
        )
