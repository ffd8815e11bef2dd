"""Verdicts of y0 on random causal graphs, which tests compare with ours.

Run in an environment that has y0 (0.2.11 was used): ``python scripts/identification_references.py``. It writes
``tests/graphs/identification/y0_verdicts.json``: 500 random graphs with ``->`` and ``<->`` on 3 to 7 nodes, one query
each, a quarter of them conditional, and whether y0 finds a formula. Queries about which y0 stops with an error of
its own (nodes that lose all their edges on the way) are drawn anew and counted. Nothing of suppose is used.
"""

from __future__ import annotations

import itertools
import json
import random
from importlib import metadata
from pathlib import Path

SEED, COUNT = 20, 500
TARGET = Path(__file__).parent.parent / "tests" / "graphs" / "identification" / "y0_verdicts.json"


def random_query(rng: random.Random) -> dict[str, list]:
    """A random graph and query; densities vary so that about a third are not identified."""
    n = rng.randint(3, 7)
    nodes = [f"v{i}" for i in range(n)]
    order = rng.sample(nodes, n)
    straight, curved = rng.uniform(0.25, 0.8), rng.uniform(0.1, 0.5)
    directed = [list(pair) for pair in itertools.combinations(order, 2) if rng.random() < straight]
    bidirected = [list(pair) for pair in itertools.combinations(nodes, 2) if rng.random() < curved]
    picked = rng.sample(nodes, n)
    x = [picked.pop() for _ in range(1 if n < 5 or rng.random() < 0.7 else 2)]
    y = [picked.pop() for _ in range(1 if n < 5 or rng.random() < 0.7 else 2)]
    z = [picked.pop()] if picked and rng.random() < 0.25 else []
    return {
        "nodes": nodes, "directed": directed, "bidirected": bidirected,
        "interventions": x, "outcomes": y, "given": z,
    }  # fmt: skip


def verdict(query: dict[str, list]) -> bool | None:
    """Whether y0 returns a formula; None where it stops with an error."""
    import networkx as nx
    from y0.algorithm.identify import identify_outcomes
    from y0.dsl import Variable
    from y0.graph import NxMixedGraph

    graph = NxMixedGraph.from_str_edges(
        nodes=query["nodes"], directed=query["directed"], undirected=query["bidirected"]
    )
    names = {role: {Variable(v) for v in query[role]} for role in ("interventions", "outcomes", "given")}
    try:
        found = identify_outcomes(graph, names["interventions"], names["outcomes"], names["given"] or None)
    except (nx.NetworkXError, KeyError):
        return None
    return found is not None


def main() -> None:
    """Write the verdicts."""
    rng = random.Random(SEED)  # noqa: S311
    queries, errors = [], 0
    while len(queries) < COUNT:
        query = random_query(rng)
        query["identified"] = verdict(query)
        if query["identified"] is None:
            errors += 1
        else:
            queries.append(query)
    rows = ",\n".join(json.dumps(query) for query in queries)
    version = metadata.version("y0")
    head = f'"y0": "{version}", "errors": {errors}'
    TARGET.write_text(f'{{{head}, "queries": [\n{rows}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
