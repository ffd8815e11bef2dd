"""The environment and the batch: gymnasium's own check, equality with the transition, pictures and text."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from suppose.core.errors import StudyError
from suppose.worlds.crafter import (
    ACTIONS,
    CrafterBatch,
    CrafterEnv,
    grass_state,
    initial_state,
    render_image,
    render_text,
    transition,
)
from suppose.worlds.crafter.image import sprite
from suppose.worlds.crafter.scenarios import furnish
from suppose.worlds.crafter.sprites import BACKGROUNDS, SPRITES

ACTS = np.random.default_rng(0).integers(0, 17, 150).tolist()


@pytest.mark.parametrize("observation", ["image", "semantic"])
@pytest.mark.parametrize("mode", ["rgb_array", "ansi"])
def test_gymnasium_accepts_it(observation, mode):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*not from the environment registry.*|.*render.*")
        check_env(CrafterEnv(area=(24, 24), observation=observation, render_mode=mode))


def test_the_environment_is_the_transition():
    env = CrafterEnv(area=(32, 32))
    env.reset(seed=6)
    state = initial_state(area=(32, 32), seed=6)
    assert env.state.model_dump() == state.model_dump()
    for action in ACTS:
        state, reward = transition(state, action)
        _, theirs, dead, cut, info = env.step(action)
        assert reward == theirs and not cut
        assert info["inventory"]["health"] == state.player.health and dead == (state.player.health <= 0)
        if dead:
            break
    assert env.state_dict() == state.model_dump()


def test_pictures_leave_the_stream_alone():
    plain, seen = (
        CrafterEnv(area=(32, 32), observation="semantic"),
        CrafterEnv(area=(32, 32), render_mode="rgb_array"),
    )
    for env in (plain, seen):
        env.reset(seed=1)
    for action in ACTS[:60]:
        plain.step(action)
        seen.step(action)
        seen.render()
    assert plain.state_dict() == seen.state_dict()


def test_an_episode_starts_anywhere_and_is_cut_at_its_length():
    state = furnish(grass_state(), objects=[("cow", (4, 5), {})])
    env = CrafterEnv(area=(9, 9), length=3, observation="semantic")
    shown, _ = env.reset(seed=0, options={"state": state})
    assert shown[4, 5] == 14 and shown[4, 4] == 13 and shown[0, 0] == 2
    assert [env.step(0)[3] for _ in range(3)] == [False, False, True]
    with pytest.raises(StudyError, match="has 9 by 9 tiles, the state 10 by 9"):
        env.state = grass_state(area=(10, 9))
    with pytest.raises(StudyError, match="expected one of image, semantic"):
        CrafterEnv(observation="pixel")


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_a_batch_gives_the_single_worlds_for_any_number_of_jobs(jobs):
    with CrafterBatch(5, area=(24, 24), seed=3, jobs=jobs) as batch:
        states = [batch.state(index) for index in range(5)]
        for step in range(40):
            actions = [(step * 5 + index * 3) % 17 for index in range(5)]
            rewards, ended = batch.step(np.array(actions))
            for index in range(5):
                states[index], reward = transition(states[index], actions[index])
                assert reward == rewards[index]
                assert ended[index] == (states[index].player.health <= 0)
                if ended[index]:
                    states[index] = batch.state(index)
                assert states[index].model_dump() == batch.state(index).model_dump()


def test_worlds_of_a_batch_begin_anew():
    with CrafterBatch(3, area=(24, 24), seed=3, length=4) as batch:
        first = batch.state(0).materials
        ends = [batch.step(np.zeros(3, int))[1].tolist() for _ in range(4)]
        assert ends == [[False] * 3] * 3 + [[True] * 3]
        assert batch.state(0).step_count == 0 and batch.state(0).materials != first
        assert len({str(batch.state(index).materials) for index in range(3)}) == 3


def test_worlds_go_on_where_they_are_not_to_begin_anew():
    with CrafterBatch(2, area=(24, 24), seed=3, length=4, restart=False) as batch:
        ends = [batch.step(np.zeros(2, int))[1].tolist() for _ in range(6)]
        assert ends == [[False] * 2] * 3 + [[True] * 2] * 3
        assert batch.state(0).step_count == 6


def test_a_batch_grows_with_its_objects():
    with CrafterBatch(1, area=(12, 12), seed=1) as batch:
        zombies = [("zombie", (x, y), {}) for x in range(0, 12, 2) for y in range(0, 12, 2)]
        batch.arrays = furnish(
            grass_state(area=(12, 12), position=(5, 5), health=90), objects=zombies
        ).to_arrays()
        batch.arrays = batch.arrays._replace(objects=batch.arrays.objects[:, : len(zombies) + 1])
        state = batch.state(0)
        for _ in range(12):
            state, _ = transition(state, "noop")
            batch.step(np.array([0]))
        assert batch.state(0).model_dump() == state.model_dump()


def test_views_show_what_is_around():
    with CrafterBatch(2, area=(24, 24), seed=3) as batch:
        views = batch.views()
        state = batch.state(1)
    assert views.shape == (2, 9, 7) and (views[:, 4, 3] == 13).all()
    names = {name: place for place, name in enumerate(("water", "grass", "stone", "path", "sand", "tree"), 1)}
    here = state.player.position
    for dx in (-4, 0, 4):
        material, thing = state.get_tile(here.x + dx, here.y - 2)
        if thing is None and material in names:
            assert views[1, 4 + dx, 1] == names[material]


def test_senseless_batches_are_refused():
    with pytest.raises(StudyError, match="worlds: expected a whole number from 1, got 0"):
        CrafterBatch(0)
    with CrafterBatch(2, area=(9, 9)) as batch:
        for wrong in ([1], [0, 17], [0, -1]):
            with pytest.raises(StudyError, match="expected 2 whole numbers from 0 to 16"):
                batch.step(np.array(wrong))


def test_every_tile_creature_and_item_has_a_drawing_of_its_own():
    from suppose.worlds.crafter import ITEMS, MATERIALS

    wanted = [
        *MATERIALS,
        *(f"item-{item}" for item in ITEMS if item != "sapling"),
        "cow",
        "zombie",
        "skeleton",
        "fence",
        "plant",
    ]
    assert set(wanted) <= set(SPRITES) | set(BACKGROUNDS)
    pictures = {name: sprite(name, 8) for name in wanted}
    seen = {(colours * opacity[..., None]).round(3).tobytes() for colours, opacity in pictures.values()}
    assert len(seen) == len(wanted)


def test_pictures_have_the_size_asked_for_and_show_changes():
    state = furnish(grass_state(), items={"wood": 12})
    for size in ((63, 63), (64, 64), (100, 90), (9, 9)):
        picture = render_image(state, size)
        assert picture.shape == (size[1], size[0], 3) and picture.dtype == np.uint8
        assert (picture == render_image(state, size)).all()
    other = furnish(state, tiles={(5, 4): "water"})
    base = render_image(state, (90, 90)).astype(int)
    changed = np.abs(render_image(other, (90, 90)).astype(int) - base).sum(-1) > 0
    assert changed[30:40, 50:60].mean() > 0.9 and changed.sum() <= 100
    night, asleep = state.copy_state(), state.copy_state()
    night.daylight, asleep.player.sleeping = 0.0, True
    assert render_image(night, (90, 90))[:70].mean() < 0.6 * base[:70].mean()
    assert render_image(asleep, (90, 90))[:70].mean() < 0.6 * base[:70].mean()


def test_text_says_what_is_there():
    state = furnish(
        grass_state(),
        objects=[("cow", (4, 5), {}), ("plant", (0, 4), {})],
        tiles={(8, 4): "water"},
        items={"wood": 2},
    )
    text = render_text(state)
    lines = text.splitlines()
    assert lines[3] == "p...@...~" and lines[4] == "....C...."
    assert "facing down: cow on grass" in text and "water (4 right)" in text and "holds 2 wood" in text
    state.player.facing.y, state.player.facing.x, state.player.position.x = 0, -1, 0
    state.objects.pop()
    assert "facing left: the edge of the map" in render_text(state)
    assert len(ACTIONS) == 17
