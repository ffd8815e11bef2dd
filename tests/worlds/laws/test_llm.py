"""Laws from a language model: a stub endpoint on this machine, recorded replies, refusals; nothing is ever run."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from suppose.core.errors import DataError, RunError, StudyError
from suppose.datasets import make_maintenance_log
from suppose.datasets.machines import MACHINE_ACTIONS, MACHINE_RULES
from suppose.worlds.explore import Step
from suppose.worlds.laws.law import parse_laws
from suppose.worlds.laws.llm import LLMSynthesizer, laws_of_reply
from suppose.worlds.laws.prompts import detected, prompt_of, questions_of
from suppose.worlds.laws.schema import Schema
from suppose.worlds.laws.translate import law_of_class

OILED = """Oiling fills it up.
```law
law oiled "Oiling fills it up"
when action == "oil" and store.cans >= 1
then machine.oil = {4: 1.0}
```
A second one is not a law at all:
```law
law wrong when weather == "rain" then machine.oil += {1: 1.0}
```
```python
class Cooled:
    def precondition(self, state, action):
        return action == "cool"
    def effect(self, state, action):
        state.machine.hot = False
```
```python
class Evil:
    def precondition(self, state, action):
        return __import__("os").system("touch never") == 0
    def effect(self, state, action):
        state.machine.hot = False
```
"""


@pytest.fixture(scope="module")
def machine() -> tuple[list[Step], Schema]:
    hours = make_maintenance_log(300, seed=1).transitions
    steps = [Step(**hour, reward=0.0, done=False) for hour in hours]
    return steps, Schema.from_dicts([step.state for step in steps], actions=MACHINE_ACTIONS)


class Stub:
    """An endpoint that replies with what it is told to, and remembers what it was asked."""

    def __init__(self, statuses: tuple[int, ...] = (), body: dict[str, Any] | None = None) -> None:
        self.asked: list[tuple[str, dict[str, Any], str | None]] = []
        self.statuses, self.body = list(statuses), body
        self.most = self.now = 0
        lock = threading.Lock()
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    stub.asked.append((self.path, content, self.headers.get("Authorization")))
                    stub.now += 1
                    stub.most = max(stub.most, stub.now)
                    status = stub.statuses.pop(0) if stub.statuses else 200
                reply = stub.body or {"choices": [{"message": {"content": OILED}}]}
                text = json.dumps(reply).encode()
                with lock:
                    stub.now -= 1
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                """Silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def stub() -> Iterator[Stub]:
    made = Stub()
    yield made
    made.close()


def test_laws_come_from_the_replies_and_a_second_run_asks_nothing(machine, stub, tmp_path, monkeypatch):
    monkeypatch.setenv("SUPPOSE_TEST_KEY", "open sesame")
    synthesizer = LLMSynthesizer(
        stub.url, "stub", tmp_path / "replies", key_variable="SUPPOSE_TEST_KEY", most=6
    )
    laws = synthesizer.synthesize(*machine)
    assert [law.name for law in laws] == ["oiled", "Cooled"]
    assert synthesizer.asked_ == len(stub.asked) == 6
    path, body, key = stub.asked[0]
    assert path == "/v1/chat/completions"
    assert key == "Bearer open sesame"
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("stub", 8_192, 0.0)
    assert stub.most <= 5
    reasons = [rejection.reason for rejection in synthesizer.rejected_]
    assert len(reasons) == 12
    assert "weather: no such attribute" in reasons[0]
    assert "calls are limited to" in reasons[1]
    again = LLMSynthesizer(stub.url, "stub", tmp_path / "replies", most=6)
    assert list(map(str, again.synthesize(*machine))) == list(map(str, laws))
    assert again.asked_ == 0
    assert len(stub.asked) == 6


