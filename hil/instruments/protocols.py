# SPDX-License-Identifier: Apache-2.0
"""What the rig expects of each kind of instrument, whoever makes it.

A driver is one module beside this one. Times are in seconds on the bench clock, currents in amperes,
voltages in volts. Every method may raise :class:`hil.errors.InstrumentError`; what a method raises beyond
that is said there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hil.instruments.counter_ranges import LONGEST_INTERVAL_S
from hil.instruments.records import Record
from hil.measurement.capabilities import Capabilities
from hil.measurement.waveform import Waveform

Progress = Callable[[float], None]
"""Called with the fraction done, 0 to 1."""
Parts = Callable[[Waveform], None]
"""Called with each part of a log as it comes."""


@dataclass(frozen=True)
class Identity:
    """Which instrument it is, for the record of a run."""

    manufacturer: str
    model: str
    serial: str
    version: str
    """Firmware or driver version, as the instrument gives it."""


@dataclass(frozen=True)
class SupplyCondition:
    """How a power analyzer stands before it supplies anything."""

    output_watchdog_s: float | None
    """How long it keeps outputs on without a message; None for ever."""
    errors: tuple[str, ...]
    """Its error queue, which is empty afterwards."""


class Clock(Protocol):
    """The time of the bench: the wall's on a real one."""

    def now_s(self) -> float:
        """Now, in seconds since an arbitrary origin; never runs backwards."""
        ...

    def sleep(self, duration_s: float) -> None:
        """Let ``duration_s`` of bench time pass."""
        ...

    def close(self) -> None:
        """Release the clock; does nothing where there is nothing to release."""
        ...


class Board(Protocol):
    """The device under test, seen through its debug port."""

    @property
    def connected(self) -> bool:
        """Whether a debug session is open."""
        ...

    def identity(self) -> Identity:
        """The debug probe's identity."""
        ...

    def connect(self, *, under_reset: bool = False) -> None:
        """Open a debug session and halt the core.

        Args:
            under_reset: hold NRST while connecting, which also reaches a part that sleeps or has no working
                image.
        """
        ...

    def program(self, segments: Iterable[tuple[int, bytes]], progress: Progress | None = None) -> bool:
        """Make the flash hold ``segments`` (address, bytes). Returns whether anything had to be written."""
        ...

    def reset(self, *, halt: bool = False) -> None:
        """Reset the part; with ``halt`` the core stops before its first instruction."""
        ...

    def halt(self) -> None:
        """Stop the core."""
        ...

    def resume(self) -> None:
        """Let the core run."""
        ...

    def read_memory(self, address: int, size: int) -> bytes:
        """Read ``size`` bytes."""
        ...

    def write_memory(self, address: int, data: bytes) -> None:
        """Write bytes to RAM or registers."""
        ...

    def round_trip(self) -> None:
        """One exchange with the part that changes nothing, for timing it; needs a debug session."""
        ...

    def detach(self) -> None:
        """End the debug session and leave the part as if there had never been one, proven by reading back."""
        ...

    def abandon(self) -> None:
        """End the debug session without touching the part."""
        ...


class CounterMeasurement(Protocol):
    """An armed counter."""

    def wait(self, timeout_s: float) -> NDArray[np.float64]:
        """Wait for the values asked for, in seconds.

        Raises:
            DeviceTimeoutError: the device under test did not produce them within ``timeout_s`` of bench time.
            DeviceError: an interval was so long that the counter went through its end and gives no value.
        """
        ...


class Daq(Protocol):
    """Plays the sensor's signal, times the markers, moves relays. Terminals are named as in the wiring.

    Several devices may stand behind it; a terminal's name says which.

    A counter is armed for intervals of up to ``longest_s`` seconds; it counts the finer, the shorter they
    are.
    """

    def identity(self) -> Identity:
        """The device's identity."""
        ...

    def play(self, terminal: str, samples_v: NDArray[np.float64], rate_hz: float, *, repeat: bool) -> None:
        """Put out a waveform. With ``repeat`` it goes on until :meth:`stop`; without, this waits for its end.

        Raises:
            SafetyError: a sample is outside the limits of the wire; nothing was put out.
        """
        ...

    def set_voltage(self, terminal: str, voltage_v: float) -> None:
        """Put out a constant voltage.

        Raises:
            SafetyError: the voltage is outside the limits of the wire.
        """
        ...

    def acquire(self, terminals: Sequence[str], rate_hz: float, count: int) -> NDArray[np.float64]:
        """Read ``count`` samples of each analog input: an array of shape (terminals, count) in volts."""
        ...

    def write_line(self, line: str, level: bool) -> None:
        """Drive a digital line.

        Raises:
            SafetyError: the wiring has no such line.
        """
        ...

    def read_line(self, line: str) -> bool:
        """The level at a digital line's screw, also of one that is driven; drives nothing."""
        ...

    def read_gates(self, counter: str) -> Mapping[str, bool]:
        """The level at every programmable input of the device that has ``counter``, by its name ("PFI9")."""
        ...

    def gate_of(self, counter: str) -> str:
        """The programmable input that a counter's signal is wired to ("PFI9" for "Dev1/ctr0")."""
        ...

    def round_trip(self) -> None:
        """One exchange with the device that changes nothing, for timing it."""
        ...

    def pulse_widths(
        self, counter: str, count: int, longest_s: float = LONGEST_INTERVAL_S
    ) -> AbstractContextManager[CounterMeasurement]:
        """Arm ``counter`` for ``count`` high pulses on its gate."""
        ...

    def pulse_periods(
        self, counter: str, count: int, longest_s: float = LONGEST_INTERVAL_S
    ) -> AbstractContextManager[CounterMeasurement]:
        """Arm ``counter`` for ``count`` periods between rising edges on its gate."""
        ...

    def edge_separation(
        self, counter: str, first: str, second: str, count: int, longest_s: float = LONGEST_INTERVAL_S
    ) -> AbstractContextManager[CounterMeasurement]:
        """Arm ``counter`` for ``count`` times from a rising edge at ``first`` to the next one at ``second``.

        ``first`` and ``second`` are the counters on whose gates the signals are wired.
        """
        ...

    def stop(self) -> None:
        """Stop every output and put all wired analog outputs to 0 V."""
        ...

    def close(self) -> None:
        """:meth:`stop`, and release the device."""
        ...


