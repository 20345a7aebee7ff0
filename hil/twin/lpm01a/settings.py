# SPDX-License-Identifier: Apache-2.0
"""Settings of the PowerShield, their limits, and their values at power-on (UM2269 Rev 6, tables 12 to 23)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hil.twin.lpm01a.encoding import number

RATES_HZ = (100e3, 50e3, 20e3, 10e3, 5e3, 2e3, 1e3, 500, 200, 100, 50, 20, 10, 5, 2, 1)
ASCII_RATE_MAX_HZ = 10e3
"""Of a text stream (table 18); 20 kHz for half a second is not modelled and refused."""


class RefusedError(Exception):
    """A command that the PowerShield does not take; the text says why."""


def _choice(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise RefusedError(f"argument among list {{{', '.join(words)}}}")
        return text

    return read


def _number(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = number(text)
        if value is None or not low <= value * (1 + 1e-12) or value > high * (1 + 1e-12):
            raise RefusedError(f"numerical value in range [{low:g}; {high:g}]")
        return value

    return read


def _rate(text: str) -> float:
    value = number(text)
    if value not in RATES_HZ:
        raise RefusedError("numerical value among list of sampling frequencies")
    assert value is not None  # it is in the list
    return value


def _duration(text: str) -> float | None:
    if text in ("0", "inf"):
        return None
    value: float = _number(100e-6, 10.0)(text)
    return value


@dataclass
class Settings:
    """With the values at power-on."""

    volt: float = 3.0
    freq: float = 100.0
    acqtime: float | None = 10.0
    acqmode: str = "dyn"
    funcmode: str = "optim"
    output: str = "current"
    format: str = "ascii_dec"
    trigsrc: str = "sw"
    trigdelay: float = 1e-3
    pwrend: str = "on"
    readers: dict[str, Callable[[str], object]] = field(
        default_factory=lambda: {
            "volt": _number(1.8, 3.3),
            "freq": _rate,
            "acqtime": _duration,
            "acqmode": _choice("dyn", "stat"),
            "funcmode": _choice("optim", "high"),
            "output": _choice("current", "energy"),
            "format": _choice("ascii_dec", "bin_hexa"),
            "trigsrc": _choice("sw", "d7"),
            "trigdelay": _number(0.0, 600.0),
            "pwrend": _choice("on", "off"),
        },
        repr=False,
    )

    def set(self, name: str, arguments: list[str]) -> None:
        """Take a command's argument.

        Raises:
            RefusedError: it is none that the PowerShield takes, or nothing here does what it asks for.
        """
        if len(arguments) != 1:
            raise RefusedError("one argument expected")
        value = self.readers[name](arguments[0])
        if (name, value) in (("output", "energy"), ("trigsrc", "d7")):
            raise RefusedError(f"{name} {value}: not modelled by the virtual bench")
        setattr(self, name, value)
