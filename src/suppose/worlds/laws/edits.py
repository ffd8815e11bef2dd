"""How far a predicted state is from the true one: edits in the sense of JSON Patch (RFC 6902).

:func:`patch` lists the operations (``add``, ``remove``, ``replace``) that turn one nested dict into another. Lists of
objects with an identity are matched by it, so that one object that leaves is one operation; other lists are matched
by place. :func:`distance` counts operations, as OneLife does (Khan et al., arXiv 2510.12088), and divides by the
number of leaves of the truth for the normalised distance. :func:`overlap` compares two changes of one state: the
share of edits they have in common (intersection over union).

Where this departs from the paper's code: it matched objects by place in the list and could ``move`` values.

What it does not do: find the shortest patch. Nothing is moved or copied.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from suppose.worlds.laws.schema import Schema, matches

__all__ = ["Edit", "apply", "comparable", "distance", "leaves", "observed_part", "overlap", "patch"]

IDENTITIES = ("entity_id", "id")


class Edit(NamedTuple):
    """One operation at a JSON pointer; ``value`` is what is put there, None for ``remove``."""

    op: str
    path: str
    value: Any = None

    def to_dict(self) -> dict[str, Any]:
        """As RFC 6902 writes it.

        Examples
        --------
        >>> Edit("replace", "/player/health", 8).to_dict()
        {'op': 'replace', 'path': '/player/health', 'value': 8}
        """
        content = {"op": self.op, "path": self.path}
        return content if self.op == "remove" else {**content, "value": self.value}

    def __str__(self) -> str:
        name = self.path.lstrip("/").replace("/", ".")
        return f"{name} removed" if self.op == "remove" else f"{name} = {self.value!r}"


def patch(before: Any, after: Any) -> list[Edit]:
    """Operations that turn ``before`` into ``after``, in an order in which they can be applied.

    Parameters
    ----------
    before, after : nested dicts and lists of plain values
        Left as they are.

    Examples
    --------
    >>> for edit in patch({"health": 9, "things": [{"id": 1}, {"id": 2}]}, {"health": 8, "things": [{"id": 2}]}):
    ...     print(edit)
    health = 8
    things.0 removed
    """
    found: list[Edit] = []
    _between("", before, after, found)
    return found


def _between(path: str, before: Any, after: Any, found: list[Edit]) -> None:
    """Adds the operations between two values at a place."""
    if isinstance(before, dict) and isinstance(after, dict):
        _between_dicts(path, before, after, found)
    elif isinstance(before, list) and isinstance(after, list):
        key = _identity(before, after)
        if key is None:
            _between_lists(path, before, after, found)
        else:
            _between_objects(path, before, after, key, found)
    elif not _same(before, after):
        found.append(Edit("replace", path, after))


def _between_dicts(path: str, before: dict[str, Any], after: dict[str, Any], found: list[Edit]) -> None:
    for name in before:
        if name not in after:
            found.append(Edit("remove", f"{path}/{_escaped(name)}"))
    for name, value in after.items():
        if name not in before:
            found.append(Edit("add", f"{path}/{_escaped(name)}", value))
        else:
            _between(f"{path}/{_escaped(name)}", before[name], value, found)


def _between_lists(path: str, before: list[Any], after: list[Any], found: list[Edit]) -> None:
    if before == after and _plain_texts(before):
        return
    for place, (old, new) in enumerate(zip(before, after, strict=False)):
        _between(f"{path}/{place}", old, new, found)
    found += [Edit("remove", f"{path}/{place}") for place in range(len(before) - 1, len(after) - 1, -1)]
    found += [Edit("add", f"{path}/{place}", after[place]) for place in range(len(before), len(after))]


def _between_objects(path: str, before: list[Any], after: list[Any], key: str, found: list[Edit]) -> None:
    """Objects that left go out from the end, new ones come in at their place, the rest is compared."""
    old = {thing[key]: thing for thing in before}
    kept = {thing[key] for thing in after}
    for place in range(len(before) - 1, -1, -1):
        if before[place][key] not in kept:
            found.append(Edit("remove", f"{path}/{place}"))
    for place, thing in enumerate(after):
        if thing[key] not in old:
            found.append(Edit("add", f"{path}/{place}", thing))
    for place, thing in enumerate(after):
        if thing[key] in old:
            _between_dicts(f"{path}/{place}", old[thing[key]], thing, found)


def _identity(before: list[Any], after: list[Any]) -> str | None:
    """The key by which the objects of two lists are matched; None where they are matched by place."""
    everything = [*before, *after]
    if not everything or not isinstance(everything[0], dict):
        return None
    for key in IDENTITIES:
        if all(isinstance(thing, dict) and key in thing for thing in everything):
            first = [thing[key] for thing in before]
            last = [thing[key] for thing in after]
            shared = set(first) & set(last)
            in_order = [name for name in first if name in shared] == [name for name in last if name in shared]
            if in_order and len(set(first)) == len(first) and len(set(last)) == len(last):
                return key
    return None


def _same(before: Any, after: Any) -> bool:
    """Whether two leaves are equal; true and 1 are not."""
    return bool(before == after) and isinstance(before, bool) == isinstance(after, bool)


def _plain_texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


@lru_cache(maxsize=100_000)
def _matched(path: str, patterns: tuple[str, ...]) -> bool:
    return matches(path, patterns)


def _escaped(name: Any) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")


def apply(state: Any, edits: Sequence[Edit]) -> Any:
    """The state after the operations of :func:`patch`; the state given stays as it is.

    Examples
    --------
    >>> apply({"a": [1, 2]}, patch({"a": [1, 2]}, {"a": [1, 3, 4]}))
    {'a': [1, 3, 4]}
    """
    import copy

    whole = {"": copy.deepcopy(state)}
    for edit in edits:
        names = [name.replace("~1", "/").replace("~0", "~") for name in edit.path.split("/")]
        place: Any = whole
        for name in names[:-1]:
            place = place[int(name)] if isinstance(place, list) else place[name]
        last: Any = int(names[-1]) if isinstance(place, list) else names[-1]
        if edit.op == "remove":
            del place[last]
        elif edit.op == "add" and isinstance(place, list):
            place.insert(last, copy.deepcopy(edit.value))
        else:
            place[last] = copy.deepcopy(edit.value)
    return whole[""]


def leaves(state: Any) -> int:
    """Number of values in a nested dict; an empty list or dict holds none.

    Examples
    --------
    >>> leaves({"x": 1, "inventory": {"wood": 2, "stone": 0}, "things": []})
    3
    """
    if isinstance(state, dict):
        return sum(leaves(value) for value in state.values())
    if isinstance(state, list):
        return sum(leaves(value) for value in state)
    return 1


def distance(prediction: Any, truth: Any) -> tuple[int, float]:
    """Operations from the prediction to the truth, and the same over the leaves of the truth.

    Examples
    --------
    >>> distance({"x": 1, "y": 2}, {"x": 1, "y": 3})
    (1, 0.5)
    """
    count = len(patch(prediction, truth))
    return count, count / max(leaves(truth), 1)


def overlap(state: Any, prediction: Any, truth: Any) -> float:
    """Edits that prediction and truth make to a state in common, over those either makes; 1 where neither does.

    Examples
    --------
    >>> overlap({"x": 1, "y": 2}, {"x": 2, "y": 3}, {"x": 2, "y": 2})
    0.5
    """
    told, happened = ({_key(edit) for edit in patch(state, later)} for later in (prediction, truth))
    return len(told & happened) / len(told | happened) if told | happened else 1.0


def _key(edit: Edit) -> tuple[str, str, str]:
    return edit.op, edit.path, repr(edit.value)


def comparable(state: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """A state without what the schema ignores, objects in order of identity: what two states are compared by.

    Examples
    --------
    >>> schema = Schema.from_dicts([{"x": 1, "seed": 7}], actions=("on",), ignored=("seed",))
    >>> comparable({"x": 1, "seed": 7}, schema)
    {'x': 1}
    """
    return dict(_kept("", state, schema, schema.ignored))


def _kept(
    path: str, state: Mapping[str, Any], schema: Schema, left_out: tuple[str, ...]
) -> Iterator[tuple[str, Any]]:
    """Names and values below a path that are not left out."""
    for name, value in state.items():
        below = f"{path}.{name}" if path else str(name)
        if _matched(below, left_out):
            continue
        if below in schema.collections:
            key = schema.collections[below].identity
            yield (
                name,
                [
                    dict(_kept(below, thing, schema, left_out))
                    for thing in sorted(value, key=lambda item: item[key])
                ],
            )
        elif isinstance(value, dict):
            yield name, dict(_kept(below, value, schema, left_out))
        else:
            yield name, value


def observed_part(state: Mapping[str, Any], schema: Schema) -> list[tuple[str, Any]]:
    """Paths and values worth predicting, sorted: two states that agree in them are one and the same to a model.

    Examples
    --------
    >>> schema = Schema.from_dicts([{"x": 1, "clock": 7}], actions=("on",), observed=("x",))
    >>> observed_part({"x": 1, "clock": 7}, schema)
    [('x', 1)]
    """
    found: list[tuple[str, Any]] = []
    for path, value in _flat("", comparable(state, schema), schema):
        pattern, _, _ = path.partition("#")
        if schema.grid is not None and pattern == schema.grid:
            found.append((path, value))
        elif _matched(pattern, schema.observed):
            found.append((path.replace("#", ""), value))
    return sorted(found, key=lambda item: item[0])


def _flat(path: str, state: Any, schema: Schema) -> Iterator[tuple[str, Any]]:
    """Leaves with their paths; objects by kind and identity instead of place."""
    if path == schema.grid:
        yield path, state
    elif path in schema.collections:
        key = schema.collections[path].identity
        for thing in state:
            yield f"{path}.exists#{thing[key]}", True
            for below, value in _flat_values("", thing):
                yield f"{path}.{below}#{thing[key]}", value
    elif isinstance(state, dict):
        for name, value in state.items():
            yield from _flat(f"{path}.{name}" if path else name, value, schema)
    elif isinstance(state, list):
        for place, value in enumerate(state):
            yield from _flat(f"{path}.{place}", value, schema)
    else:
        yield path, state


def _flat_values(path: str, thing: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, dict):
        for name, value in thing.items():
            yield from _flat_values(f"{path}.{name}" if path else name, value)
    else:
        yield path, thing
