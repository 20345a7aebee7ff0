# SPDX-License-Identifier: Apache-2.0
"""One board: its part and package, crystals, ties, console, button, and what may feed its part."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hil.datasheet.figures import DatasheetError
from hil.parts import Package, Part
from hil.parts.files import PART_FILE

REFERENCE = "nucleo_l476rg"
"""The board that the reference firmware is built for unless another is named."""
_FOLDER = Path(__file__).parent
_TABLES = {
    "clocks": {"lse", "lse_note", "hse", "hse_source", "hse_note"},
    "ties": {"vref", "vbat"},
    "console": {"uart", "tx", "rx", "line"},
    "button": {"pin", "pressed"},
    "supply": {"jumper", "regulator"},
    "isolation": {"lines", "jumpers", "opened_by", "unparked_leak", "source"},
    "revision": {"document", "earliest", "why"},
    "rigs": {"lab", "virtual"},
}
_OPEN_TABLES = {"leds", "connectors", "devices"}
"""Tables with one entry per name of the board's own."""
_TOP = {"title", "part", "package", "mcu", "source", "firmware"}
_HSE_RANGE_HZ = (4_000_000, 48_000_000)
"""DS10198 Rev 8, first page: 4 to 48 MHz crystal oscillator."""
_HSE_SOURCES = ("crystal", "clock")
_REVISION = re.compile(r"([A-Z])[-. ]?(\d+)")
_VREF, _VBAT, _LEVELS = ("VDDA",), ("VDD",), ("low", "high")


@dataclass(frozen=True)
class Console:
    """The UART that the board's debug probe offers as a serial port."""

    uart: str
    tx: str
    """The part's transmit pin."""
    rx: str
    """The part's receive pin."""
    line_v: float
    """At which the probe's transmit line idles, in V."""


@dataclass(frozen=True)
class Revision:
    """Which revisions of a board will do, where not all of them do."""

    document: str
    """What stands on the board before its revision: "MB1136"."""
    earliest: str
    """The first that will do: "C-02"."""
    why: str
    """What is wrong with those before, and what to do."""

    def accepts(self, answer: str) -> bool:
        """Whether a revision as somebody reads it off, "mb1136 c.2" or "C02", is the earliest or a later."""
        parts = [
            _REVISION.fullmatch(text.upper().replace(self.document, "").strip(" -."))
            for text in (answer, self.earliest)
        ]
        read, first = (part and (part[1], int(part[2])) for part in parts)
        return read is not None and first is not None and read >= first


@dataclass(frozen=True)
class Rigs:
    """The names of rig files that hil-rig ships for a board."""

    lab: str
    """Of a bench with this board, an analyzer and a DAQ, whose addresses are to be filled in."""
    virtual: str
    """Of its virtual bench."""


BUS_SIGNALS: Mapping[str, tuple[str, ...]] = {
    "I2C": ("scl", "sda"),
    "SPI": ("sck", "miso", "mosi", "cs"),
    "USART": ("tx", "rx"),
    "UART": ("tx", "rx"),
    "LPUART": ("tx", "rx"),
}
"""Signals that a device on a bus has besides its own, by the letters of the bus's name. Those of a UART are
the part's."""


@dataclass(frozen=True)
class Device:
    """A device on a bus or UART of the part: soldered to the board, or connected to it."""

    name: str
    kind: str
    """What it is, in lower case: "lsm6dsl"."""
    bus: str
    """The part's peripheral: "I2C1", "SPI2", "USART3"."""
    pins: Mapping[str, str]
    """The part's pins by the device's signals."""
    address: int | None = None
    """Its seven bits on I2C, where it has a choice and not its usual one."""
    baud: int | None = None
    """The rate of its UART."""

    @property
    def on_uart(self) -> bool:
        """Whether it is on a UART of the part."""
        return BUS_SIGNALS.get(self.bus.rstrip("0123456789")) == BUS_SIGNALS["UART"]

    @property
    def missing_signals(self) -> tuple[str, ...]:
        """Signals of its bus that end at no pin."""
        bus = self.bus.rstrip("0123456789")
        return tuple(signal for signal in BUS_SIGNALS.get(bus, ()) if signal not in self.pins)

    @property
    def own_pins(self) -> dict[str, str]:
        """Pins that it shares with no other device of its bus."""
        bus = self.bus.rstrip("0123456789")
        shared = () if bus not in ("I2C", "SPI") else set(BUS_SIGNALS[bus]) - {"cs"}
        return {signal: pin for signal, pin in self.pins.items() if signal not in shared}