class ArmedCapture(Protocol):
    """A scope that is set up and waits to be started."""

    def take(self) -> Waveform:
        """Start it now, wait for its end, and return the waveform."""
        ...


class Supply(Protocol):
    """Supplies the board."""

    @property
    def capabilities(self) -> Capabilities:
        """What the instrument can do."""
        ...

    def identity(self) -> Identity:
        """The instrument's identity."""
        ...

    def condition(self) -> SupplyCondition:
        """How the instrument stands; changes nothing but its error queue, which is read empty."""
        ...

    def round_trip(self) -> None:
        """One exchange with the instrument that changes nothing, for timing it."""
        ...

    def supply_on(self, voltage_v: float, current_limit_a: float) -> None:
        """Supply the board, limits and protection first.

        Raises:
            SafetyError: the voltage is above what the board may get; the output was not touched.
        """
        ...

    def supply_off(self) -> None:
        """Switch the supply off."""
        ...

    def measure_voltage_v(self) -> float:
        """Voltage at the output terminals."""
        ...

    def close(self) -> None:
        """Switch the supply off and release the instrument."""
        ...


class Ammeter(Protocol):
    """Measures the current that the board draws."""

    @property
    def capabilities(self) -> Capabilities:
        """What the instrument can do: above all its shortest sample periods."""
        ...

    def identity(self) -> Identity:
        """The instrument's identity."""
        ...

    def round_trip(self) -> None:
        """One exchange with the instrument that changes nothing, for timing it."""
        ...

    def measure_current_a(self) -> float:
        """Mean current over 100 ms."""
        ...

    def capture(self, duration_s: float, period_s: float) -> Waveform:
        """A short, fast current waveform from now on; the period is rounded to what the instrument has."""
        ...

    def arm_capture(self, duration_s: float, period_s: float) -> ArmedCapture:
        """Prepare a capture, so that taking it begins without further delay."""
        ...

    def log(
        self,
        duration_s: float,
        period_s: float,
        progress: Progress | None = None,
        *,
        range_a: float | None = None,
        parts: Parts | None = None,
    ) -> Waveform:
        """A long current waveform from now on, without gaps; in one range, or None: in all seamlessly.

        ``parts`` is called with each part as it comes, so that a log that is cut off is not lost.
        """
        ...

    def close(self) -> None:
        """Release the instrument."""
        ...


class PowerAnalyzer(Supply, Ammeter, Protocol):
    """Supply and ammeter in one. :meth:`close` switches the supply off and releases both."""


class Thermometer(Protocol):
    """Measures the temperature around the part."""

    def identity(self) -> Identity:
        """The instrument's identity."""
        ...

    def round_trip(self) -> None:
        """One exchange with the instrument that changes nothing, for timing it."""
        ...

    def measure_c(self) -> float:
        """The temperature now, in degrees Celsius."""
        ...

    def close(self) -> None:
        """Release the instrument."""
        ...


class Console(Protocol):
    """The records that the firmware sends, and the way for bytes to it."""

    @property
    def records(self) -> Sequence[Record]:
        """Valid records since the last :meth:`clear`, in order of arrival."""
        ...

    @property
    def garbage_lines(self) -> int:
        """Lines that were no valid record."""
        ...

    @property
    def lost_records(self) -> int:
        """Records that the sequence numbers say were sent and did not arrive."""
        ...

    @property
    def repeated_records(self) -> int:
        """Records whose sequence number does not go on from the one before, backwards or in place."""
        ...

    @property
    def heard(self) -> bytes:
        """The last bytes since the last :meth:`clear`, records or not: 4 KB at most."""
        ...

    @property
    def heard_bytes(self) -> int:
        """How many bytes have come since the last :meth:`clear`."""
        ...

    def poll(self) -> list[Record]:
        """Take what has arrived, without waiting; returns the new records."""
        ...

    def send(self, data: bytes) -> None:
        """Send bytes to the part; what they are, and whether it listens, is the caller's business."""
        ...

    def wait_for(self, kind: str, timeout_s: float) -> Record:
        """The next record of that kind that was not returned before.

        Raises:
            DeviceTimeoutError: none came within ``timeout_s`` of bench time.
        """
        ...

    def clear(self) -> None:
        """Forget what has arrived and all counts; the next record may have any sequence number."""
        ...

    def close(self) -> None:
        """Release the port."""
        ...
