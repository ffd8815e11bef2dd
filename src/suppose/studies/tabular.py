"""The ``[data]`` table every study about a table shares: where it is, and how its columns are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import narwhals as nw
from pydantic import Field, model_validator

from suppose.core.answer import InputFile
from suppose.core.columns import MAX_LEVELS, ColumnType, MissingPolicy
from suppose.core.errors import StudyError
from suppose.core.run import sha256_file
from suppose.core.study import Section
from suppose.core.tables import (
    column_names,
    frame_digest,
    frame_of,
    path_inside,
    read_table,
    require_columns,
)

__all__ = ["DataSection", "read_data"]


class DataSection(Section):
    """Where the table is (one of ``file``, ``shipped``, ``frame``) and how its columns are read.

    ``missing`` is a policy for all columns or one per column; ``types`` declares columns as
    ``number``, ``category`` or ``date``; ``missing_words`` lists words that mean a missing value.
    """

    file: str | None = None
    shipped: str | None = None
    frame: Any = Field(default=None, exclude=True, repr=False)
    encoding: str = "utf-8"
    missing_words: tuple[str, ...] = ()
    missing: MissingPolicy | dict[str, MissingPolicy] = "refuse"
    types: dict[str, ColumnType] = Field(default_factory=dict)
    max_levels: int = Field(default=MAX_LEVELS, ge=2, le=10_000)

    @model_validator(mode="after")
    def _one_source(self) -> Any:
        given = [name for name in ("file", "shipped", "frame") if getattr(self, name) is not None]
        if len(given) != 1:
            raise StudyError(
                "which-data",
                f"expected one source of data, got {' and '.join(given) or 'none'}",
                where="data",
                remedy='Write file = "table.csv" or shipped = "jobs/experiment".',
            )
        return self

    def named(self) -> dict[str, tuple[str, ...]]:
        """Columns this section speaks of, by key; a mistyped one would otherwise be passed over."""
        policies = () if isinstance(self.missing, str) else tuple(self.missing)
        return {"data.missing": policies, "data.types": tuple(self.types)}

    def policy(self, column: str) -> MissingPolicy:
        """Missing-value policy of a column."""
        return self.missing if isinstance(self.missing, str) else self.missing.get(column, "refuse")


def read_data(
    data: DataSection, home: Path, roles: Mapping[str, Sequence[str]]
) -> tuple[nw.DataFrame[Any], tuple[InputFile, ...]]:
    """The table with the columns of each role, and the record of where it came from.

    Raises
    ------
    StudyError, DataError
        For a file that cannot be read, a name that is not shipped, or a column that is not there.
    """
    columns = list(dict.fromkeys(name for names in roles.values() for name in names))
    if data.frame is not None:
        frame = frame_of(data.frame)
        _require(frame.columns, {**roles, **data.named()})
        digest = frame_digest(frame.select(columns))
        record = InputFile(name="frame", sha256=digest, bytes=0, rows=frame.shape[0], columns=len(columns))
        return frame, (record,)
    if data.shipped is not None:
        from suppose.datasets.shipped import resolve

        path, name = resolve(data.shipped), data.shipped
    else:
        path, name = path_inside(str(data.file), home), str(data.file)
    known = column_names(path, data.encoding)
    if known is not None and len(set(known)) == len(known):
        _require(known, {**roles, **data.named()})
    frame = read_table(path, columns=columns, encoding=data.encoding, missing_words=data.missing_words)
    _require(frame.columns, roles)
    size = path.stat().st_size
    record = InputFile(
        name=name, sha256=sha256_file(path), bytes=size, rows=frame.shape[0], columns=frame.shape[1]
    )
    return frame, (record,)


def _require(known: Sequence[str], roles: Mapping[str, Sequence[str]]) -> None:
    for role, names in roles.items():
        require_columns(known, names, role)
