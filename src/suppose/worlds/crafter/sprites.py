"""The drawings of the world: our own, as lists of shapes in the unit square.

A shape is its kind, its numbers and its colour: a ``disc`` has a centre and two radii, a ``box`` left, top, right and
bottom, a ``line`` two ends and a width, a ``polygon`` its corners. Later shapes cover earlier ones.
"""

from __future__ import annotations

__all__ = ["BACKGROUNDS", "DIGITS", "SPRITES", "Shape"]

Shape = tuple[str, tuple[float, ...], str]

BACKGROUNDS = {
    "outside": "#3a3f4b", "water": "#4f8fd0", "grass": "#7cb356", "stone": "#8b8f98", "path": "#cbb893",
    "sand": "#e6d59a", "tree": "#7cb356", "lava": "#e0662b", "coal": "#8b8f98", "iron": "#8b8f98",
    "diamond": "#8b8f98", "table": "#7cb356", "furnace": "#8b8f98", "panel": "#20242e",
}  # fmt: skip


def disc(x: float, y: float, rx: float, colour: str, ry: float | None = None) -> Shape:
    """A disc, or an ellipse."""
    return "disc", (x, y, rx, rx if ry is None else ry), colour


def box(left: float, top: float, right: float, bottom: float, colour: str) -> Shape:
    """A box."""
    return "box", (left, top, right, bottom), colour


def line(x0: float, y0: float, x1: float, y1: float, width: float, colour: str) -> Shape:
    """A line with round ends."""
    return "line", (x0, y0, x1, y1, width), colour


def polygon(colour: str, *numbers: float) -> Shape:
    """A polygon."""
    return "polygon", numbers, colour


