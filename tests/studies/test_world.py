"""Studies of worlds: a log that is no game, a life in an environment, Crafter; resumed, repeated, refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from suppose.core.answer import Answer
from suppose.core.errors import Refusal, StudyError
from suppose.datasets import make_maintenance_log
from suppose.studies import load, loads
from suppose.studies.world import World
from suppose.studies.world_laws import supports
from suppose.worlds.explore import Step, Trajectory
from suppose.worlds.laws import LawWorldModel, Schema
from suppose.worlds.laws.law import parse_laws

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
QUICK = {"trials": 1, "starts": 5, "horizons": [1, 5]}
PLANS = {
    "start": 0,
    "reward": {"value": "machine.parts", "words": "parts"},
    "plan": [
        {"name": "with oil", "do": [{"action": "run", "times": 4}, "oil", {"action": "run", "times": 4}]},
        {"name": "without", "do": [{"action": "run", "times": 9}]},
    ],
}


def log(hours: int = 250) -> Trajectory:
    steps = make_maintenance_log(hours, seed=2).transitions
    return Trajectory(tuple(Step(h["state"], h["action"], h["next_state"], 0.0, False) for h in steps))


@pytest.fixture(scope="module")
def answer() -> Answer:
    return World.from_steps(log(), plans=PLANS, checks=QUICK).run()


class TestAnswer:
    def test_laws_beat_standing_still(self, answer):
        assert answer.headline.estimate > 80
        assert answer.finding("unchanged").estimate < 50
        assert answer.check("fidelity").verdict == "passes"
        assert answer.check("calibration").verdict == "passes"

    def test_the_better_plan_is_said_in_the_sentence(self, answer):
        assert "'with oil' would end best" in answer.sentence
        found = answer.finding("plan")
        assert found.low > 0
        assert answer.check("plans").verdict == "informs"

    def test_laws_are_readable_with_examples(self, answer):
        table = answer.table("laws")
        assert table.columns[:4] == ("law", "in words", "when", "then")
        assert any("store.cans" in str(row[3]) for row in table.rows)
        assert answer.table("examples").rows[0][1]

    def test_what_was_never_seen_is_said(self, answer):
        assert ("done, never with an effect", "wait") in answer.table("never-seen").rows
        assert "wait" in answer.check("never-seen").words

    def test_figures_and_tables(self, answer):
        assert {"ranks", "calibration", "ahead", "plans", "rollout"} <= {f.name for f in answer.figures}
        assert {"fidelity", "by-action", "ahead", "plans", "actions"} <= {t.name for t in answer.tables}

    def test_same_seed_same_answer_for_any_number_of_jobs(self, answer):
        again = World.from_steps(log(), plans=PLANS, checks=QUICK, run={"jobs": 2}).run()
        assert again.to_json(timing=False).replace('"jobs": 2', '"jobs": 1') == answer.to_json(timing=False)

    def test_an_action_never_taken_warns(self):
        study = World.from_steps(
            log(100),
            checks=QUICK,
            roles={"actions": ["run", "oil", "cool", "replace", "order", "wait", "kick"]},
        )
        check = study.run().check("never-seen")
        assert check.verdict == "warns"
        assert check.words.startswith("Never done: kick")


class TestSupport:
    def test_examples_and_counter_examples_are_those_of_the_record(self):
        steps = [Step({"x": k, "y": 0}, "go", {"x": k + (k % 3 > 0), "y": 0}, 0.0, False) for k in range(30)]
        schema = Schema.from_dicts([step.state for step in steps], actions=("go",))
        model = LawWorldModel(parse_laws("law go then x += {1: 0.7, 0: 0.3}"), schema).fit(steps)
        (found,) = supports(model, steps, schema)
        assert found.failed == [k for k in range(30) if k % 3 == 0]
        assert found.came == [k for k in range(30) if k % 3]
        assert found.said[3] == "x became 3, not 4"


class TestFiles:
    def test_laws_of_a_file(self, tmp_path):
        make_maintenance_log(150, seed=2).save(tmp_path / "log.jsonl")
        (tmp_path / "rules.laws").write_text(make_maintenance_log(1).rules, encoding="utf-8")
        text = """question = "world"
