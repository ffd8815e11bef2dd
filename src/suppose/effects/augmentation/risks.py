"""Least squares with augmented inputs: ERM, DA+ERM, DA+IV and the IV-like compromise, in closed form.

Notation (Akbar et al. 2025, arXiv 2510.25128, sections 3 and 4): ``Y = f(X) + xi`` with ``E[xi | X] != 0``; an
augmentation turns ``X`` into ``gX`` with parameters ``G`` that are independent of ``(X, Y)`` and leaves ``f``
alone. ``Pi`` projects on the columns of ``G``. For a linear ``h``:

- ERM minimises ``|y - X h|^2``; DA+ERM ``|y - gX h|^2``;
- DA+IV solves ``gX' Pi gX h = gX' Pi y`` (two-stage least squares with ``G`` as instrument);
- IVL(alpha) solves ``(gX' Pi gX + alpha gX' gX) h = gX' Pi y + alpha gX' y``;
- IVL (the limit alpha -> 0) is the DA+ERM-best solution of the DA+IV equations, and IVL-Pi the solution
  of those equations nearest to the DA+ERM one.

Only four moments of the data enter (:class:`Moments`), so a path over ``alpha`` costs one d x d solution per
point and no n x n projection is ever formed: ``Pi A = Q (Q' A)`` with an orthonormal basis ``Q`` of ``G``.

Deviation: the paper's code solves the constrained forms with a conic solver; here they are one
equality-constrained least squares each, solved in the null space of the constraints. What is not done: ``Pi``
is not debiased for many parameters (k / n of the noise passes through it; keep k well below n).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from jaxtyping import Float

from suppose.core.errors import EstimationError

__all__ = [
    "Moments",
    "augmented_moments",
    "da_erm",
    "erm",
    "instrument_basis",
    "ivl",
    "ivl_constrained",
    "ivl_projected",
    "ncer",
    "population_coefficients",
    "solve_ivl",
    "two_stage_least_squares",
]

Matrix = Float[np.ndarray, "n d"]
Vector = Float[np.ndarray, " n"]

RANK_TOLERANCE = 1e-10


@dataclasses.dataclass(frozen=True)
class Moments:
    """All that the closed forms need of (gX, y, G).

    Attributes
    ----------
    gram, gram_projected : (d, d) arrays
        ``gX' gX / n`` and ``gX' Pi gX / n``.
    cross, cross_projected : (d,) arrays
        ``gX' y / n`` and ``gX' Pi y / n``.
    total, total_projected : float
        ``y' y / n`` and ``y' Pi y / n``.
    n : int
        Rows.
    """

    gram: Float[np.ndarray, "d d"]
    gram_projected: Float[np.ndarray, "d d"]
    cross: Float[np.ndarray, " d"]
    cross_projected: Float[np.ndarray, " d"]
    total: float
    total_projected: float
    n: int

    def risk(self, h: Float[np.ndarray, " d"]) -> tuple[float, float]:
        """DA+ERM risk and DA+IV risk of ``h``: mean squared residual, and its part that ``G`` explains."""
        plain = self.total - 2 * h @ self.cross + h @ self.gram @ h
        projected = self.total_projected - 2 * h @ self.cross_projected + h @ self.gram_projected @ h
        return float(plain), float(projected)


def instrument_basis(G: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n r"]:
    """Orthonormal basis of the columns of ``G``; dependent columns are dropped.

    Examples
    --------
    >>> G = np.array([[1.0, 2.0], [0.0, 0.0], [1.0, 2.0]])
    >>> instrument_basis(G).shape
    (3, 1)
    """
    basis, triangle = np.linalg.qr(G)
    diagonal = np.abs(np.diagonal(triangle))
    if len(diagonal) and diagonal.min() > RANK_TOLERANCE * diagonal.max():
        return np.asarray(basis)
    left, singular, _ = np.linalg.svd(G, full_matrices=False)
    return np.asarray(left[:, singular > RANK_TOLERANCE * max(float(singular.max(initial=0.0)), 1e-300)])


def augmented_moments(GX: Matrix, y: Vector, G: Float[np.ndarray, "n k"]) -> Moments:
    """The moments of augmented inputs, outcome and parameters.

    Raises
    ------
    EstimationError
        ``too-few-rows`` when there are not more rows than columns of ``G``: every residual would then be
        explained by ``G``, and IVL would be least squares.
    """
    n, k = G.shape
    if n <= k:
        raise EstimationError(
            "too-few-rows", f"expected more rows than augmentation parameters, got {n:,} rows and {k:,} parameters",
            where="G", remedy="Give more rows, or an augmentation with fewer parameters.",
        )  # fmt: skip
    basis = instrument_basis(G)
    inner_x, inner_y = basis.T @ GX, basis.T @ y
    return Moments(
        gram=GX.T @ GX / n, gram_projected=inner_x.T @ inner_x / n, cross=GX.T @ y / n,
        cross_projected=inner_x.T @ inner_y / n, total=float(y @ y / n),
        total_projected=float(inner_y @ inner_y / n), n=n,
    )  # fmt: skip


def solve_ivl(moments: Moments, alpha: float) -> Float[np.ndarray, " d"]:
    """IVL coefficients for one ``alpha``: 0 is the constrained limit, infinity is DA+ERM.

    Raises
    ------
    EstimationError
        ``bad-alpha`` for a negative weight or one that is not a number.
    """
    if np.isnan(alpha) or alpha < 0:
        raise EstimationError(
            "bad-alpha", f"expected a positive weight of the DA+ERM risk, got {alpha!r}", where="alpha",
            remedy="Write for example alpha=0.1; form='constrained' is the limit of alpha going to 0.",
        )  # fmt: skip
    if np.isinf(alpha):
        return _solve(moments.gram, moments.cross)
    if alpha == 0:
        return _constrained(moments)
    return _solve(
        moments.gram_projected + alpha * moments.gram, moments.cross_projected + alpha * moments.cross
    )


def _solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solution of a symmetric positive system; the shortest one when it is singular."""
    scale = np.sqrt(np.maximum(np.diagonal(matrix), 1e-300))
    balanced = matrix / np.outer(scale, scale)
    if np.linalg.cond(balanced) < 1e12:
        return np.asarray(np.linalg.solve(balanced, right / scale) / scale)
    return np.asarray(np.linalg.pinv(matrix, rcond=1e-12, hermitian=True) @ right)