def turned(shapes: list[Shape], side: str) -> list[Shape]:
    """Shapes drawn for ``right``, turned to another side."""

    def turn(x: float, y: float) -> tuple[float, float]:
        return {"right": (x, y), "left": (1 - x, y), "down": (1 - y, x), "up": (y, 1 - x)}[side]

    found: list[Shape] = []
    for kind, numbers, colour in shapes:
        if kind == "line":
            found.append(
                (kind, (*turn(numbers[0], numbers[1]), *turn(numbers[2], numbers[3]), numbers[4]), colour)
            )
        else:
            pairs = [turn(x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
            found.append((kind, tuple(value for pair in pairs for value in pair), colour))
    return found


STEEL, WOODEN, ROCK, INK = "#dfe4ea", "#9b6a3c", "#a3a8b1", "#1f2430"
BLADES = {"wood": "#b98a57", "stone": ROCK, "iron": STEEL}

GRASS: list[Shape] = [
    line(0.18, 0.30, 0.22, 0.20, 0.035, "#69a046"), line(0.28, 0.31, 0.25, 0.22, 0.035, "#69a046"),
    line(0.66, 0.72, 0.70, 0.61, 0.035, "#69a046"), line(0.76, 0.72, 0.74, 0.63, 0.035, "#69a046"),
    line(0.74, 0.26, 0.77, 0.18, 0.03, "#8cc267"), line(0.30, 0.82, 0.33, 0.73, 0.03, "#8cc267"),
]  # fmt: skip
STONE: list[Shape] = [
    box(0.0, 0.94, 1.0, 1.0, "#777b84"), box(0.94, 0.0, 1.0, 1.0, "#777b84"),
    box(0.0, 0.0, 1.0, 0.06, "#a0a4ad"), box(0.0, 0.0, 0.06, 1.0, "#a0a4ad"),
    line(0.24, 0.34, 0.44, 0.28, 0.04, "#777b84"), line(0.58, 0.66, 0.78, 0.72, 0.04, "#777b84"),
    line(0.30, 0.74, 0.38, 0.78, 0.04, "#9ba0a9"),
]  # fmt: skip


def ore(colour: str, light: str) -> list[Shape]:
    """A stone with lumps of something in it."""
    lumps = [(0.30, 0.30, 0.12), (0.66, 0.36, 0.14), (0.40, 0.68, 0.14), (0.74, 0.72, 0.10)]
    shapes = list(STONE)
    for x, y, r in lumps:
        shapes += [
            disc(x, y, r + 0.03, "#6b6f78"),
            disc(x, y, r, colour),
            disc(x - r / 3, y - r / 3, r / 3, light),
        ]
    return shapes


def gem(x: float, y: float, r: float) -> list[Shape]:
    """A cut diamond."""
    return [
        polygon("#3f7f97", x - r - 0.03, y - r * 0.35, x - r * 0.5, y - r - 0.03, x + r * 0.5, y - r - 0.03,
                x + r + 0.03, y - r * 0.35, x, y + r + 0.05),
        polygon("#c9f4fb", x - r, y - r * 0.35, x - r * 0.5, y - r, x + r * 0.5, y - r, x + r, y - r * 0.35,
                x, y + r),
        polygon("#8fdcec", x - r * 0.4, y - r * 0.35, x + r * 0.4, y - r * 0.35, x, y + r),
        polygon("#f2fdff", x - r, y - r * 0.35, x - r * 0.5, y - r, x - r * 0.4, y - r * 0.35),
    ]  # fmt: skip


def pickaxe(colour: str) -> list[Shape]:
    """A pickaxe with a head of some colour."""
    return [
        line(0.26, 0.82, 0.66, 0.34, 0.10, "#6b4526"), line(0.26, 0.82, 0.66, 0.34, 0.06, WOODEN),
        line(0.40, 0.18, 0.68, 0.28, 0.15, INK), line(0.68, 0.28, 0.84, 0.56, 0.15, INK),
        line(0.40, 0.18, 0.68, 0.28, 0.09, colour), line(0.68, 0.28, 0.84, 0.56, 0.09, colour),
    ]  # fmt: skip


def sword(colour: str) -> list[Shape]:
    """A sword with a blade of some colour."""
    return [
        line(0.36, 0.64, 0.80, 0.18, 0.17, INK), line(0.36, 0.64, 0.80, 0.18, 0.11, colour),
        line(0.28, 0.52, 0.48, 0.74, 0.11, INK), line(0.28, 0.52, 0.48, 0.74, 0.06, "#d6a84a"),
        line(0.36, 0.66, 0.20, 0.82, 0.11, INK), line(0.36, 0.66, 0.20, 0.82, 0.06, WOODEN),
    ]  # fmt: skip


def person(side: str) -> list[Shape]:
    """The player, looking to a side."""
    shapes = [
        box(0.34, 0.76, 0.46, 0.94, "#3a4a78"), box(0.54, 0.76, 0.66, 0.94, "#3a4a78"),
        box(0.28, 0.48, 0.72, 0.80, "#c9493f"), box(0.22, 0.50, 0.31, 0.74, "#f0c8a0"),
        box(0.69, 0.50, 0.78, 0.74, "#f0c8a0"), disc(0.5, 0.31, 0.215, "#6b4526"), disc(0.5, 0.33, 0.185, "#f0c8a0"),
        polygon("#6b4526", 0.30, 0.30, 0.34, 0.16, 0.66, 0.16, 0.70, 0.30, 0.5, 0.22),
    ]  # fmt: skip
    eyes = {"down": (0.43, 0.57), "right": (0.54, 0.65), "left": (0.35, 0.46), "up": ()}[side]
    shapes += [disc(x, 0.34, 0.032, INK, 0.045) for x in eyes]
    if side == "up":
        shapes += [disc(0.5, 0.31, 0.205, "#6b4526")]
    if side == "right":
        shapes += [box(0.62, 0.54, 0.86, 0.63, "#f0c8a0")]
    if side == "left":
        shapes += [box(0.14, 0.54, 0.38, 0.63, "#f0c8a0")]
    return shapes


ZOMBIE: list[Shape] = [
    box(0.34, 0.76, 0.46, 0.95, "#2e4a6b"), box(0.54, 0.76, 0.66, 0.95, "#2e4a6b"),
    box(0.29, 0.48, 0.71, 0.80, "#3f7f86"), box(0.10, 0.52, 0.40, 0.62, "#5f9e4a"),
    box(0.60, 0.52, 0.90, 0.62, "#5f9e4a"), disc(0.5, 0.30, 0.215, "#3f6e31"), disc(0.5, 0.31, 0.19, "#6fb257"),
    box(0.37, 0.26, 0.46, 0.34, "#1d2a17"), box(0.54, 0.26, 0.63, 0.34, "#1d2a17"),
    box(0.39, 0.27, 0.43, 0.31, "#d8453a"), box(0.56, 0.27, 0.60, 0.31, "#d8453a"),
    box(0.40, 0.40, 0.60, 0.44, "#1d2a17"),
]  # fmt: skip
SKELETON: list[Shape] = [
    line(0.42, 0.74, 0.40, 0.94, 0.06, "#e8e6dc"), line(0.58, 0.74, 0.60, 0.94, 0.06, "#e8e6dc"),
    line(0.5, 0.46, 0.5, 0.76, 0.06, "#e8e6dc"), line(0.34, 0.54, 0.66, 0.54, 0.05, "#e8e6dc"),
    line(0.36, 0.62, 0.64, 0.62, 0.05, "#e8e6dc"), line(0.40, 0.70, 0.60, 0.70, 0.05, "#e8e6dc"),
    line(0.34, 0.54, 0.26, 0.70, 0.05, "#e8e6dc"), line(0.66, 0.54, 0.76, 0.64, 0.05, "#e8e6dc"),
    disc(0.5, 0.28, 0.20, "#6d6a5f"), disc(0.5, 0.28, 0.175, "#f4f2e9"), box(0.42, 0.38, 0.58, 0.47, "#f4f2e9"),
    disc(0.43, 0.28, 0.05, INK), disc(0.57, 0.28, 0.05, INK), polygon(INK, 0.5, 0.33, 0.47, 0.38, 0.53, 0.38),
    line(0.80, 0.42, 0.88, 0.62, 0.04, WOODEN), line(0.88, 0.62, 0.80, 0.82, 0.04, WOODEN),
    line(0.80, 0.42, 0.80, 0.82, 0.015, "#ffffff"),
]  # fmt: skip
COW: list[Shape] = [
    box(0.22, 0.68, 0.32, 0.90, "#5a3d28"), box(0.58, 0.68, 0.68, 0.90, "#5a3d28"),
    disc(0.45, 0.56, 0.33, "#5a3d28", 0.215), disc(0.45, 0.55, 0.31, "#8a5a36", 0.19),
    disc(0.34, 0.50, 0.10, "#f3ece2", 0.075), disc(0.56, 0.62, 0.11, "#f3ece2", 0.07),
    line(0.13, 0.50, 0.09, 0.70, 0.035, "#5a3d28"), disc(0.77, 0.42, 0.165, "#5a3d28"),
    disc(0.77, 0.42, 0.145, "#8a5a36"), disc(0.80, 0.51, 0.105, "#f0c2b0", 0.075),
    line(0.66, 0.30, 0.62, 0.20, 0.045, "#f3ece2"), line(0.88, 0.30, 0.92, 0.20, 0.045, "#f3ece2"),
    disc(0.72, 0.39, 0.028, INK), disc(0.84, 0.39, 0.028, INK), disc(0.77, 0.51, 0.015, INK),
    disc(0.83, 0.51, 0.015, INK),
]  # fmt: skip
ARROW: list[Shape] = [
    line(0.16, 0.5, 0.76, 0.5, 0.06, INK), line(0.16, 0.5, 0.76, 0.5, 0.035, WOODEN),
    polygon(INK, 0.66, 0.36, 0.92, 0.5, 0.66, 0.64), polygon(STEEL, 0.70, 0.42, 0.86, 0.5, 0.70, 0.58),
    line(0.12, 0.42, 0.22, 0.5, 0.04, "#f4f2e9"), line(0.12, 0.58, 0.22, 0.5, 0.04, "#f4f2e9"),
]  # fmt: skip
SAPLING: list[Shape] = [
    line(0.5, 0.86, 0.5, 0.48, 0.06, "#3f7a2e"), disc(0.36, 0.52, 0.15, "#3f7a2e", 0.085),
    disc(0.64, 0.44, 0.15, "#3f7a2e", 0.085), disc(0.36, 0.51, 0.12, "#5fb043", 0.06),
    disc(0.64, 0.43, 0.12, "#5fb043", 0.06),
]  # fmt: skip
RIPE: list[Shape] = [
    *SAPLING, disc(0.5, 0.30, 0.14, "#9c2f57"), disc(0.5, 0.30, 0.115, "#e4598a"), disc(0.46, 0.26, 0.035, "#ffd3e2"),
    disc(0.30, 0.68, 0.09, "#e4598a"), disc(0.70, 0.64, 0.09, "#e4598a"),
]  # fmt: skip
TREE: list[Shape] = [
    disc(0.5, 0.90, 0.30, "#699c48", 0.07), box(0.42, 0.60, 0.58, 0.92, "#6b4526"),
    box(0.46, 0.60, 0.52, 0.92, "#85592f"),
    disc(0.5, 0.38, 0.37, "#2d5d30", 0.34), disc(0.5, 0.36, 0.34, "#3f7f3f", 0.31),
    disc(0.38, 0.28, 0.14, "#55994d", 0.11),
    disc(0.62, 0.44, 0.12, "#55994d", 0.09), disc(0.40, 0.50, 0.08, "#35703a", 0.06),
    disc(0.66, 0.24, 0.07, "#55994d", 0.05),
]  # fmt: skip
TABLE: list[Shape] = [
    *GRASS, box(0.10, 0.28, 0.90, 0.62, "#6b4526"), box(0.13, 0.31, 0.87, 0.56, "#b98a57"),
    line(0.16, 0.40, 0.84, 0.40, 0.02, "#9b6a3c"), line(0.16, 0.48, 0.84, 0.48, 0.02, "#9b6a3c"),
    box(0.14, 0.62, 0.24, 0.90, "#6b4526"), box(0.76, 0.62, 0.86, 0.90, "#6b4526"),
    line(0.30, 0.46, 0.46, 0.36, 0.05, STEEL), box(0.58, 0.34, 0.72, 0.44, "#8b8f98"),
]  # fmt: skip
FURNACE: list[Shape] = [
    box(0.06, 0.06, 0.94, 0.94, "#5d616a"), box(0.10, 0.10, 0.90, 0.90, "#9ba0a9"),
    line(0.10, 0.34, 0.90, 0.34, 0.025, "#777b84"), line(0.36, 0.10, 0.36, 0.34, 0.025, "#777b84"),
    line(0.66, 0.10, 0.66, 0.34, 0.025, "#777b84"), disc(0.5, 0.66, 0.25, INK, 0.24),
    box(0.25, 0.66, 0.75, 0.90, INK),
    polygon("#e0662b", 0.32, 0.90, 0.36, 0.62, 0.46, 0.74, 0.52, 0.52, 0.60, 0.74, 0.68, 0.64, 0.70, 0.90),
    polygon("#f7c948", 0.42, 0.90, 0.46, 0.76, 0.52, 0.68, 0.60, 0.90),
]  # fmt: skip
WATER: list[Shape] = [
    line(0.10, 0.26, 0.26, 0.22, 0.045, "#7fb4e6"), line(0.26, 0.22, 0.42, 0.26, 0.045, "#7fb4e6"),
    line(0.56, 0.54, 0.72, 0.50, 0.045, "#7fb4e6"), line(0.72, 0.50, 0.88, 0.54, 0.045, "#7fb4e6"),
    line(0.18, 0.80, 0.34, 0.76, 0.045, "#3f7cbd"), line(0.34, 0.76, 0.50, 0.80, 0.045, "#3f7cbd"),
]  # fmt: skip
LAVA: list[Shape] = [
    disc(0.28, 0.34, 0.20, "#f39a2d", 0.12), disc(0.70, 0.66, 0.22, "#f39a2d", 0.13),
    disc(0.28, 0.33, 0.12, "#fbd34d", 0.06),
    disc(0.72, 0.65, 0.13, "#fbd34d", 0.06), disc(0.74, 0.22, 0.10, "#a83a17", 0.06),
    disc(0.24, 0.80, 0.12, "#a83a17", 0.06),
]  # fmt: skip
SAND: list[Shape] = [
    disc(x, y, 0.028, colour)
    for x, y, colour in [
        (0.2, 0.25, "#cdb877"), (0.62, 0.18, "#cdb877"), (0.42, 0.5, "#f4e8bb"), (0.8, 0.46, "#cdb877"),
        (0.24, 0.74, "#cdb877"), (0.66, 0.8, "#f4e8bb"),
    ]
]  # fmt: skip
PATH: list[Shape] = [
    disc(0.26, 0.30, 0.07, "#b7a37d", 0.05), disc(0.70, 0.24, 0.05, "#d9c9a8", 0.04),
    disc(0.60, 0.64, 0.08, "#b7a37d", 0.055), disc(0.24, 0.76, 0.05, "#d9c9a8", 0.04),
]  # fmt: skip

HEART: list[Shape] = [
    disc(0.33, 0.38, 0.21, "#d8453a"), disc(0.67, 0.38, 0.21, "#d8453a"),
    polygon("#d8453a", 0.13, 0.45, 0.87, 0.45, 0.5, 0.90), disc(0.28, 0.32, 0.07, "#f3a49d"),
]  # fmt: skip
FOOD: list[Shape] = [
    line(0.58, 0.58, 0.84, 0.86, 0.11, "#f3ece2"), disc(0.87, 0.80, 0.07, "#f3ece2"),
    disc(0.79, 0.89, 0.07, "#f3ece2"),
    disc(0.40, 0.40, 0.31, "#7a4a22"), disc(0.40, 0.40, 0.27, "#b5713a"), disc(0.31, 0.31, 0.08, "#d79a63"),
]  # fmt: skip
DROP: list[Shape] = [
    polygon("#4f9be6", 0.5, 0.06, 0.76, 0.52, 0.24, 0.52), disc(0.5, 0.63, 0.285, "#4f9be6"),
    disc(0.40, 0.66, 0.07, "#bfe0ff", 0.11),
]  # fmt: skip
BOLT: list[Shape] = [
    polygon("#f4c63d", 0.60, 0.04, 0.20, 0.56, 0.46, 0.56, 0.36, 0.96, 0.80, 0.40, 0.54, 0.40)
]
LOG: list[Shape] = [
    line(0.24, 0.70, 0.74, 0.34, 0.34, "#6b4526"), line(0.24, 0.70, 0.74, 0.34, 0.27, WOODEN),
    disc(0.24, 0.70, 0.155, "#d9b47f"), disc(0.24, 0.70, 0.08, "#b98a57"),
]  # fmt: skip
BOULDER: list[Shape] = [
    polygon("#5d616a", 0.10, 0.74, 0.20, 0.36, 0.48, 0.16, 0.80, 0.30, 0.92, 0.72, 0.60, 0.88, 0.30, 0.88),
    polygon(ROCK, 0.15, 0.72, 0.24, 0.39, 0.48, 0.22, 0.76, 0.34, 0.86, 0.69, 0.58, 0.82, 0.32, 0.82),
    polygon("#c3c7ce", 0.24, 0.42, 0.48, 0.24, 0.56, 0.40, 0.34, 0.54),
]  # fmt: skip


def nugget(colour: str, light: str) -> list[Shape]:
    """A lump of ore."""
    return [
        polygon(INK, 0.12, 0.62, 0.30, 0.26, 0.66, 0.20, 0.90, 0.56, 0.70, 0.86, 0.28, 0.84),
        polygon(colour, 0.18, 0.61, 0.33, 0.32, 0.64, 0.27, 0.83, 0.56, 0.67, 0.79, 0.31, 0.78),
        polygon(light, 0.33, 0.36, 0.60, 0.31, 0.54, 0.46, 0.36, 0.50),
    ]


# Seven strokes of a digit: top, upper left, upper right, middle, lower left, lower right, bottom.
STROKES = {
    "a": (0.30, 0.14, 0.70, 0.14), "b": (0.28, 0.16, 0.28, 0.48), "c": (0.72, 0.16, 0.72, 0.48),
    "d": (0.30, 0.50, 0.70, 0.50), "e": (0.28, 0.52, 0.28, 0.84), "f": (0.72, 0.52, 0.72, 0.84),
    "g": (0.30, 0.86, 0.70, 0.86),
}  # fmt: skip
DIGITS = {
    "0": "abcefg", "1": "cf", "2": "acdeg", "3": "acdfg", "4": "bcdf", "5": "abdfg", "6": "abdefg", "7": "acf",
    "8": "abcdefg", "9": "abcdfg",
}  # fmt: skip


def digit(strokes: str) -> list[Shape]:
    """A digit, light on a dark rim."""
    rim = [line(*STROKES[stroke], 0.34, "#0c0e13") for stroke in strokes]
    return rim + [line(*STROKES[stroke], 0.17, "#ffffff") for stroke in strokes]


PLUS = [line(0.5, 0.2, 0.5, 0.8, 0.34, "#0c0e13"), line(0.2, 0.5, 0.8, 0.5, 0.34, "#0c0e13"),
        line(0.5, 0.2, 0.5, 0.8, 0.17, "#ffffff"), line(0.2, 0.5, 0.8, 0.5, 0.17, "#ffffff")]  # fmt: skip

SPRITES: dict[str, list[Shape]] = {
    "grass": GRASS, "stone": STONE, "path": PATH, "sand": SAND, "water": WATER, "lava": LAVA, "tree": [*GRASS, *TREE],
    "coal": ore("#2b2e36", "#5d616a"), "iron": ore("#d9a07a", "#f3d3bb"),
    "diamond": [*STONE, *gem(0.34, 0.36, 0.17), *gem(0.66, 0.62, 0.20)],
    "table": TABLE, "furnace": [*STONE, *FURNACE], "cow": COW, "zombie": ZOMBIE, "skeleton": SKELETON,
    "plant": SAPLING, "plant-ripe": RIPE,
    "fence": [line(0.10, 0.42, 0.90, 0.42, 0.09, WOODEN), line(0.10, 0.68, 0.90, 0.68, 0.09, WOODEN),
              *(box(x, 0.22, x + 0.14, 0.90, "#85592f") for x in (0.14, 0.43, 0.72))],
    "player-sleep": [box(0.06, 0.40, 0.94, 0.84, "#6b4526"), box(0.10, 0.44, 0.90, 0.78, "#5f7fb8"),
                     box(0.12, 0.46, 0.36, 0.76, "#f3ece2"), disc(0.26, 0.60, 0.13, "#f0c8a0"),
                     line(0.20, 0.60, 0.24, 0.60, 0.025, INK), line(0.29, 0.60, 0.33, 0.60, 0.025, INK)],
    **{f"player-{side}": person(side) for side in ("left", "right", "up", "down")},
    **{f"arrow-{side}": turned(ARROW, side) for side in ("left", "right", "up", "down")},
    "item-health": HEART, "item-food": FOOD, "item-drink": DROP, "item-energy": BOLT, "item-sapling": SAPLING,
    "item-wood": LOG, "item-stone": BOULDER, "item-coal": nugget("#3a3f4b", "#6b7280"),
    "item-iron": nugget("#d9a07a", "#f3d3bb"), "item-diamond": gem(0.5, 0.46, 0.34),
    **{f"item-{metal}_pickaxe": pickaxe(colour) for metal, colour in BLADES.items()},
    **{f"item-{metal}_sword": sword(colour) for metal, colour in BLADES.items()},
    **{f"digit-{number}": digit(strokes) for number, strokes in DIGITS.items()}, "digit-more": PLUS,
}  # fmt: skip
