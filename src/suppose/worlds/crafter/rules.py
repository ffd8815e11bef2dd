"""The rules of Crafter as laws, written by hand from its source: what a learner could know at best.

They stand in ``rules.laws`` beside this module, as an example of the language and as a ruler for learned laws. Left
out are creatures that come and go out of sight, daylight, and who blocks whom where two move at once.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from suppose.worlds.laws.law import Law, check_laws, parse_laws

__all__ = ["crafter_laws"]


@cache
def crafter_laws() -> tuple[Law, ...]:
    """The laws, checked against the schema of the world.

    Examples
    --------
    >>> print(next(law for law in crafter_laws() if law.name == "collect_stone"))
    law collect_stone "A stone gives stone to who has a wood pickaxe"
    when action == "do" and not player.sleeping and target == "stone" and player.inventory.wood_pickaxe >= 1 and player.inventory.stone < 9
    then player.inventory.stone += {1: 1.0}
    """  # noqa: E501
    from suppose.worlds.crafter.schema import SCHEMA

    text = files("suppose.worlds.crafter").joinpath("rules.laws").read_text(encoding="utf-8")
    return check_laws(parse_laws(text), SCHEMA)
