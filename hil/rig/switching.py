# SPDX-License-Identifier: Apache-2.0
"""What was switched on the bench, in which order, and what was known of VDD then.

A line that is closed, or an output that is driven, feeds an unpowered part through its pins (DS10198 Rev 8,
table 21: no positive injection current). So both are allowed only while VDD is proven to be at least the
board's minimum. The record refuses the two acts otherwise, and tells afterwards whether the order was kept.

A rail beside the part's supply feeds the part through what hangs on it in the same way. So it goes on after
VDD is proven, and off before the part's supply does.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from hil.errors import SafetyError


class Act(enum.StrEnum):
    """What can be done to the board's supply, lines and driven pins, or found out about them."""

    VDD_READ = "VDD read"
    VDD_LOST = "VDD lost"
    """What was known of VDD holds no longer."""
    SUPPLY_ON = "supply on"
    SUPPLY_OFF = "supply off"
    LINES_CLOSED = "lines closed"
    LINES_OPEN = "lines open"
    OUTPUT_DRIVEN = "output driven"
    """The detail begins with the terminal, whose name begins with its device's."""
    OUTPUTS_AT_REST = "outputs at 0 V"
    """All of one DAQ; the detail is the device's name."""
    RAIL_ON = "rail on"
    """The detail begins with the rail's name, here and in the next two."""
    RAIL_OFF = "rail off"
    RAIL_LOST = "rail lost"
    """What was known of the rail's voltage holds no longer."""


SUPPLY_TOLERANCE = 0.02
"""How far VDD may be from the supply's setting before the bench counts as faulty. An assumption: forty times
the N6781A's accuracy, and a tenth of what a part in current limit shows."""

_ENDS_WHAT_IS_KNOWN = (Act.VDD_LOST, Act.SUPPLY_ON, Act.SUPPLY_OFF)
_PASSIVE = (Act.VDD_READ, Act.VDD_LOST, Act.LINES_OPEN, Act.OUTPUTS_AT_REST, Act.RAIL_OFF, Act.RAIL_LOST)
"""Acts after which no more feeds the part than before."""


@dataclass(frozen=True)
class Switching:
    """One act."""

    time_s: float | None
    """Bench time; None where the bench's clock did not answer."""
    act: Act
    detail: str
    """The terminal, the setting or the reading."""
    vdd_v: float | None
    """VDD at the part as last read, at the moment of the act; None: unknown."""


class SupplyRecord(Protocol):
    """Told of what is done to a supply, and may refuse it."""

    def note_supply_on(self, voltage_v: float) -> None:
        """The supply is about to be switched on. Raises SafetyError where it must not be."""

    def note(self, act: Act, detail: str = "") -> None:
        """Something else is about to be done. Raises SafetyError where it must not be."""


class SwitchingRecord:
    """The acts of one use of a bench, and what follows from them."""

    def __init__(
        self,
        minimum_v: float | None,
        now_s: Callable[[], float | None],
        on_entry: Callable[[Switching], None] = lambda entry: None,
    ) -> None:
        """Nothing is known of VDD, lines and outputs yet.

        Args:
            minimum_v: VDD below which nothing may feed the part; None for a bench that does not supply it.
            now_s: the bench's time, None where it is not to be had.
            on_entry: told every entry.
        """
        self.entries: list[Switching] = []
        self.minimum_v = minimum_v
        self.vdd_v: float | None = None
        self.lines_open: bool | None = None
        """None while unknown."""
        self._now_s = now_s
        self._on_entry = on_entry
        self._setting_v: float | None = None
        """Of the supply that is on; None with the supply off or unknown."""

    @property
    def supplied(self) -> bool:
        """Whether the part is proven to have its supply, or has one of its own.

        VDD that stands without the supply, or far below its setting, comes in through the pins.
        """
        if self.minimum_v is None:
            return True
        return self._setting_v is not None and _at_least(self.vdd_v, self._needed_v())

    def note_supply_on(self, voltage_v: float) -> None:
        """Enter that the supply is about to be switched on."""
        self.note(Act.SUPPLY_ON, f"{voltage_v:g} V")
        self._setting_v = voltage_v

    def note(self, act: Act, detail: str = "") -> None:
        """Enter what is about to be done.

        Raises:
            SafetyError: it would feed a part that is not proven to be supplied; it must not be done.
        """
        if act in (Act.LINES_CLOSED, Act.OUTPUT_DRIVEN, Act.RAIL_ON) and not self.supplied:
            raise SafetyError(
                "VDD is unknown" if self.vdd_v is None else f"VDD is {self.vdd_v:.3f} V",
                where="board",
                operation=f"{act} ({detail})",
                expected=f"at least {self._needed_v():.2f} V from the supply: its pins would feed the part",
                hint="rig.to(State.RUNNING, image) comes first",
            )
        if act in _ENDS_WHAT_IS_KNOWN:
            self.vdd_v = None
            if act is Act.SUPPLY_OFF:
                self._setting_v = None
        elif act in (Act.LINES_CLOSED, Act.LINES_OPEN):
            self.lines_open = act is Act.LINES_OPEN
        self._enter(act, detail)

    def note_vdd(self, voltage_v: float) -> None:
        """Enter a reading of VDD."""
        self.vdd_v = voltage_v
        self._enter(Act.VDD_READ, f"{voltage_v:.3f} V")

    def forget(self) -> None:
        """Take nothing for granted any more: something failed."""
        self.lines_open = None
        self.note(Act.VDD_LOST)

    def _needed_v(self) -> float:
        return max(self.minimum_v or 0.0, (1 - SUPPLY_TOLERANCE) * (self._setting_v or 0.0))

    def _enter(self, act: Act, detail: str) -> None:
        entry = Switching(self._now_s(), act, detail, self.vdd_v)
        self.entries.append(entry)
        self._on_entry(entry)


