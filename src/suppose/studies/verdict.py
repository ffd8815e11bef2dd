"""The verdict over all checks of an answer: a rule, not a judgement.

Any failed check makes an answer *not credible*, any warning *doubtful*. Checks that only inform do not
count. No verdict can see what no check looks at; what each check cannot show is said beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

from suppose.core.answer import Check, Credibility

__all__ = ["credibility", "listed"]


def credibility(checks: Sequence[Check]) -> tuple[Credibility, str]:
    """Verdict over all checks, and the reason in words.

    Examples
    --------
    >>> check = Check(name="overlap", title="Overlap", null="", verdict="warns", words="", cannot_show="")
    >>> credibility([check])
    ('doubtful', 'Read with care: overlap gave a warning.')
    """
    failed = [_lower(check.title) for check in checks if check.verdict == "fails"]
    warned = [_lower(check.title) for check in checks if check.verdict == "warns"]
    if failed:
        return "not credible", f"This comparison does not stand as an effect: {listed(failed)} failed."
    if warned:
        return "doubtful", f"Read with care: {listed(warned)} gave a warning."
    if not checks:
        return "not judged", "No check was made."
    return "credible", "No check found a fault; what the checks cannot show is said beside each."


def _lower(title: str) -> str:
    """A title inside a sentence: its first letter small, abbreviations and names of columns as they are."""
    return title if title[:2].isupper() else title[:1].lower() + title[1:]


def listed(words: Sequence[str]) -> str:
    """Words in a row: ``"a, b and c"``.

    Examples
    --------
    >>> listed(["balance", "overlap"])
    'balance and overlap'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
