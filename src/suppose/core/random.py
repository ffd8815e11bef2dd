"""One seed for a whole question, and an independent stream for each named part of it.

A stream depends on the seed and on its own name alone, never on how many other streams were drawn
or in which order jobs finished: that is what keeps the bits the same for any number of jobs.
"""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["check_seed", "generator", "integer_seed", "seed_sequence"]

MAX_SEED = 2**63 - 1


def check_seed(seed: int) -> int:
    """The seed as an ``int``; refuses anything but a whole number from 0 to 2**63 - 1."""
    from suppose.core.errors import StudyError

    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= int(seed) <= MAX_SEED:
        raise StudyError(
            "bad-seed",
            f"expected a whole number from 0 to {MAX_SEED}, got {seed!r}",
            where="seed",
            remedy="Write for example seed = 1.",
        )
    return int(seed)


def seed_sequence(seed: int, *path: str | int) -> np.random.SeedSequence:
    """Seed sequence of the stream named by ``path``."""
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in path)
    words = np.frombuffer(hashlib.blake2b(text.encode(), digest_size=16).digest(), dtype="<u4")
    return np.random.SeedSequence([check_seed(seed), *(int(word) for word in words)])


def generator(seed: int, *path: str | int) -> np.random.Generator:
    """Random generator of the stream named by ``path``.

    Examples
    --------
    >>> first, again = generator(1, "folds", 0), generator(1, "folds", 0)
    >>> bool(first.random() == again.random())
    True
    >>> bool(generator(1, "folds", 0).random() == generator(1, "folds", 1).random())
    False
    """
    return np.random.Generator(np.random.PCG64(seed_sequence(seed, *path)))


def integer_seed(seed: int, *path: str | int) -> int:
    """A 31-bit seed of the stream named by ``path``, for libraries that take ``random_state=int``."""
    return int(seed_sequence(seed, *path).generate_state(1, np.uint32)[0] >> 1)