def test_no_key_no_header_and_no_key_on_disk(machine, stub, tmp_path, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    LLMSynthesizer(stub.url, "stub", tmp_path, most=1).synthesize(*machine)
    assert stub.asked[0][2] is None
    monkeypatch.setenv("OPENAI_API_KEY", "open sesame")
    LLMSynthesizer(stub.url, "another", tmp_path, most=1).synthesize(*machine)
    assert "sesame" not in "".join(file.read_text() for file in tmp_path.iterdir())


def test_another_question_has_another_reply(machine, stub, tmp_path):
    LLMSynthesizer(stub.url, "stub", tmp_path, most=2).synthesize(*machine)
    LLMSynthesizer(stub.url, "stub", tmp_path, most=2, temperature=1.0).synthesize(*machine)
    assert len(stub.asked) == 4
    assert len(list(tmp_path.glob("*.json"))) == 4
    assert not list(tmp_path.glob("*.part"))


def test_a_torn_reply_on_disk_is_asked_again(machine, stub, tmp_path):
    synthesizer = LLMSynthesizer(stub.url, "stub", tmp_path, most=1)
    synthesizer.synthesize(*machine)
    (file,) = tmp_path.glob("*.json")
    file.write_text('{"reply": "half')
    synthesizer.synthesize(*machine)
    assert len(stub.asked) == 2


def test_three_tries(machine, tmp_path):
    busy = Stub(statuses=(503, 429))
    laws = LLMSynthesizer(busy.url, "stub", tmp_path, most=1, patience=0.01).synthesize(*machine)
    assert laws
    assert len(busy.asked) == 3
    busy.close()


def test_giving_up_says_why(machine, tmp_path):
    down = Stub(statuses=(503, 503, 503))
    with pytest.raises(RunError, match="no reply after 3 tries, the last one: status 503"):
        LLMSynthesizer(down.url, "stub", tmp_path, most=1, patience=0.01).synthesize(*machine)
    down.close()
    denied = Stub(statuses=(401,))
    with pytest.raises(RunError, match="no reply after 1 tries, the last one: status 401"):
        LLMSynthesizer(denied.url, "stub", tmp_path, most=1).synthesize(*machine)
    denied.close()
    with pytest.raises(RunError, match="ConnectError"):
        LLMSynthesizer(denied.url, "stub", tmp_path, most=1, patience=0.01).synthesize(*machine)


def test_what_is_no_reply_is_refused(machine, tmp_path):
    odd = Stub(body={"error": "none"})
    with pytest.raises(RunError, match=r"expected choices\[0\].message.content with a text"):
        LLMSynthesizer(odd.url, "stub", tmp_path, most=1).synthesize(*machine)
    odd.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"base_url": "localhost"},
            "expected an address that begins with http:// or https://, got 'localhost'",
        ),
        ({"concurrency": 0}, "expected a whole number from 1 as concurrency, got 0"),
        ({"tries": True}, "expected a whole number from 1 as tries, got True"),
    ],
)
def test_senseless_settings_are_refused(machine, tmp_path, arguments, message):
    settings = {"base_url": "http://127.0.0.1:9", "model": "stub", "cache_dir": tmp_path} | arguments
    with pytest.raises(StudyError, match=message):
        LLMSynthesizer(**settings).synthesize(*machine)


def test_each_kind_of_change_is_asked_about_once(machine):
    steps, schema = machine
    questions = questions_of(steps, schema, 100)
    kinds = [(q.aspect, q.step.action, path, new if isinstance(new, bool) else new - old)
             for q in questions for path, old, new in q.changes]  # fmt: skip
    everything = {
        (aspect, s.action, path, new if isinstance(new, bool) else new - old)
        for s in steps for aspect, changes in detected(s, schema) for path, old, new in changes
    }  # fmt: skip
    assert set(kinds) == everything
    assert len(questions) <= len(everything)


def test_aspects_of_a_world_with_objects_and_a_map():
    from suppose.worlds.coverage import PairwiseCoverageExplorer
    from suppose.worlds.crafter import SCHEMA, CrafterEnv
    from suppose.worlds.explore import explore

    life = explore(CrafterEnv(area=(64, 64)), PairwiseCoverageExplorer(), max_steps=120, seed=2)
    questions = questions_of(list(life), SCHEMA, 200)
    assert {"attributes", "place", "tiles", "cow"} <= {question.aspect for question in questions}
    system, user = prompt_of(next(q for q in questions if q.aspect == "tiles"), SCHEMA)
    assert system["role"] == "system"
    assert "Tiles around the actor" in user["content"]
    assert 'Action: "' in user["content"]
    assert len(user["content"]) < 20_000