@dataclass(frozen=True)
class HighSpeedClock:
    """What is at the pins of the high-speed external oscillator."""

    hz: int
    bypassed: bool
    """A clock from outside, such as a debug probe's; else a crystal."""


@dataclass(frozen=True)
class Board:
    """What does not depend on the bench. SI units; pins as "PA0"."""

    name: str
    title: str
    part: Part
    package: Package
    mcu: str
    """The part with its package and memory, as it is ordered: "stm32l476rg"."""
    firmware: str
    """The reference firmware's name for a board with these pins."""
    source: str
    """Where the part, the package and the wires of the board are written down."""
    lse_hz: int | None
    """The 32.768 kHz crystal; ``None``: the board has none."""
    lse_note: str
    """What to look at when it does not start."""
    hse: HighSpeedClock | None
    """``None``: the board has neither crystal nor clock for it."""
    console: Console
    button: str | None
    """The user's button; ``None``: the board has none."""
    button_pressed_high: bool
    leds: Mapping[str, str]
    """Pins by the LEDs' names."""
    connectors: Mapping[str, str]
    """Pins by the names on the connectors."""
    devices: tuple[Device, ...]
    """What else is soldered to the board on buses of the part."""
    supply_jumper: str
    """Where the part's supply current is measured."""
    regulator_v: float
    """What the board's own regulator gives the part, in V."""
    isolation_lines: tuple[str, ...]
    """Debug and console lines that may feed the part while it is measured."""
    isolation_jumpers: str
    """What connects them without a relay: "the CN2 jumpers"."""
    isolation_opened_by: str
    """How they are opened, so that a relay can take their place."""
    rigs: Rigs | None
    """``None`` for a board that hil-rig ships no rig files for."""
    revision: Revision | None
    """Which revisions will do; ``None``: all of them."""
    unparked_leak_a: float
    """What they feed into a part whose lines are not parked, in A."""

    @property
    def pins(self) -> frozenset[str]:
        """Port pins of the package."""
        return self.package.pins

    @property
    def supply_minimum_v(self) -> float:
        """Lowest operating VDD in volts."""
        return self.part.vdd_min_v

    @property
    def supply_maximum_v(self) -> float:
        """Highest operating VDD in volts; no instrument may ever be told to exceed it."""
        return self.part.vdd_max_v

    @property
    def supply_current_maximum_a(self) -> float:
        """Highest current into all VDD pins together in amperes; no current limit may be set above it."""
        return self.part.supply_current_max_a

    def named(self, pin: str) -> str:
        """A pin with the names that connector and LED give it: "PA8 (D7)", "PA5 (D13, LD2)"."""
        names = [name for wired in (self.connectors, self.leds) for name, to in wired.items() if to == pin]
        return f"{pin} ({', '.join(names)})" if names else pin

    @staticmethod
    def load(name: str, beside: Path | None = None) -> Board:
        """The board of that name: one of this package, or a path to a ``.toml`` file.

        Args:
            name: "nucleo_l476rg", or "my_board.toml", which may be relative to ``beside``.
            beside: the folder that relative paths begin at; default is the working directory.

        Raises:
            DatasheetError: there is no such board, or its file says what no board can be.
        """
        if name.endswith(".toml"):
            path = (beside or Path()) / name
        elif name in names():
            path = _FOLDER / f"{name}.toml"
        else:
            raise DatasheetError(
                f"no board {name!r}; expected {', '.join(names())}, or a path to a .toml file"
            )
        return _load(path.resolve())


