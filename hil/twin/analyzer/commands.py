# SPDX-License-Identifier: Apache-2.0
"""The command table: which header calls what, and how a handler gets at its parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from hil.twin.analyzer.scpi_parser import (
    ChannelList,
    Character,
    Number,
    Parameter,
    ProgramUnit,
    String,
    header_forms,
    matches_mnemonic,
)
from hil.twin.analyzer.status import ScpiError

_MULTIPLIERS = {"": 1.0, "K": 1e3, "M": 1e-3, "U": 1e-6, "N": 1e-9}
"""Suffix multipliers of IEEE 488.2, table 7-2, as far as a power supply meets them."""

CHANNELS = (1,)
"""The channels that hold a module."""


class Call:
    """One command or query on its way to its handler; parameters are taken from left to right."""

    def __init__(self, unit: ProgramUnit) -> None:
        self.query = unit.query
        self.text = unit.text
        self._parameters = list(unit.parameters)

    def _take(self, expected: str) -> Parameter:
        if not self._parameters:
            raise ScpiError(-109, f"{self.text} expects {expected}")
        return self._parameters.pop(0)

    def has_value(self) -> bool:
        """Whether the next parameter is something other than a channel list."""
        return bool(self._parameters) and not isinstance(self._parameters[0], ChannelList)

    def number(self, unit: str, minimum: float, maximum: float, default: float) -> float:
        """A number in ``unit`` ("V", "A", "S" or "" for none), also MIN, MAX or DEF.

        Raises:
            ScpiError: -109 missing, -104 not a number, -131/-138 wrong suffix, -222 outside minimum to
            maximum.
        """
        parameter = self._take("a number")
        if isinstance(parameter, Character):
            for mnemonic, value in (("MINimum", minimum), ("MAXimum", maximum), ("DEFault", default)):
                if matches_mnemonic(mnemonic, parameter.text):
                    return value
            raise ScpiError(-141, f"{parameter.text}: {self.text} expects a number")
        if not isinstance(parameter, Number):
            raise ScpiError(-104, f"{self.text} expects a number")
        value = parameter.value * _multiplier(parameter.suffix, unit)
        # 5.12E-6 may be a last digit below the limit it names
        if not minimum - 1e-9 * abs(minimum) <= value <= maximum + 1e-9 * abs(maximum):
            raise ScpiError(-222, f"{self.text} {value:g}: {minimum:g} to {maximum:g} {unit}".rstrip())
        return value

    def integer(self, minimum: int, maximum: int, default: int) -> int:
        """A whole number; see :meth:`number`."""
        return round(self.number("", minimum, maximum, default))

    def boolean(self) -> bool:
        """``ON``, ``OFF`` or a number (zero is off).

        Raises:
            ScpiError: -109 missing, -104 or -141 neither.
        """
        parameter = self._take("ON or OFF")
        if isinstance(parameter, Number):
            if math.isinf(parameter.value):
                raise ScpiError(-222, f"{self.text} expects ON, OFF or a number")
            return round(parameter.value) != 0
        if isinstance(parameter, Character) and parameter.text in ("ON", "OFF"):
            return parameter.text == "ON"
        if isinstance(parameter, Character):
            raise ScpiError(-141, f"{parameter.text}: {self.text} expects ON or OFF")
        raise ScpiError(-104, f"{self.text} expects ON or OFF")

    def choice(self, mnemonics: Iterable[str]) -> str:
        """One of several words, in short or long form; returns the short form.

        Raises:
            ScpiError: -109 missing, -104 not a word, -224 none of them.
        """
        expected = ", ".join(mnemonics)
        parameter = self._take(expected)
        if not isinstance(parameter, Character):
            raise ScpiError(-104, f"{self.text} expects one of {expected}")
        for mnemonic in mnemonics:
            if matches_mnemonic(mnemonic, parameter.text):
                return "".join(character for character in mnemonic if not character.islower())
        raise ScpiError(-224, f"{parameter.text}: {self.text} expects one of {expected}")

    def string(self) -> str:
        """Text in quotes.

        Raises:
            ScpiError: -109 missing, -104 not a string.
        """
        parameter = self._take("a string")
        if not isinstance(parameter, String):
            raise ScpiError(-104, f"{self.text} expects a string in quotes")
        return parameter.text

    def channels(self, allowed: tuple[int, ...] = CHANNELS) -> tuple[int, ...]:
        """The channel list; ``allowed`` are the channels that the command can be for.

        Raises:
            ScpiError: -109 missing, -104 something else, -222 a channel without a module.
        """
        parameter = self._take("a channel list such as (@1)")
        if not isinstance(parameter, ChannelList):
            raise ScpiError(-104, f"{self.text} expects a channel list such as (@1)")
        for channel in parameter.channels:
            if channel not in allowed:
                raise ScpiError(-222, f"channel {channel} holds no module; channel 1 does")
        return parameter.channels

    def finish(self) -> None:
        """Complain about parameters nobody took (ScpiError -108)."""
        if self._parameters:
            raise ScpiError(-108, f"{self.text} has {len(self._parameters)} parameter(s) too many")


def _multiplier(suffix: str, unit: str) -> float:
    if not suffix:
        return 1.0
    if not unit:
        raise ScpiError(-138, suffix)
    if suffix.endswith(unit) and suffix[: -len(unit)] in _MULTIPLIERS:
        return _MULTIPLIERS[suffix[: -len(unit)]]
    raise ScpiError(-131, f"{suffix}: expected {unit}, M{unit}, U{unit}, N{unit} or K{unit}")


Handler = Callable[[Call], bytes | str | None]
"""Handles a command (returns ``None``) or a query (returns the response without its terminator)."""


class CommandTable:
    """Maps every accepted spelling of a header to its handler."""

    def __init__(self) -> None:
        self._commands: dict[tuple[str, ...], Handler] = {}
        self._queries: dict[tuple[str, ...], Handler] = {}

    def command(self, pattern: str, handler: Handler) -> None:
        """Register the handler of a command."""
        self._register(self._commands, pattern, handler)

    def query(self, pattern: str, handler: Handler) -> None:
        """Register the handler of a query."""
        self._register(self._queries, pattern, handler)

    def both(self, pattern: str, handler: Handler) -> None:
        """Register one handler for the command and the query."""
        self.command(pattern, handler)
        self.query(pattern, handler)

    @staticmethod
    def _register(table: dict[tuple[str, ...], Handler], pattern: str, handler: Handler) -> None:
        for form in header_forms(pattern):
            if form in table:
                raise ValueError(f"two handlers for {':'.join(form)}")
            table[form] = handler

    def run(self, unit: ProgramUnit) -> bytes | None:
        """Run one unit; the response in bytes if it was a query.

        Raises:
            ScpiError: whatever was wrong; -113 for an unknown header.
        """
        handler = (self._queries if unit.query else self._commands).get(unit.header)
        if handler is None:
            raise ScpiError(-113, unit.text)
        call = Call(unit)
        response = handler(call)
        call.finish()
        return response.encode("ascii") if isinstance(response, str) else response


def real(value: float) -> str:
    """A number as the instrument writes it (NR3)."""
    return f"{value:+.8E}"
