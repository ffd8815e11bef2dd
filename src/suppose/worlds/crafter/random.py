"""The stream of random numbers of a world, which is part of its state.

It is the Mersenne Twister MT19937 (Matsumoto and Nishimura, ACM TOMACS 8(1), 1998) with the seeding and the
draws of ``numpy.random.RandomState``: 53-bit uniforms from two words, integers by masked rejection. Two worlds
with equal states therefore draw the numbers the reference implementation draws, and a state holds its stream as
text that can be stored and compared.

What it does not do: no normals, no arrays of draws, no jumping ahead.
"""

from __future__ import annotations

import base64
import binascii
from typing import no_type_check

import numpy as np
from jaxtyping import UInt32

from suppose.core.errors import DataError
from suppose.worlds.crafter.kernels import kernel

__all__ = ["SIZE", "from_text", "integer_below", "seeded", "to_text", "uniform"]

SIZE = 624
SHIFT = 397
WORD = 0xFFFFFFFF
UPPER = 0x80000000
LOWER = 0x7FFFFFFF
TWIST = 0x9908B0DF


def seeded(seed: int) -> tuple[UInt32[np.ndarray, "624"], int]:
    """Words and position of the stream that ``numpy.random.RandomState(seed)`` starts.

    Examples
    --------
    >>> key, position = seeded(3)
    >>> bool((key == np.random.RandomState(3).get_state()[1]).all()), position
    (True, 624)
    """
    key = np.empty(SIZE, np.uint32)
    word = seed & WORD
    for index in range(SIZE):
        key[index] = word
        word = (1812433253 * (word ^ (word >> 30)) + index + 1) & WORD
    return key, SIZE


def to_text(key: UInt32[np.ndarray, "624"], position: int) -> str:
    """The stream as text: position, colon, base64 of the words (little endian).

    Examples
    --------
    >>> text = to_text(*seeded(3))
    >>> text[:8], len(text)
    ('624:AwAA', 3332)
    """
    return f"{position}:{base64.b64encode(key.astype('<u4').tobytes()).decode('ascii')}"


def from_text(text: str) -> tuple[UInt32[np.ndarray, "624"], int]:
    """The stream written by :func:`to_text`; refuses anything else (``bad-random-state``).

    Examples
    --------
    >>> key, position = from_text(to_text(*seeded(3)))
    >>> bool((key == seeded(3)[0]).all()), position
    (True, 624)
    """
    head, _, body = text.partition(":")
    try:
        words = np.frombuffer(base64.b64decode(body.encode("ascii"), validate=True), dtype="<u4")
        position = int(head)
    except (ValueError, binascii.Error):
        words, position = np.empty(0, "<u4"), -1
    if words.size != SIZE or not 0 <= position <= SIZE:
        raise DataError(
            "bad-random-state",
            f"expected 'position:words' with {SIZE} words of 32 bits in base64, got {text[:24]!r}",
            where="random_state",
            remedy="Take it from another state, or start one with initial_state(seed=...).",
        )
    return words.astype(np.uint32), position


@kernel
@no_type_check
def refill(key):
    """The next 624 words of the recurrence, in place."""
    for index in range(SIZE):
        following = (index + 1) % SIZE
        word = (np.int64(key[index]) & UPPER) | (np.int64(key[following]) & LOWER)
        mixed = np.int64(key[(index + SHIFT) % SIZE]) ^ (word >> 1)
        if word & 1:
            mixed ^= TWIST
        key[index] = mixed & WORD


@kernel
@no_type_check
def next_word(key, counters, place):
    """The next 32-bit word, tempered; ``counters[place]`` is the position in ``key``."""
    position = counters[place]
    if position >= SIZE:
        refill(key)
        position = 0
    word = np.int64(key[position])
    counters[place] = position + 1
    word ^= word >> 11
    word ^= (word << 7) & 0x9D2C5680
    word ^= (word << 15) & 0xEFC60000
    word ^= word >> 18
    return word


@kernel
@no_type_check
def uniform(key, counters, place):
    """A number from 0 to below 1 with 53 random bits."""
    high = next_word(key, counters, place) >> 5
    low = next_word(key, counters, place) >> 6
    return (high * 67108864.0 + low) / 9007199254740992.0


@kernel
@no_type_check
def integer_below(key, counters, place, limit):
    """A whole number from 0 to below ``limit`` (at most 2**32 - 1), by masked rejection; 1 takes no draw."""
    largest = limit - 1
    if largest == 0:
        return 0
    mask = largest
    mask |= mask >> 1
    mask |= mask >> 2
    mask |= mask >> 4
    mask |= mask >> 8
    mask |= mask >> 16
    value = next_word(key, counters, place) & mask
    while value > largest:
        value = next_word(key, counters, place) & mask
    return value
