# SPDX-License-Identifier: Apache-2.0
"""Checks across the tables of a rig configuration: pins used twice, limits exceeded."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterator

from hil.config import drivers
from hil.config.models import (
    AnalogWire,
    ContactWire,
    CounterWire,
    InputWire,
    RailConfig,
    RelayWire,
    RigConfig,
    ShakerWire,
    SupplyReadbackWire,
)
from hil.config.tables import AmmeterTable, Contradiction, SupplyTable
from hil.measurement.capabilities import Capabilities
from hil.measurement.text import with_unit

_SWD_PINS = ("PA13", "PA14")
"""SWDIO and SWCLK of every STM32 (RM0351, debug port pins)."""
_KINDS = {
    AnalogWire: (re.compile(r"ao\d+"), "an analog output such as {device}/ao0"),
    ShakerWire: (re.compile(r"ao\d+"), "an analog output such as {device}/ao1"),
    InputWire: (re.compile(r"ai\d+"), "an analog input such as {device}/ai0"),
    CounterWire: (re.compile(r"ctr\d+"), "a counter such as {device}/ctr0"),
    SupplyReadbackWire: (re.compile(r"ai\d+"), "an analog input such as {device}/ai1"),
    RelayWire: (re.compile(r"port\d+/line\d+"), "a digital line such as {device}/port0/line0"),
    ContactWire: (re.compile(r"port\d+/line\d+"), "a digital line such as {device}/port0/line1"),
}


def find_contradictions(config: RigConfig) -> Iterator[Contradiction]:
    """Every contradiction in ``config``, in the order of the file's tables."""
    yield from _supply(config)
    yield from _instruments(config)
    yield from _placeholders(config)
    yield from _wires(config)
    yield from _devices(config)


def _supply(config: RigConfig) -> Iterator[Contradiction]:
    board = config.board
    if board.mcu is not None and board.mcu != board.definition.mcu:
        yield Contradiction(
            ("board", "mcu"),
            f"{board.mcu!r} is not the part of {board.name}",
            f"{board.definition.mcu!r}, or no such key ({board.definition.source})",
        )
    low_v, high_v = board.definition.supply_minimum_v, board.definition.supply_maximum_v
    if not low_v <= board.supply_voltage_v <= high_v:
        yield Contradiction(
            ("board", "supply_voltage"),
            f"{with_unit(board.supply_voltage_v, 'V')} is outside the limits of {board.name}",
            f"{low_v:g} V to {high_v:g} V ({board.definition.source})",
        )
    maximum_a = board.definition.supply_current_maximum_a
    if board.supply_current_limit_a > maximum_a:
        yield Contradiction(
            ("board", "supply_current_limit"),
            f"{with_unit(board.supply_current_limit_a, 'A')} is more than {board.name} stands",
            f"at most {with_unit(maximum_a, 'A')} ({board.definition.source})",
        )


def _instruments(config: RigConfig) -> Iterator[Contradiction]:
    yield from _doubled(config, ())
    yield from _daqs(config)
    yield from _rails(config)
    yield from _shared(config)
    for name, table in config.instruments.items():
        path = tuple(name.split("."))
        for found in table.contradictions():
            yield Contradiction((*path, *found.path), found.message, found.expected)
        if isinstance(table, AmmeterTable):
            yield from _ranges(path, table)
        if isinstance(table, SupplyTable):
            rail = config.rails.by_name()[path[1]] if path[0] == "rails" else None
            if rail is None:
                yield from _source(("board", "supply_voltage"), config.board.supply_voltage_v, name, table)
            else:
                yield from _source(("rails", path[1], "voltage"), rail.voltage_v, name, table)


def _doubled(config: RigConfig | RailConfig, place: tuple[str, ...]) -> Iterator[Contradiction]:
    if config.power_analyzer is None:
        return
    for name in ("supply", "ammeter"):
        if getattr(config, name) is not None:
            path = (*place, name)
            yield Contradiction(
                path,
                f"[{'.'.join(path)}] stands beside [power_analyzer], which is supply and ammeter in one",
                "[power_analyzer] alone, or [supply] and [ammeter]",
            )