def test_a_reply_of_laws_alone_is_read(machine):
    laws, rejected = laws_of_reply(MACHINE_RULES, machine[1])
    assert [str(law) for law in laws] == [str(law) for law in parse_laws(MACHINE_RULES)]
    assert rejected == []


# Python classes.


def law(precondition: str, effect: str) -> str:
    return (
        "class Law:\n    def precondition(self, state, action):\n        " + precondition
        + "\n    def effect(self, state, action):\n        " + effect + "\n"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("precondition", "effect", "when", "then"),
    [
        ("return True", "state.a.b += 1", "true", "a.b += {1: 1.0}"),
        ("return 1 < state.a.b <= 3", "state.a.b -= 2", "1 < a.b and a.b <= 3", "a.b += {-2: 1.0}"),
        ("return action in ('x', 'y')", "state.a.b = {1: 0.5, 2: 0.5}", 'action in ("x", "y")',
         "a.b = {1: 0.5, 2: 0.5}"),
        ("return near('tree', 1) and not state.a.c", "state.set_facing_material('path')", 'near("tree", 1) and not a.c',
         'material(target) = {"path": 1.0}'),
        ("return target == 'cow'", "state.a.b += Distribution(support=[1, 0], probabilities=[0.75, 0.25])",
         'target == "cow"', "a.b += {1: 0.75, 0: 0.25}"),
        ("if state.a.c:\n            return False\n        return action == 'x'", "state.a.b += 1",
         'not a.c and action == "x"', "a.b += {1: 1.0}"),
    ],
)  # fmt: skip
def test_classes_that_say_what_laws_say_are_read(precondition, effect, when, then):
    found = law_of_class(law(precondition, effect))
    assert str(found.when) == when
    assert [str(part) for part in found.effects] == [then]


def test_a_loop_over_objects_of_a_kind_binds_it():
    text = law("return action == 'x'", "for z in state.objects('zombie'):\n            if dist(z, target) == 0:\n"
               "                z.health -= 1")  # fmt: skip
    found = law_of_class(text)
    assert found.each == "zombie"
    assert str(found.when) == 'action == "x" and dist(it, target) == 0'
    assert str(found.effects[0]) == "it.health += {-1: 1.0}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import os", "expected one class"),
        (law("return open('/etc/passwd')", "state.a = 1"), "calls are limited to"),
        (law("return state.__class__", "state.a = 1"), "expected a path of the state"),
        (law("return os.name", "state.a = 1"), "the name 'os' means nothing"),
        (law("return True", "exec('1')"), "effects call set_facing_material"),
        (law("return True", "while True:\n            pass"), "While is no effect"),
        (law("return True", "for i in range(9):\n            state.a = 1"), "loops run over state.objects"),
        (law("return [x for x in (1,)]", "state.a = 1"), "ListComp has no counterpart"),
        (law("return (lambda: 1)()", "state.a = 1"), "calls are limited to"),
        (law("return f'{state.a}' == 'x'", "state.a = 1"), "JoinedStr has no counterpart"),
        (law("x = 1\n        return True", "state.a = 1"), "only if ...: return False"),
        (
            law("return True", "state.a += 1\n        for z in state.objects('cow'):\n            z.b = 1"),
            "stands alone",
        ),
        (law("return True", "pass"), "the effect changes nothing"),
        ("@x\n" + law("return True", "state.a = 1"), "decorators"),
        ("class A(metaclass=B):\n    pass", "metaclasses"),
        (law("return True", "state.a = 1") + "    x = open('y')\n", "and no others"),
        ("class A:\n    pass", "and no others"),
        ("(" * 5_000, "not Python"),
        ("x" * 20_001, "more than 20,000 letters"),
        (law("return True", "action = 1"), "action is not an attribute"),
    ],
)
def test_everything_else_is_refused_and_never_run(text, reason):
    with pytest.raises(DataError) as caught:
        law_of_class(text)
    assert caught.value.code in ("law-python", "law-syntax")
    assert reason in str(caught.value)
