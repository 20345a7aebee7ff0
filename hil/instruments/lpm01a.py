# SPDX-License-Identifier: Apache-2.0
"""ST's X-NUCLEO-LPM01A PowerShield, supply and ammeter on a serial port, through pyserial.

Commands and data stream as in UM2269 Rev 6, *Getting started with PowerShield firmware*; figures of the board
as in UM2243 Rev 2. What those leave open is marked as an assumption. Each method writes every setting that it
depends on.
"""

from __future__ import annotations

import contextlib
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hil.config.drivers import Driver, Surroundings
from hil.config.tables import PowerAnalyzerTable
from hil.errors import ConnectError, InstrumentError, InstrumentTimeoutError, ProtocolError, SafetyError
from hil.instruments import exchange, lpm01a_link
from hil.instruments.lpm01a_link import WHERE, PowerShieldLink
from hil.instruments.lpm01a_stream import BinaryStream, Frame
from hil.instruments.protocols import ArmedCapture, Clock, Identity, Parts, Progress, SupplyCondition
from hil.measurement.capabilities import Capabilities
from hil.measurement.waveform import Waveform

BAUD = 3_686_400
"""Of the USB port (UM2269, table 2)."""
_WRITE_TIMEOUT_S = 5.0

_RATES_HZ = (100e3, 50e3, 20e3, 10e3, 5e3, 2e3, 1e3, 500, 200, 100, 50, 20, 10, 5, 2, 1)
"""Sampling frequencies (UM2269, table 13)."""
_PROTECTION_A = 0.059
"""Current from which the board's own protection acts; it cannot be set (UM2243, 10)."""
_SETTLING_S = 0.1
"""From power-on to a settled output (assumption: the command has no answer that tells)."""
_DISCHARGE_S = 5.0
"""How long the output stays off before it goes on again, so that a power cycle is one: the board does not say
that it discharges its output (assumption: some microfarads and some microamperes)."""
_READING_RATE_HZ, _READING_SAMPLES = 10e3, 1000
"""One reading of the current: 100 ms, whole periods of both 50 Hz and 60 Hz mains."""
_STATIC_READINGS = 10
"""Single readings of a log in static mode."""
_STATIC_TIMEOUT_S = 5.0
"""For one of them (assumption: a reading takes well under a second)."""
_POLL_S = 0.05
"""Longest time between two looks at a stream: 10 kB at the highest rate, which a port's driver holds."""
_STREAM_DELAY_S = 1.0
"""How far a stream may lie behind the time that has passed (assumption)."""
_TIMESTAMP_SLACK_S = 2e-3
"""By how much a timestamp may differ from the count of samples: it is in whole milliseconds."""

CAPABILITIES = Capabilities(
    can_source=True,
    reads_voltage=True,
    source_v=(1.8, 3.3),
    ranges_a=(50e-3,),
    capture_period_s=10e-6,
    capture_points=None,
    log_period_s=10e-6,
)
"""1.8 V to 3.3 V and up to 100 kHz without end (UM2269, tables 2, 12 and 13); 50 mA in dynamic mode
(UM2243, 10)."""


class Lpm01aTable(PowerAnalyzerTable):
    """``[power_analyzer]`` of an X-NUCLEO-LPM01A.

    The first of ``ranges`` is for currents that stand still, which static mode measures. The last one is for
    everything else, in dynamic mode.
    """

    addresses: ClassVar[frozenset[str]] = frozenset({"port"})

    port: str = Field(min_length=1)
    """Device ("/dev/serial/by-id/...", "COM5") or a pyserial URL."""
    serial: str | None = Field(default=None, examples=["540619864-1110659081-4784204"])
    """The board's unique id that must answer, as ``powershield`` tells it; not checked when absent."""

    def claims(self) -> dict[str, str]:
        """The port. A link of /dev/serial/by-id and the device that it leads to are one."""
        place = Path(self.port).resolve() if self.port.startswith("/") else self.port
        return {f"power analyzer {self.port}": f"port {place}"}


