# SPDX-License-Identifier: Apache-2.0
"""Settings that a channel keeps: header, kind, limits and reset value in one table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hil.twin.analyzer.commands import Call, CommandTable, Handler, real

Value = float | bool | str


@dataclass(frozen=True)
class NumberSetting:
    """A number with a unit ("V", "A", "S" or "") and limits; ``settle`` gives the value really used."""

    header: str
    reset: float
    minimum: float
    maximum: float
    unit: str = ""
    settle: Callable[[float], float] = float

    def parse(self, call: Call) -> Value:
        """Take the new value from a command."""
        return self.settle(call.number(self.unit, self.minimum, self.maximum, self.reset))

    def format(self, value: Value, call: Call) -> str:
        """Answer a query, also for MIN, MAX or DEF."""
        if call.has_value():
            return real(call.number(self.unit, self.minimum, self.maximum, self.reset))
        return real(float(value))


@dataclass(frozen=True)
class SwitchSetting:
    """ON or OFF."""

    header: str
    reset: bool = False

    def parse(self, call: Call) -> Value:
        """Take the new value from a command."""
        return call.boolean()

    def format(self, value: Value, call: Call) -> str:
        """Answer a query."""
        return "1" if value else "0"


@dataclass(frozen=True)
class ChoiceSetting:
    """One of several words."""

    header: str
    reset: str
    choices: Sequence[str]

    def parse(self, call: Call) -> Value:
        """Take the new value from a command."""
        return call.choice(self.choices)

    def format(self, value: Value, call: Call) -> str:
        """Answer a query."""
        return str(value)


Setting = NumberSetting | SwitchSetting | ChoiceSetting


class Settings:
    """The current values of a table of settings, and their commands."""

    def __init__(
        self, table: Sequence[Setting], on_change: Callable[[], None], *, with_channels: bool = True
    ) -> None:
        """``with_channels`` says whether the commands take a channel list, or are the whole instrument's."""
        self._table = table
        self._with_channels = with_channels
        self._on_change = on_change
        self._values: dict[str, Value] = {}
        self.reset()

    def reset(self) -> None:
        """Every setting at its reset value."""
        self._values = {setting.header: setting.reset for setting in self._table}

    def number(self, header: str) -> float:
        """Value of a number setting."""
        return float(self._values[header])

    def switch(self, header: str) -> bool:
        """Value of a switch setting."""
        return bool(self._values[header])

    def choice(self, header: str) -> str:
        """Value of a choice setting, in its short form."""
        return str(self._values[header])

    def put(self, header: str, value: Value) -> None:
        """Change a setting from inside the instrument."""
        self._values[header] = value

    def register(self, commands: CommandTable) -> None:
        """Register command and query of every setting."""
        for setting in self._table:
            commands.both(setting.header, self._handler(setting))

    def _handler(self, setting: Setting) -> Handler:
        def handle(call: Call) -> str | None:
            if call.query:
                answer = setting.format(self._values[setting.header], call)
                return ",".join(answer for _ in call.channels()) if self._with_channels else answer
            value = setting.parse(call)
            if self._with_channels:
                call.channels()
            call.finish()
            self._values[setting.header] = value
            self._on_change()
            return None

        return handle
