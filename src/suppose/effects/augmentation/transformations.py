"""Changes of the inputs that are known to leave the outcome alone, with the parameters they were drawn with.

An augmentation is a callable ``augment(X, rng) -> (GX, G)``: ``X`` (n, d) inputs, ``GX`` (n, d) changed
inputs, ``G`` (n, k) the random parameters of the change, centred and of unit scale, drawn independently of
everything else (Akbar et al. 2025, arXiv 2510.25128, sections 2 and 3). *Outcome invariant* means that the
law of the outcome does not notice: ``f(GX) = f(X)``. That is the user's knowledge; nothing here can prove
it (:mod:`suppose.effects.augmentation.invariance` measures what can be measured).

Here are the changes of table rows, and :class:`Compose`; :mod:`.images` has those of pictures. All draw from
the generator they are given, work on all rows at once, and are frozen records, so that estimators holding
one can be cloned. Where the columns are constants of the augmentation (a standard deviation, a basis), they
are taken from the rows at hand or from the constructor, never from a held-out part.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from suppose.core.errors import DataError, EstimationError, nearest

__all__ = [
    "GRID_OPERATIONS",
    "Augmentation",
    "Compose",
    "GaussianNoise",
    "GridSymmetry",
    "Jitter",
    "NullTranslation",
    "Permutation",
    "draw",
    "null_space",
]

Augmentation = Callable[[np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]]


def null_space(f: Float[np.ndarray, "d *k"], tolerance: float = 1e-13) -> Float[np.ndarray, "m d"]:
    """Orthonormal rows spanning the directions in which ``X @ f`` does not change.

    Examples
    --------
    >>> np.abs(null_space(np.array([1.0, -1.0]))).round(3)
    array([[0.707, 0.707]])
    """
    matrix = np.asarray(f, dtype=float).reshape(len(f), -1).T
    _, singular, right = np.linalg.svd(matrix)
    rank = int((singular > tolerance * max(float(singular[0]), 1.0)).sum()) if len(singular) else 0
    return np.ascontiguousarray(right[rank:])


@dataclasses.dataclass(frozen=True, eq=False)
class NullTranslation:
    """Shift each row by a random amount along directions the outcome ignores: ``GX = X + scale * G B``.

    Parameters
    ----------
    basis : (k, d) array
        ``B``: one direction per row, in the units of the inputs. ``B f = 0`` for the true linear ``f``.
    scale : float
        Standard deviation ``gamma`` of the shift along each direction.

    Examples
    --------
    >>> shift = NullTranslation.ignoring(np.array([1.0, -1.0]))
    >>> X = np.ones((4, 2))
    >>> GX, G = shift(X, np.random.default_rng(0))
    >>> bool(np.allclose(GX @ [1.0, -1.0], 0.0)), G.shape
    (True, (4, 1))
    """

    basis: Any
    scale: float = 1.0

    @classmethod
    def ignoring(cls, f: Any, scale: float = 1.0, kernel_dim: int = -1, seed: int = 0) -> NullTranslation:
        """All directions ``f`` ignores, or ``kernel_dim`` of them; 0 keeps each with probability 2/3."""
        from suppose.core.random import generator

        basis = null_space(np.asarray(f, dtype=float))
        rng = generator(seed, "null-directions")
        if kernel_dim == 0:
            kept = rng.random(len(basis)) < 2 / 3
            kept[rng.integers(len(basis))] |= not kept.any()
            basis = basis[kept]
        elif kernel_dim > 0:
            if kernel_dim > len(basis):
                raise EstimationError(
                    "bad-augmentation", f"expected at most {len(basis)} directions, got {kernel_dim}",
                    where="kernel_dim", remedy="Write -1 for all directions the outcome ignores.",
                )  # fmt: skip
            basis = basis[np.sort(rng.permutation(len(basis))[:kernel_dim])]
        return cls(basis, scale)

    def __call__(self, X: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Shifted rows and the standard normal amounts, (n, d) and (n, k)."""
        basis = np.atleast_2d(np.asarray(self.basis, dtype=float))
        _refuse_scale(self.scale, "scale")
        if basis.shape[1] != X.shape[1]:
            raise DataError(
                "bad-augmentation", f"expected directions over {X.shape[1]} inputs, got {basis.shape[1]} numbers "
                "in each", where="basis", remedy="Give one number per input, 0 for those that stay.",
            )  # fmt: skip
        amounts = rng.standard_normal((len(X), len(basis)))
        return X + self.scale * amounts @ basis, amounts


