"""OpenSimplex noise in three dimensions, on which the maps of the world are built.

The field of Kurt Spencer's OpenSimplex (2014, public domain): space is sheared so that cubes become rhombohedra,
each of which splits into two tetrahedra and an octahedron; the corners of the cell a point lies in, and the two
next nearest lattice points, add ``(2 - d^2)^4`` times the projection on their gradient. The gradient of a lattice
point comes from a permutation of 256 numbers made from a seed.

Here the corners of each kind of cell are rows of a table and the extra two are worked out as lattice points, so
that one function adds every contribution. Points and order of summation are those of PyPI ``opensimplex``, and so
are the bits: on the boundary between two cells a sum can be zero but for rounding, and its sign decides a tile.

What it does not do: two and four dimensions.
"""

from __future__ import annotations

from math import floor
from typing import no_type_check

import numpy as np
from jaxtyping import Float64, Int64

from suppose.worlds.crafter.kernels import kernel

__all__ = ["Field", "field", "noise"]

Field = tuple[Int64[np.ndarray, "256"], Float64[np.ndarray, "256 3"]]

STRETCH = -1.0 / 6
SQUISH = 1.0 / 3
# 24 gradients: the permutations of (11, 4, 4) with signs, eight octants of three, longest axis x, y, z in turn.
GRADIENTS = np.array(
    [
        [
            sign_x * (11 if axis == 0 else 4),
            sign_y * (11 if axis == 1 else 4),
            sign_z * (11 if axis == 2 else 4),
        ]
        for sign_z in (1, -1)
        for sign_y in (1, -1)
        for sign_x in (-1, 1)
        for axis in range(3)
    ],
    dtype=np.float64,
)
# Corners of the three cells in order of summation: near the origin, near (1, 1, 1), and between the two.
NEAR, FAR, BETWEEN = range(3)
CORNERS = (
    ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)),
    ((1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)),
    ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1)),
)
CORNER_TABLE = np.array([points + ((0, 0, 0),) * (6 - len(points)) for points in CORNERS], np.int64)
CORNER_COUNTS = np.array([len(points) for points in CORNERS], np.int64)


def field(seed: int) -> Field:
    """The permutation a seed makes (swaps driven by a 64-bit congruential generator), and gradients in its order.

    Examples
    --------
    >>> permuted, slopes = field(3)
    >>> sorted(permuted.tolist()) == list(range(256)), slopes.shape
    (True, (256, 3))
    """
    half, whole = 1 << 63, 1 << 64

    def following(state: int) -> int:
        return (state * 6364136223846793005 + 1442695040888963407 + half) % whole - half

    source = list(range(256))
    made = [0] * 256
    state = following(following(following(seed)))
    for index in range(255, -1, -1):
        state = following(state)
        drawn = (state + 31) % (index + 1)
        made[index] = source[drawn]
        source[drawn] = source[index]
    permuted = np.array(made, np.int64)
    return permuted, GRADIENTS[permuted % len(GRADIENTS)]


def _extra_points() -> Int64[np.ndarray, "3 8 2 3"]:
    """The two points that join a cell, by cell and by the axes (as bits) that are closest.

    Near the origin one axis ``a`` gives ``e_a - e_b`` and ``e_a - e_c``, two give ``e_a + e_b`` without and with
    ``- e_c``; near (1, 1, 1) the same mirrored. Between, one shared axis gives (1, 1, 1) and ``2 e_a``, two give
    the origin and ``e_a + e_b - e_c``.
    """
    table = np.zeros((3, 8, 2, 3), np.int64)
    for axis in range(3):
        unit = np.eye(3, dtype=np.int64)
        ones = np.ones(3, np.int64)
        first, second = (other for other in range(3) if other != axis)
        single, double = 1 << axis, 7 - (1 << axis)
        table[NEAR, single] = unit[axis] - unit[first], unit[axis] - unit[second]
        table[NEAR, double] = ones - unit[axis], ones - 2 * unit[axis]
        table[FAR, single] = ones - unit[axis] + unit[first], ones - unit[axis] + unit[second]
        table[FAR, double] = unit[axis], 2 * unit[axis]
        table[BETWEEN, single] = ones, 2 * unit[axis]
        table[BETWEEN, double] = 0 * ones, ones - 2 * unit[axis]
    return table


EXTRA = _extra_points()