def names() -> tuple[str, ...]:
    """The boards of this package."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


@cache
def _load(path: Path) -> Board:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DatasheetError(f"{path}: cannot be read: {error}") from error
    try:
        board = _board(path, data)
    except KeyError as error:
        raise DatasheetError(f"{path}: the key {error} is missing") from error
    _check(path, board)
    return board


def _board(path: Path, data: Mapping[str, Any]) -> Board:
    unknown = set(data) - _TOP - set(_TABLES) - _OPEN_TABLES
    unknown |= {
        f"{table}.{key}" for table, keys in _TABLES.items() for key in set(data.get(table, ())) - keys
    }
    if unknown:
        raise DatasheetError(f"{path}: no key {min(unknown)!r}")
    part = Part.load(_part_name(path, data["part"]))
    if data["package"] not in part.packages:
        raise DatasheetError(
            f"{path}: package: the {part.title} comes in {', '.join(part.packages)}, not {data['package']!r}"
        )
    clocks, ties, console, isolation = (data[key] for key in ("clocks", "ties", "console", "isolation"))
    # Nothing here is accepted without effect: what the twin cannot be is refused.
    for key, value, known in (
        ("clocks.lse", str(clocks["lse"]), ("32768", "none")),
        ("ties.vref", ties["vref"], _VREF),
        ("ties.vbat", ties["vbat"], _VBAT),
        ("button.pressed", data.get("button", {}).get("pressed", "low"), _LEVELS),
    ):
        if value not in known:
            raise DatasheetError(f"{path}: {key}: expected {' or '.join(known)}, not {value!r}")
    return Board(
        name=path.stem,
        title=data["title"],
        part=part,
        package=part.packages[data["package"]],
        mcu=data["mcu"],
        firmware=data.get("firmware", path.stem),
        source=data["source"],
        lse_hz=None if clocks["lse"] == "none" else clocks["lse"],
        lse_note=clocks.get("lse_note", ""),
        hse=_hse(path, clocks),
        console=Console(console["uart"], console["tx"], console["rx"], console["line"]),
        button=data.get("button", {}).get("pin"),
        button_pressed_high=data.get("button", {}).get("pressed") == "high",
        leds=data.get("leds", {}),
        connectors=data.get("connectors", {}),
        devices=tuple(_device(path, name, wires) for name, wires in data.get("devices", {}).items()),
        supply_jumper=data["supply"]["jumper"],
        regulator_v=data["supply"]["regulator"],
        isolation_lines=tuple(isolation["lines"]),
        isolation_jumpers=isolation.get("jumpers", "the board's own connections to its probe"),
        isolation_opened_by=isolation.get("opened_by", "part the board's connections to its probe"),
        rigs=Rigs(**data["rigs"]) if "rigs" in data else None,
        revision=Revision(**data["revision"]) if "revision" in data else None,
        unparked_leak_a=isolation["unparked_leak"],
    )


def _hse(path: Path, clocks: Mapping[str, Any]) -> HighSpeedClock | None:
    hz, source = clocks["hse"], clocks.get("hse_source")
    if hz == "none":
        return None
    low, high = _HSE_RANGE_HZ
    if not isinstance(hz, int) or not low <= hz <= high:
        raise DatasheetError(f"{path}: clocks.hse: expected none, or {low} to {high} Hz, not {hz!r}")
    if source not in _HSE_SOURCES:
        raise DatasheetError(
            f"{path}: clocks.hse_source: expected {' or '.join(_HSE_SOURCES)}, not {source!r}"
        )
    return HighSpeedClock(hz, bypassed=source == "clock")


def _device(path: Path, name: str, wires: Mapping[str, str]) -> Device:
    if "bus" not in wires:
        raise DatasheetError(f"{path}: the key 'devices.{name}.bus' is missing")
    pins = {signal: pin for signal, pin in wires.items() if signal != "bus"}
    device = Device(name, name.lower(), wires["bus"], pins)
    if device.missing_signals:
        raise DatasheetError(f"{path}: the key 'devices.{name}.{device.missing_signals[0]}' is missing")
    return device


def _part_name(path: Path, part: str) -> str:
    """A part's folder beside the board's file goes before one of the package."""
    beside = path.parent / part
    return str(beside) if (beside / PART_FILE).is_file() else part


def _check(path: Path, board: Board) -> None:
    used = {"console.tx": board.console.tx, "console.rx": board.console.rx}
    if board.button is not None:
        used["button.pin"] = board.button
    used |= {f"leds.{name}": pin for name, pin in board.leds.items()}
    used |= {f"connectors.{name}": pin for name, pin in board.connectors.items()}
    for device in board.devices:
        used |= {f"devices.{device.name}.{signal}": pin for signal, pin in device.pins.items()}
    for key, pin in used.items():
        if pin not in board.pins:
            package = f"the {board.package.name} package of the {board.part.title}"
            raise DatasheetError(f"{path}: {key}: {package} has no pin {pin!r}")
