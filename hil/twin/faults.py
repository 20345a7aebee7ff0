# SPDX-License-Identifier: Apache-2.0
"""Faults that a test injects while the bench runs.

The rig controller knows nothing of this: on a real bench the same is done with pliers. One request per line,
answered ``OK`` or ``ERR <reason>``; see ``VERBS`` for what there is. ``CLEAR`` mends everything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from hil.twin.bench_clock import LineServer
from hil.twin.pins import Pins
from hil.twin.wiring import Connection

PS_PER_S = 1_000_000_000_000

VERBS = """DROP <link> | HANG <instrument> | UNHANG <instrument> | STICK <pin> HIGH|LOW|FREE |
OPEN <role> | CLOSE <role> | CRYSTAL DEAD|ALIVE | DROOP <volts> <seconds> [FLASH] | CLEAR"""
"""``DROP`` ends the clients' connections of a server, ``HANG`` lets it take requests and answer none. A dead
``CRYSTAL`` does not start the next time LSE is switched on. ``DROOP`` holds the supply at a voltage for some
bench time, from now or, with ``FLASH``, from the middle of the next program or erase operation on."""

FLASH_DELAY_PS = 40_000_000
"""From the beginning of a flash operation to the droop: 40 us, about the middle of programming a double word
(DS10198 Rev 8, table 61: 82 us)."""


class Link(Protocol):
    """A server whose clients can lose their connections."""

    def drop_clients(self) -> None:
        """End all connections; clients may connect again."""


class Hangable(Protocol):
    """An instrument that can stop answering."""

    def hang(self, hung: bool) -> None:
        """Answer nothing from now on, or answer again."""


class FaultBench(Protocol):
    """What faults need of the bench."""

    @property
    def lock(self) -> AbstractContextManager[object]:
        """Held by whoever touches the machine."""

    @property
    def pins(self) -> Pins:
        """The pins of the part."""

    @property
    def connections(self) -> Mapping[str, Connection]:
        """The wires by role."""

    @property
    def mcu(self) -> Any:
        """The part."""

    @property
    def analyzer(self) -> Any:
        """The supply."""


class Faults:
    """The line protocol, free of sockets."""

    def __init__(
        self, bench: FaultBench, links: Mapping[str, Link], instruments: Mapping[str, Hangable]
    ) -> None:
        self._bench = bench
        self._links = links
        self._instruments = instruments
        self._waiting_for_flash: Callable[[], None] | None = None

    def answer(self, line: str) -> str:
        """The answer to one request line, without its line end."""
        try:
            return self._act(line.split())
        except KeyError as error:
            return f"ERR {line.strip()!r}: nothing here is called {error.args[0]!r}"
        except ValueError as error:
            return f"ERR {line.strip()!r}: {error}"

    def _act(self, words: list[str]) -> str:
        match words:
            case ["DROP", link]:
                self._links[link].drop_clients()
            case ["HANG" | "UNHANG" as verb, instrument]:
                self._instruments[instrument].hang(verb == "HANG")
            case ["STICK", pin, "HIGH" | "LOW" | "FREE" as level]:
                with self._bench.lock:
                    stuck = None if level == "FREE" else level == "HIGH"
                    self._bench.pins[pin].stick(stuck, self._bench.mcu.scheduler.now_ps)
            case ["OPEN" | "CLOSE" as verb, role]:
                with self._bench.lock:
                    self._bench.connections[role].set_open(verb == "OPEN")
            case ["CRYSTAL", "DEAD" | "ALIVE" as state]:
                with self._bench.lock:
                    self._bench.mcu.peripherals.rcc.oscillators["lse"].dead = state == "DEAD"
            case ["DROOP", volts, seconds]:
                self._droop(_number(volts, 5.0), _number(seconds, 3600.0))
            case ["DROOP", volts, seconds, "FLASH"]:
                self._droop_in_flash(_number(volts, 5.0), _number(seconds, 3600.0))
            case ["CLEAR"]:
                self._clear()
            case _:
                raise ValueError(f"expected {' '.join(VERBS.split())}")
        return "OK"

    def _droop(self, voltage_v: float, duration_s: float) -> None:
        with self._bench.lock:
            self._bench.mcu.set_supply_voltage(voltage_v)
            self._bench.mcu.scheduler.after(round(duration_s * PS_PER_S), self._recover)

    def _recover(self) -> None:
        self._bench.mcu.set_supply_voltage(self._bench.analyzer.channel.source.terminal_v)

    def _droop_in_flash(self, voltage_v: float, duration_s: float) -> None:
        with self._bench.lock:
            self._forget_flash()
            flash = self._bench.mcu.peripherals.flash
            notify = flash.on_activity

            def begins() -> None:
                notify()
                flash.on_activity = notify
                self._waiting_for_flash = None
                self._bench.mcu.scheduler.after(FLASH_DELAY_PS, lambda: self._droop(voltage_v, duration_s))

            def restore() -> None:
                flash.on_activity = notify

            flash.on_activity = begins
            self._waiting_for_flash = restore

    def _forget_flash(self) -> None:
        if self._waiting_for_flash is not None:
            self._waiting_for_flash()
            self._waiting_for_flash = None

    def _clear(self) -> None:
        for instrument in self._instruments.values():
            instrument.hang(False)
        with self._bench.lock:
            self._forget_flash()
            for pin in self._bench.pins.values():
                pin.stick(None, self._bench.mcu.scheduler.now_ps)
            for connection in self._bench.connections.values():
                connection.set_open(False)
            self._bench.mcu.peripherals.rcc.oscillators["lse"].dead = False
            self._recover()


def _number(text: str, maximum: float) -> float:
    value = float(text)
    if not math.isfinite(value) or not 0 <= value <= maximum:
        raise ValueError(f"{text}: expected 0 to {maximum:g}")
    return value


class FaultServer(LineServer):
    """Serves :class:`Faults` to any number of clients."""
