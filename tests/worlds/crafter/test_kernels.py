"""Kept machine code goes when any text it was made of changes."""

from __future__ import annotations

import re
from pathlib import Path

from suppose.worlds.crafter import kernels, step

FOLDER = Path(kernels.__file__).parent


def test_every_file_with_kernels_counts():
    holding = {path.stem for path in FOLDER.glob("*.py") if re.search(r"^@kernel$", path.read_text(), re.M)}
    assert holding <= set(kernels.SOURCES)
    imported = {
        name
        for source in holding
        for name in re.findall(
            r"from suppose\.worlds\.crafter\.(\w+) import", (FOLDER / f"{source}.py").read_text()
        )
    }
    assert imported - {"state"} <= set(kernels.SOURCES)  # states are no part of kernels


def test_the_stamp_of_a_kernel_holds_all_sources():
    stamp = step.step_worlds._cache._cache_file._source_stamp
    assert stamp[1] == kernels._stamp()


def test_a_kernel_is_called_with_its_arguments():
    assert [kernels.called(max, 2, number) for number in (1, 3)] == [2, 3]