class Lpm01a:
    """One PowerShield that this program controls."""

    def __init__(
        self,
        open_port: Callable[[], Any],
        *,
        voltage_maximum_v: float,
        current_maximum_a: float,
        clock: Clock,
        serial: str | None = None,
    ) -> None:
        """Take control, check who answers, and switch the output off.

        Args:
            open_port: opens the serial port.
            voltage_maximum_v: what the board may get at most; higher voltages are refused.
            current_maximum_a: what the board may draw at most; higher current limits are refused.
            clock: the bench's clock.
            serial: the unique id that must answer, if given.

        Raises:
            ConnectError: nobody answers, or somebody else does.
        """
        self._voltage_maximum_v, self._current_maximum_a = voltage_maximum_v, current_maximum_a
        self._clock = clock
        try:
            self._link = PowerShieldLink(open_port())
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise ConnectError(
                str(error), where=WHERE, operation="open", hint="check [power_analyzer] port"
            ) from error
        try:
            self._link.silence()
            self._link.command("htc")
            self._identity = self._identify(serial)
            self._link.command("status")  # forgets an earlier user's error
            self.supply_off()
        except BaseException:
            self._link.close()
            raise

    @property
    def capabilities(self) -> Capabilities:
        """What the board can do."""
        return CAPABILITIES

    def identity(self) -> Identity:
        """The board's unique id, and the version of its firmware."""
        return self._identity

    def condition(self) -> SupplyCondition:
        """The board's status; it has no watchdog."""
        status = self._link.command("status")
        return SupplyCondition(None, () if status == "ok" else (status,))

    def round_trip(self) -> None:
        """Ask for the version."""
        self._link.command("version")

    def supply_on(self, voltage_v: float, current_limit_a: float) -> None:
        """Supply the board.

        Args:
            voltage_v: output voltage, in steps of 1 mV.
            current_limit_a: what the board may draw. The instrument's own protection acts at 59 mA and cannot
                be set, so that a lower limit is refused.

        Raises:
            SafetyError: a value is outside what board or instrument stand; nothing was sent.
            ProtocolError: the instrument refused a setting; the output is off.
        """
        low_v, high_v = 1.8, min(3.3, self._voltage_maximum_v)
        if not low_v <= voltage_v <= high_v:
            raise SafetyError(
                f"{voltage_v:g} V refused",
                where=WHERE,
                operation="supply on",
                expected=f"{low_v:g} V to {high_v:g} V",
            )
        if not _PROTECTION_A <= current_limit_a <= self._current_maximum_a:
            raise SafetyError(
                f"a limit of {current_limit_a:g} A refused",
                where=WHERE,
                operation="supply on",
                expected=f"{_PROTECTION_A:g} A, where the instrument's own protection acts, to "
                f"{self._current_maximum_a:g} A, the board's limit",
            )
        self.supply_off()
        self._link.command(f"volt {round(1e3 * voltage_v)}m")
        self._link.command("pwrend on")
        self._clock.sleep(_DISCHARGE_S)
        try:
            self._link.command("pwr on")
            self._clock.sleep(_SETTLING_S)
        except InstrumentError:
            self.supply_off()
            raise

    def supply_off(self) -> None:
        """Disconnect the supply from the board.

        Raises:
            ProtocolError: the instrument refused, or says afterwards that its output is on.
        """
        self._link.command("pwr off")  # no clock: nothing may keep a bench from being switched off
        if (answer := self._link.command("pwr get")) != "off":
            raise ProtocolError(
                f"the output is still {answer!r}", where=WHERE, operation="pwr get", expected='"off"'
            )

    def measure_voltage_v(self) -> float:
        """Voltage of the output, in volts.

        The instrument measures in front of the switch to the board. With that open this is 0 V: what the
        switch leaves of the board's voltage is not seen.
        """
        if self._link.command("pwr get") != "on":
            return 0.0
        answer = self._link.command("volt get")
        match = re.fullmatch(r"(\d+)([+-]\d+)", answer)
        if match is None:
            raise ProtocolError(
                f"answered {answer!r}",
                where=WHERE,
                operation="volt get",
                expected='a number such as "3300-03"',
            )
        return float(match[1]) * 10.0 ** int(match[2])

    def measure_current_a(self) -> float:
        """Mean current over 100 ms, in amperes."""
        waveform = self.capture(_READING_SAMPLES / _READING_RATE_HZ, 1 / _READING_RATE_HZ)
        return float(waveform.current_a.mean())

    def capture(self, duration_s: float, period_s: float) -> Waveform:
        """A current waveform, starting now: :meth:`arm_capture`, taken at once."""
        return self.arm_capture(duration_s, period_s).take()

    def arm_capture(self, duration_s: float, period_s: float) -> ArmedCapture:
        """Set an acquisition up; one message then starts it."""
        rate_hz = self._prepare(period_s)
        count = max(1, math.ceil(duration_s * rate_hz - 1e-9))
        return _Armed(lambda: self._acquire(count, rate_hz, None))

    def log(
        self,
        duration_s: float,
        period_s: float,
        progress: Progress | None = None,
        *,
        range_a: float | None = None,
        parts: Parts | None = None,
    ) -> Waveform:
        """A current waveform without gaps, starting now.

        Args:
            duration_s: length; rounded up to whole periods.
            period_s: sample period; the nearest that the instrument has is in the result.
            progress: called with the fraction done.
            range_a: None for the dynamic mode. With a range the current is said to stand still, and static
                mode measures it: single readings that the instrument itself ranges, ten of them, however long
                they take.
            parts: called with each part of the log as it comes.

        Raises:
            ProtocolError: the instrument reported an error, such as a current that does not stand still.
            InstrumentTimeoutError: the instrument stopped delivering, or samples were lost.
        """
        if range_a is not None:
            waveform = self._log_static(progress)
            if parts is not None:
                parts(waveform)
            return waveform
        rate_hz = self._prepare(period_s)
        return self._acquire(max(1, math.ceil(duration_s * rate_hz - 1e-9)), rate_hz, progress, parts)

    def close(self) -> None:
        """Switch the output off, give control back and release the port."""
        try:
            self.supply_off()
            self._link.command("hrc")
        finally:
            with contextlib.suppress(OSError):
                self._link.close()

    def _prepare(self, period_s: float) -> float:
        """Set up an endless dynamic acquisition; return its rate in hertz."""
        rate_hz = min(_RATES_HZ, key=lambda hz: abs(math.log(hz * period_s)))
        for command in (
            "acqmode dyn",
            "funcmode optim",
            "output current",
            "format bin_hexa",
            f"freq {_in_words(rate_hz)}",
            "acqtime inf",
            "trigsrc sw",
            "trigdelay 0",
            "pwrend on",
        ):
            self._link.command(command)
        return rate_hz

    def _acquire(
        self, count: int, rate_hz: float, progress: Progress | None, parts: Parts | None = None
    ) -> Waveform:
        start_s = self._clock.now_s()
        self._link.command("start")
        stream = BinaryStream()
        data, self._link.text = bytes(self._link.text), bytearray()
        chunks: list[NDArray[np.float64]] = []
        received = 0
        try:
            end_s = start_s + count / rate_hz
            while True:
                for piece in stream.feed(data):
                    if isinstance(piece, Frame):
                        self._judge(piece, rate_hz, sum(chunk.size for chunk in chunks))
                    elif piece.size:
                        chunks.append(piece)
                        if parts is not None and received < count:
                            parts(
                                Waveform(start_s + received / rate_hz, 1 / rate_hz, piece[: count - received])
                            )
                        received += piece.size
                if progress is not None:
                    progress(min(1.0, stream.count / count))
                if stream.count >= count:
                    break
                now_s = self._clock.now_s()
                if now_s > end_s + _STREAM_DELAY_S:
                    raise InstrumentTimeoutError(
                        f"{stream.count} of {count} samples", where=WHERE, operation="acquire"
                    )
                self._clock.sleep(min(_POLL_S, max(end_s - now_s, 1e-3)))
                data = self._link.take()
        finally:
            self._stop(stream)
        exchange.message(WHERE, "", f"{count} samples")
        return Waveform(start_s, 1 / rate_hz, np.concatenate(chunks)[:count])

    def _judge(self, frame: Frame, rate_hz: float, samples: int) -> None:
        """Raise what a piece of metadata says is wrong."""
        match frame.tag:
            case 0xF1:
                raise ProtocolError(f"reports {frame.text!r}", where=WHERE, operation="acquire")
            case 0xF4:
                raise ProtocolError("the acquisition ended by itself", where=WHERE, operation="acquire")
            case 0xF5:
                raise ProtocolError(
                    "over-current: the instrument's protection has acted", where=WHERE, operation="acquire"
                )
            case 0xF3:
                told_s = (int.from_bytes(frame.content[:4], "big") & 0x7FFF_FFFF) / 1e3
                if abs(told_s - samples / rate_hz) > _TIMESTAMP_SLACK_S:
                    raise InstrumentTimeoutError(
                        f"{samples} samples have arrived when the instrument's time is {told_s:g} s",
                        where=WHERE,
                        operation="acquire",
                        expected=f"{told_s * rate_hz:.0f} samples",
                        hint="samples were lost: a lower rate, or a port with less to do",
                    )

    def _stop(self, stream: BinaryStream) -> None:
        """End the acquisition; what follows its end is text."""
        self._link.write("stop")
        deadline_s = time.monotonic() + lpm01a_link.ANSWER_TIMEOUT_S
        while not stream.ended:
            if time.monotonic() > deadline_s:
                raise InstrumentTimeoutError("the acquisition does not end", where=WHERE, operation="stop")
            stream.feed(self._link.wait())
        self._link.text = bytearray(stream.rest)

    def _log_static(self, progress: Progress | None) -> Waveform:
        for command in ("acqmode stat", "output current", "format ascii_dec", "trigsrc sw", "pwrend on"):
            self._link.command(command)
        start_s = self._clock.now_s()
        readings = []
        for number in range(_STATIC_READINGS):
            readings.append(self._static_reading())
            if progress is not None:
                progress((number + 1) / _STATIC_READINGS)
        period_s = max((self._clock.now_s() - start_s) / _STATIC_READINGS, 1e-6)
        return Waveform(start_s, period_s, np.array(readings))

    def _static_reading(self) -> float:
        self._link.command("start")
        value: float | None = None
        deadline_s = self._clock.now_s() + _STATIC_TIMEOUT_S
        while True:
            self._link.text += self._link.take()
            while (line := self._link.next_line()) is not None:
                if re.fullmatch(r"\d{4}[+-]\d{2}", line):
                    value = float(line[:4]) * 10.0 ** int(line[4:])
                elif line.startswith("error"):
                    self._link.command("status")
                    raise ProtocolError(f"reports {line!r}", where=WHERE, operation="static measurement")
                elif line == "end" and value is not None:
                    exchange.message(WHERE, "", f"{value:g} A")
                    return value
            if self._clock.now_s() > deadline_s:
                raise InstrumentTimeoutError("no reading", where=WHERE, operation="static measurement")
            self._clock.sleep(_POLL_S)

    def _identify(self, serial: str | None) -> Identity:
        number = self._link.command("powershield")
        if serial is not None and number != serial:
            raise ConnectError(
                f"the board {number} answers",
                where=WHERE,
                operation="connect",
                expected=serial,
                hint="check [power_analyzer] port and serial",
            )
        return Identity("STMicroelectronics", "X-NUCLEO-LPM01A", number, self._link.command("version"))


@dataclass(frozen=True)
class _Armed:
    """An acquisition that is set up."""

    take: Callable[[], Waveform]


def _in_words(rate_hz: float) -> str:
    """A frequency as the instrument takes it: "100k", "500"."""
    return f"{rate_hz / 1e3:.0f}k" if rate_hz >= 1e3 else f"{rate_hz:.0f}"


def _open(table: Lpm01aTable, bench: Surroundings) -> Lpm01a:
    import serial

    def open_port() -> Any:
        return serial.serial_for_url(
            table.port, baudrate=BAUD, timeout=0, write_timeout=_WRITE_TIMEOUT_S, exclusive=True
        )

    return Lpm01a(
        open_port,
        voltage_maximum_v=bench.voltage_maximum_v,
        current_maximum_a=bench.current_maximum_a,
        clock=bench.clock,
        serial=table.serial,
    )


DRIVER = Driver(Lpm01aTable, CAPABILITIES, _open)
