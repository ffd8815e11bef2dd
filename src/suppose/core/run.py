"""The folder of one execution: written aside and renamed, journalled, locked, and resumable.

A run is a list of named steps. Each step's result is checkpointed as one file of arrays and JSON;
after a kill, :meth:`RunFolder.step` reads finished steps back instead of computing them. A fresh
result passes through the same encoding as a resumed one, so both paths give the same bits.

Layout: ``study.toml`` (the study as given), ``journal.jsonl`` (what happened, one line an event),
``checkpoints/``, then ``tables/``, ``figures/``, ``answer.json`` and ``report.html``.

What it does not do: it does not survive a disk that loses synced data, and it guards against two
writers on one machine or a shared disk with working file locks, not against other programs.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import secrets
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from suppose.core.errors import RunError

__all__ = ["MemoryRun", "RunFolder", "decode_result", "encode_result", "sha256_file", "write_atomic"]

JOURNAL = "journal.jsonl"
STUDY = "study.toml"
ANSWER = "answer.json"
Result = Mapping[str, Any]


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file aside, sync it, and rename it into place: it is whole, or not there.

    Raises
    ------
    RunError
        When the disk is full, the folder cannot be written, or the write fails otherwise; what was
        there before is untouched.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    with _refusing_os_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.parent / f".{path.name}.{secrets.token_hex(6)}.part"
        try:
            with aside.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _refusing_os_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = f"file {str(path)!r}"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RunError(
                "disk-full",
                "the disk (or your quota on it) is full; nothing half-written was left behind",
                where=where,
                remedy="Free some space and run again with --resume: finished steps are kept.",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise RunError(
                "folder-not-writable",
                f"the folder cannot be written ({os.strerror(error.errno)})",
                where=where,
                remedy="Choose a folder of your own with --out.",
            ) from error
        raise RunError(
            "write-failed",
            f"the file could not be written ({error.strerror or error})",
            where=where,
            remedy="Check the disk and the path, then run again with --resume.",
        ) from error


def sha256_file(path: Path) -> str:
    """Hash of a file's bytes, as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def encode_result(result: Result) -> bytes:
    """A step's result (arrays, and anything JSON holds) as bytes; no pickle is involved.

    Examples
    --------
    >>> back = decode_result(encode_result({"psi": np.arange(3.0), "name": "aipw", "se": 0.1}))
    >>> back["psi"].tolist(), back["name"], back["se"]
    ([0.0, 1.0, 2.0], 'aipw', 0.1)
    """
    arrays = {
        key: np.ascontiguousarray(value) for key, value in result.items() if isinstance(value, np.ndarray)
    }
    for key, value in arrays.items():
        if value.dtype.hasobject:
            raise TypeError(f"step result {key!r} holds Python objects; expected a numeric or text array")
    rest = {key: value for key, value in result.items() if key not in arrays}
    text = json.dumps(rest, allow_nan=True, ensure_ascii=False)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("result.json"), text)
        for key, value in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{key}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, value, allow_pickle=False)
    return buffer.getvalue()