class RailRecord:
    """What a rail's instruments tell the record of the bench, each act as one of that rail."""

    def __init__(self, rail: str, record: SwitchingRecord) -> None:
        """Nothing is known of the rail yet."""
        self._rail, self._record = rail, record
        self.is_on: bool | None = None
        """Whether its supply is on; None while unknown. Who has seen it on says so here."""

    def note_supply_on(self, voltage_v: float) -> None:
        """Enter that the rail is about to be switched on. Raises SafetyError on a part without supply."""
        self._record.note(Act.RAIL_ON, f"{self._rail} {voltage_v:g} V")
        self.is_on = None

    def note(self, act: Act, detail: str = "") -> None:
        """Enter what is about to be done to the rail."""
        self.is_on = None if act is Act.VDD_LOST else False
        entered = Act.RAIL_LOST if act is Act.VDD_LOST else Act.RAIL_OFF
        self._record.note(entered, f"{self._rail} {detail}".rstrip())


def find_violations(
    entries: Iterable[Switching],
    minimum_v: float | None,
    *,
    has_lines: bool,
    outputs: Iterable[str],
    rails: Iterable[str] = (),
) -> list[str]:
    """Each act after which something could feed a part that was not proven to be supplied; empty: none.

    Args:
        entries: the acts of one use of a bench, from its start.
        minimum_v: VDD below which nothing may feed the part; None for a bench that does not supply it.
        has_lines: whether a relay opens the lines; at the start they may be closed.
        outputs: the DAQs by their devices' names; at the start their outputs may be driven.
        rails: the rails that the bench supplies; at the start they may be on.
    """
    if minimum_v is None:
        return []
    violations: list[str] = []
    closed, driven, fed = has_lines, set(outputs), set(rails)
    for number, entry in enumerate(entries, 1):
        match entry.act:
            case Act.LINES_OPEN | Act.LINES_CLOSED:
                closed = entry.act is Act.LINES_CLOSED
            case Act.OUTPUT_DRIVEN:
                driven.add(entry.detail.partition("/")[0])
            case Act.OUTPUTS_AT_REST:
                driven.discard(entry.detail)
            case Act.RAIL_ON:
                fed.add(entry.detail.partition(" ")[0])
            case Act.RAIL_OFF:
                fed.discard(entry.detail.partition(" ")[0])
        if entry.act in _PASSIVE or _at_least(entry.vdd_v, minimum_v):
            continue
        if closed or driven or fed:
            feeding = (("lines closed", closed), ("an output driven", bool(driven)), ("a rail on", bool(fed)))
            what = " and ".join(text for text, on in feeding if on)
            known = "unknown" if entry.vdd_v is None else f"{entry.vdd_v:.3f} V"
            violations.append(f"entry {number}, {entry.act} {entry.detail}: {what} with VDD {known}")
    return violations


def _at_least(vdd_v: float | None, minimum_v: float) -> bool:
    return vdd_v is not None and vdd_v >= minimum_v
