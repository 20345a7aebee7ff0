# SPDX-License-Identifier: Apache-2.0
"""Faults that a test injects while the bench runs.

The rig controller knows nothing of this: on a real bench the same is done with pliers. A client gives the
bench's token first (:mod:`hil.twin.bench_clock`). Then each line is a request, answered ``OK`` or ``ERR
<reason>``; see ``VERBS`` for what there is. ``CLEAR`` mends everything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Protocol

from hil.twin.bench_clock import LineServer, decimal
from hil.twin.pins import Bridge, Pins
from hil.twin.wiring import Connection

PS_PER_S = 1_000_000_000_000

VERBS = {
    "DROP <link>": "Ends the connections of a server's clients. Links are `probe`, `daq`, `power_analyzer` "
    "and `console`, `daq_NAME` of `[daqs.NAME]` and `rail_NAME` of `[rails.NAME]`.",
    "HANG <instrument>": "The instrument takes requests and answers none. Instruments are those of `DROP` "
    "without `probe`.",
    "UNHANG <instrument>": "The instrument answers again.",
    "STICK <pin> HIGH|LOW|FREE": "Shorts a pin of the part to a rail, or takes the short away.",
    "OPEN <wire>": "Opens a wire: a role of the rig file, or `SUPPLY`, the lead to the IDD jumper.",
    "CLOSE <wire>": "Closes it again.",
    "SHORT <pin> <pin>": "Bridges two pins of the part.",
    "SHORT SUPPLY <ohm>": "Lays a resistance across the supply, 1 milliohm at least.",
    "PART <pin> <pin>": "Takes the bridge away.",
    "PART SUPPLY": "Takes the resistance away.",
    "CRYSTAL DEAD|DIES|ALIVE": "A dead crystal does not start the next time LSE is switched on. One that "
    "dies stops now as well.",
    "DROOP <volts> <seconds> [FLASH]": "Holds the supply at a voltage for some bench time. With `FLASH`, "
    "from the middle of the next program or erase operation on, else from now.",
    "CLEAR": "Mends everything.",
}
"""Requests, and what each does."""

MIN_SHORT_OHM = 1e-3
"""A short has at least the resistance of its leads: 1 milliohm (ASSUMPTION)."""

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


class Together:
    """Several servers of one instrument, which fail together."""

    def __init__(self, servers: Sequence[Any]) -> None:
        self._servers = servers

    def hang(self, hung: bool) -> None:
        """Each answers nothing from now on, or answers again."""
        for server in self._servers:
            server.hang(hung)

    def drop_clients(self) -> None:
        """Each ends all connections."""
        for server in self._servers:
            server.drop_clients()


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
    def source(self) -> Any:
        """The supply's output."""


class Faults:
    """The line protocol, free of sockets."""

    def __init__(
        self, bench: FaultBench, links: Mapping[str, Link], instruments: Mapping[str, Hangable]
    ) -> None:
        self._bench = bench
        self._links = links
        self._instruments = instruments
        self._waiting_for_flash: Callable[[], None] | None = None
        self._bridges: dict[frozenset[str], Bridge] = {}

    def answer(self, line: str, alive: Callable[[], bool] = lambda: True) -> str:
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
            case ["OPEN" | "CLOSE" as verb, "SUPPLY"]:
                with self._bench.lock:
                    self._bench.source.lead_open = verb == "OPEN"
            case ["OPEN" | "CLOSE" as verb, role]:
                with self._bench.lock:
                    self._bench.connections[role].set_open(verb == "OPEN")
            case ["SHORT", "SUPPLY", ohm]:
                resistance_ohm = decimal(ohm, 1e9)
                with self._bench.lock:
                    self._bench.source.short_ohm = max(resistance_ohm, MIN_SHORT_OHM)
            case ["PART", "SUPPLY"]:
                with self._bench.lock:
                    self._bench.source.short_ohm = math.inf
            case ["SHORT" | "PART" as verb, first, second]:
                self._bridge(first, second, verb == "SHORT")
            case ["CRYSTAL", "DEAD" | "DIES" | "ALIVE" as state]:
                with self._bench.lock:
                    rcc = self._bench.mcu.peripherals.rcc
                    rcc.oscillators["lse"].dead = state != "ALIVE"
                    if state == "DIES" and rcc.oscillators["lse"].ready:
                        rcc.stop_lse_crystal()
            case ["DROOP", volts, seconds]:
                self._droop(decimal(volts, 5.0), decimal(seconds, 3600.0))
            case ["DROOP", volts, seconds, "FLASH"]:
                self._droop_in_flash(decimal(volts, 5.0), decimal(seconds, 3600.0))
            case ["CLEAR"]:
                self._clear()
            case _:
                raise ValueError(f"expected {' | '.join(VERBS)}")
        return "OK"

    def _droop(self, voltage_v: float, duration_s: float) -> None:
        with self._bench.lock:
            self._bench.mcu.set_supply_voltage(voltage_v)
            self._bench.mcu.scheduler.after(round(duration_s * PS_PER_S), self._recover)

    def _recover(self) -> None:
        self._bench.mcu.set_supply_voltage(self._bench.source.board_v)

    def _bridge(self, first: str, second: str, on: bool) -> None:
        with self._bench.lock:
            ends = self._bench.pins[first], self._bench.pins[second]
            if first == second:
                raise ValueError("a pin cannot be bridged to itself")
            now_ps, key = self._bench.mcu.scheduler.now_ps, frozenset((first, second))
            if on and key not in self._bridges:
                self._bridges[key] = Bridge(*ends, now_ps)
            elif not on and key in self._bridges:
                self._bridges.pop(key).take_away(now_ps)

    def _droop_in_flash(self, voltage_v: float, duration_s: float) -> None:
        with self._bench.lock:
            self._forget_flash()
            flash = self._bench.mcu.peripherals.flash

            def begins() -> None:
                self._forget_flash()
                self._bench.mcu.scheduler.after(FLASH_DELAY_PS, lambda: self._droop(voltage_v, duration_s))

            flash.activity_changed.connect(begins)
            self._waiting_for_flash = partial(flash.activity_changed.disconnect, begins)

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
            for bridge in self._bridges.values():
                bridge.take_away(self._bench.mcu.scheduler.now_ps)
            self._bridges.clear()
            self._bench.source.short_ohm = math.inf
            for connection in self._bench.connections.values():
                connection.set_open(False)
            self._bench.mcu.peripherals.rcc.oscillators["lse"].dead = False
            self._bench.source.lead_open = False
            self._recover()


class FaultServer(LineServer):
    """Serves :class:`Faults` to any number of clients."""
