# SPDX-License-Identifier: Apache-2.0
"""Where a part lies between the typical and the maximum figures of the datasheet.

The spread of a part is one number: 0 is the typical part, 1 the one at every maximum (assumption
part_spread). A figure without a maximum is typical on every part.
"""

import math

from hil.datasheet.figures import Figure, Number
from hil.parts import Part


def between(typ: float, maximum: float | None, spread: float) -> float:
    """The value of a part with this spread."""
    return typ if maximum is None or math.isnan(maximum) else typ + spread * (maximum - typ)


def of_figure(figure: Figure, spread: float) -> float:
    """A figure of a table, in A."""
    return between(figure.typ, figure.max, spread)


def of_line(part: Part, fact_id: str, spread: float) -> tuple[float, ...]:
    """Every column of a printed line, in A. A line with maxima only gives those, whatever the spread."""
    fact = part.fact(fact_id)
    typ, maxima = _columns(fact.typ), _columns(fact.max)
    if not typ:
        return maxima
    if not maxima:
        return typ
    return tuple(between(t, m, spread) for t, m in zip(typ, maxima, strict=True))


def of_scalar(part: Part, fact_id: str, spread: float) -> float:
    """A printed line with one column, in A."""
    (value,) = of_line(part, fact_id, spread)
    return value


def lsi_hz(part: Part, fraction: float) -> int:
    """The frequency of a part's LSI, the fraction 0 to 1 of the way through its range at 3 V and 30 °C."""
    lowest_hz, highest_hz = part.fact("lsi_freq").extra["at_3V_30C"]
    return round(between(lowest_hz, highest_hz, fraction))


def _columns(figures: Number | None) -> tuple[float, ...]:
    if figures is None:
        return ()
    return figures if isinstance(figures, tuple) else (figures,)