def _split_directions(moments: Moments) -> tuple[np.ndarray, np.ndarray]:
    """A solution of the DA+IV equations, and a basis (d, m) of the directions they leave free."""
    values, vectors = np.linalg.eigh(moments.gram_projected)
    known = values > 1e-9 * max(float(values.max()), 1e-300)
    held = vectors[:, known]
    particular = held @ ((held.T @ moments.cross_projected) / values[known])
    return particular, vectors[:, ~known]


def _constrained(moments: Moments) -> np.ndarray:
    particular, free = _split_directions(moments)
    if free.shape[1] == 0:
        return particular
    inner = free.T @ moments.gram @ free
    return np.asarray(particular + free @ _solve(inner, free.T @ (moments.cross - moments.gram @ particular)))


def erm(X: Matrix, y: Vector) -> Float[np.ndarray, " d"]:
    """Least squares of ``y`` on ``X``; the shortest solution when there are many.

    Examples
    --------
    >>> erm(np.array([[1.0], [2.0]]), np.array([2.0, 4.0]))
    array([2.])
    """
    return np.asarray(np.linalg.lstsq(X, y, rcond=None)[0])


def da_erm(GX: Matrix, y: Vector) -> Float[np.ndarray, " d"]:
    """Least squares on augmented inputs (DA+ERM)."""
    return erm(GX, y)


def two_stage_least_squares(GX: Matrix, y: Vector, G: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " d"]:
    """DA+IV: two-stage least squares with ``G`` as instrument; the shortest solution when under-identified."""
    basis = instrument_basis(G)
    return np.asarray(np.linalg.lstsq(basis.T @ GX, basis.T @ y, rcond=RANK_TOLERANCE)[0])


