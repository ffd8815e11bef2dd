"""Race the peers: ``python -m benchmarks [room ...]`` runs every room, or those named.

Prints the ratios (below one: suppose is faster or smaller) and writes ``docs/tables/benchmarks_<room>.csv``,
which ``docs/benchmarks.rst`` shows. Peers that are not installed leave their column empty.
"""

from __future__ import annotations

import csv
import importlib
import sys
from pathlib import Path
from typing import Any

ROOMS = ("graphs", "networks", "effects", "panel", "survival", "crafter")
TABLES = Path(__file__).parent.parent / "docs" / "tables"
COLUMNS = ("name", "ratio", "ours_seconds", "peer_seconds", "ours_peak_mb", "peer_peak_mb", "peer",
           "peer_version", "note")  # fmt: skip


def cell(value: Any) -> str:
    """A figure with three digits, text as it is, nothing for what was not measured."""
    return "" if value is None else f"{value:.3g}" if isinstance(value, float) else str(value)


def write(room: str, rows: list[dict[str, Any]]) -> None:
    """The table of one room, as the site shows it."""
    TABLES.mkdir(parents=True, exist_ok=True)
    with (TABLES / f"benchmarks_{room}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([cell(row.get(column)) for column in COLUMNS] for row in rows)


def main(rooms: list[str]) -> None:
    """Run the rooms one after the other."""
    unknown = [room for room in rooms if room not in ROOMS]
    if unknown:
        sys.exit(f"there is no benchmark {unknown[0]!r}; there are: {', '.join(ROOMS)}")
    for room in rooms or ROOMS:
        rows = importlib.import_module(f"benchmarks.{room}").main()
        write(room, rows)
        for row in rows:
            print(f"{room:<13} {row['name']:<70} {cell(row.get('ratio')) or '-':>8}  {row.get('peer', '')}")


if __name__ == "__main__":
    main(sys.argv[1:])
