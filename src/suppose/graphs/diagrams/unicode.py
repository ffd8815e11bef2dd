"""Diagrams as text for a terminal: boxes and lines on a grid, outputs on top.

A copy is ``●``, a discard ``⊤``, a uniform state ``⊥``. Wires cross at ``┼`` and are joined only right above a dot:
every wire that changes its column does so on a row of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from suppose.graphs.diagrams.diagram import Diagram
from suppose.graphs.diagrams.placement import Placement, place

__all__ = ["to_unicode"]

UP, DOWN, LEFT, RIGHT = 1, 2, 4, 8
LINES = dict(enumerate(" ╵╷│╴┘┐┤╶└┌├─┴┬┼"))
SIGNS = {"copy": "●", "discard": "⊤", "uniform": "⊥"}
PORT, SPACING = 4, 2

Segment = tuple[int, int, int | None]
"""Column below, column above, and the row it starts at where that is not the level below."""


def to_unicode(diagram: Diagram) -> str:
    """The diagram as lines of text.

    Raises
    ------
    GraphError
        ``graph-too-large``.

    Examples
    --------
    >>> print(to_unicode(Diagram.from_dag("S", shown="S")))
      S
      │
    ┌─┴─┐
    │ S │
    └───┘
    """
    placed = place(diagram, _extent, port=PORT, spacing=SPACING, gap=1)
    return _Grid(placed).text()


def _extent(kind: str, label: str, wires: int) -> tuple[float, float]:
    if kind == "box":
        return 1.0, max(len(label) // 2 + 2, (wires - 1) * PORT / 2 + 2)
    return 0.0, (len(label) + 1) // 2 if kind == "end" else 0.0


class _Grid:
    """Cells that know to which sides they are joined, and letters on top of them."""

    def __init__(self, placed: Placement) -> None:
        self.cells: dict[tuple[int, int], int] = {}
        self.letters: dict[tuple[int, int], str] = {}
        top = max((item.level for item in placed.items), default=0)
        thick = [1] * (top + 1)
        for item in placed.items:
            if item.kind == "box":
                thick[item.level] = 3
        gaps: list[list[tuple[int, int]]] = [[] for _ in range(top)]
        for wire in placed.wires:
            columns = [round(cross) for _, cross in wire.points]
            for k in range(len(columns) - 1):
                gaps[wire.source.level + k].append((columns[k], columns[k + 1]))
        self.free = 2 + max((c for gap in gaps for pair in gap for c in pair), default=0)
        self.middle: list[int] = []
        self._levels(thick, gaps)
        for wire in placed.wires:
            for k, (_, cross) in enumerate(wire.points):
                level = wire.source.level + k
                if 0 < k < len(wire.points) - 1:
                    self.vertical(round(cross), self.middle[level] - thick[level] // 2,
                                  self.middle[level] + thick[level] // 2)  # fmt: skip
        for item in placed.items:
            self.item(item.kind, item.label, self.middle[item.level], item.centre[1], item.half[1])
            if item.kind != "box" and thick[item.level] == 3:
                self.stems(item.kind, self.middle[item.level], round(item.centre[1]))

    def _levels(self, thick: Sequence[int], gaps: Sequence[Sequence[tuple[int, int]]]) -> None:
        """Rows of the levels, from the bottom (row 0) up, and the wires between them."""
        row = 0
        for level, height in enumerate(thick):
            self.middle.append(row + height // 2)
            row += height
            if level < len(gaps):
                row = self.route(gaps[level], row)

    def route(self, pairs: Sequence[tuple[int, int]], start: int) -> int:
        """Draw the wires of a gap that begins at row ``start``; the row after it."""
        tracks: list[tuple[Segment, int]] = []
        pending: list[Segment] = [(a, b, None) for a, b in pairs if a != b]
        while pending:
            row = start + len(tracks)
            clear = [s for s in pending if not any(s[1] == other[0] for other in pending if other is not s)]
            if clear:
                pending.remove(clear[0])
                tracks.append((clear[0], row))
            else:  # a cycle of columns: one wire goes round by a free column
                below, above, begins = pending.pop(0)
                tracks.append(((below, self.free, begins), row))
                pending.append((self.free, above, row))
                self.free += 2
        end = start + max(len(tracks), 1)
        for (below, above, begins), row in tracks:
            self.vertical(below, start - 1 if begins is None else begins, row)
            self.horizontal(row, below, above)
            detour = any(segment[0] == above and segment[2] == row for segment, _ in tracks)
            if not detour:
                self.vertical(above, row, end)
        for below, above in pairs:
            if below == above:
                self.vertical(below, start - 1, end)
        return end

    def vertical(self, column: int, low: int, high: int) -> None:
        """A line from the middle of one row to that of another."""
        for row in range(low, high):
            self.join(row, column, UP)
            self.join(row + 1, column, DOWN)

    def horizontal(self, row: int, first: int, last: int) -> None:
        """A line along a row."""
        for column in range(min(first, last), max(first, last)):
            self.join(row, column, RIGHT)
            self.join(row, column + 1, LEFT)

    def join(self, row: int, column: int, side: int) -> None:
        """Open one side of a cell."""
        self.cells[row, column] = self.cells.get((row, column), 0) | side

    def stems(self, kind: str, middle: int, column: int) -> None:
        """What is lower than the boxes of its level is reached by short wires."""
        if kind in ("copy", "discard", "end"):
            self.vertical(column, middle - 1, middle)
        if kind in ("copy", "uniform"):
            self.vertical(column, middle, middle + 1)

    def item(self, kind: str, label: str, row: int, centre: float, half: float) -> None:
        """A box, a sign or a name."""
        if kind in SIGNS:
            self.letters[row, round(centre)] = SIGNS[kind]
            return
        first = round(centre) - (len(label) - 1) // 2
        for k, letter in enumerate(label):
            self.letters[row, first + k] = letter
        if kind == "box":
            left, right = (
                min(round(centre - half), first - 2),
                max(round(centre + half), first + len(label) + 1),
            )
            for edge in (row - 1, row + 1):
                self.horizontal(edge, left, right)
            for side in (left, right):
                self.vertical(side, row - 1, row + 1)

    def text(self) -> str:
        """All rows, the highest first."""
        cells = {place: LINES[sides] for place, sides in self.cells.items()} | self.letters
        if not cells:
            return ""
        rows, columns = zip(*cells, strict=True)
        left = min(columns)
        lines = [
            "".join(cells.get((row, column), " ") for column in range(left, max(columns) + 1)).rstrip()
            for row in range(max(rows), min(rows) - 1, -1)
        ]
        return "\n".join(lines)