def _daqs(config: RigConfig) -> Iterator[Contradiction]:
    """Every DAQ has a name of its own, and the markers are timed by one of them."""
    roles: dict[str, str] = {}
    for role, table in config.daq_tables.items():
        path = tuple(role.split("."))
        if config.daq is None:
            yield Contradiction(path, f"[{role}] stands without [daq]", "the first DAQ of a rig in [daq]")
        if table.device in roles:
            yield Contradiction(
                (*path, "device"),
                f"{table.device!r} is the device of [{roles[table.device]}] already",
                "a name for each device, as NI MAX gives it: the terminals begin with it",
            )
        roles.setdefault(table.device, role)
    first, second = config.wiring.marker_inference, config.wiring.marker_active
    if first is None or second is None:
        return
    timed_by = config.daq_at(first.terminal), config.daq_at(second.terminal)
    if None not in timed_by and timed_by[0] is not timed_by[1]:
        yield Contradiction(
            ("wiring", "marker_active", "terminal"),
            f"{second.terminal} and {first.terminal} are counters of two devices, and one measures the time "
            "from one marker to the other",
            f"a counter of {first.terminal.partition('/')[0]!r}",
        )


def _shared(config: RigConfig) -> Iterator[Contradiction]:
    """Two tables may name one instrument where each uses a part of it."""
    for (first, one), (second, other) in itertools.combinations(config.instruments.items(), 2):
        if one.driver != other.driver or not set(one.claims().values()) & set(other.claims().values()):
            continue
        path = tuple(second.split("."))
        if one.outlet == other.outlet:
            what = f"{one.outlet} of the instrument" if one.outlet else "the instrument"
            yield Contradiction(path, f"{what} of [{second}] is that of [{first}]", "one table for each")
        elif not (one.leaves_the_rest and other.leaves_the_rest):
            yield Contradiction(
                path,
                f"[{first}] and [{second}] use two channels of one mainframe",
                "shared_mainframe = true in both",
            )


def _rails(config: RigConfig) -> Iterator[Contradiction]:
    """A rail has an instrument, sane limits, and devices that hang on no other rail."""
    known = {device.name for device in config.board.connected}
    fed: dict[str, str] = {}
    for name, rail in config.rails.by_name().items():
        path = ("rails", name)
        yield from _doubled(rail, path)
        if not rail.instruments:
            yield Contradiction(
                path, f"the rail {name!r} has no instrument", "a power_analyzer, a supply or an ammeter"
            )
        if rail.voltage_v > rail.voltage_maximum_v:
            yield Contradiction(
                (*path, "voltage"),
                f"{with_unit(rail.voltage_v, 'V')} is more than what hangs on the rail {name!r} stands",
                f"at most {with_unit(rail.voltage_maximum_v, 'V')}, its voltage_maximum",
            )
        for device in rail.feeds:
            if device not in known:
                yield Contradiction(
                    (*path, "feeds"),
                    f"no device is called {device!r}",
                    f"one of {', '.join(sorted(known))}" if known else "a device of [[board.devices]]",
                )
            elif device in fed:
                yield Contradiction(
                    (*path, "feeds"), f"{device!r} hangs on the rail {fed[device]!r} already", "one rail"
                )
            fed.setdefault(device, name)


def _ranges(name: tuple[str, ...], table: AmmeterTable) -> Iterator[Contradiction]:
    ranges_a = [entry.range_a for entry in table.ranges]
    smallest_a = table.smallest_seamless_range_a
    if smallest_a is not None and smallest_a not in ranges_a:
        yield Contradiction(
            (*name, "smallest_seamless_range"),
            f"{with_unit(smallest_a, 'A')} is none of the ranges",
            f"one of {', '.join(with_unit(range_a, 'A') for range_a in ranges_a)}",
        )
    if ranges_a != sorted(set(ranges_a)):
        yield Contradiction(
            (*name, "ranges"),
            "the current ranges are not in rising order",
            "each range once, smallest first",
        )


