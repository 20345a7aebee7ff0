# SPDX-License-Identifier: Apache-2.0
"""STM32CubeMX's ``.ioc``: what it says of a firmware, and what speaks against a board.

The file is a list of Java properties in Latin-1. A key that has its default is absent, so that absence tells
nothing; the computed ``*_Value`` keys are always there. No key says which low-power mode is entered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hil.boards import Board
from hil.errors import ConfigError
from hil.foreign_text import visible
from hil.parts import Part

_MOST_BYTES = 1 << 20
"""A file of all pins of the largest part has some 30 KB."""
_PROPERTY = re.compile(r"((?:\\.|[^=:\\])+)[=:](.*)")
_PIN = re.compile(r"(P[A-K]\d+)(?:[-/ ][^.]*)?\.(Signal|GPIO_Label|GPIO_PuPd)")
_SHARED = re.compile(r"SH\.(\w+)\.\d+")
"""A signal that several peripherals share; its value begins with the part's name: ``ADC1_IN5,IN5-...``."""
_COMMENT = re.compile(r"\s*\[.*\]$")
_DIVIDERS = {f"RTC_WAKEUPCLOCK_RTCCLK_DIV{divider}": divider for divider in (2, 4, 8, 16)}
_SECONDS = {"RTC_WAKEUPCLOCK_CK_SPRE_16BITS": 0, "RTC_WAKEUPCLOCK_CK_SPRE_17BITS": 1 << 16}
"""RM0351, RTC_CR.WUCKSEL: the 1 Hz clock, in the second case with 2^16 added to the counter."""
_LSI_HZ = "32000"
"""Nominal, as CubeMX writes it."""
_SWD = ("PA13", "PA14")
_ROLES = {
    "sensor": re.compile(r"(vibration|sensor)\w*", re.IGNORECASE),
    "marker_inference": re.compile(r"(marker_)?infer\w*", re.IGNORECASE),
    "marker_active": re.compile(r"(marker_)?(awake|active)\w*", re.IGNORECASE),
}
"""What people call the pins that a rig wires, by its roles (assumption: English labels)."""


