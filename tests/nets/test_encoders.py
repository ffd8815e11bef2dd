"""The shared blocks: against torch's own, against closed forms, and safe under vmap and compile."""

from __future__ import annotations

import subprocess
import sys

import networkx as nx
import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, vmap

from suppose.nets.encoders import (
    DecoderBlock,
    EncoderBlock,
    GraphConvolution,
    MultiHeadAttention,
    Perceptron,
    ScalarTokenizer,
    SeededDropout,
    TokenNorm,
    count_parameters,
    initialise,
)


def draws(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_attention_is_that_of_torch() -> None:
    ours = initialise(MultiHeadAttention(8, heads=2), torch.Generator().manual_seed(1))
    theirs = nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
        theirs.in_proj_bias.zero_()
        theirs.out_proj.weight.copy_(ours.out.weight)
        theirs.out_proj.bias.zero_()
    query, memory = draws(3, 4, 8), draws(3, 6, 8, seed=2)
    out, weights = ours(query, memory)
    expected, expected_weights = theirs(query, memory, memory, average_attn_weights=False)
    torch.testing.assert_close(out, expected)
    torch.testing.assert_close(weights, expected_weights)


def test_masked_keys_get_no_weight() -> None:
    attend = MultiHeadAttention(8, heads=2)
    mask = torch.tensor([True, False, True])
    _, weights = attend(draws(2, 1, 8), draws(2, 3, 8), mask)
    assert torch.all(weights[..., 1] == 0)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 1))


def test_token_norm_is_batch_norm_over_tokens() -> None:
    ours, theirs = TokenNorm(5), nn.BatchNorm1d(5)
    for seed in range(3):
        x = draws(16, 5, 8, seed=seed) * 3 + 1
        torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours.running_mean.squeeze(), theirs.running_mean)
    torch.testing.assert_close(ours.running_var.squeeze(), theirs.running_var)
    x = draws(4, 5, 8, seed=9)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))


def test_encoder_block_is_that_of_torch() -> None:
    ours = initialise(EncoderBlock(8, 2, 32, norm="layer"), torch.Generator().manual_seed(1)).eval()
    theirs = nn.TransformerEncoderLayer(8, 2, 32, dropout=0.0, batch_first=True).eval()
    attention = ours.attention
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(
            torch.cat([attention.query.weight, attention.key.weight, attention.value.weight])
        )
        theirs.self_attn.in_proj_bias.zero_()
        theirs.self_attn.out_proj.weight.copy_(attention.out.weight)
        theirs.self_attn.out_proj.bias.zero_()
        theirs.linear1.load_state_dict(ours.feed_forward.inner.state_dict())
        theirs.linear2.load_state_dict(ours.feed_forward.outer.state_dict())
    x = draws(3, 5, 8)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("placement", ["pre", "post"])
def test_queries_apart_do_not_see_each_other(placement: str) -> None:
    block = DecoderBlock(8, 2, 16, norm="layer", placement=placement).eval()
    queries, memory = draws(3, 4, 8), draws(3, 6, 8, seed=1)
    together, _ = block(queries, memory, apart=True)
    alone = torch.cat([block(queries[:, [k]], memory)[0] for k in range(4)], dim=1)
    torch.testing.assert_close(together, alone)
    mixed, _ = block(queries, memory)
    assert not torch.allclose(mixed, together)


def test_shared_tokens_forget_their_position() -> None:
    x = torch.tensor([[1.0, 2.0]])
    shared, own = ScalarTokenizer(2, 4, shared=True), ScalarTokenizer(2, 4)
    torch.testing.assert_close(shared(x)[:, 0], shared(x.flip(1))[:, 1])
    assert not torch.allclose(own(x)[:, 0], own(x.flip(1))[:, 1])
    assert (count_parameters(shared), count_parameters(own)) == (8, 16)


