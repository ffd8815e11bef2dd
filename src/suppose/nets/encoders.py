"""Tokenizers, attention blocks, perceptrons and graph convolutions for small inputs.

The pieces tabular and structured systems are put together from: each is one ``nn.Module``, batch first,
without hidden randomness (dropout draws from a generator the owner hands over), safe under
``torch.compile`` and ``torch.func.vmap``, so that an ensemble can be trained as one stacked network.

Attention follows Vaswani et al. (2017, section 3.2); blocks come with their norms before (``"pre"``) or
after (``"post"``) the residual sum. The graph convolution is that of Kipf and Welling (2017, eq. 2), with
sums over edges by ``index_add``.

It does not hold language-model parts (caches, rotary positions, causal stacks): those are in
``suppose.nets.gpt``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

__all__ = [
    "DecoderBlock",
    "EncoderBlock",
    "FeedForward",
    "GraphConvolution",
    "MultiHeadAttention",
    "Perceptron",
    "ScalarTokenizer",
    "SeededDropout",
    "TokenNorm",
    "count_parameters",
    "initialise",
    "make_norm",
]

NormName = Literal["token-batch", "layer", "none"]
Placement = Literal["pre", "post"]
Activation = Callable[[Tensor], Tensor]


def count_parameters(module: nn.Module) -> int:
    """Number of trained numbers of a module.

    Examples
    --------
    >>> count_parameters(nn.Linear(3, 2))
    8
    """
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def initialise(
    module: nn.Module,
    generator: torch.Generator,
    *,
    scheme: Literal["normal", "xavier"] = "xavier",
    std: float = 0.1,
) -> nn.Module:
    """Draw every weight of a network anew from ``generator``; the global stream is left alone.

    Linear maps get normal weights of ``std`` (``"normal"``) or uniform ones in Glorot's bounds
    (``"xavier"``), and zero biases; norms start neutral; a module with a ``reset(generator)`` method does
    as it says.

    Examples
    --------
    >>> net = Perceptron([3, 2])
    >>> first = initialise(net, torch.Generator().manual_seed(1)).layers[0].weight.clone()
    >>> bool((initialise(net, torch.Generator().manual_seed(1)).layers[0].weight == first).all())
    True
    """
    for part in module.modules():
        if isinstance(part, nn.Linear):
            if scheme == "normal":
                nn.init.normal_(part.weight, std=std, generator=generator)
            else:
                nn.init.xavier_uniform_(part.weight, generator=generator)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, TokenNorm | nn.LayerNorm):
            nn.init.ones_(part.weight)
            nn.init.zeros_(part.bias)
        elif callable(reset := getattr(part, "reset", None)):
            reset(generator)
    return module


class ScalarTokenizer(nn.Module):
    """Each of ``count`` numbers as a vector of ``width``: ``x_j w_j + b_j``, or one ``w, b`` for all.

    Parameters
    ----------
    count : int
        Numbers per unit.
    width : int
        Length of a token.
    shared : bool
        One affine map for all numbers: then a token does not know which number it came from.
    std : float
        Standard deviation of the weights and biases at the start.

    Examples
    --------
    >>> ScalarTokenizer(3, 8)(torch.zeros(5, 3)).shape
    torch.Size([5, 3, 8])
    """

    def __init__(self, count: int, width: int, *, shared: bool = False, std: float = 0.1) -> None:
        super().__init__()
        rows = 1 if shared else count
        self.std = std
        self.weight = nn.Parameter(torch.empty(rows, width))
        self.bias = nn.Parameter(torch.empty(rows, width))
        self.reset()

    def reset(self, generator: torch.Generator | None = None) -> None:
        """Draw weights and biases anew from a normal law."""
        nn.init.normal_(self.weight, std=self.std, generator=generator)
        nn.init.normal_(self.bias, std=self.std, generator=generator)

    def forward(self, x: Float[Tensor, "*batch count"]) -> Float[Tensor, "*batch count width"]:
        """Tokens of the numbers."""
        return x.unsqueeze(-1) * self.weight + self.bias


class SeededDropout(nn.Module):
    """Dropout whose masks come from ``generator``, set by the owner, never from the global stream.

    Examples
    --------
    >>> drop = SeededDropout(0.5)
    >>> drop.generator = torch.Generator().manual_seed(0)
    >>> sorted(set(drop(torch.ones(100)).tolist()))
    [0.0, 2.0]
    """

    generator: torch.Generator | None

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = float(rate)
        self.generator = None

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """``x`` with a share ``rate`` of its entries set to zero and the rest scaled up; as is in eval mode."""
        if not self.training or self.rate == 0.0:
            return x
        draws = torch.rand(x.shape, generator=self.generator, device=x.device, dtype=x.dtype)
        return x * (draws >= self.rate) / (1.0 - self.rate)


class TokenNorm(nn.Module):
    """Batch normalisation with one mean, scale and shift per token position (``BatchNorm1d(tokens)``).

    Statistics are taken over the batch and the width. Where all inputs share one embedding map, this is
    what tells the positions apart.

    Examples
    --------
    >>> out = TokenNorm(3)(torch.randn(64, 3, 8) * 5 + 2)
    >>> bool(out.mean().abs() < 1e-5), bool((out.var() - 1).abs() < 0.01)
    (True, True)
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, tokens: int, *, momentum: float = 0.1, eps: float = 1e-5) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight = nn.Parameter(torch.ones(tokens, 1))
        self.bias = nn.Parameter(torch.zeros(tokens, 1))
        self.register_buffer("running_mean", torch.zeros(tokens, 1))
        self.register_buffer("running_var", torch.ones(tokens, 1))

    def forward(self, x: Float[Tensor, "batch tokens width"]) -> Float[Tensor, "batch tokens width"]:
        """``x`` normalised by the batch in training, by the running statistics otherwise."""
        if self.training:
            mean = x.mean(dim=(0, 2)).unsqueeze(-1)
            centred = x - mean
            var = centred.square().mean(dim=(0, 2)).unsqueeze(-1)
            with torch.no_grad():
                count = x.shape[0] * x.shape[2]
                self.running_mean.mul_(1 - self.momentum).add_(self.momentum * mean)
                self.running_var.mul_(1 - self.momentum).add_(
                    self.momentum * var * (count / max(count - 1, 1))
                )
        else:
            centred, var = x - self.running_mean, self.running_var
        return centred * (self.weight * torch.rsqrt(var + self.eps)) + self.bias


