"""Write the made tables of ``examples/``: run ``python scripts/make_example_tables.py``; the same bytes every time.

``two_labellers.csv``: 1,500 documents rated by a person or by a model. A point more of true clarity goes with 0.3
points more of true helpfulness; the model rates both half a point higher; documents that are clear and helpful
were left to the model more often (scenario S5 of :mod:`suppose.worlds.survey`).
"""

from __future__ import annotations

from pathlib import Path

from suppose.worlds.survey import simulate

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def labellers() -> str:
    """The table of two labellers as CSV text."""
    frame = simulate(
        "S5", 1500, seed=3, beta=0.3, a_x=1.0, a_y=1.0, delta_x=0.5, delta_y=0.5, share=0.5
    ).frame
    rated = zip(frame["X*"] + 3, frame["Y*"] + 3, frame["M"], strict=True)
    lines = [f"{x:.2f},{y:.2f},{'model' if m else 'person'}" for x, y, m in rated]
    return "\n".join(["clarity,helpfulness,labeller", *lines]) + "\n"


if __name__ == "__main__":
    (EXAMPLES / "two_labellers.csv").write_text(labellers(), encoding="utf-8")