@dataclass(frozen=True)
class CubeMx:
    """What the file says. None where it does not say, which may mean CubeMX's default."""

    file: Path
    part: str
    """As ordered, in lower case."""
    signals: Mapping[str, str]
    """Signal by pin, as CubeMX names it."""
    shared: Mapping[str, tuple[str, ...]]
    """What the part calls a signal that CubeMX names for several of its users."""
    labels: Mapping[str, str]
    """The user's name by pin, without the comment in brackets."""
    unpulled_inputs: tuple[str, ...]
    """Digital inputs for which no pull is chosen."""
    consoles: Mapping[str, int | None]
    """Baud rate by UART that sends."""
    hclk_hz: float | None
    lse: bool
    """Whether a 32.768 kHz crystal is used."""
    hse: bool
    """Whether a fast crystal or an external clock is used."""
    rtc_on_lsi: bool
    """Whether the RTC runs on the part's own oscillator."""
    free_pins_analog: bool
    """Whether CubeMX sets unused pins to analog."""
    wake_period_s: float | None
    """Of the RTC's wake-up timer."""
    supply_voltage_v: float | None
    ambient_temperature_c: float | None
    """Both of the power calculator."""

    @property
    def roles(self) -> Mapping[str, str]:
        """The pin of each wiring role that exactly one label names."""
        found = {
            role: [pin for pin, label in self.labels.items() if named.fullmatch(label)]
            for role, named in _ROLES.items()
        }
        return {role: pins[0] for role, pins in found.items() if len(pins) == 1}

    def summary(self) -> Iterator[str]:
        """What a rig can take from it, a line each."""
        yield f"part {self.part or 'unknown'}"
        for uart, baud in self.consoles.items():
            yield f"{uart} sends{'' if baud is None else f' at {baud} baud'}"
        if self.hclk_hz is not None:
            yield f"HCLK {self.hclk_hz / 1e6:g} MHz"
        if self.wake_period_s is not None:
            yield f"RTC wake-up every {self.wake_period_s:g} s"
        if self.supply_voltage_v is not None:
            yield f"power calculator: {self.supply_voltage_v:g} V"
        if self.ambient_temperature_c is not None:
            yield f"power calculator: {self.ambient_temperature_c:g} °C"
        roles = {pin: role for role, pin in self.roles.items()}
        for pin, label in sorted(self.labels.items()):
            yield f"{pin} is {label}" + (f", the rig's {roles[pin]}" if pin in roles else "")

    def is_for(self, board: Board) -> bool:
        """Whether it names this board's part, or none."""
        return not self.part or self.part.startswith(board.mcu)

    def findings(self, board: Board) -> Iterator[str]:
        """What cannot be right on a board, or costs current or access, a sentence each."""
        if not self.is_for(board):
            yield f"it is for {self.part}, and the {board.title} has {board.mcu}"
        for pin in _SWD:
            signal = self.signals.get(pin)
            if signal is None:
                yield f"{pin} is not set to SWD: generated code may take the debug port away"
            elif not signal.startswith("SYS_"):
                yield f"{pin} is {signal}: the debug port is gone once the firmware runs"
        for pin in sorted(set(self.signals) - board.pins):
            yield f"{pin} is no pin of the {board.package.name}"
        if self.part.startswith(board.mcu):
            yield from self._impossible_signals(board.part)
        if self.lse and board.lse_hz is None:
            yield f"it uses the LSE, and the {board.title} has no 32.768 kHz crystal"
        if self.hse:
            yield (
                f"it uses the HSE, and the {board.title} has neither a crystal nor a clock there: "
                "take the MSI or HSI16, or fit one"
            )
        if self.rtc_on_lsi and board.lse_hz is not None:
            yield (
                "its RTC runs on the LSI, whose rate is off by percents: take the LSE, for which the "
                f"{board.title} has a crystal (RCC.RTCClockSelection)"
            )
        unused = len(board.pins - set(self.signals))
        if unused and not self.free_pins_analog:
            yield (
                f"{unused} unused pins are left as reset leaves them: set them to analog "
                "(ProjectManager.FreePins, 'Set all free pins as analog')"
            )
        yield from self._beyond_limits(board)
        if self.consoles and board.console.uart not in self.consoles:
            yield (
                f"{', '.join(self.consoles)} sends, and the probe's serial port is on {board.console.uart}"
            )
        for pin in self.unpulled_inputs:
            yield f"{pin} is a digital input without a pull: it draws current unless something drives it"

    def _impossible_signals(self, part: Part) -> Iterator[str]:
        """Signals that their pin does not carry, of those that the part's table of pins knows."""
        known = part.blocks.alternate_functions
        for pin, signal in sorted(self.signals.items()):
            for name in self.shared.get(signal, (signal,)):
                pins = sorted({each for names in known.get(name, {}).values() for each in names})
                if pins and pin not in pins:
                    yield f"{pin} cannot be {name}: that is on {', '.join(pins)}"

    def _beyond_limits(self, board: Board) -> Iterator[str]:
        most_hz = float(board.part.fact("hclk_max").extra["range1"])
        if self.hclk_hz is not None and self.hclk_hz > most_hz:
            yield f"HCLK is {self.hclk_hz / 1e6:g} MHz, above the part's {most_hz / 1e6:g} MHz: lower it"
        least_v, most_v = board.part.vdd_min_v, board.part.vdd_max_v
        if self.supply_voltage_v is not None and not least_v <= self.supply_voltage_v <= most_v:
            yield (
                f"the power calculator has {self.supply_voltage_v:g} V, and the part takes {least_v:g} to "
                f"{most_v:g} V: its currents are of no part"
            )


