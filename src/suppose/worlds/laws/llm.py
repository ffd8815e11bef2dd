"""Laws from a language model, through any endpoint that speaks the chat format of OpenAI; never required.

For every kind of change that the transitions show, the model is asked about one transition that shows it: what changed,
what was done, how things stood, and how laws are written. Its reply is read by the parser of laws; a Python class is
accepted if it translates (:mod:`.translate`). Nothing a model writes is ever run, and what cannot be read is kept with
the reason in ``rejected_``.

After OneLife (Khan et al., arXiv 2510.12088): one question per transition and changed aspect (items of the actor, its
place, tiles, each kind of object), several atomic laws per reply, up to 8,192 tokens, three tries, five questions at a
time. Ours: transitions are chosen by the novelty of what changed, not by reward; replies are kept on disk under the
hash of the question, so that a second run asks nothing; and prompts, in our own words, ask for the language of laws.

What it does not do: laws proposed for changes that were never seen, dialogues, repairs of refused laws.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from suppose.core.errors import DataError, RunError, StudyError
from suppose.core.progress import progress
from suppose.worlds.explore import Step
from suppose.worlds.laws.inductive import checked_transitions
from suppose.worlds.laws.law import Law, parse_laws
from suppose.worlds.laws.prompts import prompt_of, questions_of
from suppose.worlds.laws.schema import Schema
from suppose.worlds.laws.translate import law_of_class

__all__ = ["LLMSynthesizer", "Rejection", "laws_of_reply"]

RETRIED = (408, 409, 425, 429, 500, 502, 503, 504)
LONGEST_REPLY = 400_000  # letters
_BLOCK = re.compile(r"```[ \t]*([A-Za-z]*)[^\n]*\n(.*?)```", re.DOTALL)


@dataclass(frozen=True)
class Rejection:
    """A part of a reply that is no law, and why."""

    question: str
    text: str
    reason: str


class LLMSynthesizer:
    """Asks a language model for laws.

    Parameters
    ----------
    base_url : str
        Of the endpoint; questions go to ``{base_url}/chat/completions``.
    model : str
        Its name there.
    cache_dir : str or Path
        Folder of replies, one JSON file each.
    concurrency : int
        Questions at the same time.
    key_variable : str
        Environment variable that holds the key; sent only if it is set.
    max_tokens, tries : int
        Longest reply, and how often a question is put before giving up.
    temperature : float
        Of the replies.
    most : int
        Most questions.
    patience : float
        Seconds before the second try; twice as many before the third.
    timeout : float
        Seconds to wait for a reply.

    Attributes
    ----------
    rejected_ : list of Rejection
        What was refused, with reasons.
    asked_ : int
        Questions that were not answered from the cache.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        cache_dir: str | Path,
        concurrency: int = 5,
        *,
        key_variable: str = "OPENAI_API_KEY",
        max_tokens: int = 8_192,
        tries: int = 3,
        temperature: float = 0.0,
        most: int = 200,
        patience: float = 1.0,
        timeout: float = 120.0,
    ) -> None:
        self.base_url, self.model, self.cache_dir = base_url, model, Path(cache_dir)
        self.concurrency, self.key_variable, self.max_tokens = concurrency, key_variable, max_tokens
        self.tries, self.temperature, self.most = tries, temperature, most
        self.patience, self.timeout = patience, timeout

    def synthesize(self, transitions: Sequence[Step], schema: Schema) -> list[Law]:
        """Laws of a world, from what happened in it and what a model makes of that.

        Parameters
        ----------
        transitions : sequence of Step
        schema : Schema

        Returns
        -------
        list of Law
            Those that could be read and fit the schema, in the order of the questions, equal ones once.

        Raises
        ------
        DataError
            ``empty-trajectory``, ``unknown-action``.
        StudyError
            ``bad-endpoint`` for senseless settings.
        RunError
            ``model-unreachable``, ``bad-reply``.
        """
        self._check()
        steps = checked_transitions(transitions, schema)
        questions = questions_of(steps, schema, self.most)
        self.asked_ = 0
        self.rejected_: list[Rejection] = []
        replies = self._replies([prompt_of(question, schema) for question in questions])
        laws: dict[str, Law] = {}
        for question, reply in zip(questions, replies, strict=True):
            found, rejected = laws_of_reply(reply, schema, question.words)
            self.rejected_ += rejected
            for law in found:
                laws.setdefault(_essence(law), law)
        return _renamed(list(laws.values()))

    def _check(self) -> None:
        if not re.fullmatch(r"https?://[^\s]+", self.base_url):
            raise _bad(f"expected an address that begins with http:// or https://, got {self.base_url!r}")
        for name in ("concurrency", "max_tokens", "tries", "most"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise _bad(f"expected a whole number from 1 as {name}, got {value!r}")

    # Asking.

    def _replies(self, prompts: Sequence[list[dict[str, str]]]) -> list[str]:
        """Replies in the order of the prompts, from the cache or from the model."""
        bodies = [self._body(prompt) for prompt in prompts]
        kept = [self._kept(body) for body in bodies]
        missing = [number for number, reply in enumerate(kept) if reply is None]
        if missing:
            self.cache_dir.mkdir(parents=True, exist_ok=True)
            with (
                _client(self.timeout, self._headers()) as client,
                progress("asking the model", len(missing)) as bar,
            ):

                def one(number: int) -> str:
                    reply = self._ask(client, bodies[number])
                    bar.advance()
                    return reply

                with ThreadPoolExecutor(self.concurrency) as pool:
                    for number, reply in zip(missing, pool.map(one, missing), strict=True):
                        kept[number] = reply
            self.asked_ = len(missing)
        return [reply or "" for reply in kept]

    def _headers(self) -> dict[str, str]:
        key = os.environ.get(self.key_variable, "")
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _body(self, prompt: list[dict[str, str]]) -> dict[str, Any]:
        return {
            "model": self.model,
            "messages": prompt,
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
        }

    def _place(self, body: dict[str, Any]) -> Path:
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
        return self.cache_dir / f"{hashlib.sha256(text.encode()).hexdigest()}.json"

    def _kept(self, body: dict[str, Any]) -> str | None:
        """A reply on disk; none where there is no file or it cannot be read."""
        try:
            content = json.loads(self._place(body).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        reply = content.get("reply") if isinstance(content, dict) else None
        return reply if isinstance(reply, str) else None

    def _keep(self, body: dict[str, Any], reply: str) -> None:
        """Writes a reply aside and moves it into place."""
        place = self._place(body)
        aside = place.with_name(f"{place.name}.{os.getpid()}.part")
        aside.write_text(json.dumps({"question": body, "reply": reply}, indent=1), encoding="utf-8")
        aside.replace(place)

    def _ask(self, client: Any, body: dict[str, Any]) -> str:
        """One question, tried several times."""
        import httpx

        problem = ""
        for attempt in range(self.tries):
            if attempt:
                time.sleep(self.patience * 2 ** (attempt - 1))
            try:
                response = client.post(f"{self.base_url.rstrip('/')}/chat/completions", json=body)
            except httpx.HTTPError as error:
                problem = f"{type(error).__name__}: {error}"
                continue
            if response.status_code == 200:
                reply = _content(response)
                self._keep(body, reply)
                return reply
            problem = f"status {response.status_code}: {response.text[:200]}"
            if response.status_code not in RETRIED:
                break
        raise RunError(
            "model-unreachable",
            f"no reply after {attempt + 1} tries, the last one: {problem}",
            where=self.base_url,
            remedy="Check the address, the model's name and the key; replies so far are kept and not asked again.",
        )


def _client(timeout: float, headers: dict[str, str]) -> Any:
    try:
        import httpx
    except ImportError:
        raise StudyError(
            "bad-endpoint",
            "language models are asked through httpx, which is not installed",
            where="LLMSynthesizer",
            remedy="pip install 'suppose[llm]', or use the inductive synthesizer, which needs no model.",
        ) from None
    return httpx.Client(timeout=timeout, headers=headers)


def _bad(problem: str) -> StudyError:
    return StudyError(
        "bad-endpoint",
        problem,
        where="LLMSynthesizer",
        remedy="Give the base address of an endpoint in the chat format of OpenAI, and sensible numbers.",
    )


def _content(response: Any) -> str:
    """The text of a reply."""
    try:
        text = response.json()["choices"][0]["message"]["content"]
    except (ValueError, KeyError, IndexError, TypeError):
        text = None
    if not isinstance(text, str) or len(text) > LONGEST_REPLY:
        raise RunError(
            "bad-reply",
            f"expected choices[0].message.content with a text, got {response.text[:120]!r}",
            where=str(response.url),
            remedy="Check that the endpoint speaks the chat format of OpenAI.",
        )
    return text


# Reading.


def laws_of_reply(reply: str, schema: Schema, question: str = "reply") -> tuple[list[Law], list[Rejection]]:
    r"""The laws of a reply, and what in it is none.

    Parameters
    ----------
    reply : str
        Text with laws between lines of three backticks, or laws alone.
    schema : Schema
    question : str
        For the record of what was refused.

    Examples
    --------
    >>> from suppose.worlds.laws.schema import Attribute
    >>> schema = Schema({"oil": Attribute("int")}, actions=("fill",))
    >>> reply = "```law\nlaw fill when action == \"fill\" then oil += {3: 1}\n```\n```python\nimport os\n```"
    >>> laws, rejected = laws_of_reply(reply, schema)
    >>> [law.name for law in laws], rejected[0].reason.partition(".")[0]
    (['fill'], 'class, line 1: expected one class and nothing beside it')
    """
    blocks = [(match[1].lower(), match[2]) for match in _BLOCK.finditer(reply)]
    if not blocks and re.search(r"^\s*law\s", reply, re.MULTILINE):
        blocks = [("law", reply)]
    laws: list[Law] = []
    rejected: list[Rejection] = []
    for kind, text in blocks:
        python = kind in ("python", "py") or re.match(r"\s*(class|import|from|def)\s", text) is not None
        for part in [text] if python else _each(text):
            try:
                found = [law_of_class(part)] if python else list(parse_laws(part))
                laws += [law.check(schema) for law in found]
            except DataError as error:
                rejected.append(Rejection(question, part.strip(), str(error)))
    return laws, rejected


def _each(text: str) -> list[str]:
    """Laws one by one, so that a bad one spoils no other."""
    parts = re.split(r"(?m)^(?=\s*law\s)", text)
    return [part for part in parts if part.strip() and not part.strip().startswith("#")]


def _essence(law: Law) -> str:
    """A law without its name and words."""
    return str(replace(law, name="law", words=""))


def _renamed(laws: Sequence[Law]) -> list[Law]:
    """Laws with a name of its own each."""
    taken: set[str] = set()
    found = []
    for law in laws:
        name, number = law.name, 1
        while name in taken:
            number += 1
            name = f"{law.name}_{number}"
        taken.add(name)
        found.append(replace(law, name=name))
    return found