def decode_result(data: bytes) -> dict[str, Any]:
    """The result that :func:`encode_result` wrote."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        result: dict[str, Any] = json.loads(archive.read("result.json"))
        for name in archive.namelist():
            if name.endswith(".npy"):
                with archive.open(name) as member:
                    result[name.removesuffix(".npy")] = np.lib.format.read_array(member, allow_pickle=False)
    return result


class MemoryRun:
    """A run without a folder: steps are computed and nothing is kept.

    Examples
    --------
    >>> MemoryRun().step("square", lambda: {"value": 3**2})["value"]
    9
    """

    def step(self, name: str, compute: Callable[[], Result]) -> dict[str, Any]:
        """Result of ``compute``, through the same encoding as a checkpointed one."""
        return decode_result(encode_result(compute()))


class RunFolder:
    """One run on disk.

    Parameters
    ----------
    path : Path
        The folder; created when missing.
    key : str
        Hash of all that decides the result: study, inputs, seed, version. A folder made under
        another key is not resumed.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path, self.key = Path(path), key
        self._lock: FileLock | None = None
        self._finished: dict[str, str] = {}

    # -- life cycle ------------------------------------------------------------------------

    def open(self, study_text: str, *, resume: bool = False, overwrite: bool = False) -> RunFolder:
        """Lock the folder and make it ready to write.

        Raises
        ------
        RunError
            When another process writes there, when it holds another run and neither ``resume`` nor
            ``overwrite`` was asked for, or when a run to resume belongs to another study or data.
        """
        with _refusing_os_errors(self.path):
            if self.path.exists() and not self.path.is_dir():
                raise RunError(
                    "not-a-folder",
                    "a file of that name is there",
                    where=f"run folder {str(self.path)!r}",
                    remedy="Choose another name with --out.",
                )
            self.path.mkdir(parents=True, exist_ok=True)
            self._take_lock()
        try:
            self._settle(study_text, resume, overwrite)
        except BaseException:
            self.close()
            raise
        return self

    def _settle(self, study_text: str, resume: bool, overwrite: bool) -> None:
        events = self.events()
        where = f"run folder {str(self.path)!r}"
        if not events:
            self._refuse_foreign(where)
        elif overwrite and not resume:
            self._clear()
        elif not resume:
            state = "a finished run" if self.finished else "an unfinished run"
            raise RunError(
                "run-exists",
                f"it holds {state}",
                where=where,
                remedy="Add --resume to go on with it, --overwrite to start anew, or choose another --out.",
            )
        elif events[0].get("key") != self.key:
            raise RunError(
                "other-study",
                "the run there was made from another study, other data or another version",
                where=where,
                remedy="Start anew with --overwrite, or choose another --out.",
            )
        if not self.events():
            self.log("started", key=self.key)
        write_atomic(self.path / STUDY, study_text)
        self._remove_leftovers()
        steps = [(e.get("step"), e.get("sha256")) for e in self.events() if e["event"] == "step"]
        self._finished = {s: h for s, h in steps if isinstance(s, str) and isinstance(h, str)}

    def close(self) -> None:
        """Release the lock."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take_lock(self) -> None:
        lock = FileLock(self.path / ".lock", timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise RunError(
                "run-locked",
                "another process is writing to it",
                where=f"run folder {str(self.path)!r}",
                remedy="Wait for it to end, or choose another --out.",
            ) from error
        self._lock = lock

    def _refuse_foreign(self, where: str) -> None:
        strangers = [item.name for item in self.path.iterdir() if not item.name.startswith(".")]
        strangers = [name for name in strangers if name not in (STUDY, JOURNAL)]
        if strangers:
            raise RunError(
                "folder-not-empty",
                f"it holds files of another origin ({', '.join(sorted(strangers)[:3])})",
                where=where,
                remedy="Choose a new or empty folder with --out.",
            )

    def _clear(self) -> None:
        with _refusing_os_errors(self.path):
            (self.path / JOURNAL).unlink(missing_ok=True)
            for name in (STUDY, ANSWER, "report.html"):
                (self.path / name).unlink(missing_ok=True)
            for name in ("checkpoints", "tables", "figures"):
                shutil.rmtree(self.path / name, ignore_errors=True)

    def _remove_leftovers(self) -> None:
        for part in self.path.rglob(".*.part"):
            part.unlink(missing_ok=True)

    # -- journal ---------------------------------------------------------------------------

    def log(self, event: str, **facts: Any) -> None:
        """Append one line to the journal, synced before returning."""
        path = self.path / JOURNAL
        with _refusing_os_errors(path):
            torn = path.exists() and path.stat().st_size > 0 and not path.read_bytes().endswith(b"\n")
            line = ("\n" if torn else "") + json.dumps({"event": event, **facts}) + "\n"
            with path.open("ab") as file:
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())

    def events(self) -> list[dict[str, Any]]:
        """The journal's events; a line torn by a kill is passed over."""
        path = self.path / JOURNAL
        if not path.exists():
            return []
        events = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                event = json.loads(line)
            except json.JSONDecodeError:
                continue
            if isinstance(event, dict) and "event" in event:
                events.append(event)
        return events

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return any(event["event"] == "finished" for event in self.events())

    # -- steps -----------------------------------------------------------------------------

    def step(self, name: str, compute: Callable[[], Result]) -> dict[str, Any]:
        """Result of a named step: read back when it is finished and whole, computed otherwise."""
        path = self.path / "checkpoints" / f"{_file_name(name)}.npz"
        known = self._finished.get(name)
        if known is not None and path.exists():
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() == known:
                return decode_result(data)
        data = encode_result(compute())
        write_atomic(path, data)
        digest = hashlib.sha256(data).hexdigest()
        self.log("step", step=name, sha256=digest)
        self._finished[name] = digest
        return decode_result(data)

    def finish(self) -> None:
        """Mark the run finished and drop its checkpoints: the answer is on disk."""
        self.log("finished")
        shutil.rmtree(self.path / "checkpoints", ignore_errors=True)


def _file_name(step: str) -> str:
    """File name of a step: readable, and different for different steps."""
    plain = re.sub(r"[^A-Za-z0-9-]+", "_", step)[:60]
    return f"{plain}.{hashlib.sha256(step.encode()).hexdigest()[:8]}"