[data]
file = "log.jsonl"
[method]
synthesizer = "given"
laws = "rules.laws"
"""
        answer = loads(text, home=tmp_path).run()
        assert answer.finding("laws").estimate == 9
        assert answer.headline.estimate > 80

    def test_a_run_resumes_with_the_same_result(self, tmp_path, monkeypatch):
        import suppose.studies.world_parts as parts

        study = World.from_steps(log(120), checks=QUICK)
        whole = study.run()
        asked = parts._ahead
        monkeypatch.setattr(parts, "_ahead", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            study.run(tmp_path / "run")
        monkeypatch.setattr(parts, "_ahead", asked)
        monkeypatch.setattr(parts, "find_laws", lambda *_: pytest.fail("laws were found already"))
        resumed = study.run(tmp_path / "run", resume=True)
        assert resumed.to_json(timing=False) == whole.to_json(timing=False)
        assert (tmp_path / "run" / "report.html").exists()

    def test_the_examples_can_be_asked(self):
        for name in ("crafter_life.toml", "machine_log.toml"):
            assert load(EXAMPLES / name).check() == []


class TestEnvironments:
    def test_a_life_in_minigrid(self):
        text = """question = "world"
[world]
environment = "MiniGrid-DoorKey-6x6-v0"
[explore]
explorer = "random"
steps = 250
[checks]
trials = 1
starts = 5
"""
        answer = loads(text).run()
        assert answer.headline.estimate > answer.finding("unchanged").estimate
        assert "rollout" in {figure.name for figure in answer.figures}

    @pytest.mark.slow
    def test_crafter_with_scenarios_and_plans(self):
        answer = load(EXAMPLES / "crafter_life.toml").run()
        assert answer.finding("scenarios-released").estimate >= 0.48
        rows = {(row[0], row[1]): row for row in answer.table("scenarios").rows}
        assert rows["released", "laws"][3] >= rows["released", "product of experts"][3] + 0.08
        assert rows["released", "laws"][-1] == "0.187, 0.479, 8.764, 0.058"
        assert answer.check("plans").verdict in ("passes", "warns", "fails")


class TestRefusals:
    def refused(self, text: str, home: Path | None = None) -> str:
        with pytest.raises(Refusal) as error:
            loads(f'question = "world"\n{text}', home=home).read()
        return error.value.message

    def test_no_world(self):
        assert "expected one of data.file and world.environment, got 0" in self.refused("")

    def test_two_worlds(self, tmp_path):
        text = '[data]\nfile = "log.jsonl"\n[world]\nenvironment = "crafter"\n'
        assert "got 2" in self.refused(text, tmp_path)

    def test_unknown_environment(self):
        assert "Did you mean" in self.refused('[world]\nenvironment = "MiniGrid-DoorKey-6x6-v9"\n')

    def test_broken_line(self, tmp_path):
        (tmp_path / "log.jsonl").write_text('{"state": {}}\n', encoding="utf-8")
        assert "line 1: lacks action, next_state" in self.refused('[data]\nfile = "log.jsonl"\n', tmp_path)

    def test_file_outside(self, tmp_path):
        assert "log.jsonl" in self.refused('[data]\nfile = "../log.jsonl"\n', tmp_path)

    @pytest.mark.parametrize(
        ("sections", "problem"),
        [
            ({"plans": {**PLANS, "start": 900}}, "the record has steps 0 to 59, got 900"),
            ({"plans": {**PLANS, "reward": {"value": "machine.gold"}}}, "no such attribute"),
            ({"plans": {**PLANS, "plan": [{"name": "p", "do": ["fly"]}]}}, "no action 'fly'"),
            ({"plans": {"plan": PLANS["plan"]}}, "plans need a reward"),
            ({"plans": {"shipped": True}}, "are those of Crafter"),
            ({"checks": {"scenarios": True}}, "are those of Crafter"),
            ({"method": {"synthesizer": "llm"}}, "needs base_url and model"),
            ({"roles": {"actor": "machine"}}, "the actor needs a position"),
        ],
    )
    def test_sections(self, sections, problem):
        with pytest.raises(Refusal, match=problem):
            World.from_steps(log(60), **sections).read()

    def test_short_life(self):
        with pytest.raises(StudyError, match="expected at least 10 transitions, got 4"):
            World.from_steps(log(4)).read()

    def test_missing_laws(self):
        study = World.from_steps(log(60), method={"synthesizer": "given", "laws": "none.laws"})
        with pytest.raises(Refusal, match=r"none\.laws"):
            study.run()
