"""Text from data and models, made safe to show: nothing invisible, nothing that steers a terminal.

Escaping of markup is the work of the template engine and of the terminal library; this module deals
with what remains: control characters, text direction overrides, file names, and quantities in words.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = [
    "amount_of_bytes",
    "duration",
    "file_stem",
    "moment",
    "one_line",
    "p_words",
    "readable",
    "typeset",
    "visible",
]

# Marks that reorder or hide the text around them (bidirectional controls, zero width, tags, separators).
HIDDEN = (0x061C, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0x2060, 0xFEFF, *range(0x202A, 0x202F))
HIDDEN = (*HIDDEN, *range(0x2066, 0x206A), *range(0xE0000, 0xE0080))

_SHOWN = {
    **{code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"},
    0x7F: "\u2421",
    **{code: f"[U+{code:04X}]" for code in (*range(0x80, 0xA0), *HIDDEN)},
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
}

_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


def visible(text: str) -> str:
    r"""The text with every control character and hidden mark shown instead of obeyed.

    Line feeds and tabs stay; a carriage return before a line feed goes.

    Examples
    --------
    >>> visible("pay\x1b[31m\u202efdp"), visible("a\r\nb")
    ('pay␛[31m[U+202E]fdp', 'a\nb')
    """
    return text.replace("\r\n", "\n").translate(_SHOWN)


def one_line(text: str) -> str:
    r"""The visible text on one line, runs of blanks made one.

    Examples
    --------
    >>> one_line(" two\n lines\t ")
    'two lines'
    """
    return " ".join(visible(text).split())


def typeset(text: str) -> str:
    """The text with the hyphen before a number set as a minus sign.

    Examples
    --------
    >>> typeset("from -8,498 to 12, 2020-01-31, x-1")
    'from −8,498 to 12, 2020-01-31, x-1'
    """
    return re.sub(r"(?<![\w.,)\]-])-(?=[\d.])", "\u2212", text)


def file_stem(name: str, taken: set[str] | None = None) -> str:
    """A file name without suffix that is safe on every system, unlike all ``taken`` (which it joins).

    Examples
    --------
    >>> taken = set()
    >>> file_stem("../Balance: naïve", taken), file_stem("balance-naive", taken), file_stem("nul")
    ('balance-naive', 'balance-naive-2', 'nul-1')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9_]+", "-", plain).strip("-_")[:60].rstrip("-_") or "unnamed"
    if stem in _RESERVED:
        stem += "-1"
    if taken is None:
        return stem
    found, count = stem, 1
    while found in taken:
        count += 1
        found = f"{stem}-{count}"
    taken.add(found)
    return found


def readable(name: str) -> str:
    """A slug as a heading: its hyphens and underscores are blanks; names that have blanks stay.

    Examples
    --------
    >>> readable("no-hidden_confounding"), readable("Well-posed problem")
    ('No hidden confounding', 'Well-posed problem')
    """
    if not re.fullmatch(r"[a-z0-9]+([-_][a-z0-9]+)*", name):
        return name
    return name.replace("-", " ").replace("_", " ").capitalize()


def p_words(p_value: float) -> str:
    """A p-value as it is read: never zero, three decimals at most.

    Examples
    --------
    >>> p_words(0.00002), p_words(0.0432), p_words(0.43)
    ('< 0.001', '0.043', '0.43')
    """
    if p_value < 0.001:
        return "< 0.001"
    return f"{p_value:.3f}" if p_value < 0.1 else f"{p_value:.2f}"


def duration(seconds: float) -> str:
    """A length of time in words.

    Examples
    --------
    >>> duration(0.42), duration(75.2), duration(7384)
    ('0.4 s', '1 min 15 s', '2 h 3 min')
    """
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min"


def moment(stamp: str) -> str:
    """An ISO 8601 time stamp with its date and time apart; other text as it is.

    Examples
    --------
    >>> moment("2026-11-23T09:22:11+00:00"), moment("yesterday")
    ('2026-11-23 09:22:11 UTC', 'yesterday')
    """
    match = re.fullmatch(
        r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(Z|\+00:00|[+-]\d\d:\d\d)?", stamp
    )
    if match is None:
        return stamp
    date, time, zone = match.groups(default="")
    return f"{date} {time} {'UTC' if zone in ('Z', '+00:00') else zone}".rstrip()


def amount_of_bytes(count: float) -> str:
    """A number of bytes in decimal units.

    Examples
    --------
    >>> amount_of_bytes(812), amount_of_bytes(48_312), amount_of_bytes(3.2e9)
    ('812 bytes', '48.3 kB', '3.2 GB')
    """
    if count < 1000:
        return f"{count:.0f} bytes"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 999.95:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:,.1f} TB"
