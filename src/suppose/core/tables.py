"""The user's table: read once and validated at the boundary.

Reads CSV and TSV (also gzipped), Parquet, Feather/Arrow, JSON lines, Stata and SPSS files, or takes any
frame narwhals knows. A path is followed to its end and must stay inside the study's folder; duplicate or nameless
columns, wrong encodings, torn, empty and far too large files are refused by name.

What it does not do: no joins, no reshaping, no remote files. Columns become numbers in
:mod:`suppose.core.columns`.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np

from suppose.core.errors import DataError, StudyError, nearest

__all__ = [
    "available_memory",
    "column_names",
    "first_line",
    "frame_digest",
    "frame_of",
    "path_inside",
    "read_table",
    "require_columns",
]

MAX_PATH = 4096
FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".dta": "stata",
    ".sav": "spss",
    ".zsav": "spss",
}
LABELLED = ("stata", "spss")  # their numbers may stand for words
NULLS = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "#N/A")


# -- files -------------------------------------------------------------------------------------


def path_inside(name: str, home: Path) -> Path:
    """Path of a file a study names, which must lie inside ``home`` once links are followed.

    Raises
    ------
    StudyError
        For a path outside, a missing file, a folder, or anything but a regular file.
    """
    where = "data.file"
    if len(name) > MAX_PATH or "\0" in name:
        raise StudyError(
            "bad-path", "expected the name of a file", where=where, remedy="Write a short relative path."
        )
    home = home.resolve()
    try:
        path = (home / name).resolve()
        mode = path.stat().st_mode if path.exists() else None
    except (OSError, RuntimeError) as error:
        raise StudyError(
            "bad-path",
            f"{name!r} cannot be followed ({error})",
            where=where,
            remedy="Check the path and its links.",
        ) from error
    if not path.is_relative_to(home):
        raise StudyError(
            "path-outside",
            f"{name!r} leads outside the study's folder",
            where=where,
            remedy="Move the file beside the study file, or the study beside the data.",
        )
    if mode is None:
        beside = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
        raise StudyError(
            "missing-file",
            f"there is no file {name!r} in the study's folder",
            where=where,
            remedy=nearest(path.name, beside)
            or "Check the spelling; the path is relative to the study file.",
        )
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise StudyError("not-a-file", f"{name!r} is {kind}", where=where, remedy="Name one table file.")
    return path


def read_table(
    path: Path,
    *,
    columns: Sequence[str] | None = None,
    encoding: str = "utf-8",
    missing_words: Sequence[str] = (),
) -> nw.DataFrame[Any]:
    """Table of a file; the format goes by the file's ending.

    Parameters
    ----------
    path : Path
        CSV, TSV (also ``.gz``), Parquet, Feather/Arrow, JSON lines, Stata (``.dta``) or SPSS (``.sav``, needs
        pyreadstat). Where Stata or SPSS name the values of a column, the names are read.
    columns : sequence of str, optional
        Read these columns only; a name the file lacks is left for :func:`require_columns` to refuse.
    encoding : str
        Of text files.
    missing_words : sequence of str
        Words that mean a missing value in text files, besides the empty cell, ``NA``, ``NaN``, ``null``.

    Raises
    ------
    DataError
        For an unknown format, an empty or torn file, a wrong encoding, duplicate column names, or a
        table too large for this machine's memory.
    """
    kind = _format_of(path)
    if path.stat().st_size == 0:
        raise DataError(
            "empty-file",
            "expected a table, the file is empty",
            where=f"file {path.name!r}",
            remedy="Check that the export finished.",
        )
    try:
        names = _column_names(path, kind, encoding)
        _refuse_duplicates(names, f"file {path.name!r}")
        known = set(names) if kind != "jsonl" else set(columns or ())
        wanted = None if columns is None else [name for name in dict.fromkeys(columns) if name in known]
        _refuse_too_large(path, kind, 1.0 if wanted is None else len(wanted) / max(len(names), 1))
        table = _read(path, kind, encoding, wanted, missing_words)
        if kind != "csv":  # these readers take texts and names as they are
            _refuse_duplicates(table.column_names, f"file {path.name!r}")
            table.validate(full=True)
    except DataError:
        raise
    except UnicodeDecodeError as error:
        raise _wrong_encoding(path, encoding, error.start) from error
    except LookupError as error:
        raise DataError(
            "unknown-encoding",
            f"there is no encoding called {encoding!r}",
            where="data.encoding",
            remedy="Common ones: utf-8, latin-1, cp1252, utf-16.",
        ) from error
    except (OSError, ValueError, EOFError) as error:  # pyarrow's own errors are ValueErrors or OSErrors
        if "utf8" in str(error).lower() or "utf-8" in str(error).lower():
            raise _wrong_encoding(path, encoding, None) from error
        raise DataError(
            "unreadable-file",
            f"it cannot be read as {kind}: {first_line(error)}",
            where=f"file {path.name!r}",
            remedy="Check that the file is whole and of the format its ending says.",
        ) from error
    if table.num_rows == 0:
        raise DataError(
            "no-rows",
            "it has column names but no rows",
            where=f"file {path.name!r}",
            remedy="Check that the export finished.",
        )
    return nw.from_native(table, eager_only=True)


def _format_of(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".gz"]:
        suffixes.pop()
    kind = FORMATS.get(suffixes[-1] if suffixes else "")
    if kind is None:
        raise DataError(
            "unknown-format",
            f"expected a file ending in {', '.join(FORMATS)} (or .csv.gz), got {path.name!r}",
            where="data.file",
            remedy="Save the table as CSV or Parquet.",
        )
    return kind


def _column_names(path: Path, kind: str, encoding: str) -> list[str]:
    if kind == "csv":
        return _header(path, encoding)
    if kind == "parquet":
        from pyarrow import parquet

        return list(parquet.read_schema(path).names)
    if kind == "feather":
        from pyarrow import ipc

        with ipc.open_file(path) as reader:
            return list(reader.schema.names)
    return _foreign(_labelled_names, path, kind) if kind in LABELLED else []


def _foreign(read: Callable[..., Any], *arguments: Any) -> Any:
    """What a reader of a labelled format gives; whatever it trips over becomes a ``ValueError``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # lengths read from garbage overflow
        try:
            return read(*arguments)
        except (DataError, OSError, MemoryError):
            raise
        except Exception as error:  # pyreadstat's own errors have no common class
            raise ValueError(str(error)) from error