def ivl(GX: Matrix, y: Vector, G: Float[np.ndarray, "n k"], alpha: float) -> Float[np.ndarray, " d"]:
    """IV-like regression with weight ``alpha`` on the DA+ERM risk.

    Parameters
    ----------
    GX : (n, d) array
        Augmented inputs, centred.
    y : (n,) array
        Outcome, centred.
    G : (n, k) array
        Parameters of the augmentation, centred.
    alpha : float
        Positive; infinity gives DA+ERM.

    Raises
    ------
    EstimationError
        ``bad-alpha``, ``too-few-rows``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> c = rng.normal(size=4000)
    >>> X = np.c_[c, c] + rng.normal(size=(4000, 2))
    >>> y = X[:, 0] - X[:, 1] + c  # adding the same amount to both inputs does not change y
    >>> G = rng.normal(size=(4000, 1))
    >>> erm(X, y).round(1), ivl(X + G, y, G, alpha=0.01).round(1)
    (array([ 1.3, -0.7]), array([ 1., -1.]))
    """
    if alpha == 0:
        alpha = float("nan")  # refused: the unconstrained form has no alpha of zero
    return solve_ivl(augmented_moments(GX, y, G), alpha)


def ivl_constrained(GX: Matrix, y: Vector, G: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " d"]:
    """The solution of the DA+IV equations with the least DA+ERM risk (limit of alpha going to 0)."""
    return solve_ivl(augmented_moments(GX, y, G), 0.0)


def ivl_projected(GX: Matrix, y: Vector, G: Float[np.ndarray, "n k"]) -> Float[np.ndarray, " d"]:
    """The solution of the DA+IV equations nearest to the DA+ERM coefficients (IVL-Pi)."""
    moments = augmented_moments(GX, y, G)
    particular, free = _split_directions(moments)
    augmented = solve_ivl(moments, float("inf"))
    return np.asarray(particular + free @ (free.T @ (augmented - particular)))


def population_coefficients(
    f: Float[np.ndarray, " d"],
    covariance: Float[np.ndarray, "d d"],
    confounding: Float[np.ndarray, " d"],
    basis: Float[np.ndarray, "k d"],
    gamma: float = 1.0,
    alpha: float | None = None,
) -> Float[np.ndarray, " d"]:
    """What each estimator converges to, for ``gX = X + gamma G B`` with ``B f = 0`` and G standard normal.

    With ``S`` the covariance of ``X`` and ``c = Cov(X, xi)``: ``f + (S + (1 + 1/alpha) gamma^2 B'B)^{-1} c``.
    ``alpha`` infinite is DA+ERM, ``alpha=None`` is ERM. IVL is thus DA+ERM under an augmentation stronger
    by ``sqrt(1 + 1/alpha)`` than the one that was drawn.

    Examples
    --------
    >>> f, c, B = np.array([1.0, -1.0]), np.array([1.0, 1.0]), np.array([[1.0, 1.0]])
    >>> [population_coefficients(f, np.eye(2), c, B, alpha=a).round(3).tolist() for a in (None, np.inf, 0.1)]
    [[2.0, 0.0], [1.333, -0.667], [1.043, -0.957]]
    """
    stretch = 0.0 if alpha is None else 1.0 + (0.0 if np.isinf(alpha) else 1.0 / alpha)
    matrix = covariance + stretch * gamma**2 * basis.T @ basis
    return np.asarray(f + np.linalg.solve(matrix, confounding))


def ncer(h: Float[np.ndarray, " d"], f: Float[np.ndarray, " d"]) -> float:
    """Normalised causal error ``e / (e + |f|^2)`` with ``e = |h - f|^2``: 0 is the truth, 0.5 is ``h = 0``.

    Examples
    --------
    >>> ncer(np.array([0.0, 0.0]), np.array([3.0, 4.0]))
    0.5
    """
    error = float(np.sum((h - f) ** 2))
    return error / (error + float(np.sum(f**2)))