def test_graph_convolution_is_the_normalised_adjacency() -> None:
    graph = nx.gnp_random_graph(9, 0.4, seed=1)
    pairs = np.array([*graph.edges, *((b, a) for a, b in graph.edges)]).T
    layer = GraphConvolution(3, 4).double()
    x = draws(9, 3).double()
    a = nx.to_numpy_array(graph) + np.eye(9)
    scale = np.diag(a.sum(axis=1) ** -0.5)
    expected = scale @ a @ scale @ (x @ layer.linear.weight.T + layer.linear.bias).detach().numpy()
    np.testing.assert_allclose(layer(x, torch.tensor(pairs)).detach().numpy(), expected, rtol=1e-12)


def test_dropout_comes_from_its_generator() -> None:
    drop = SeededDropout(0.3)
    masks = []
    for _ in range(2):
        drop.generator = torch.Generator().manual_seed(5)
        masks.append(drop(torch.ones(10_000)))
    state = torch.get_rng_state()
    drop(torch.ones(4))
    assert torch.equal(masks[0], masks[1])
    assert torch.equal(state, torch.get_rng_state())
    assert abs(float((masks[0] == 0).float().mean()) - 0.3) < 3 * (0.3 * 0.7 / 10_000) ** 0.5
    assert torch.equal(drop.eval()(torch.ones(4)), torch.ones(4))


def test_weights_depend_on_the_generator_alone() -> None:
    net = nn.Sequential(EncoderBlock(8, 2, 16), Perceptron([8, 4]), ScalarTokenizer(3, 4))
    state = torch.get_rng_state()
    first = [p.clone() for p in initialise(net, torch.Generator().manual_seed(3)).parameters()]
    torch.manual_seed(99)
    again = list(initialise(net, torch.Generator().manual_seed(3)).parameters())
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    torch.set_rng_state(state)
    initialise(net, torch.Generator().manual_seed(4))
    assert torch.equal(state, torch.get_rng_state())


def test_stacked_members_are_the_single_networks() -> None:
    block = EncoderBlock(8, 2, 16, tokens=3, norm="token-batch")
    nets = [
        {
            k: v.detach().clone()
            for k, v in initialise(block, torch.Generator().manual_seed(s)).named_parameters()
        }
        for s in range(3)
    ]
    buffers = {k: torch.stack([v.clone()] * 3) for k, v in block.named_buffers()}
    stacked = {k: torch.stack([net[k] for net in nets]) for k in nets[0]}
    x = draws(3, 10, 3, 8)
    out = vmap(lambda p, b, z: functional_call(block, (p, b), (z,)))(stacked, buffers, x)
    for member in range(3):
        fresh = {k: v.clone() for k, v in block.named_buffers()}
        single = functional_call(block, (nets[member], fresh), (x[member],))
        torch.testing.assert_close(out[member], single, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(
            buffers["norm_attention.running_mean"][member], fresh["norm_attention.running_mean"]
        )


@pytest.mark.slow
def test_blocks_compile_without_graph_breaks() -> None:
    script = """
import torch
from suppose.nets.encoders import DecoderBlock, EncoderBlock, GraphConvolution
encoder, decoder = EncoderBlock(8, 2, 16, tokens=3, norm="token-batch"), DecoderBlock(8, 2, 16)
x, q = torch.randn(4, 3, 8), torch.randn(4, 2, 8)
compiled = torch.compile(lambda q, x: decoder(q, encoder(x), apart=True)[0], fullgraph=True, backend="eager")
torch.testing.assert_close(compiled(q, x), decoder(q, encoder(x), apart=True)[0])
layer, edges = GraphConvolution(2, 3), torch.tensor([[0, 1], [1, 0]])
graph = torch.compile(layer, fullgraph=True, backend="eager")
torch.testing.assert_close(graph(torch.ones(2, 2), edges), layer(torch.ones(2, 2), edges))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(ValueError, match="multiple of 3 heads, got 8"):
        MultiHeadAttention(8, heads=3)