def _labelled_names(path: Path, kind: str) -> list[str]:
    if kind == "spss":
        return list(_pyreadstat().read_sav(str(path), metadataonly=True)[1].column_names)
    import pandas as pd

    with pd.read_stata(path, iterator=True) as file:
        return list(file.variable_labels())


def _pyreadstat() -> Any:
    try:
        import pyreadstat
    except ImportError as error:
        raise DataError(
            "missing-reader", "reading SPSS files needs the package pyreadstat", where="data.file",
            remedy="pip install pyreadstat, or save the table as CSV or Parquet.",
        ) from error  # fmt: skip
    return pyreadstat


def _header(path: Path, encoding: str) -> list[str]:
    """Names on the first line of a CSV file, read as CSV so that quoted names stay whole."""
    import csv
    import io

    opener = gzip.open if path.suffix.lower() == ".gz" else open
    with opener(path, "rb") as file:
        head = file.read(1 << 20)
    complete = head if len(head) < 1 << 20 else head[: head.rfind(b"\n") + 1]
    text = complete.decode(encoding).removeprefix("\ufeff")
    first = next(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(path)), [])
    return [name.strip() for name in first]


def _delimiter(path: Path) -> str:
    return "\t" if ".tsv" in [suffix.lower() for suffix in path.suffixes] else ","


def _refuse_duplicates(names: Sequence[str], where: str) -> None:
    seen: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if name == "":
            raise DataError(
                "unnamed-column",
                f"column {position} has no name",
                where=where,
                remedy="Give every column a name on the first line.",
            )
        if name in seen:
            raise DataError(
                "duplicate-column",
                f"columns {seen[name]} and {position} are both called {name!r}",
                where=where,
                remedy="Rename or remove one of them.",
            )
        seen[name] = position


def _refuse_too_large(path: Path, kind: str, share: float) -> None:
    """Refuse before reading: text needs about its own size again as numbers, packed formats more."""
    growth = {"csv": 2.0, "jsonl": 2.0, "parquet": 6.0, "feather": 2.0, "stata": 3.0, "spss": 6.0}[kind] * (
        6 if path.suffix == ".gz" else 1
    )
    need, have = path.stat().st_size * growth * share, available_memory()
    if have is not None and need > 0.8 * have:
        raise DataError(
            "table-too-large",
            f"reading it needs about {need / 1e9:.1f} GB, this machine has {have / 1e9:.1f} GB free",
            where=f"file {path.name!r}",
            remedy="Keep only the rows and columns the study needs, or use a larger machine.",
        )


