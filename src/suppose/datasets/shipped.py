"""The data sets that travel with the package: their names, files, sources and terms.

A study file may say ``source = "jobs/observational"`` instead of a path; :func:`resolve` turns such a
name into the shipped file. Nothing here reads from the network.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from suppose.core.errors import DataError, nearest

__all__ = ["DatasetInfo", "FrameKind", "dataset_info", "read_shipped", "resolve", "shipped"]

FrameKind = Literal["pandas", "polars", "pyarrow"]

DATA = Path(__file__).resolve().parent / "data"


@dataclass(frozen=True)
class DatasetInfo:
    """What is known about one shipped data set.

    Attributes
    ----------
    name : str
        Name in study files, such as ``"jobs/experiment"``.
    title : str
        One line on what the rows are.
    source : str
        Where the data come from.
    licence : str
        The terms under which they are passed on.
    rows : int
        Number of rows of the file.
    columns : Mapping[str, str]
        Meaning and unit of each column, in file order.
    sha256 : str
        Checksum of the shipped file, 64 hexadecimal digits.
    path : Path
        The file: gzip-compressed CSV, UTF-8.
    """

    name: str
    title: str
    source: str
    licence: str
    rows: int
    columns: Mapping[str, str]
    sha256: str
    path: Path

    def __str__(self) -> str:
        lines = [
            f"{self.name}: {self.title}",
            f"{self.rows:,} rows, {len(self.columns)} columns",
            f"source: {self.source}",
            f"licence: {self.licence}",
            f"sha256: {self.sha256}",
        ]
        width = max(map(len, self.columns))
        return "\n".join([*lines, *(f"  {name:<{width}}  {text}" for name, text in self.columns.items())])

    def to_frame(self) -> Any:
        """The columns and their meaning, one row each, as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame({"column": list(self.columns), "meaning": list(self.columns.values())})

    def intact(self) -> bool:
        """Whether the file still has the checksum it was shipped with."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest() == self.sha256


@functools.cache
def _catalogue() -> Mapping[str, DatasetInfo]:
    index = tomllib.loads((DATA / "index.toml").read_text(encoding="utf-8"))
    columns = index.pop("columns")
    lines = (DATA / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = {file: digest for digest, file in map(str.split, lines)}
    return MappingProxyType({
        name: DatasetInfo(
            name=name, title=about["title"], source=about["source"], licence=about["licence"],
            rows=about["rows"], columns=MappingProxyType(columns[about["codebook"]]),
            sha256=sums[about["file"]], path=DATA / about["file"],
        )
        for name, about in index.items()
    })  # fmt: skip


def shipped() -> dict[str, Path]:
    """Every shipped data set's name and file.

    Examples
    --------
    >>> {'jobs/experiment', 'nhefs', 'optical/69'} <= set(shipped())
    True
    """
    return {name: info.path for name, info in _catalogue().items()}


def dataset_info(name: str) -> DatasetInfo:
    """Source, licence, size and codebook of a shipped data set.

    Raises
    ------
    DataError
        ``unknown-dataset`` when no data set has this name; the nearest names are given.

    Examples
    --------
    >>> about = dataset_info("nhefs")
    >>> about.rows, about.columns["wt82_71"]
    (1629, 'weight change from 1971 to 1982, kg')
    >>> about.intact()
    True
    """
    known = _catalogue()
    if name not in known:
        raise DataError(
            "unknown-dataset", f"no data set of this name is shipped; there are: {', '.join(known)}",
            where=f"data set {name!r}", remedy=nearest(name, known) or None,
        )  # fmt: skip
    return known[name]


def resolve(name: str) -> Path:
    """The file of a shipped data set.

    Parameters
    ----------
    name : str
        Such as ``"jobs/observational"``; see :func:`shipped`.

    Raises
    ------
    DataError
        ``unknown-dataset`` when no data set has this name; the nearest names are given.

    Examples
    --------
    >>> resolve("nhefs").name
    'nhefs.csv.gz'
    >>> resolve("jobs/experimental")
    Traceback (most recent call last):
        ...
    suppose.core.errors.DataError: data set 'jobs/experimental': no data set of this name is shipped; ...
    """
    return dataset_info(name).path


def read_shipped(name: str, frame: str = "pandas") -> Any:
    """A shipped data set as a frame of the library asked for.

    Parameters
    ----------
    name : str
        Such as ``"nhefs"``; see :func:`shipped`.
    frame : {"pandas", "polars", "pyarrow"}
        Library of the frame. Whole numbers are 64-bit integers (pandas: floats where values are missing).

    Raises
    ------
    DataError
        ``unknown-dataset``; ``unknown-frame`` for a library not listed; ``frame-not-installed`` when
        polars is asked for and absent.
    """
    import narwhals as nw

    info = dataset_info(name)
    check_frame(frame)
    table = nw.read_csv(str(info.path), backend="pyarrow")  # reads decimals exactly, unlike older pandas
    if frame == "pandas":
        return table.to_pandas()
    return table.to_polars() if frame == "polars" else table.to_native()


def check_frame(frame: str) -> None:
    """Refuse a frame library that is unknown or not installed."""
    known = ("pandas", "polars", "pyarrow")
    if frame not in known:
        raise DataError(
            "unknown-frame", f"expected one of {', '.join(map(repr, known))}, got {frame!r}",
            where="argument 'frame'", remedy=nearest(str(frame), known) or None,
        )  # fmt: skip
    if importlib.util.find_spec(frame) is None:
        raise DataError(
            "frame-not-installed", f"the library {frame} is not installed", where="argument 'frame'",
            remedy=f"Install it (pip install {frame}) or ask for frame='pandas'.",
        )  # fmt: skip
