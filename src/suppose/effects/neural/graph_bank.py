"""Graphs as treatments: all of them as one table of nodes and edges, and a network that embeds them.

A node is described by what its place in the graph shows (a constant, its degree, its clustering, and the
size of the graph), so that graphs without node features can be told apart. Three graph convolutions
(Zhang et al. 2022 use three of width 100), the mean and the largest value over the nodes, and a linear map
give one token per graph.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from suppose.core.errors import DataError
from suppose.nets.encoders import GraphConvolution

__all__ = ["FEATURES", "GraphBank", "GraphTokenizer", "node_features"]

FEATURES = 5


def node_features(graph: Any) -> Float[np.ndarray, "nodes features"]:
    """Constant, log degree, clustering, mean log degree of the neighbours, log size of the graph.

    Examples
    --------
    >>> import networkx as nx
    >>> node_features(nx.complete_graph(3)).round(2).tolist()[0]
    [1.0, 1.1, 1.0, 1.1, 1.1]
    """
    import networkx as nx

    nodes = list(graph.nodes)
    degree = np.log1p(np.array([graph.degree(node) for node in nodes], dtype=np.float64))
    cluster = nx.clustering(nx.Graph(graph))
    around = dict(zip(nodes, degree, strict=True))
    near = [
        float(np.mean(sorted(around[other] for other in graph.neighbors(node)) or [0.0])) for node in nodes
    ]
    size = np.full(len(nodes), np.log(len(nodes)))
    columns = (np.ones(len(nodes)), degree, np.array([cluster[node] for node in nodes]), np.array(near), size)
    return np.stack(columns, axis=1)


@dataclass(frozen=True)
class GraphBank:
    """All graphs together: node features, edges both ways, the graph of each node, nodes per graph."""

    features: Tensor
    edges: Tensor
    owner: Tensor
    sizes: Tensor

    @classmethod
    def of(cls, graphs: Sequence[Any], *, dtype: Any = torch.float32, device: str = "cpu") -> GraphBank:
        """The bank of networkx graphs.

        Raises
        ------
        DataError
            ``graph-without-nodes`` for one without nodes, ``not-a-networkx-graph`` for something else than a graph.

        Examples
        --------
        >>> import networkx as nx
        >>> bank = GraphBank.of([nx.path_graph(3), nx.complete_graph(4)])
        >>> bank.features.shape, bank.edges.shape
        (torch.Size([7, 5]), torch.Size([2, 16]))
        """
        features, edges, owner, offset = [], [], [], 0
        for number, graph in enumerate(graphs):
            _refuse_bad_graph(graph, number)
            place = {node: offset + index for index, node in enumerate(graph.nodes)}
            pairs = [(place[a], place[b]) for a, b in graph.edges if a != b]
            edges += sorted([*pairs, *((b, a) for a, b in pairs)])
            features.append(node_features(graph))
            owner.append(np.full(len(place), number))
            offset += len(place)
        sizes = torch.tensor([len(part) for part in owner], dtype=dtype, device=device)
        return cls(
            torch.tensor(np.concatenate(features), dtype=dtype, device=device),
            torch.tensor(np.array(edges, dtype=np.int64).reshape(-1, 2).T.copy(), device=device),
            torch.tensor(np.concatenate(owner), device=device), sizes,
        )  # fmt: skip


def _refuse_bad_graph(graph: Any, number: int) -> None:
    if not (hasattr(graph, "nodes") and hasattr(graph, "edges") and hasattr(graph, "neighbors")):
        raise DataError("not-a-networkx-graph", f"expected a networkx graph, got {type(graph).__name__}",
                        where=f"graphs[{number}]", remedy="Build it with networkx.")  # fmt: skip
    if graph.number_of_nodes() == 0:
        raise DataError("graph-without-nodes", "this graph has no nodes", where=f"graphs[{number}]",
                        remedy="Leave it out, or give it its nodes.")  # fmt: skip


class GraphTokenizer(nn.Module):
    """One token per graph of a bank: graph convolutions, mean and maximum over nodes, a linear map."""

    def __init__(self, bank: GraphBank, width: int, *, hidden: int = 32, layers: int = 3) -> None:
        super().__init__()
        self.bank = bank
        sizes = [FEATURES, *[hidden] * layers]
        self.layers = nn.ModuleList(
            GraphConvolution(before, after) for before, after in itertools.pairwise(sizes)
        )
        self.out = nn.Linear(2 * hidden, width)

    def forward(self) -> Float[Tensor, "graphs width"]:
        """Tokens of all graphs of the bank."""
        h = self.bank.features
        for layer in self.layers:
            h = torch.relu(layer(h, self.bank.edges))
        count = self.bank.sizes.shape[0]
        empty = torch.zeros(count, h.shape[1], dtype=h.dtype, device=h.device)
        mean = empty.index_add(0, self.bank.owner, h) / self.bank.sizes[:, None]
        index = self.bank.owner[:, None].expand_as(h)
        largest = empty.scatter_reduce(0, index, h, reduce="amax", include_self=True)
        return self.out(torch.cat([mean, largest], dim=1))  # type: ignore[no-any-return]