def available_memory() -> int | None:
    """Bytes of memory free for use; ``None`` where the system does not say."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _read(path: Path, kind: str, encoding: str, columns: list[str] | None, words: Sequence[str]) -> Any:
    if kind == "csv":
        from pyarrow import csv

        convert = csv.ConvertOptions(
            include_columns=columns or [], null_values=[*NULLS, *words], strings_can_be_null=True
        )
        parse = csv.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True)
        reading = csv.ReadOptions(encoding=encoding, column_names=_header(path, encoding), skip_rows=1)
        table = csv.read_csv(path, reading, parse, convert)
        if any(str(field.type) == "binary" for field in table.schema):
            raise _wrong_encoding(path, encoding, None)
        return table
    if kind == "parquet":
        from pyarrow import parquet

        return parquet.read_table(path, columns=columns)
    if kind == "feather":
        from pyarrow import feather

        return feather.read_table(path, columns=columns)
    if kind in LABELLED:
        return _foreign(_labelled, path, kind, columns)
    from pyarrow import json

    table = json.read_json(path)
    return (
        table if columns is None else table.select([name for name in columns if name in table.column_names])
    )


def _labelled(path: Path, kind: str, columns: list[str] | None) -> Any:
    """A Stata or SPSS table; named values come as categories in the order of their codes."""
    import pandas as pd
    import pyarrow as pa

    if kind == "stata":
        frame = pd.read_stata(path, columns=columns)
    else:
        frame, _ = _pyreadstat().read_sav(str(path), usecols=columns, apply_value_formats=True)
    return pa.Table.from_pandas(frame, preserve_index=False)


def _wrong_encoding(path: Path, encoding: str, position: int | None) -> DataError:
    place = f" at byte {position}" if position is not None else ""
    return DataError(
        "wrong-encoding",
        f"it is not {encoding} text{place}",
        where=f"file {path.name!r}",
        remedy='Save it as UTF-8, or name its encoding, e.g. data.encoding = "latin-1".',
    )


def first_line(error: BaseException) -> str:
    """The first line of another library's error, for quoting in ours."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


# -- frames ------------------------------------------------------------------------------------


def frame_of(table: Any) -> nw.DataFrame[Any]:
    """The narwhals frame of a user's table (pandas, polars, pyarrow, modin, ...).

    Raises
    ------
    DataError
        For anything that is not an eager frame, for duplicate or nameless columns, and for no rows.
    """
    try:
        frame: nw.DataFrame[Any] = nw.from_native(table, eager_only=True)
    except (TypeError, nw.exceptions.NarwhalsError) as error:
        if "unique" in str(error).lower() or "duplicate" in str(error).lower():
            names = [str(name) for name in getattr(table, "columns", ())]
            twice = next((repr(name) for name in names if names.count(name) > 1), "of one name")
            raise DataError(
                "duplicate-column",
                f"more than one column is called {twice}",
                where="table",
                remedy="Rename or remove one of them.",
            ) from error
        raise DataError(
            "not-a-table",
            f"expected a pandas, polars or pyarrow table, got {type(table).__name__}",
            where="table",
            remedy="Collect lazy frames first; wrap arrays in a DataFrame with column names.",
        ) from error
    names = [name if isinstance(name, str) else None for name in frame.columns]
    if None in names:
        raise DataError(
            "unnamed-column", "column names must be text", where="table", remedy="Rename the columns."
        )
    _refuse_duplicates([name for name in names if name is not None], "table")
    if frame.shape[0] == 0:
        raise DataError(
            "no-rows", "the table has no rows", where="table", remedy="Check the filter that made it."
        )
    return frame


def frame_digest(frame: nw.DataFrame[Any]) -> str:
    """Hash of a frame's names and values, the same for pandas, polars and pyarrow frames of equal content."""
    digest = hashlib.sha256()
    for name in frame.columns:
        digest.update(name.encode() + b"\0")
        series = frame[name]
        if series.dtype.is_numeric() or series.dtype == nw.Boolean:
            digest.update(_number_bytes(series))
        else:
            texts = ("\x00" if value is None or value != value else str(value) for value in series.to_list())
            digest.update("\x1f".join(texts).encode())
    return digest.hexdigest()


def column_names(path: Path, encoding: str = "utf-8") -> list[str] | None:
    """Names of a file's columns without reading its rows; ``None`` where only the rows tell (JSON lines)."""
    kind = _format_of(path)
    if kind == "jsonl" or path.stat().st_size == 0:
        return None
    try:
        return _column_names(path, kind, encoding)
    except (OSError, ValueError, EOFError, LookupError):
        return None  # reading refuses the file with its own words


def require_columns(known: Sequence[str], names: Iterable[str], role: str) -> None:
    """Refuse a column name the table lacks, naming the nearest ones."""
    for name in names:
        if name not in known:
            shown = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
            raise DataError(
                "missing-column",
                f"no such column; the table has: {shown}",
                where=f"{role}: column {name!r}",
                remedy=nearest(name, known) or "Check the spelling.",
            )


def _number_bytes(series: nw.Series[Any]) -> bytes:
    values = series.cast(nw.Float64)
    absent = np.asarray(values.is_null().to_numpy())
    filled = np.asarray(values.fill_null(0.0).to_numpy(), dtype=float)
    missing: np.ndarray = absent.astype(bool) | np.isnan(filled)
    return np.where(missing, 0.0, filled).tobytes() + missing.tobytes()