def _source(
    path: tuple[str, ...], voltage_v: float, name: str, table: SupplyTable
) -> Iterator[Contradiction]:
    can = drivers.find(table.driver).capabilities
    assert isinstance(can, Capabilities)  # a supply's
    if can.source_v is not None and not can.source_v[0] <= voltage_v <= can.source_v[1]:
        low_v, high_v = can.source_v
        yield Contradiction(
            path,
            f"{with_unit(voltage_v, 'V')} is outside what the instrument of [{name}] supplies",
            f"{low_v:g} V to {high_v:g} V",
        )


def _placeholders(config: RigConfig) -> Iterator[Contradiction]:
    if config.service is not None:
        return
    addresses: dict[tuple[str, ...], str | None] = {
        ("probe", "uid"): None if config.probe is None else config.probe.uid,
        ("console", "port"): None if config.console is None else config.console.port,
        ("clock", "address"): config.clock.address,
        ("bringup", "hands"): config.bringup.hands,
    }
    for name, table in config.instruments.items():
        addresses |= {(*name.split("."), key): getattr(table, key) for key in sorted(table.addresses)}
    for path, address in addresses.items():
        if address and "{service." in address:
            yield Contradiction(
                path,
                f"{address!r} refers to a service, and the file has no [service] table",
                "a real address",
            )


def _wires(config: RigConfig) -> Iterator[Contradiction]:
    pins: dict[str, str] = {}
    terminals: dict[str, str] = {}
    for role in type(config.wiring).model_fields:
        wire = getattr(config.wiring, role)
        if wire is None:
            continue
        path = ("wiring", role)
        yield from _terminal(config, path, wire)
        if wire.terminal in terminals:
            yield Contradiction(
                (*path, "terminal"),
                f"terminal {wire.terminal} is already wired to {terminals[wire.terminal]}",
                "one wire per terminal",
            )
        terminals.setdefault(wire.terminal, role)
        if isinstance(wire, ShakerWire):
            yield from _amplifier(path, wire)
        if isinstance(wire, RelayWire | SupplyReadbackWire | ShakerWire):
            continue  # none ends at a port pin
        yield from _pin(config, path, wire.pin)
        if isinstance(wire, InputWire):
            continue  # an input may watch a pin that another wire drives
        if wire.pin in pins:
            yield Contradiction(
                (*path, "pin"), f"pin {wire.pin} is already wired to {pins[wire.pin]}", "one wire per pin"
            )
        pins.setdefault(wire.pin, role)
        if isinstance(wire, AnalogWire):
            yield from _voltages(config, path, wire)


def _terminal(
    config: RigConfig,
    path: tuple[str, ...],
    wire: AnalogWire | ShakerWire | InputWire | SupplyReadbackWire | CounterWire | RelayWire | ContactWire,
) -> Iterator[Contradiction]:
    if config.daq is None:
        yield Contradiction(
            path, f"{wire.terminal} needs a DAQ, and the file has no [daq] table", "a [daq] table"
        )
        return
    pattern, example = _KINDS[type(wire)]
    device, _, terminal = wire.terminal.partition("/")
    if config.daq_at(wire.terminal) is None:
        known = " or ".join(repr(table.device) for table in config.daq_tables.values())
        yield Contradiction(
            (*path, "terminal"),
            f"terminal {wire.terminal} is not on the rig's DAQ {known}",
            example.format(device=config.daq.device),
        )
    elif pattern.fullmatch(terminal) is None:
        yield Contradiction(
            (*path, "terminal"),
            f"terminal {wire.terminal} cannot serve this role",
            example.format(device=device),
        )


