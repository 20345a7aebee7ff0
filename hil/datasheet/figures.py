# SPDX-License-Identifier: Apache-2.0
"""A datasheet's figures: typical and maximum values that remember where they were printed."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

Number = float | tuple[float, ...]

# What one printed unit is in SI (or in the unit named beside it, where SI has no better one).
_SCALE = {
    "A": 1.0,
    "mA": 1e-3,
    "uA": 1e-6,
    "nA": 1e-9,
    "V": 1.0,
    "mV": 1e-3,
    "mV/C": 1e-3,
    "W": 1.0,
    "mW": 1e-3,
    "C": 1.0,  # degree Celsius, the datasheet's own temperature scale
    "C/W": 1.0,
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "ns": 1e-9,
    "us/V": 1e-6,
    "MHz": 1e6,
    "kHz": 1e3,
    "Msps": 1e6,
    "kohm": 1e3,
    "ohm": 1.0,
    "%": 1e-2,
    "CPU cycles": 1.0,
    "1/fADC": 1.0,
    "kcycles": 1e3,
}

# A column whose name ends in a unit of its own is not in its line's unit: (suffix in SI, factor).
_OWN_UNIT = {
    "_uA": ("_a", 1e-6),
    "_us": ("_s", 1e-6),
    "_kohm": ("_ohm", 1e3),
    "_sps": ("_sps", 1.0),
    "cycles": ("cycles", 1.0),
}


class DatasheetError(LookupError):
    """The documents give no figure for what was asked: an unknown row, or conditions outside the table."""


@dataclass(frozen=True)
class Figure:
    """A typical value and, where the document has one, a maximum, in SI units."""

    typ: float
    max: float | None
    source: str


@dataclass(frozen=True)
class Fact:
    """One printed line: ``typ``, ``max`` and ``min`` in SI units, tuples where it has several columns."""

    id: str
    unit: str
    source: str
    typ: Number | None = None
    max: Number | None = None
    min: Number | None = None
    condition: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further columns of the line, in SI; a column with a unit of its own says so in its name."""

    def typ_scalar(self) -> float:
        """The typical value of a line with one column.

        Raises DatasheetError if the line has none, or several.
        """
        if isinstance(self.typ, float):
            return self.typ
        raise DatasheetError(f"{self.id} has no single typical value ({self.source})")

    def max_scalar(self) -> float:
        """The maximum of a line with one column.

        Raises DatasheetError if the line has none, or several.
        """
        if isinstance(self.max, float):
            return self.max
        raise DatasheetError(f"{self.id} has no single maximum ({self.source})")

    def min_scalar(self) -> float:
        """The minimum of a line with one column.

        Raises DatasheetError if the line has none, or several.
        """
        if isinstance(self.min, float):
            return self.min
        raise DatasheetError(f"{self.id} has no single minimum ({self.source})")


def load(name: str) -> dict[str, Any]:
    """The parsed data file ``name`` of this package."""
    return tomllib.loads(resources.files(__package__).joinpath("data", name).read_text(encoding="utf-8"))


def scale_of(unit: str) -> float:
    """The factor from a printed unit to SI. Raises DatasheetError for a unit that is not one."""
    try:
        return _SCALE[unit]
    except KeyError:
        raise DatasheetError(f"unknown unit {unit!r} in a data file") from None


def _convert(value: Any, scale: float) -> Any:
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return value * scale
    if isinstance(value, list):
        return tuple(_convert(item, scale) for item in value)
    return value


def _column(name: str, value: Any, line_scale: float) -> tuple[str, Any]:
    for suffix, (si_suffix, scale) in _OWN_UNIT.items():
        if name.endswith(suffix):
            return name.removesuffix(suffix) + si_suffix, _convert(value, scale)
    return name, _convert(value, line_scale)


def fact_from(line: Mapping[str, Any]) -> Fact:
    """The Fact that one ``[[fact]]`` table of a data file states."""
    unit = line.get("unit", "")  # a line of addresses or of mixed quantities has none
    scale = scale_of(unit) if unit else 1.0
    named = {key: _convert(line[key], scale) for key in ("typ", "max", "min") if key in line}
    known = {"id", "unit", "source", "condition", *named}
    extra = dict(_column(key, value, scale) for key, value in line.items() if key not in known)
    return Fact(line["id"], unit, line["source"], condition=line.get("condition", ""), extra=extra, **named)


def interpolate(x: float, xs: list[float], ys: list[float], *, logarithmic: bool = False) -> float:
    """Piecewise linear interpolation through (xs, ys), extended beyond the ends by the outermost pair.

    With ``logarithmic`` the logarithm of y is interpolated. Points whose y is nan (not printed) are left out.
    Raises DatasheetError if fewer than two points remain and x is not the one that does.
    """
    points = sorted((a, b) for a, b in zip(xs, ys, strict=True) if not math.isnan(b))
    if len(points) == 1 and points[0][0] == x:
        return points[0][1]
    if len(points) < 2:
        raise DatasheetError(f"no figures around {x:g}")
    upper = next((i for i, (a, _) in enumerate(points) if a >= x), len(points) - 1)
    (x0, y0), (x1, y1) = points[max(upper, 1) - 1], points[max(upper, 1)]
    weight = (x - x0) / (x1 - x0)
    if logarithmic:
        return math.exp(math.log(y0) + weight * (math.log(y1) - math.log(y0)))
    return y0 + weight * (y1 - y0)