@dataclasses.dataclass(frozen=True, eq=False)
class GaussianNoise:
    """Sensor noise: ``GX = X + scale * sd * G``, G standard normal, one number per changed column.

    Parameters
    ----------
    scale : float
        In standard deviations of the inputs; the default square root of 0.1 is the paper's.
    columns : sequence of int, optional
        Columns that get noise; all when left out.
    pooled : bool
        True: ``sd`` is one number, that of all inputs together (inputs in one unit, as pixels are). False:
        each column has its own.

    Examples
    --------
    >>> X = np.random.default_rng(1).normal(size=(1000, 2))
    >>> GX, G = GaussianNoise(0.5)(X, np.random.default_rng(0))
    >>> float(np.round((GX - X).std(), 1)), G.shape
    (0.5, (1000, 2))
    """

    scale: float = float(np.sqrt(0.1))
    columns: Any = None
    pooled: bool = True

    def __call__(self, X: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Noisy rows and the noise in standard deviations."""
        _refuse_scale(self.scale, "scale")
        columns = _columns(self.columns, X.shape[1])
        amounts = rng.standard_normal((len(X), len(columns)))
        # Pooled over all changed entries, means included, as the paper's code has it for centred pixels.
        spread = X[:, columns].std() if self.pooled else X[:, columns].std(axis=0)
        changed = X.copy()
        changed[:, columns] += self.scale * spread * amounts
        return changed, amounts


@dataclasses.dataclass(frozen=True, eq=False)
class Jitter:
    """Readings uncertain within a known half-width: ``GX = X + width * U``, ``U`` uniform on (-1, 1).

    Parameters
    ----------
    width : float or sequence of float
        Half-width of the uncertainty, in the unit of the input; one number, or one per column.
    columns : sequence of int, optional
        Columns that are uncertain; all when left out.

    Examples
    --------
    >>> GX, G = Jitter(0.5)(np.zeros((1000, 1)), np.random.default_rng(0))
    >>> bool(np.abs(GX).max() < 0.5), bool(abs(G.std() - 1) < 0.05)
    (True, True)
    """

    width: Any = 0.5
    columns: Any = None

    def __call__(self, X: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Jittered rows and the amounts in standard deviations (uniform, variance one)."""
        columns = _columns(self.columns, X.shape[1])
        width = np.broadcast_to(np.asarray(self.width, dtype=float), (len(columns),))
        for value in width:
            _refuse_scale(float(value), "width")
        uniform = rng.uniform(-1.0, 1.0, (len(X), len(columns)))
        changed = X.copy()
        changed[:, columns] += width * uniform
        return changed, uniform * np.sqrt(3.0)


GRID_OPERATIONS = ("rotate", "flip-horizontal", "flip-vertical")


@dataclasses.dataclass(frozen=True, eq=False)
class GridSymmetry:
    """Columns that are the cells of a square grid: turn it by 90 degrees, mirror it, each with some chance.

    Parameters
    ----------
    shape : (rows, columns) or (channels, rows, columns)
        The columns are read row by row (channel by channel).
    operations : sequence of {"rotate", "flip-horizontal", "flip-vertical"}
        Applied in this order; a turn needs a square grid.
    probability : float
        Of each operation, in each row independently.

    Examples
    --------
    >>> quarter = GridSymmetry((2, 2), ("rotate",), probability=0.5)
    >>> GX, G = quarter(np.array([[1.0, 2.0, 3.0, 4.0]] * 4), np.random.default_rng(3))
    >>> sorted(set(map(tuple, GX.astype(int).tolist())))
    [(1, 2, 3, 4), (3, 1, 4, 2)]
    """

    shape: Any = (3, 3)
    operations: Any = GRID_OPERATIONS
    probability: float = 0.5

    def __call__(self, X: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Rows with their grid turned or mirrored, and one standardised 0/1 parameter per operation."""
        order = np.arange(X.shape[1])
        if int(np.prod(self.shape)) != X.shape[1] or len(self.shape) not in (2, 3):
            raise DataError(
                "bad-augmentation", f"expected {X.shape[1]} cells, a grid of shape {tuple(self.shape)} has "
                f"{int(np.prod(self.shape))}", where="shape",
                remedy="Give (rows, columns), or (channels, rows, columns), that multiply to the inputs.",
            )  # fmt: skip
        if not 0 < self.probability < 1:
            raise EstimationError(
                "bad-augmentation", f"expected a share between 0 and 1, got {self.probability!r}",
                where="probability", remedy="Write 0.5: a change that always happens moves nothing.",
            )  # fmt: skip
        grid, current, parameters = order.reshape(self.shape), X, []
        for operation in self.operations:
            turned = _turned(grid, operation).reshape(-1)
            applied = rng.random(len(X)) < self.probability
            current = np.where(applied[:, None], current[:, turned], current)
            spread = np.sqrt(self.probability * (1 - self.probability))
            parameters.append((applied - self.probability) / spread)
        return current, np.stack(parameters, axis=1)


@dataclasses.dataclass(frozen=True, eq=False)
class Permutation:
    """Columns whose order carries no meaning: shuffle them within each row.

    Parameters
    ----------
    columns : sequence of int, optional
        Exchangeable columns; all when left out.

    Examples
    --------
    >>> GX, G = Permutation()(np.array([[1.0, 2.0, 3.0]] * 5), np.random.default_rng(0))
    >>> bool((np.sort(GX, axis=1) == [1.0, 2.0, 3.0]).all()), G.shape
    (True, (5, 2))
    """

    columns: Any = None

    def __call__(self, X: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Shuffled rows; G holds the position each place was filled from, standardised, the last left out."""
        columns = _columns(self.columns, X.shape[1])
        count = len(columns)
        if count < 2:
            raise EstimationError(
                "bad-augmentation", "expected at least two columns to shuffle, got one",
                where="columns", remedy="Name the columns that are exchangeable.",
            )  # fmt: skip
        order = np.argsort(rng.random((len(X), count)), axis=1)
        changed = X.copy()
        changed[:, columns] = np.take_along_axis(X[:, columns], order, axis=1)
        spread = np.sqrt((count**2 - 1) / 12.0)
        # Positions of a row sum to a constant: the last one repeats the others.
        return changed, ((order - (count - 1) / 2) / spread)[:, :-1]


@dataclasses.dataclass(frozen=True, eq=False)
class Compose:
    """Several augmentations one after the other; their parameters side by side.

    Parameters
    ----------
    parts : sequence of augmentations
        Applied from first to last.

    Examples
    --------
    >>> both = Compose((GaussianNoise(0.1), Jitter(0.5, columns=(0,))))
    >>> both(np.random.default_rng(0).normal(size=(10, 2)), np.random.default_rng(0))[1].shape
    (10, 3)
    """

    parts: Sequence[Any] = ()

    def __call__(self, X: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Rows after all parts, and all parameters."""
        if not self.parts:
            raise EstimationError(
                "bad-augmentation", "expected at least one augmentation, got none", where="parts",
                remedy="Name what may change without changing the outcome.",
            )  # fmt: skip
        current, parameters = X, []
        for part in self.parts:
            current, drawn = part(current, rng)
            parameters.append(np.asarray(drawn).reshape(len(X), -1))
        return current, np.concatenate(parameters, axis=1)


def draw(
    augment: Any, X: Float[np.ndarray, "n d"], rng: np.random.Generator
) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "n k"]]:
    """One draw of an augmentation, checked: shapes, finite numbers, parameters that vary.

    Raises
    ------
    EstimationError
        ``no-augmentation`` when there is none or it is not callable.
    DataError
        ``augmentation-shape`` for inputs or parameters of another shape, ``augmentation-constant`` for
        parameters that do not vary with the draw, ``augmentation-values`` for values that are not finite.

    Examples
    --------
    >>> GX, G = draw(GaussianNoise(), np.eye(3), np.random.default_rng(0))
    >>> GX.shape, G.shape
    ((3, 3), (3, 3))
    """
    if not callable(augment):
        raise EstimationError(
            "no-augmentation", f"expected an augmentation, got {augment!r}", where="augment",
            remedy="Give a change that leaves the outcome alone, such as GaussianNoise() or your own "
            "augment(X, rng) -> (GX, G).",
        )  # fmt: skip
    result = augment(X, rng)
    if not isinstance(result, tuple) or len(result) != 2:
        raise DataError(
            "augmentation-shape", f"expected the pair (GX, G), got {type(result).__name__}", where="augment",
            remedy="Return the changed inputs and the parameters they were drawn with.",
        )  # fmt: skip
    return check_draw(result[0], result[1], X)


def check_draw(
    changed: Any, parameters: Any, X: Float[np.ndarray, "n d"]
) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, "n k"]]:
    """Changed inputs and parameters as checked arrays; see :func:`draw` for what is refused."""
    GX = np.asarray(changed, dtype=float)
    G = np.asarray(parameters, dtype=float)
    G = G.reshape(-1, 1) if G.ndim == 1 else G
    if GX.shape != X.shape:
        raise DataError(
            "augmentation-shape", f"expected inputs of shape {X.shape}, got {GX.shape}", where="GX",
            remedy="The augmentation must return as many rows and columns as it was given.",
        )  # fmt: skip
    if G.ndim != 2 or len(G) != len(X) or G.shape[1] == 0:
        raise DataError(
            "augmentation-shape", f"expected {len(X)} rows of parameters, got shape {np.shape(parameters)}",
            where="G", remedy="Return the parameters drawn for each row, (n, k).",
        )  # fmt: skip
    for name, values in (("GX", GX), ("G", G)):
        if not np.isfinite(values).all():
            raise DataError(
                "augmentation-values", "expected finite numbers, got missing or infinite ones", where=name,
                remedy="Check the augmentation on a few rows.",
            )  # fmt: skip
    constant = np.flatnonzero(np.ptp(G, axis=0) == 0)
    if len(G) > 1 and len(constant):
        raise DataError(
            "augmentation-constant", f"parameter {int(constant[0]) + 1} of {G.shape[1]} is the same in every row",
            where="G", remedy="Parameters must be drawn anew for each row and returned as drawn.",
        )  # fmt: skip
    return GX, G


def _columns(columns: Any, count: int) -> np.ndarray:
    if columns is None:
        return np.arange(count)
    chosen = np.atleast_1d(np.asarray(columns))
    if chosen.dtype.kind not in "iu" or chosen.size == 0 or (chosen < 0).any() or (chosen >= count).any():
        raise DataError(
            "bad-augmentation", f"expected positions from 0 to {count - 1}, got {list(np.atleast_1d(columns))}",
            where="columns", remedy="Count the inputs from 0.",
        )  # fmt: skip
    return chosen.astype(np.int64)


def _turned(grid: np.ndarray, operation: str) -> np.ndarray:
    if operation == "rotate":
        if grid.shape[-1] != grid.shape[-2]:
            raise DataError(
                "bad-augmentation", f"expected a square grid to turn, got {grid.shape[-2:]}", where="shape",
                remedy="Leave 'rotate' out, or give a square grid.",
            )  # fmt: skip
        return np.rot90(grid, -1, axes=(-2, -1))
    if operation == "flip-horizontal":
        return grid[..., ::-1]
    if operation == "flip-vertical":
        return grid[..., ::-1, :]
    raise EstimationError(
        "bad-augmentation", f"expected some of {', '.join(map(repr, GRID_OPERATIONS))}, got {operation!r}",
        where="operations", remedy=nearest(str(operation), GRID_OPERATIONS) or "Name a symmetry of the grid.",
    )  # fmt: skip


def _refuse_scale(scale: float, name: str) -> None:
    if not np.isfinite(scale) or scale <= 0:
        raise EstimationError(
            "bad-augmentation", f"expected a positive number, got {scale!r}", where=name,
            remedy="The strength of the change; 0 would change nothing.",
        )  # fmt: skip
