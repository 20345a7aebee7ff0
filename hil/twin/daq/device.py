# SPDX-License-Identifier: Apache-2.0
"""The personality of the device: an NI USB-6361 (screw terminal), its channels, terminals and limits.

Counts, ranges and rates: NI 6361 Device Specifications. Default counter terminals: X Series User Manual,
table of default NI-DAQmx counter/timer pins for 68-pin and USB devices.
"""

from __future__ import annotations

import re

from hil.twin.daq.errors import Code, DaqmxError

PRODUCT = "USB-6361"
PRODUCT_NUMBER = 0x7433
"""What ``Device.product_num`` answers (assumption: the number of the real product is not known to us)."""

ANALOG_INPUTS = tuple(f"ai{n}" for n in range(16))
ANALOG_OUTPUTS = ("ao0", "ao1")
COUNTERS = ("ctr0", "ctr1", "ctr2", "ctr3")
PORTS = {"port0": 8, "port1": 8, "port2": 8}
LINES = tuple(f"{port}/line{n}" for port, width in PORTS.items() for n in range(width))
PFI_TERMINALS = tuple(f"PFI{n}" for n in range(16))

INTERNAL_TERMINALS = (
    *(f"Ctr{n}InternalOutput" for n in range(4)),
    "ai/SampleClock",
    "ai/StartTrigger",
    "ai/ReferenceTrigger",
    "ao/SampleClock",
    "ao/StartTrigger",
    "di/SampleClock",
    "di/StartTrigger",
    "do/SampleClock",
    "do/StartTrigger",
    "ChangeDetectionEvent",
)
"""Signals inside the device that can be a source of triggers, clocks and routes (NI MAX, device routes)."""
TERMINALS = (*PFI_TERMINALS, *INTERNAL_TERMINALS)

AI_RANGES_V = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
AO_RANGE_V = 10.0
AI_MAX_SINGLE_RATE_HZ = 2e6
AI_MAX_MULTI_RATE_HZ = 1e6
AO_MAX_RATE_HZ = 2.86e6
AO_MAX_MULTI_RATE_HZ = 2.0e6
DIGITAL_MAX_RATE_HZ = 10e6
"""Sample clock of port 0 (NI 6361 Device Specifications, digital waveforms)."""
AO_SAMPLE_CLOCK = "ao/SampleClock"
PULSE_MIN_TICKS = 2
"""Shortest high, low and initial delay of a pulse, in ticks of the timebase (X Series User Manual)."""
CONVERTER_BITS = 16
COUNTER_BITS = 32

GATES = {"ctr0": "PFI9", "ctr1": "PFI4", "ctr2": "PFI1", "ctr3": "PFI6"}
SOURCES = {"ctr0": "PFI8", "ctr1": "PFI3", "ctr2": "PFI0", "ctr3": "PFI5"}
AUXILIARIES = {"ctr0": "PFI10", "ctr1": "PFI11", "ctr2": "PFI2", "ctr3": "PFI7"}

COUNTER_OUTPUTS = {"ctr0": "PFI12", "ctr1": "PFI13", "ctr2": "PFI14", "ctr3": "PFI15"}

_ITEM = re.compile(r"/?(?P<device>[^/\s]+)/(?P<channel>.+)")
_RANGE = re.compile(r"(?P<stem>.*?)(?P<first>\d+):(?P<last>\d+)")


def pfi_of_line(line: str) -> str | None:
    """The PFI terminal that shares its screw with a static line of port 1 or 2; ``None`` for port 0."""
    port, number = line.split("/line")
    if port == "port0":
        return None
    return f"PFI{int(number) + (8 if port == 'port2' else 0)}"


def line_of_pfi(terminal: str) -> str:
    """The static line that shares its screw with a PFI terminal."""
    number = int(terminal.removeprefix("PFI"))
    return f"port1/line{number}" if number < 8 else f"port2/line{number - 8}"


def strip_device(name: str) -> str:
    """A terminal's name without the device: ``Dev1/ao0``, ``/Dev1/PFI9`` and ``ao0`` give ``ao0``,
    ``PFI9``.
    """
    match = _ITEM.fullmatch(name)
    if match is None or match["device"] in PORTS:
        return name.lstrip("/")
    return match["channel"]


def expand(text: str) -> list[str]:
    """``"a0:2, b"`` as ``["a0", "a1", "a2", "b"]``; a descending range counts down."""
    names: list[str] = []
    for item in (part.strip() for part in text.split(",")):
        match = _RANGE.fullmatch(item)
        if match is None:
            if item:
                names.append(item)
            continue
        first, last = int(match["first"]), int(match["last"])
        if abs(last - first) > 1000:
            raise DaqmxError(Code.PHYSICAL_CHANNEL_DOES_NOT_EXIST, f"No device has all of {item!r}.")
        step = 1 if last >= first else -1
        names.extend(f"{match['stem']}{n}" for n in range(first, last + step, step))
    return names


def physical_channels(text: str, device: str, known: tuple[str, ...]) -> list[str]:
    """Channel names without the device from a DAQmx channel string.

    ``known`` are the channels of the wanted kind; a whole port stands for its lines.

    Raises:
        DaqmxError: -200099 empty, -200220 another device, -200170 no such channel, -200430 of another kind.
    """
    names: list[str] = []
    for item in expand(text):
        match = _ITEM.fullmatch(item)
        if match is None or match["device"].lower() != device.lower():
            raise DaqmxError(
                Code.INVALID_DEVICE, f"{item!r} is on no device of this bench; its only device is {device!r}."
            )
        channel = match["channel"].lower()
        if channel in PORTS and known is LINES:
            names.extend(f"{channel}/line{n}" for n in range(PORTS[channel]))
        elif channel in known:
            names.append(channel)
        elif channel in (*ANALOG_INPUTS, *ANALOG_OUTPUTS, *COUNTERS, *LINES, *PORTS):
            raise DaqmxError(
                Code.INVALID_PHYSICAL_CHANNEL_TYPE,
                f"{item!r} is not of the kind asked for; {device}/{known[0]} to {device}/{known[-1]} are.",
            )
        else:
            raise DaqmxError(
                Code.PHYSICAL_CHANNEL_DOES_NOT_EXIST,
                f"{PRODUCT} {device!r} has no {item!r}; it has {device}/{known[0]} to {device}/{known[-1]}.",
            )
    if not names:
        raise DaqmxError(Code.PHYSICAL_CHANNEL_NOT_SPECIFIED, "The physical channel is empty.")
    return names


def terminal(text: str, device: str) -> str:
    """A terminal's name without the device.

    Raises:
        DaqmxError: -200254 for anything that is not a terminal of this device.
    """
    name = text.strip().lstrip("/")
    if name.lower().startswith(f"{device.lower()}/"):
        name = name[len(device) + 1 :]
    for known in TERMINALS:
        if name.lower() == known.lower():
            return known
    raise DaqmxError(
        Code.INVALID_TERMINAL,
        f"{text!r} is no terminal of {device!r}; /{device}/PFI0 to PFI15 are, and "
        f"{', '.join(INTERNAL_TERMINALS)}.",
    )
