"""Two-stage least squares by linearmodels 7.1 on augmented rows; writes iv2sls.json beside itself."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np


def material() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Augmented inputs (300, 3), outcome and parameters (300, 4); the same arithmetic as the test's."""
    rng = np.random.default_rng(7)
    hidden, G = rng.standard_normal(300), rng.standard_normal((300, 4))
    X = hidden[:, None] * [1.0, -0.5, 0.25] + rng.standard_normal((300, 3))
    GX = X + G @ rng.standard_normal((4, 3))
    return GX, X @ [1.0, 2.0, -1.0] + hidden, G


if __name__ == "__main__":
    from linearmodels.iv import IV2SLS

    GX, y, G = material()
    params = np.asarray(IV2SLS(y, None, GX, G).fit(cov_type="unadjusted").params)
    Path(__file__).with_name("iv2sls.json").write_text(json.dumps(params.tolist()) + "\n", encoding="utf-8")
