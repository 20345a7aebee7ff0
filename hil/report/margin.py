# SPDX-License-Identifier: Apache-2.0
"""Where a value with its uncertainty lies relative to its limit, as positions on a small bar."""

from __future__ import annotations

from dataclasses import dataclass

from hil.measurement.measurement import Measurement

HEADROOM = 0.3
"""Length of the bar beyond a limit, relative to the allowed span."""


@dataclass(frozen=True)
class MarginBar:
    """Positions in per cent of the bar's length."""

    allowed_from: float
    allowed_to: float
    value: float
    value_from: float
    value_to: float


def margin_bar(measurement: Measurement) -> MarginBar | None:
    """Return the bar for a measurement, or None where a length means nothing: no limit, or one exact
    value.
    """
    limit = measurement.limit
    if limit is None or limit.lower == limit.upper:
        return None
    distance = abs(measurement.value) + measurement.expanded_uncertainty
    if limit.lower is None:
        assert limit.upper is not None
        # Below a limit of zero no length is given by itself: as much as the value needs.
        lower, upper = (0.0 if limit.upper > 0 else limit.upper - 1.2 * distance), limit.upper
    elif limit.upper is None:
        lower, upper = limit.lower, max(2 * limit.lower, 1.2 * measurement.value)
    else:
        lower, upper = limit.lower, limit.upper
    assert upper is not None
    span = upper - lower
    if not span > 0:
        return None
    begin = lower - (HEADROOM * span if limit.lower is not None else 0.0)
    end = upper + (HEADROOM * span if limit.upper is not None else 0.0)

    def position(value: float) -> float:
        return round(min(max(100.0 * (value - begin) / (end - begin), 0.0), 100.0), 2)

    uncertainty = measurement.expanded_uncertainty
    return MarginBar(
        allowed_from=position(lower),
        allowed_to=position(upper),
        value=position(measurement.value),
        value_from=position(measurement.value - uncertainty),
        value_to=position(measurement.value + uncertainty),
    )
