"""The referendum polls are the published ones."""

from __future__ import annotations

import polars as pl

from suppose.datasets import dataset_info, load_brexit_polls


def test_polls_are_the_published_ones() -> None:
    polls = load_brexit_polls()
    assert polls.shape == (127, 9)
    assert polls["poll_type"].value_counts().to_dict() == {"Online": 85, "Telephone": 42}
    assert (
        polls["remain"] - polls["leave"] - polls["spread"]
    ).abs().max() < 0.0051  # printed to two decimals
    assert dataset_info("brexit-polls").intact()
    assert isinstance(load_brexit_polls(frame="polars"), pl.DataFrame)
