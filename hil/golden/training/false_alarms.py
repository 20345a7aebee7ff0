# SPDX-License-Identifier: Apache-2.0
"""From a wanted rate of false alarms to a threshold, and from a threshold to the rate it stands for.

One alarm a week in 60,480 windows is rarer than a few thousand windows can show, so the tail of the normal
scores is extrapolated: excesses over the score's 90 % quantile follow a generalised Pareto distribution
(Pickands 1975), fitted with probability-weighted moments (Hosking and Wallis 1987). A tail that would end at
a finite score is not believed: its shape is set to 0, an exponential tail. Confidence comes from resampling
whole groups (machines, recordings), because windows of one machine resemble each other.

Where the data do not carry that extrapolation, the threshold comes from the middle of the scores instead: the
median and the median absolute deviation (MAD) of their cube roots, which are nearly normal (Wilson and
Hilferty 1931), of all groups together and of the group with the highest median. A few odd windows hardly move
it; :attr:`Threshold.extrapolated` is then false.

What it cannot know: a machine that is unlike all machines listened to.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from hil import quantity
from hil.errors import QuantityError
from hil.golden.data.recordings.screening import MAD_TO_SIGMA

Scores = npt.NDArray[np.int64]

CONFIDENCE = 0.95
RESAMPLES = 1000
MINIMUM_WINDOWS = 100
"""Fewer do not show a tail: ten are left above the 90 % quantile."""
CARRIED_MOST = 2.5
"""Times the highest normal score, or the score from the middle, beyond which no tail is believed."""
CARRIED_RATE = 1 / 60_480
"""Per window, at which the two are compared whatever is wanted: a lower rate never lowers the threshold."""
_BODY = 0.9
_WEEK_S = 7 * 86_400.0

_RATE = re.compile(r"\s*([\d.eE+-]+)\s*(?:per|/)\s*(hour|day|week|month|year|window)\s*")
_PERIOD_S = {
    "hour": 3600.0,
    "day": 86_400.0,
    "week": _WEEK_S,
    "month": _WEEK_S * 52.1775 / 12,
    "year": 365.2425 * 86_400.0,
}


def windows_per_week(period_s: float) -> float:
    """Windows that a part which wakes every `period_s` judges in a week."""
    return _WEEK_S / period_s


def parse_rate(text: str, period_s: float) -> float:
    """The probability per window that "1 per week" means for a part that wakes every `period_s`.

    Raises:
        QuantityError: the text is no rate, or more than one alarm per ten windows.
    """
    wanted = 'a rate of false alarms such as "1 per week", "0.1 per day" or "1e-5 per window"'
    match = _RATE.fullmatch(text)
    try:
        number = float(match[1]) if match else math.nan
    except ValueError:
        number = math.nan
    if match is None or not number > 0:
        raise QuantityError(f"{text!r} is no rate", expected=wanted)
    rate = number if match[2] == "window" else number * period_s / _PERIOD_S[match[2]]
    if rate > 1 - _BODY:
        raise QuantityError(
            f"{text!r} is {rate:.2g} per window of every {period_s:g} s", expected="at most one window in ten"
        )
    return rate


def parse_period(text: str) -> float:
    """Seconds between two wakes, from a text such as "10 s".

    Raises:
        QuantityError: the text is no time above 0.5 s.
    """
    period_s = quantity.parse(text, "s")
    if period_s < 0.5:
        raise QuantityError(f"{text!r} is shorter than a window", expected="a period of at least 0.5 s")
    return period_s


@dataclass(frozen=True)
class Tail:
    """The upper tail of the normal scores."""

    start: float
    """Score from which it is extrapolated."""
    share: float
    """Of windows above the start."""
    scale: float
    shape: float
    """0: exponential; above: heavier."""

    @classmethod
    def fitted(cls, scores: npt.NDArray[np.float64]) -> Tail:
        """The tail of `scores`, of which there must be MINIMUM_WINDOWS."""
        start = float(np.quantile(scores, _BODY))
        excess = np.sort(scores[scores > start] - start)
        share = excess.size / scores.size
        if excess.size == 0:  # the scores' upper tenth is one value
            return cls(start, 1.0 / scores.size, 1.0, 0.0)
        # Hosking and Wallis 1987, with k = -shape; plotting positions (i - 0.35) / n.
        weights = 1.0 - (np.arange(1, excess.size + 1) - 0.35) / excess.size
        mean = float(excess.mean())
        moment = float((weights * excess).mean())
        gap = mean - 2.0 * moment
        shape = 2.0 - mean / gap if gap > 0 else 0.0
        if shape <= 0.0:
            return cls(start, share, mean, 0.0)
        return cls(start, share, 2.0 * mean * moment / gap, min(shape, 0.9))

    def probability_above(self, score: float) -> float:
        """Share of windows above `score`, which is at least the start."""
        reduced = max(0.0, score - self.start) / self.scale
        if self.shape == 0.0:
            return self.share * math.exp(-reduced)
        return float(self.share * (1.0 + self.shape * reduced) ** (-1.0 / self.shape))

    def score_at(self, probability: float) -> float:
        """The score that a share `probability` of windows exceeds."""
        ratio = self.share / probability
        if self.shape == 0.0:
            return self.start + self.scale * math.log(ratio)
        return float(self.start + self.scale * (ratio**self.shape - 1.0) / self.shape)


@dataclass(frozen=True)
class Middle:
    """The cube roots of the normal scores by their medians and MADs: a normal distribution."""

    centre: float
    """The highest that a group has, or that of all."""
    deviation: float

    @classmethod
    def fitted(cls, groups: Sequence[Scores]) -> Middle:
        """All windows together, or the highest group by itself: whichever reaches further."""
        roots = [np.cbrt(group.astype(np.float64)) for group in groups]
        joined = np.concatenate(roots)
        together = cls(float(np.median(joined)), _deviation(joined))
        medians = np.array([np.median(root) for root in roots])
        within = _deviation(np.concatenate([root - np.median(root) for root in roots]))
        highest = cls(float(medians.max()), within)
        return max(together, highest, key=lambda each: each.score_at(CARRIED_RATE))

    def score_at(self, probability: float) -> float:
        """The score that a share `probability` of windows exceeds."""
        sigmas = -NormalDist().inv_cdf(probability)
        return float((self.centre + sigmas * self.deviation) ** 3)

    def probability_above(self, score: float) -> float:
        """Share of windows above `score`."""
        if self.deviation == 0.0:
            return float(np.cbrt(score) < self.centre)
        return 0.5 * math.erfc((float(np.cbrt(score)) - self.centre) / self.deviation / math.sqrt(2.0))


def _counted_at_most(groups: Sequence[Scores], threshold: int) -> float:
    """Highest rate with 95 % confidence, by counting the windows above the threshold (Poisson)."""
    above = sum(int((group > threshold).sum()) for group in groups)
    low, high = 0.0, 10.0 + 3.0 * above
    while high - low > 1e-9 * high:
        mean = (low + high) / 2
        as_few = sum(
            math.exp(-mean + count * math.log(mean) - math.lgamma(count + 1)) for count in range(above + 1)
        )
        low, high = (mean, high) if as_few > 1 - CONFIDENCE else (low, mean)
    return min(1.0, high / sum(group.size for group in groups))


def _deviation(values: npt.NDArray[np.float64]) -> float:
    return MAD_TO_SIGMA * float(np.median(np.abs(values - np.median(values))))


@dataclass(frozen=True)
class Threshold:
    """A threshold, and the false alarms per window to expect of it."""

    value: int
    wanted: float
    expected: float
    """Best estimate."""
    at_most: float
    """With 95 % confidence."""
    tail: Tail
    extrapolated: bool = True
    """Whether the tail carries it; if not, it is from the middle of the scores."""


def choose_threshold(
    groups: Sequence[Scores], rate_per_window: float, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Threshold:
    """The lowest threshold that keeps the rate with 95 % confidence.

    Args:
        groups: normal scores, one array per machine or recording, MINIMUM_WINDOWS in all.
        rate_per_window: false alarms per window that are accepted.
        rng: draws the resamples.
        resamples: how many.
    """
    tail = Tail.fitted(_joined(groups))
    tails = []
    for _ in range(resamples):
        drawn = rng.integers(0, len(groups), len(groups))
        tails.append(Tail.fitted(_joined([groups[index] for index in drawn])))
    at = math.ceil(CONFIDENCE * resamples) - 1

    def by_tail(rate: float) -> float:
        return max(sorted(other.score_at(rate) for other in tails)[at], tail.score_at(rate))

    middle = Middle.fitted(groups)
    carried = min(middle.score_at(CARRIED_RATE), float(max(group.max() for group in groups)))
    if by_tail(CARRIED_RATE) > CARRIED_MOST * carried:
        value = math.ceil(middle.score_at(rate_per_window))
        return Threshold(
            value=value,
            wanted=rate_per_window,
            expected=middle.probability_above(value),
            at_most=_counted_at_most(groups, value),
            tail=tail,
            extrapolated=False,
        )
    value = math.ceil(by_tail(rate_per_window))
    rates = sorted(other.probability_above(value) for other in tails)
    return Threshold(
        value=value,
        wanted=rate_per_window,
        expected=tail.probability_above(value),
        at_most=rates[at],
        tail=tail,
    )


def rates_by_group(groups: Sequence[Scores], threshold: int) -> npt.NDArray[np.float64]:
    """False alarms per window of each group by itself, to show how unevenly they fall.

    The cube root of a sum of squares is nearly normal (Wilson and Hilferty 1931): each group has its own
    mean, all share the deviation within groups.
    """
    roots = [np.cbrt(group.astype(np.float64)) for group in groups]
    freedom = sum(root.size - 1 for root in roots)
    squares = sum(float(((root - root.mean()) ** 2).sum()) for root in roots)
    if freedom == 0 or squares == 0.0:
        return np.array([float(root.mean() > np.cbrt(threshold)) for root in roots])
    deviation = math.sqrt(squares / freedom)
    distances = [(np.cbrt(threshold) - float(root.mean())) / deviation for root in roots]
    return np.array([0.5 * math.erfc(distance / math.sqrt(2.0)) for distance in distances])


def _joined(groups: Sequence[Scores]) -> npt.NDArray[np.float64]:
    return np.concatenate(groups).astype(np.float64)