@kernel
@no_type_check
def contribution(lattice, base, dx, dy, dz, i, j, k):
    """What the lattice point ``base + (i, j, k)`` adds to a point ``(dx, dy, dz)`` away from it."""
    weight = 2 - dx * dx - dy * dy - dz * dz
    if weight <= 0:
        return 0.0
    weight *= weight
    permuted, slopes = lattice
    hashed = permuted[(base[0] + i) & 255]
    hashed = permuted[(hashed + base[1] + j) & 255]
    slope = slopes[(hashed + base[2] + k) & 255]
    return weight * weight * (slope[0] * dx + slope[1] * dy + slope[2] * dz)


@kernel
@no_type_check
def corner(lattice, base, origin, point):
    """Contribution of a lattice point whose offset is taken before the shear."""
    i, j, k = point[0], point[1], point[2]
    shear = (i + j + k) * SQUISH
    dx, dy, dz = origin[0] - i - shear, origin[1] - j - shear, origin[2] - k - shear
    return contribution(lattice, base, dx, dy, dz, i, j, k)


@kernel
@no_type_check
def sheared_corner(lattice, base, origin, point):
    """The same with the shear taken first, which rounds differently."""
    i, j, k = point[0], point[1], point[2]
    shear = (i + j + k) * SQUISH
    dx, dy, dz = origin[0] - shear - i, origin[1] - shear - j, origin[2] - shear - k
    return contribution(lattice, base, dx, dy, dz, i, j, k)


@kernel
@no_type_check
def closest_axes(x, y, z, rest):
    """Bits of the axes closest in a tetrahedron; one alone where its own corner (``rest``) is among the two."""
    a_bit, a_score, b_bit, b_score = 1, x, 2, y
    if a_score >= b_score and z > b_score:
        b_bit, b_score = 4, z
    elif a_score < b_score and z > a_score:
        a_bit, a_score = 4, z
    if rest > a_score or rest > b_score:
        return b_bit if b_score > a_score else a_bit
    return a_bit | b_bit


@kernel
@no_type_check
def between_points(x, y, z):
    """In the octahedron: bits of the two closest corners (two bits: on the far side), the better kept first."""
    pair = x + y
    a_bits, a_score = (3, pair - 1) if pair > 1 else (4, 1 - pair)
    pair = x + z
    b_bits, b_score = (5, pair - 1) if pair > 1 else (2, 1 - pair)
    pair = y + z
    c_bits, c_score = (6, pair - 1) if pair > 1 else (1, 1 - pair)
    if a_score <= b_score and a_score < c_score:
        a_bits = c_bits
    elif a_score > b_score and b_score < c_score:
        b_bits = c_bits
    return a_bits, b_bits


@kernel
@no_type_check
def is_pair(bits):
    """Whether two of three bits are set."""
    return bits == 3 or bits == 5 or bits == 6


@kernel
@no_type_check
def noise(lattice, x, y, z):
    """The field at a point, between -1 and 1; ``lattice`` comes from :func:`field`."""
    stretch = (x + y + z) * STRETCH
    xs, ys, zs = x + stretch, y + stretch, z + stretch
    base = (floor(xs), floor(ys), floor(zs))
    squish = (base[0] + base[1] + base[2]) * SQUISH
    origin = (x - (base[0] + squish), y - (base[1] + squish), z - (base[2] + squish))
    xi, yi, zi = xs - base[0], ys - base[1], zs - base[2]
    total = xi + yi + zi
    cell = BETWEEN
    if total <= 1:
        cell = NEAR
    elif total >= 2:
        cell = FAR
    value = 0.0
    for index in range(CORNER_COUNTS[cell]):
        value += corner(lattice, base, origin, CORNER_TABLE[cell, index])
    if cell == NEAR:
        bits = closest_axes(xi, yi, zi, 1 - total)
    elif cell == FAR:
        bits = closest_axes(-xi, -yi, -zi, total - 3)
    else:
        a_bits, b_bits = between_points(xi, yi, zi)
        if is_pair(a_bits) != is_pair(b_bits):
            pair, single = (a_bits, b_bits) if is_pair(a_bits) else (b_bits, a_bits)
            value += corner(lattice, base, origin, EXTRA[BETWEEN, pair, 1])
            value += sheared_corner(lattice, base, origin, EXTRA[BETWEEN, single, 1])
            return value / 103
        bits = a_bits & b_bits if is_pair(a_bits) else a_bits | b_bits
    value += corner(lattice, base, origin, EXTRA[cell, bits, 0])
    value += corner(lattice, base, origin, EXTRA[cell, bits, 1])
    return value / 103
