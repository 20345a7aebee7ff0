# SPDX-License-Identifier: Apache-2.0
"""Area under the ROC curve, with an interval that knows that windows of one machine resemble each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.int64]

RESAMPLES = 2000
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Auc:
    """Probability that a faulty window scores above a normal one, ties counting half."""

    value: float
    low: float | None
    """Bounds of the 95 % interval; None where no pair is out of order or a side has fewer than two groups,
    because resampling then says nothing."""
    high: float | None


def auc(normal: Sequence[Scores], faulty: Sequence[Scores], rng: np.random.Generator) -> Auc:
    """The area between groups of normal and of faulty scores.

    The interval is a percentile bootstrap that draws whole groups, of both sides independently (Efron and
    Tibshirani, "An Introduction to the Bootstrap", 1993).
    """
    wins = _wins(normal, faulty)
    normal_sizes, faulty_sizes = _sizes(normal), _sizes(faulty)
    value = float(wins.sum() / (normal_sizes.sum() * faulty_sizes.sum()))
    if value in (0.0, 1.0) or min(len(normal), len(faulty)) < 2:
        return Auc(value, None, None)
    normal_counts = _draws(len(normal), rng)
    faulty_counts = _draws(len(faulty), rng)
    # einsum, not BLAS: its order of summation depends on neither threads nor library.
    totals = np.einsum("bj,bj->b", np.einsum("bi,ij->bj", normal_counts, wins), faulty_counts)
    pairs = np.einsum("bi,i->b", normal_counts, normal_sizes) * np.einsum(
        "bj,j->b", faulty_counts, faulty_sizes
    )
    tail = (1.0 - CONFIDENCE) / 2
    low, high = np.quantile(totals / pairs, [tail, 1.0 - tail])
    return Auc(value, float(low), float(high))


def _wins(normal: Sequence[Scores], faulty: Sequence[Scores]) -> npt.NDArray[np.float64]:
    """Pairs in order between each two groups, ties counting half: [normal, faulty]."""
    joined = np.concatenate(faulty)
    starts = np.cumsum([0, *(group.size for group in faulty[:-1])])
    rows = []
    for group in normal:
        ordered = np.sort(group)
        below = np.searchsorted(ordered, joined, side="left")
        not_above = np.searchsorted(ordered, joined, side="right")
        rows.append(np.add.reduceat(below + not_above, starts) / 2)
    return np.array(rows, dtype=np.float64)


def _sizes(groups: Sequence[Scores]) -> npt.NDArray[np.float64]:
    return np.array([group.size for group in groups], dtype=np.float64)


def _draws(groups: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """How often each group is drawn, [RESAMPLES, groups]."""
    return rng.multinomial(groups, np.full(groups, 1.0 / groups), RESAMPLES).astype(np.float64)