def read_ioc(file: Path) -> CubeMx:
    """Read an ``.ioc`` file.

    Raises:
        ConfigError: it cannot be read, or is none.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", file=file) from error
    entries = dict(_properties(content.decode("latin-1")))
    if len(content) > _MOST_BYTES or "Mcu.Name" not in entries:
        raise ConfigError("is no .ioc file", file=file, expected="properties of STM32CubeMX with Mcu.Name")
    keyed: dict[str, dict[str, str]] = {"Signal": {}, "GPIO_Label": {}, "GPIO_PuPd": {}}
    for key, value in entries.items():
        if match := _PIN.fullmatch(key):
            keyed[match[2]][match[1]] = value
    signals = keyed["Signal"]
    sending = (re.match(r"(\w*U\w*ART\d)_TX", signal) for signal in signals.values())
    senders = sorted({match[1] for match in sending if match})
    inputs = {pin for pin, signal in signals.items() if signal == "GPIO_Input"}
    shared: dict[str, list[str]] = {}
    for key, value in entries.items():
        if match := _SHARED.fullmatch(key):
            shared.setdefault(match[1], []).append(value.partition(",")[0])
    sources = {entries.get(key, "").rpartition("_")[2] for key in ("RCC.SYSCLKSource", "RCC.PLLSource")}
    return CubeMx(
        file=file,
        part=entries.get("Mcu.UserName", "").lower(),
        signals=signals,
        shared={name: tuple(names) for name, names in shared.items()},
        labels={pin: _COMMENT.sub("", label) for pin, label in keyed["GPIO_Label"].items()},
        unpulled_inputs=tuple(sorted(inputs - set(keyed["GPIO_PuPd"]))),
        consoles={uart: _whole(entries.get(f"{uart}.BaudRate")) for uart in senders},
        hclk_hz=_number(entries.get("RCC.HCLKFreq_Value")),
        lse="RCC_OSC32_IN" in signals.values() or entries.get("RCC.RTCClockSelection", "").endswith("_LSE"),
        hse="RCC_OSC_IN" in signals.values() or "HSE" in sources,
        rtc_on_lsi=_rtc_on_lsi(entries),
        free_pins_analog=entries.get("ProjectManager.FreePins") == "true",
        wake_period_s=_wake_period_s(entries),
        supply_voltage_v=_number(entries.get("PCC.Vdd")),
        ambient_temperature_c=_number(entries.get("PCC.Temperature")),
    )


def _properties(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        match = None if line.startswith(("#", "!")) else _PROPERTY.match(line)
        if match is not None:
            key, value = (visible(re.sub(r"\\(.)", r"\1", part)).strip() for part in match.groups())
            yield key, value


def _wake_period_s(entries: Mapping[str, str]) -> float | None:
    """Of the wake-up timer; None where it is off, or where a default of CubeMX leaves it open."""
    counter, clock = _whole(entries.get("RTC.WakeUpCounter")), entries.get("RTC.WakeUpClock", "")
    if counter is None or "VP_RTC_VS_RTC_WakeUp_intern.Mode" not in entries:
        return None
    if clock in _SECONDS:
        return float(counter + 1 + _SECONDS[clock])
    rtc_hz = _number(entries.get("RCC.RTCFreq_Value"))
    return (counter + 1) * _DIVIDERS[clock] / rtc_hz if rtc_hz and clock in _DIVIDERS else None


def _rtc_on_lsi(entries: Mapping[str, str]) -> bool:
    """A default leaves the selection out; the rate that CubeMX computes is always there."""
    if not any(key.startswith(("RTC.", "VP_RTC_")) for key in entries):
        return False
    selected = entries.get("RCC.RTCClockSelection", "")
    return selected.endswith("_LSI") or (not selected and entries.get("RCC.RTCFreq_Value") == _LSI_HZ)


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"\d{1,9}", text, re.ASCII) else None


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text, re.ASCII) else None
