"""Filters beside the numbers of pyhgf 0.2.12 (and, for ``ehgf_safe``, 0.3.2), relative 1e-9.

``pyhgf.json`` was made by ``scripts/belief_references.py`` from simulated sequences. The totals on pyhgf's own two
sequences need pyhgf installed, whose files they are read from (its licence is not clear enough to ship them).
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from suppose.worlds.beliefs import HGF, Likelihood, filter_beliefs

KEPT = json.loads((Path(__file__).parent / "pyhgf.json").read_text(encoding="utf-8"))
TOTALS = {
    "standard": (-957.7959796357, 203.7102481270),
    "ehgf": (-885.9325459728, 203.7164292891),
    "ehgf_safe": (-792.3768205297, 203.7126032691),
    "unbounded": (-1695.8996348956, 211.3315956749),
}
FIRST = {"standard": -0.0011933344, "ehgf": -0.0011947657, "unbounded": -0.0006329140}


@pytest.mark.parametrize("run", KEPT["runs"], ids=lambda r: f"{r['kind']}-{r['levels']}-{r['update']}")
def test_beliefs_and_surprise_are_those_of_pyhgf(run):
    network = HGF(run["levels"], run["kind"], update=run["update"])
    if run["kind"] == "continuous":
        network = network.with_values({"u.precision": 1e3, "x1.omega": -6.0})
    u = np.array(KEPT[run["kind"]])
    if run["surprise"] is None:  # pyhgf gives NaN
        assert Likelihood(network, u).value() == -np.inf
        return
    assert -Likelihood(network, u).value() == pytest.approx(run["surprise"], rel=1e-9)
    path = filter_beliefs(network, u)
    np.testing.assert_allclose(path.mean[[0, 99, -1], 1:].T, run["mean"], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(path.precision[[0, 99, -1], 1:].T, run["precision"], rtol=1e-9)


def real(name: str) -> np.ndarray:
    spec = importlib.util.find_spec("pyhgf")
    if spec is None:
        pytest.skip("pyhgf, whose files these are, is not installed")
    return np.loadtxt(Path(str(spec.origin)).parent / "data" / name)


def exchange(update: str):
    return HGF(2, "continuous", update=update, x1_omega=-13.0, x1_mean=1.04, x1_precision=1e4, x2_precision=10.0,
               x2_omega=-2.0)  # fmt: skip


@pytest.mark.peer
@pytest.mark.parametrize("update", TOTALS)
def test_totals_on_the_sequences_of_pyhgf(update):
    rates, choices = real("usdchf.txt"), real("binary_input.txt")
    assert len(rates) == 614
    assert rates.sum() == pytest.approx(599.2471)
    assert -Likelihood(exchange(update), rates).value() == pytest.approx(TOTALS[update][0], rel=1e-9)
    assert -Likelihood(HGF(2, "binary", update=update), choices).value() == pytest.approx(
        TOTALS[update][1], rel=1e-9
    )
    if update in FIRST:
        path = filter_beliefs(exchange(update), rates)
        assert path.precision[0, 1] == pytest.approx(19778.963218670528, rel=1e-9)
        assert path.mean[0, 1] == pytest.approx(1.0378259730035087, rel=1e-9)
        assert path.mean[0, 2] == pytest.approx(FIRST[update], abs=5e-11)


@pytest.mark.peer
def test_one_level_and_kalman_on_the_sequences_of_pyhgf():
    assert -Likelihood(HGF(1, "binary"), real("binary_input.txt")).value() == pytest.approx(
        203.5558380021, rel=1e-9
    )
    network = HGF(1, x1_omega=-11.0, x1_mean=1.04, x1_precision=1e4)
    path = filter_beliefs(network, real("usdchf.txt"))
    assert path.mean[-1, 1] == pytest.approx(0.8027563163496569, rel=1e-9)
    assert path.precision[-1, 1] == pytest.approx(29974.815658017942, rel=1e-9)


@pytest.mark.peer
def test_binary_gradient_on_the_sequence_of_pyhgf():
    score = Likelihood(
        HGF(2, "binary", update="ehgf"), real("binary_input.txt"), free=["x1.omega", "x2.omega"]
    )
    _, slope = score.value_and_gradient([-3.0, -3.0])
    np.testing.assert_allclose(-slope, [-2.104025, 0.069603], atol=5e-7)