def _pin(
    config: RigConfig, path: tuple[str | int, ...], pin: str, key: str = "pin"
) -> Iterator[Contradiction]:
    board = config.board.definition
    pins = board.pins
    if pin not in pins:
        close = difflib.get_close_matches(pin.upper(), sorted(pins), n=1)
        yield Contradiction(
            (*path, key),
            f"{config.board.name} has no pin {pin!r}",
            f'a port pin such as "{close[0] if close else "PA0"}"',
        )
    taken = {board.console.tx: "console", board.console.rx: "console", **dict.fromkeys(_SWD_PINS, "debug")}
    if pin in taken:
        yield Contradiction(
            (*path, key),
            f"{config.board.name} wires pin {pin} to its probe's {taken[pin]} line",
            "a pin that is free",
        )


def _voltages(config: RigConfig, path: tuple[str, ...], wire: AnalogWire) -> Iterator[Contradiction]:
    # A pin in analog mode takes at most VDDA, which every board here ties to VDD ([ties] of its file), and
    # no positive injection is allowed (DS10198 Rev 8, table 21).
    supply_v = config.board.supply_voltage_v
    if wire.maximum_v > supply_v:
        yield Contradiction(
            (*path, "maximum"),
            f"{with_unit(wire.maximum_v, 'V')} on pin {wire.pin} is above the board's supply",
            f"at most {with_unit(supply_v, 'V')}",
        )
    if wire.minimum_v < 0:
        yield Contradiction(
            (*path, "minimum"),
            f"{with_unit(wire.minimum_v, 'V')} on pin {wire.pin} is below ground",
            "at least 0 V",
        )
    if wire.minimum_v >= wire.maximum_v:
        yield Contradiction((*path, "minimum"), "the minimum is not below the maximum", "minimum < maximum")


def _amplifier(path: tuple[str, ...], wire: ShakerWire) -> Iterator[Contradiction]:
    if wire.minimum_v >= wire.maximum_v:
        yield Contradiction((*path, "minimum"), "the minimum is not below the maximum", "minimum < maximum")


def _devices(config: RigConfig) -> Iterator[Contradiction]:
    """Pins of the devices: those of the package, and each for one purpose."""
    board = config.board.definition
    wired = {
        wire.pin: f"[wiring] {role}"
        for role, wire in config.wiring
        if isinstance(wire, AnalogWire | CounterWire)
    }
    # Of the board's own devices only those pins count that a wire may not take; the board's file is its own.
    used = {pin: device.name for device in board.devices for pin in device.own_pins.values()}
    names = {device.name for device in board.devices}
    for index, entry in enumerate(config.board.devices):
        device, path = entry.definition, ("board", "devices", index)
        if device.name in names:
            yield Contradiction(
                (*path, "name"), f"another device is called {device.name!r}", "a name for each"
            )
        names.add(device.name)
        if device.missing_signals:
            yield Contradiction(
                (*path, "pins"),
                f"{device.name} on {device.bus} has no pin for {' and '.join(device.missing_signals)}",
                "every line of the bus",
            )
        if entry.address is not None and not device.bus.startswith("I2C"):
            yield Contradiction((*path, "address"), f"{device.bus} has no addresses", "a bus of I2C")
        if device.on_uart is not (entry.baud is not None):
            yield Contradiction(
                (*path, "baud"),
                f"{device.name} on {device.bus} "
                + ("says no rate" if device.on_uart else "has the rate of its bus"),
                "a baud for a device on a UART, and for no other",
            )
        for signal, pin in device.pins.items():
            yield from _pin(config, (*path, "pins"), pin, signal)
            owner = wired.get(pin) or used.get(pin)
            if owner is not None:
                yield Contradiction(
                    (*path, "pins", signal), f"pin {pin} is already wired to {owner}", "a pin that is free"
                )
        used |= dict.fromkeys(device.own_pins.values(), device.name)
