"""A rollout step by step: what happened above, what the laws imagine below."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from suppose.core.answer import Figure
from suppose.core.figures import PALETTE, draw_svg
from suppose.core.random import generator
from suppose.studies.parts import Parts
from suppose.worlds.explore import Step
from suppose.worlds.laws.foresight import Listed, room_ahead
from suppose.worlds.laws.observables import changes
from suppose.worlds.laws.schema import Schema, State, lookup, plain

__all__ = ["draw_strip", "imagined", "rollout_shown"]

STEPS = 4
SIDE = 7  # tiles shown around the actor
COURSES = 8
MOST_LINES = 4
TINTS = ("green", "blue", "muted", "orange", "purple", "red", "ink")


def rollout_shown(study: Any, found: Any) -> Parts:
    """The picture of one stretch of the life, with what the laws make of it."""
    start = _lively(found.life, found.schema)
    stretch = found.life[start : start + int(room_ahead(found.life)[start])]
    schema: Schema = found.schema
    if schema.grid is not None and schema.actor is not None:
        stretch = stretch[:STEPS]
        dreamt = imagined(found.model, stretch, study.seed, 0)
        actual = [plain(stretch[0].state), *(plain(step.next_state) for step in stretch)]
        words = ", ".join(step.action for step in stretch)
        figure = Figure.of(
            "rollout",
            "A stretch of the life, and what the laws make of it",
            f"Above what happened, below one course that the laws imagine from the same state under the same actions: "
            f"{words}. Tiles are coloured by material, with its first letter; circles are objects, the ring is the "
            "actor with its facing.",
            f"Two rows of {len(actual)} pictures of the surroundings of the actor.",
            draw_svg(
                "rollout",
                lambda ax: draw_strip(ax, (actual, dreamt), [step.action for step in stretch], schema),
                size=(7.0, 3.5),
            ),
        )
        return Parts(figures=(figure,))
    return _lines(study, found, stretch[:40])


def _lively(life: Sequence[Step], schema: Schema) -> int:
    """Where to start: a place with room ahead where many values change."""
    room = room_ahead(life)
    counts = np.array([len(changes(plain(step.state), plain(step.next_state), schema)) for step in life])
    best, score = 0, -1.0
    for place in range(len(life)):
        reach = int(min(room[place], STEPS))
        value = float(np.minimum(counts[place : place + reach], 6).sum())
        if reach == min(STEPS, int(room.max())) and value > score:
            best, score = place, value
    return best


def imagined(model: Any, stretch: Sequence[Step], seed: int, course: int) -> list[State]:
    """One course of states under the recorded actions."""
    rng = generator(seed, "picture", course)
    states, walked = [plain(stretch[0].state)], Listed(model)
    for step in stretch:
        states.append(walked.sample(states[-1], step.action, rng))
    return states


# On a grid.


def draw_strip(ax: Any, rows: Sequence[Sequence[State]], actions: Sequence[str], schema: Schema) -> None:
    """Rows of pictures side by side, first row on top."""
    gap = SIDE + 1.2
    ax.set_xlim(-2.4, gap * max(len(row) for row in rows))
    ax.set_ylim(gap * len(rows) - 0.6, -1.2)
    ax.set_aspect("equal")
    ax.axis("off")
    centre = _place(rows[0][0], schema)
    for line, row in enumerate(rows):
        label = ("it was", "laws")[line] if len(rows) == 2 else str(line)
        ax.text(-0.4, line * gap + SIDE / 2, label, ha="right", va="center", fontsize=9)
        for column, state in enumerate(row):
            _draw_state(ax, state, schema, centre, column * gap, line * gap)
            if line == 0:
                title = "start" if column == 0 else actions[column - 1]
                ax.text(column * gap + SIDE / 2, -0.4, title, ha="center", va="bottom", fontsize=8)


def _place(state: State, schema: Schema) -> tuple[int, int]:
    names = [(*str(schema.actor).split("."), *part.split(".")) for part in schema.position]
    return int(lookup(state, names[0])), int(lookup(state, names[1]))


def _draw_state(
    ax: Any, state: State, schema: Schema, centre: tuple[int, int], left: float, top: float
) -> None:
    """The surroundings of the place where the stretch begins."""
    from matplotlib.patches import Circle, Rectangle

    grid = lookup(state, tuple(str(schema.grid).split(".")))
    half = SIDE // 2
    for i in range(SIDE):
        for j in range(SIDE):
            x, y = centre[0] - half + i, centre[1] - half + j
            if not (0 <= x < len(grid) and 0 <= y < len(grid[0])):
                continue
            colour, alpha = _tint(grid[x][y], schema)
            ax.add_patch(Rectangle((left + i, top + j), 1, 1, facecolor=colour, alpha=alpha, linewidth=0))
            ax.text(left + i + 0.5, top + j + 0.55, grid[x][y][:1], fontsize=5.5, ha="center", va="center",
                    color=PALETTE["ink"], alpha=0.75)  # fmt: skip
    ax.add_patch(Rectangle((left, top), SIDE, SIDE, fill=False, edgecolor=PALETTE["rule"], linewidth=0.8))
    for path, part in schema.collections.items():
        for thing in lookup(state, tuple(path.split("."))):
            x, y = (int(lookup(thing, tuple(name.split(".")))) for name in part.position)
            i, j = x - centre[0] + half, y - centre[1] + half
            if 0 <= i < SIDE and 0 <= j < SIDE:
                kind = str(thing.get(part.kind)) if part.kind else path
                ax.add_patch(
                    Circle((left + i + 0.5, top + j + 0.5), 0.42, facecolor=PALETTE["red"], linewidth=0)
                )
                ax.text(left + i + 0.5, top + j + 0.55, kind[:1].upper(), fontsize=6.5, ha="center", va="center",
                        fontweight="bold", color=PALETTE["ink"])  # fmt: skip
    x, y = _place(state, schema)
    i, j = x - centre[0] + half, y - centre[1] + half
    if 0 <= i < SIDE and 0 <= j < SIDE:
        ax.add_patch(
            Circle((left + i + 0.5, top + j + 0.5), 0.36, fill=False, edgecolor=PALETTE["ink"], linewidth=1.4)
        )
        if schema.heading is not None:
            dx, dy = (int(lookup(state, tuple(path.split(".")))) for path in schema.heading)
            middle = np.array([left + i + 0.5, top + j + 0.5])
            ends = np.stack([middle + reach * np.array([dx, dy]) for reach in (0.36, 0.62)])
            ax.plot(ends[:, 0], ends[:, 1], color=PALETTE["ink"], linewidth=1.4)


def _tint(material: str, schema: Schema) -> tuple[str, float]:
    """Colour and strength of a material, told apart by their order."""
    known = {"grass": ("green", 0.25), "tree": ("green", 0.75), "water": ("blue", 0.55), "sand": ("orange", 0.2),
             "stone": ("muted", 0.55), "path": ("orange", 0.4), "lava": ("red", 0.7), "empty": ("rule", 0.25),
             "wall": ("muted", 0.7), "goal": ("green", 0.6)}  # fmt: skip
    if material in known:
        name, alpha = known[material]
        return PALETTE[name], alpha
    place = schema.materials.index(material) if material in schema.materials else 0
    return PALETTE[TINTS[place % len(TINTS)]], 0.35 + 0.1 * (place // len(TINTS) % 4)


# Without a grid.


def _lines(study: Any, found: Any, stretch: Sequence[Step]) -> Parts:
    """Values over time: what happened, and courses the laws imagine."""
    schema: Schema = found.schema
    kept = [
        path
        for path, attribute in schema.scalars.items()
        if attribute.type == "int" and schema.is_observed(path)
    ]
    actual = [plain(stretch[0].state), *(plain(step.next_state) for step in stretch)]
    moving = [path for path in kept if len({_number(state, path) for state in actual}) > 1][:MOST_LINES]
    if not moving:
        return Parts()
    courses = [imagined(found.model, stretch, study.seed, course) for course in range(COURSES)]
    figure = Figure.of(
        "rollout",
        "A stretch of the record, and what the laws make of it",
        f"Thick: what happened. Thin: {COURSES} courses that the laws imagine from the same state under the same "
        "actions.",
        f"Lines of {', '.join(moving)} over {len(stretch)} steps.",
        draw_svg("rollout", lambda ax: _draw_lines(ax, actual, courses, moving), size=(7.2, 3.6)),
    )
    return Parts(figures=(figure,))


def _number(state: State, path: str) -> float:
    try:
        return float(lookup(state, tuple(path.split("."))))
    except (KeyError, IndexError, TypeError):
        return float("nan")


def _draw_lines(
    ax: Any, actual: Sequence[State], courses: Sequence[Sequence[State]], paths: Sequence[str]
) -> None:
    for path, name in zip(paths, ("blue", "orange", "green", "purple"), strict=False):
        first = _number(actual[0], path)
        for course in courses:
            values = [_number(state, path) - first for state in course]
            ax.plot(values, color=PALETTE[name], linewidth=0.8, alpha=0.35)
        ax.plot(
            [_number(state, path) - first for state in actual], color=PALETTE[name], linewidth=2, label=path
        )
    ax.set_xlabel("step")
    ax.set_ylabel("change since the start")
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
