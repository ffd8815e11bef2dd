"""How figures of the gallery look: the library's own style."""

from __future__ import annotations

import logging
from typing import Any

from suppose.core.figures import PALETTE, STYLE


def reset(gallery_conf: dict[str, Any], fname: str) -> None:
    """Called by sphinx-gallery before every example."""
    import matplotlib as mpl
    from cycler import cycler

    mpl.rcParams.update(STYLE)
    colours = [PALETTE[name] for name in ("blue", "orange", "green", "red", "purple")]
    mpl.rcParams.update(
        {
            "axes.prop_cycle": cycler(color=colours),
            "figure.facecolor": "white",
            "axes.facecolor": "white",
            "savefig.facecolor": "white",
            "figure.figsize": (6.4, 3.6),
            "figure.constrained_layout.use": True,
        }
    )
    logging.getLogger("matplotlib").setLevel(logging.WARNING)
