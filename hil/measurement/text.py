# SPDX-License-Identifier: Apache-2.0
"""Numbers as people read them: SI prefixes, and as many digits as the uncertainty supports."""

from __future__ import annotations

import math

PREFIXES = {-12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
PREFIXED_UNITS = frozenset({"A", "V", "s", "C", "J", "W", "Hz"})
"""Units that take a prefix. Counted things ("wakes") and units like "day" or "°C" are written as they are."""


def _exponent(value: float, unit: str) -> int:
    if unit not in PREFIXED_UNITS or value == 0:
        return 0
    exponent = 3 * math.floor(math.log10(abs(float(f"{value:.3e}"))) / 3)  # rounded first: 999.96 µA is 1 mA
    if unit == "s":
        exponent = min(exponent, 0)  # nobody reads kiloseconds
    return min(max(exponent, min(PREFIXES)), max(PREFIXES))


def _joined(number: str, exponent: int, unit: str) -> str:
    symbol = f"{PREFIXES[exponent]}{unit}"
    return f"{number} {symbol}" if symbol else number


def prefixed(value: float, unit: str) -> tuple[float, str]:
    """Return the power of ten and the unit with its prefix that suit a value: ``(1e-6, "µA")``."""
    exponent = _exponent(value, unit)
    return 10.0**exponent, f"{PREFIXES[exponent]}{unit}"


def with_unit(value: float, unit: str) -> str:
    """Return a value to four significant digits with prefix and unit.

    ``with_unit(3.4e-6, "A") == "3.4 µA"``
    """
    exponent = _exponent(value, unit)
    scaled = value / 10.0**exponent
    if scaled == int(scaled) and abs(scaled) < 1e9:
        return _joined(str(int(scaled)), exponent, unit)
    decimals = max(0, 3 - math.floor(math.log10(abs(scaled))))
    text = f"{scaled:.{decimals}f}"
    return _joined(text.rstrip("0").rstrip(".") if "." in text else text, exponent, unit)


def uncertain(value: float, expanded_uncertainty: float, unit: str) -> str:
    """Return value and expanded uncertainty in one unit, the uncertainty rounded to two digits and the value
    to match.

    ``uncertain(1.6704e-6, 9.7e-9, "A") == "1.6704 ± 0.0097 µA"`` (two digits: JCGM 100:2008, 7.2.6).
    A zero uncertainty marks something counted and is left out.
    """
    if expanded_uncertainty == 0:
        return with_unit(value, unit)
    exponent = _exponent(max(abs(value), expanded_uncertainty), unit)
    scaled, spread = value / 10.0**exponent, expanded_uncertainty / 10.0**exponent
    decimals = min(max(0, 1 - math.floor(math.log10(spread))), 9)
    return _joined(f"{scaled:.{decimals}f} ± {spread:.{decimals}f}", exponent, unit)