def make_norm(name: NormName, tokens: int, width: int) -> nn.Module:
    """A normalisation by name: per token position over the batch, per token over its width, or none.

    Examples
    --------
    >>> type(make_norm("layer", 3, 8)).__name__
    'LayerNorm'
    """
    makers: dict[str, Callable[[], nn.Module]] = {
        "token-batch": lambda: TokenNorm(tokens),
        "layer": lambda: nn.LayerNorm(width),
        "none": nn.Identity,
    }
    return makers[name]()


class MultiHeadAttention(nn.Module):
    """Scaled dot-product attention in several heads, with the weights on request.

    Examples
    --------
    >>> attend = MultiHeadAttention(8, heads=2)
    >>> out, weights = attend(torch.randn(5, 1, 8), torch.randn(5, 3, 8))
    >>> out.shape, weights.shape, bool(weights.sum(-1).allclose(torch.ones(5, 2, 1)))
    (torch.Size([5, 1, 8]), torch.Size([5, 2, 1, 3]), True)
    """

    def __init__(self, width: int, heads: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width: expected a multiple of {heads} heads, got {width}")
        self.heads = heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.out = nn.Linear(width, width), nn.Linear(width, width)
        self.dropout = SeededDropout(dropout)

    def forward(
        self,
        query: Float[Tensor, "batch queries width"],
        memory: Float[Tensor, "batch keys width"],
        mask: Tensor | None = None,
    ) -> tuple[Float[Tensor, "batch queries width"], Float[Tensor, "batch heads queries keys"]]:
        """Attended values and attention weights; ``mask`` is True where a key may be looked at."""
        q, k, v = (
            self._split(self.query(query)),
            self._split(self.key(memory)),
            self._split(self.value(memory)),
        )
        scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        if mask is not None:
            scores = scores.masked_fill(~mask, -torch.inf)
        weights = torch.softmax(scores, dim=-1)
        mixed = (self.dropout(weights) @ v).transpose(1, 2).flatten(2)
        return self.out(mixed), weights

    def _split(self, x: Tensor) -> Tensor:
        return x.reshape(*x.shape[:-1], self.heads, -1).transpose(1, 2)


class FeedForward(nn.Module):
    """Two layers on each token: ``W2 act(W1 x)``.

    Examples
    --------
    >>> FeedForward(8, 32)(torch.zeros(5, 3, 8)).shape
    torch.Size([5, 3, 8])
    """

    def __init__(
        self, width: int, hidden: int, *, dropout: float = 0.0, activation: Activation = torch.relu
    ) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.dropout, self.activation = SeededDropout(dropout), activation

    def forward(self, x: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch width"]:
        """The transformed tokens."""
        out: Tensor = self.outer(self.dropout(self.activation(self.inner(x))))
        return out


class EncoderBlock(nn.Module):
    """Self-attention and feed-forward over the tokens of a unit, residual on both.

    Parameters
    ----------
    width, heads, hidden : int
        Length of a token, number of attention heads, inner width of the feed-forward.
    tokens : int
        Tokens per unit; used by the norm ``"token-batch"`` alone.
    norm : {"token-batch", "layer", "none"}
    placement : {"post", "pre"}
        Norm after the residual sum, or before each transformation.
    dropout : float

    Examples
    --------
    >>> EncoderBlock(8, 2, 32, tokens=3)(torch.randn(5, 3, 8)).shape
    torch.Size([5, 3, 8])
    """

    def __init__(
        self,
        width: int,
        heads: int,
        hidden: int,
        *,
        tokens: int = 1,
        norm: NormName = "layer",
        placement: Placement = "post",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(width, heads, dropout=dropout)
        self.feed_forward = FeedForward(width, hidden, dropout=dropout)
        self.norm_attention = make_norm(norm, tokens, width)
        self.norm_feed_forward = make_norm(norm, tokens, width)
        self.dropout, self.placement = SeededDropout(dropout), placement

    def forward(self, x: Float[Tensor, "batch tokens width"]) -> Float[Tensor, "batch tokens width"]:
        """The tokens after the block."""
        if self.placement == "pre":
            inner = self.norm_attention(x)
            x = x + self.dropout(self.attention(inner, inner)[0])
            out: Tensor = x + self.dropout(self.feed_forward(self.norm_feed_forward(x)))
            return out
        x = self.norm_attention(x + self.dropout(self.attention(x, x)[0]))
        normed: torch.Tensor = self.norm_feed_forward(x + self.dropout(self.feed_forward(x)))
        return normed


class DecoderBlock(nn.Module):
    """Self-attention among the queries, attention to a memory, feed-forward; residual on all three.

    Parameters are those of :class:`EncoderBlock`; ``tokens`` counts the queries.

    Examples
    --------
    >>> out, weights = DecoderBlock(8, 2, 32)(torch.randn(5, 1, 8), torch.randn(5, 3, 8))
    >>> out.shape, weights.shape
    (torch.Size([5, 1, 8]), torch.Size([5, 2, 1, 3]))
    """

    def __init__(
        self,
        width: int,
        heads: int,
        hidden: int,
        *,
        tokens: int = 1,
        norm: NormName = "none",
        placement: Placement = "post",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.own = MultiHeadAttention(width, heads, dropout=dropout)
        self.cross = MultiHeadAttention(width, heads, dropout=dropout)
        self.feed_forward = FeedForward(width, hidden, dropout=dropout)
        self.norm_own = make_norm(norm, tokens, width)
        self.norm_cross = make_norm(norm, tokens, width)
        self.norm_feed_forward = make_norm(norm, tokens, width)
        self.dropout, self.placement = SeededDropout(dropout), placement

    def forward(
        self,
        x: Float[Tensor, "batch queries width"],
        memory: Float[Tensor, "batch keys width"],
        *,
        apart: bool = False,
    ) -> tuple[Float[Tensor, "batch queries width"], Float[Tensor, "batch heads queries keys"]]:
        """The queries after the block, and the weights of their attention to the memory.

        With ``apart`` a query looks at itself alone, so that many can be asked at once.
        """
        pre = self.placement == "pre"
        inner = self.norm_own(x) if pre else x
        if apart:
            single = inner.flatten(0, 1).unsqueeze(1)
            mixed = self.own(single, single)[0].reshape(inner.shape)
        else:
            mixed = self.own(inner, inner)[0]
        x = x + self.dropout(mixed)
        x = x if pre else self.norm_own(x)
        mixed, weights = self.cross(self.norm_cross(x) if pre else x, memory)
        x = x + self.dropout(mixed)
        x = x if pre else self.norm_cross(x)
        x = x + self.dropout(self.feed_forward(self.norm_feed_forward(x) if pre else x))
        return (x if pre else self.norm_feed_forward(x)), weights


class Perceptron(nn.Module):
    """A multi-layer perceptron of the given sizes, activated between its layers.

    Examples
    --------
    >>> count_parameters(Perceptron([3, 50, 1]))
    251
    """

    def __init__(
        self, sizes: Sequence[int], *, dropout: float = 0.0, activation: Activation = torch.relu
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in itertools.pairwise(sizes))
        self.dropout, self.activation = SeededDropout(dropout), activation

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Output of the last layer, not activated."""
        for index, layer in enumerate(self.layers):
            if index:
                x = self.dropout(self.activation(x))
            x = layer(x)
        return x


class GraphConvolution(nn.Module):
    """One graph convolution: a linear map of the degree-scaled sum over neighbours and the node itself.

    ``h_v = W sum_u x_u / sqrt((d_u + 1)(d_v + 1)) + b`` over the neighbours ``u`` of ``v`` and ``v``
    itself (Kipf and Welling 2017, eq. 2).

    Examples
    --------
    >>> edges = torch.tensor([[0, 1], [1, 0]])  # one undirected edge, written both ways
    >>> GraphConvolution(2, 4)(torch.eye(3, 2), edges).shape
    torch.Size([3, 4])
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(
        self, x: Float[Tensor, "nodes inputs"], edges: Int[Tensor, "2 edges"]
    ) -> Float[Tensor, "nodes outputs"]:
        """Features of the nodes after the convolution; ``edges`` are (from, to), both directions listed."""
        source, target = edges[0], edges[1]
        ones = torch.ones(edges.shape[1], dtype=x.dtype, device=x.device)
        degree = torch.ones(x.shape[0], dtype=x.dtype, device=x.device).index_add(0, target, ones)
        scale = torch.rsqrt(degree).unsqueeze(-1)
        h: Tensor = self.linear(x) * scale
        return (h + torch.zeros_like(h).index_add(0, target, h[source])) * scale
