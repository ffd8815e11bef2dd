"""The small networks every neural system shares; needs the extra ``nets`` (torch).

:mod:`suppose.nets.encoders` holds tokenizers, attention blocks, perceptrons and graph convolutions.
Nothing is imported before it is asked for, and where torch is missing the refusal says how to get it.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from suppose.core.errors import EstimationError

_HOMES: dict[str, str] = {
    "DecoderBlock": "encoders",
    "EncoderBlock": "encoders",
    "FeedForward": "encoders",
    "GraphConvolution": "encoders",
    "MultiHeadAttention": "encoders",
    "Perceptron": "encoders",
    "ScalarTokenizer": "encoders",
    "SeededDropout": "encoders",
    "TokenNorm": "encoders",
    "count_parameters": "encoders",
    "initialise": "encoders",
    "make_norm": "encoders",
}

__all__ = sorted([*_HOMES, "need_torch"])


def need_torch(what: str = "This part of suppose") -> None:
    """Refuse where torch is not installed, saying how to install it.

    Parameters
    ----------
    what : str
        What asks for it; opens the message.

    Raises
    ------
    EstimationError
        ``missing-torch``.

    Examples
    --------
    >>> need_torch("TransTEE")  # installed here: nothing happens
    """
    if importlib.util.find_spec("torch") is None:
        raise EstimationError(
            "missing-torch", f"{what} trains a network and needs the package torch, which is not installed",
            where="torch", remedy="Install it with: pip install 'suppose[nets]'.",
        )  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        need_torch(name)
        return getattr(importlib.import_module(f"suppose.nets.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'suppose.nets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
