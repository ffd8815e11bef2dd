"""The catalogue holds each of the 38 systems once, with everything a reader needs to find it."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from suppose.core.errors import StudyError
from suppose.studies.catalogue import System, system, systems

PER_ROOM = {
    "effects": 9,
    "graphs": 1,
    "discovery": 4,
    "worlds": 5,
    "training": 7,
    "probing": 6,
    "generation": 3,
    "agents": 3,
}


def test_thirty_eight_systems_each_once() -> None:
    slugs = [item.slug for item in systems()]
    assert len(slugs) == len(set(slugs)) == 38
    assert Counter(item.room for item in systems()) == PER_ROOM
    assert len({item.arxiv for item in systems()}) == 38
    assert len({item.title for item in systems()}) == 38
    assert len({item.answers for item in systems()}) == 38


def test_systems_of_a_room_stand_together() -> None:
    rooms = [item.room for item in systems()]
    assert list(dict.fromkeys(rooms)) == [
        room for i, room in enumerate(rooms) if i == 0 or rooms[i - 1] != room
    ]


@pytest.mark.parametrize("item", systems(), ids=lambda item: item.slug)
def test_records_are_well_formed(item: System) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", item.slug)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", item.question)
    assert re.fullmatch(r"\d{4}\.\d{5}", item.arxiv)
    assert re.search(r" \((?:[A-Z][^()]* )?(?:19|20)\d\d\)$", item.paper), item.paper
    assert item.answers[0].isupper() and item.answers.endswith("?") and item.answers.count("?") == 1
    assert len(item.answers) <= 160
    assert "  " not in item.paper + item.answers
    assert system(item.slug) is item
    assert item.slug in str(item)
    assert json.loads(json.dumps(item.to_dict()))["url"] == f"https://arxiv.org/abs/{item.arxiv}"


def test_filter_by_availability_splits_the_whole() -> None:
    have, have_not = systems(available=True), systems(available=False)
    assert sorted(have + have_not, key=systems().index) == list(systems())
    assert not any(item.available for item in have_not)


@pytest.mark.parametrize(
    ("slug", "message"),
    [
        ("string-diagram", "system 'string-diagram': no system of this name. Did you mean 'string-diagrams'"),
        ("zzz", "no system of this name. `suppose list` shows all of them"),
    ],
)
def test_unknown_names_are_refused(slug: str, message: str) -> None:
    with pytest.raises(StudyError, match=re.escape(message)) as refusal:
        system(slug)
    assert refusal.value.code == "unknown-system"
