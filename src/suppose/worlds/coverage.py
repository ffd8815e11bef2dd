"""An explorer without reward: take every action in every context once, and stay alive meanwhile.

Contexts ("atoms") are what the player faces, how much it has of each item (one, two, four), and what it has built
within a tile. The explorer, in this order, (1) repeats what raised a stat that has become low, (2) strikes beside
things near which it lost health, (3) takes an action not yet taken in a context that holds now, (4) walks to the
nearest kind of thing it has not tried everything on, (5) repeats what gave it an item it has least of, (6) walks to
where it has not looked. It sees what the player sees, and remembers it.

Which action moves it where, what blocks it, what raises a stat, what hurts and what it can build are learned from its
own steps. It is told one thing: tiles of the kinds in ``avoid`` are never stepped on. Actions after which it slept are
not tried in every context again, since they take many steps.

States are nested dicts as :class:`~suppose.worlds.crafter.WorldState` dumps them.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from suppose.core.random import generator
from suppose.worlds.explore import State, Step

__all__ = ["PairwiseCoverageExplorer"]

Tile = tuple[int, int]
THRESHOLDS = (1, 2, 4)
UNKNOWN = "unknown"


class PairwiseCoverageExplorer:
    """Covers pairs of action and context; see the module.

    Parameters
    ----------
    avoid : tuple of str
        Kinds of tiles never stepped on: the one thing it is told.
    low : int
        A stat at or below this is raised before anything else.
    enough : int
        Items are gathered up to this many.

    Examples
    --------
    >>> from suppose.worlds.crafter import CrafterEnv
    >>> from suppose.worlds.explore import explore
    >>> life = explore(CrafterEnv(area=(32, 32)), PairwiseCoverageExplorer(), max_steps=40, seed=2)
    >>> len({step.action for step in life})
    17
    """

    def __init__(self, avoid: tuple[str, ...] = ("lava",), low: int = 4, enough: int = 5) -> None:
        self.avoid, self.low, self.enough = avoid, low, enough
        self.start(("noop",), 0)

    def start(self, actions: Sequence[str], seed: int) -> None:
        """See :class:`~suppose.worlds.explore.Explorer`."""
        self._actions = tuple(actions)
        self._rng = generator(seed, "coverage explorer")
        self.tried: set[tuple[str, str]] = set()
        self.uses: Counter[str] = Counter()
        self.moves: dict[str, Tile] = {}
        self.entered: set[str] = set()
        self.built: set[str] = set()
        self.lasting: set[str] = set()
        self.strikes: Counter[str] = Counter()
        self.hurtful: Counter[str] = Counter()
        self.raised: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        self._map: dict[Tile, str] = {}
        self._things: dict[Tile, str] = {}
        self._stats: tuple[str, ...] | None = None
        self._cause: tuple[str, str] | None = None
        self._still = 0

    # What is seen.

    def _look(self, state: State) -> None:
        """Remembers the tiles in sight, and where things are now."""
        player, size = state["player"], state["size"]
        x, y = _tile(player["position"])
        wide, high = state["view"][0] // 2, max(1, state["view"][1] - 2) // 2
        for i in range(x - wide, x + wide + 1):
            for j in range(y - high, y + high + 1):
                on = 0 <= i < size[0] and 0 <= j < size[1]
                self._map[i, j] = state["materials"][i][j] if on else "outside"
        self._things = {
            _tile(thing["position"]): thing["name"]
            for thing in state["objects"]
            if abs(thing["position"]["x"] - x) <= wide and abs(thing["position"]["y"] - y) <= high
        }
        if self._stats is None:
            self._stats = tuple(name for name, amount in player["inventory"].items() if amount > 0)
            self.entered.add(self._map[x, y])

    def _kind(self, tile: Tile) -> str:
        """What a tile shows: the thing on it, or its material."""
        return self._things.get(tile) or self._map.get(tile, UNKNOWN)

    def _atoms(self, state: State) -> list[str]:
        """The contexts that hold."""
        player = state["player"]
        here = _tile(player["position"])
        atoms = [f"faces {self._kind(_added(here, _tile(player['facing'])))}"]
        for name, amount in player["inventory"].items():
            if name not in (self._stats or ()):
                atoms += [f"{name} {least}" for least in THRESHOLDS if amount >= least]
        around = {self._map.get((here[0] + i, here[1] + j)) for i in (-1, 0, 1) for j in (-1, 0, 1)}
        return atoms + [f"near {name}" for name in sorted(self.built) if name in around]

    # What is done.

    def act(self, state: State) -> str:
        """See :class:`~suppose.worlds.explore.Explorer`."""
        self._look(state)
        if state["player"]["sleeping"]:
            return self._actions[0]
        for choose in (
            self._restore,
            self._strike,
            self._untried,
            self._approach,
            self._gather,
            self._wander,
        ):
            action = choose(state) if self._still < 6 or choose == self._wander else None
            if action is not None:
                return action
        return self._any(state)

    def _safe(self, state: State, action: str) -> bool:
        """Whether an action does not step on what is to be avoided, as far as it is known."""
        here = _tile(state["player"]["position"])
        if action in self.moves:
            return self._map.get(_added(here, self.moves[action])) not in self.avoid
        beside = (_added(here, step) for step in ((-1, 0), (1, 0), (0, -1), (0, 1)))
        return action in self.uses or not any(self._map.get(tile) in self.avoid for tile in beside)

    def _any(self, state: State, stuck: bool = False) -> str:
        """An action by lot, among those that are safe; among those never taken too where nothing else helps."""
        safe = [
            name
            for name in self._actions
            if name not in self.lasting and (self._safe(state, name) or (stuck and name not in self.uses))
        ]
        return safe[int(self._rng.integers(len(safe)))] if safe else self._actions[0]

    def _restore(self, state: State) -> str | None:
        """Repeats what raised the lowest stat, if one is low."""
        items = state["player"]["inventory"]
        for name in sorted(self._stats or (), key=lambda stat: items[stat]):
            if items[name] <= self.low and name != "health" and self.raised[name]:
                action = self._repeat(state, self.raised[name])
                if action is not None:
                    return action
        return None

    def _strike(self, state: State) -> str | None:
        """Strikes something beside that is known to hurt."""
        here, facing = _tile(state["player"]["position"]), _tile(state["player"]["facing"])
        for tile, name in self._things.items():
            step = (tile[0] - here[0], tile[1] - here[1])
            if self.hurtful[name] == 0 or abs(step[0]) + abs(step[1]) != 1 or not self.strikes:
                continue
            if step == facing:
                return self.strikes.most_common(1)[0][0]
            turn = next((action for action, move in self.moves.items() if move == step), None)
            if turn is not None:
                return turn
        return None

    def _missing(self, atom: str) -> list[str]:
        """Actions not yet taken in a context."""
        return [name for name in self._actions if name not in self.lasting and (name, atom) not in self.tried]

    def _untried(self, state: State) -> str | None:
        """The action that covers most new pairs here, the least used first among equals."""
        gains = Counter(action for atom in self._atoms(state) for action in self._missing(atom))
        safe = [action for action in gains if self._safe(state, action)]
        if not safe:
            return None
        return min(safe, key=lambda name: (-gains[name], self.uses[name], self._actions.index(name)))

    def _approach(self, state: State) -> str | None:
        """A step towards the nearest kind of thing on which not everything was tried."""
        open_kinds = {
            kind
            for kind in {*self._map.values(), *self._things.values()}
            if any(
                kind not in self.avoid or name not in self.moves for name in self._missing(f"faces {kind}")
            )
        }
        return self._walk(state, lambda kind: kind in open_kinds)

    def _gather(self, state: State) -> str | None:
        """Repeats what gave the item it has least of."""
        items = state["player"]["inventory"]
        scarce = [
            name for name in self.raised if name not in (self._stats or ()) and items[name] < self.enough
        ]
        for name in sorted(scarce, key=lambda item: (items[item], item)):
            action = self._repeat(state, self.raised[name])
            if action is not None:
                return action
        return None

    def _wander(self, state: State) -> str | None:
        """A step towards where it has not looked; by lot where it is stuck."""
        if self._still >= 6:
            self._still = 0
            return self._any(state, stuck=True)
        return self._walk(state, lambda kind: kind == UNKNOWN)

    def _repeat(self, state: State, causes: Counter[tuple[str, str]]) -> str | None:
        """Does what worked most often, after walking to where it did."""
        here, facing = _tile(state["player"]["position"]), _tile(state["player"]["facing"])
        faced = self._kind(_added(here, facing))
        for (action, kind), _ in causes.most_common(3):
            if kind == faced or action in self.lasting:
                return action
            step = self._walk(state, kind.__eq__)
            if step is not None:
                return step
        return None

    def _walk(self, state: State, wanted: Callable[[str], bool]) -> str | None:
        """First action on a shortest way to facing something wanted, as far as moves are known."""
        start = (_tile(state["player"]["position"]), _tile(state["player"]["facing"]))
        seen = {start}
        line: deque[tuple[tuple[Tile, Tile], str | None]] = deque([(start, None)])
        while line:
            (here, facing), first = line.popleft()
            if first is not None and wanted(self._kind(_added(here, facing))):
                return first
            for action, move in self.moves.items():
                there = _added(here, move)
                kind = self._kind(there)
                if kind == "outside" or kind in self.avoid:  # turning to lava would be stepping on it
                    continue
                following = (there, move) if kind in self.entered else (here, move)
                if following not in seen:
                    seen.add(following)
                    line.append((following, first or action))
        return None

    # What came of it.

    def observe(self, step: Step) -> None:
        """See :class:`~suppose.worlds.explore.Explorer`."""
        before, after = step.state["player"], step.next_state["player"]
        here, there = _tile(before["position"]), _tile(after["position"])
        faced = _added(here, _tile(before["facing"]))
        kind = self._kind(faced)
        if not before["sleeping"]:
            self.uses[step.action] += 1
            self.tried.update((step.action, atom) for atom in self._atoms(step.state))
            self._cause = (step.action, kind)
            if after["sleeping"]:
                self.lasting.add(step.action)
        if here != there:
            self.moves[step.action] = (there[0] - here[0], there[1] - here[1])
            self.entered.add(step.next_state["materials"][there[0]][there[1]])
        self._still = self._still + 1 if _same(step) else 0
        self._learn_items(before["inventory"], after["inventory"])
        self._learn_target(step, faced)
        if after["health"] < before["health"]:
            self.hurtful.update(_beside(self._things, here))

    def _learn_items(self, before: dict[str, int], after: dict[str, int]) -> None:
        """Which action, facing what, raised which item."""
        for name, amount in after.items():
            if amount > before[name] and self._cause is not None:
                self.raised[name][self._cause] += 1

    def _learn_target(self, step: Step, faced: Tile) -> None:
        """What was built on the tile ahead, and which actions strike."""
        old, new = self._map.get(faced), _material(step.next_state, faced)
        before, after = step.state["player"]["inventory"], step.next_state["player"]["inventory"]
        if new is not None and new != old and any(after[name] < before[name] for name in before):
            self.built.add(new)
        health = {thing["entity_id"]: thing["health"] for thing in step.next_state["objects"]}
        for thing in step.state["objects"]:
            struck = health.get(thing["entity_id"], 0) < thing["health"]
            if _tile(thing["position"]) == faced and struck and step.action not in self.moves:
                self.strikes[step.action] += 1


def _tile(place: dict[str, Any]) -> Tile:
    return place["x"], place["y"]


def _added(first: Tile, second: Tile) -> Tile:
    return first[0] + second[0], first[1] + second[1]


def _material(state: State, tile: Tile) -> str | None:
    """Material of a tile, nothing off the map."""
    on = 0 <= tile[0] < state["size"][0] and 0 <= tile[1] < state["size"][1]
    return str(state["materials"][tile[0]][tile[1]]) if on else None


def _beside(things: dict[Tile, str], here: Tile) -> Iterable[str]:
    """Names of things next to a tile."""
    return [name for (x, y), name in things.items() if abs(x - here[0]) + abs(y - here[1]) == 1]


def _same(step: Step) -> bool:
    """Whether nothing came of a step that the player could see on itself."""
    keys = ("position", "facing", "inventory", "achievements")
    return all(step.state["player"][key] == step.next_state["player"][key] for key in keys)
