"""The filter: one pass over a sequence, beliefs and their sensitivities side by side.

One kernel does what there is to do: predict, weigh the observation, update; see the modules of the parts. Work and
memory grow with steps times nodes times free parameters; nothing is kept per step unless asked for.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np

from suppose.worlds.beliefs.compiled import kernel
from suppose.worlds.beliefs.losses import step_loss
from suppose.worlds.beliefs.prediction import predict
from suppose.worlds.beliefs.schedule import MEAN, PRECISION, PRED_MEAN, PRED_PRECISION, Schedule
from suppose.worlds.beliefs.updates import update

__all__ = ["run_filter"]


@kernel
@no_type_check
def run_filter(
    net: Schedule, p: np.ndarray, dp: np.ndarray, u: np.ndarray, seen: np.ndarray, dt: np.ndarray,
    responses: np.ndarray, rule: int, code: int, s: np.ndarray, ds: np.ndarray, path: np.ndarray,
    losses: np.ndarray, slopes: np.ndarray, scratch: np.ndarray, heard: np.ndarray,
) -> tuple[int, int]:  # fmt: skip
    """Run the network over ``u`` (steps, inputs); step and node of a divergence, or (-1, -1).

    ``s`` (7, nodes) and ``ds`` (7, nodes, parameters) hold the state at the start, and at the end the last one.
    ``path`` (steps or 0, 4, nodes) receives predicted means and precisions, then posterior ones; ``losses`` (steps,)
    and ``slopes`` (1 or steps, parameters) the losses and their derivatives, summed where ``slopes`` has one row.
    ``scratch`` (8, parameters) and ``heard`` (nodes,) are room to work in.
    """
    for step in range(u.shape[0]):
        predict(net, p, dp, s, ds, dt[step])
        if path.shape[0] > 0:
            for node in range(s.shape[1]):
                path[step, 0, node], path[step, 1, node] = s[PRED_MEAN, node], s[PRED_PRECISION, node]
        out = slopes[step if slopes.shape[0] > 1 else 0]
        for place in range(net.inputs.size):
            node = net.inputs[place]
            heard[node] = seen[step, place]
            answered = code >= 3 and not np.isnan(responses[step])
            if (code >= 3 and place == 0 and answered) or (0 < code < 3 and heard[node]):
                losses[step] += step_loss(net, p, dp, s, ds, node, u[step, place], responses[step], code, out)
            s[MEAN, node] = u[step, place] if heard[node] else s[PRED_MEAN, node]
            for q in range(dp.shape[1]):
                ds[MEAN, node, q] = 0.0
        wrong = update(net, p, dp, s, ds, heard, dt[step], rule, scratch)
        if wrong >= 0:
            return step, wrong
        if path.shape[0] > 0:
            for node in range(s.shape[1]):
                path[step, 2, node], path[step, 3, node] = s[MEAN, node], s[PRECISION, node]
    return -1, -1
