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
from hil.instruments import exchange
from hil.instruments.interrupts import whole_exchange
from hil.instruments.protocols import ArmedCapture, Clock, Identity, Progress, SupplyCondition
from hil.measurement.capabilities import Capabilities
from hil.measurement.waveform import Waveform

_WHERE = "power_analyzer"
BAUD = 3_686_400
"""Of the USB port (UM2269, table 2)."""

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

_ANSWER_TIMEOUT_S = 5.0
_LONGEST_ANSWER_BYTES = 1 << 16
_WRITE_TIMEOUT_S = 5.0
_QUIET_S = 0.2
"""Silence after which nothing of an earlier user's stream is on its way any more (assumption)."""
_DRAIN_BYTES_MOST = 1 << 24
_WAIT_S = 0.05
"""How long one look at the port waits for a byte of an answer."""
_CHUNK_BYTES = 1 << 16
_TAKEN_AT_MOST = 1 << 20

_PROMPT = "PowerShield > "
_FIXED_LENGTHS = {0xF3: 9, 0xF4: 4, 0xF5: 4, 0xF6: 4, 0xF7: 6, 0xF8: 6, 0xF9: 5}
"""Bytes of the metadata frames by their tag (UM2269, tables 40 to 46); 0xF1 and 0xF2 end with two 0xFF."""

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
    serial: str | None = None
    """The board's unique id that must answer, as ``powershield`` tells it; not checked when absent."""

    def claims(self) -> dict[str, str]:
        """The port. A link of /dev/serial/by-id and the device that it leads to are one."""
        place = Path(self.port).resolve() if self.port.startswith("/") else self.port
        return {f"power analyzer {self.port}": f"port {place}"}


@dataclass(frozen=True)
class _Frame:
    """A piece of metadata in a stream."""

    tag: int
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("ascii", "replace").strip()


class BinaryStream:
    """Takes a stream in the format ``bin_hexa`` apart."""

    def __init__(self) -> None:
        """Nothing has arrived yet."""
        self._rest = b""
        self._begun = False
        self.ended = False
        """Whether the end of the acquisition was told. What follows it is text."""
        self.count = 0
        """Samples so far."""

    @property
    def rest(self) -> bytes:
        """What has arrived and is not taken apart yet; behind the end: text."""
        return self._rest

    def feed(self, data: bytes) -> list[NDArray[np.float64] | _Frame]:
        """Samples in amperes and metadata, in order, of what has arrived.

        Raises:
            ProtocolError: there is metadata that nobody knows.
        """
        self._rest += data
        if not self._begun:  # what is left of the acknowledgement, before the first timestamp
            start = self._rest.find(b"\xf0")
            self._begun = start >= 0
            self._rest = self._rest[start:] if self._begun else b""
        found: list[NDArray[np.float64] | _Frame] = []
        while self._rest and not self.ended:
            raw = np.frombuffer(self._rest, dtype=np.uint8)
            first_bytes = raw[: raw.size // 2 * 2 : 2]
            tags = np.flatnonzero(first_bytes >= 0xF0)
            samples = int(tags[0]) if tags.size else first_bytes.size
            if samples:
                found.append(decoded(self._rest[: 2 * samples]))
                self._rest = self._rest[2 * samples :]
                self.count += samples
            if not tags.size:
                break
            frame = self._frame()
            if frame is None:
                break
            found.append(frame)
            self.ended = frame.tag == 0xF4
        return found

    def _frame(self) -> _Frame | None:
        """The metadata that what has arrived begins with; None while it is not complete."""
        tag = self._rest[1]
        if self._rest[0] != 0xF0 or (tag not in _FIXED_LENGTHS and tag not in (0xF1, 0xF2)):
            raise ProtocolError(
                f"the stream holds {self._rest[:2].hex(' ')}",
                where=_WHERE,
                operation="acquire",
                expected="samples, or metadata that UM2269 describes",
            )
        if tag in _FIXED_LENGTHS:
            length = _FIXED_LENGTHS[tag]
            if len(self._rest) < length:
                return None
        else:
            end = self._rest.find(b"\xff\xff", 2)
            if end < 0:
                return None
            length = end + 2
        content, self._rest = self._rest[2 : length - 2], self._rest[length:]
        return _Frame(tag, content)


def decoded(data: bytes) -> NDArray[np.float64]:
    """Currents in amperes of samples of two bytes: 4 bits of negative power of 16, 12 bits of value."""
    words = np.frombuffer(data, dtype=">u2").astype(np.int64)
    return np.asarray((words & 0xFFF) * 16.0 ** -(words >> 12), dtype=np.float64)


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
        self._text = bytearray()
        try:
            self._port = open_port()
        except (OSError, ValueError) as error:  # SerialException is an OSError
            raise ConnectError(
                str(error), where=_WHERE, operation="open", hint="check [power_analyzer] port"
            ) from error
        try:
            self._silence()
            self._command("htc")
            self._identity = self._identify(serial)
            self._command("status")  # forgets an earlier user's error
            self.supply_off()
        except BaseException:
            self._port.close()
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
        status = self._command("status")
        return SupplyCondition(None, () if status == "ok" else (status,))

    def round_trip(self) -> None:
        """Ask for the version."""
        self._command("version")

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
                where=_WHERE,
                operation="supply on",
                expected=f"{low_v:g} V to {high_v:g} V",
            )
        if not _PROTECTION_A <= current_limit_a <= self._current_maximum_a:
            raise SafetyError(
                f"a limit of {current_limit_a:g} A refused",
                where=_WHERE,
                operation="supply on",
                expected=f"{_PROTECTION_A:g} A, where the instrument's own protection acts, to "
                f"{self._current_maximum_a:g} A, the board's limit",
            )
        self._command("pwr off")
        self._command(f"volt {round(1e3 * voltage_v)}m")
        self._command("pwrend on")
        self._clock.sleep(_DISCHARGE_S)
        try:
            self._command("pwr on")
            self._clock.sleep(_SETTLING_S)
        except InstrumentError:
            self.supply_off()
            raise

    def supply_off(self) -> None:
        """Disconnect the supply from the board."""
        self._command("pwr off")  # no clock: nothing may keep a bench from being switched off

    def measure_voltage_v(self) -> float:
        """Voltage of the output, in volts.

        The instrument measures in front of the switch to the board. With that open this is 0 V: what the
        switch leaves of the board's voltage is not seen.
        """
        if self._command("pwr get") != "on":
            return 0.0
        answer = self._command("volt get")
        match = re.fullmatch(r"(\d+)([+-]\d+)", answer)
        if match is None:
            raise ProtocolError(
                f"answered {answer!r}",
                where=_WHERE,
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
    ) -> Waveform:
        """A current waveform without gaps, starting now.

        Args:
            duration_s: length; rounded up to whole periods.
            period_s: sample period; the nearest that the instrument has is in the result.
            progress: called with the fraction done.
            range_a: None for the dynamic mode. With a range the current is said to stand still, and static
                mode measures it: single readings that the instrument itself ranges, ten of them, however long
                they take.

        Raises:
            ProtocolError: the instrument reported an error, such as a current that does not stand still.
            InstrumentTimeoutError: the instrument stopped delivering, or samples were lost.
        """
        if range_a is not None:
            return self._log_static(progress)
        rate_hz = self._prepare(period_s)
        return self._acquire(max(1, math.ceil(duration_s * rate_hz - 1e-9)), rate_hz, progress)

    def close(self) -> None:
        """Switch the output off, give control back and release the port."""
        try:
            self.supply_off()
            self._command("hrc")
        finally:
            with contextlib.suppress(OSError):
                self._port.close()

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
            self._command(command)
        return rate_hz

    def _acquire(self, count: int, rate_hz: float, progress: Progress | None) -> Waveform:
        start_s = self._clock.now_s()
        self._command("start")
        stream = BinaryStream()
        data, self._text = bytes(self._text), bytearray()
        chunks: list[NDArray[np.float64]] = []
        try:
            end_s = start_s + count / rate_hz
            while True:
                for piece in stream.feed(data):
                    if isinstance(piece, _Frame):
                        self._judge(piece, rate_hz, sum(chunk.size for chunk in chunks))
                    else:
                        chunks.append(piece)
                if progress is not None:
                    progress(min(1.0, stream.count / count))
                if stream.count >= count:
                    break
                now_s = self._clock.now_s()
                if now_s > end_s + _STREAM_DELAY_S:
                    raise InstrumentTimeoutError(
                        f"{stream.count} of {count} samples", where=_WHERE, operation="acquire"
                    )
                self._clock.sleep(min(_POLL_S, max(end_s - now_s, 1e-3)))
                data = self._take()
        finally:
            self._stop(stream)
        exchange.message(_WHERE, "", f"{count} samples")
        return Waveform(start_s, 1 / rate_hz, np.concatenate(chunks)[:count])

    def _judge(self, frame: _Frame, rate_hz: float, samples: int) -> None:
        """Raise what a piece of metadata says is wrong."""
        match frame.tag:
            case 0xF1:
                raise ProtocolError(f"reports {frame.text!r}", where=_WHERE, operation="acquire")
            case 0xF4:
                raise ProtocolError("the acquisition ended by itself", where=_WHERE, operation="acquire")
            case 0xF5:
                raise ProtocolError(
                    "over-current: the instrument's protection has acted", where=_WHERE, operation="acquire"
                )
            case 0xF3:
                told_s = (int.from_bytes(frame.content[:4], "big") & 0x7FFF_FFFF) / 1e3
                if abs(told_s - samples / rate_hz) > _TIMESTAMP_SLACK_S:
                    raise InstrumentTimeoutError(
                        f"{samples} samples have arrived when the instrument's time is {told_s:g} s",
                        where=_WHERE,
                        operation="acquire",
                        expected=f"{told_s * rate_hz:.0f} samples",
                        hint="samples were lost: a lower rate, or a port with less to do",
                    )

    def _stop(self, stream: BinaryStream) -> None:
        """End the acquisition; what follows its end is text."""
        self._write("stop")
        deadline_s = time.monotonic() + _ANSWER_TIMEOUT_S
        while not stream.ended:
            if time.monotonic() > deadline_s:
                raise InstrumentTimeoutError("the acquisition does not end", where=_WHERE, operation="stop")
            stream.feed(self._wait())
        self._text = bytearray(stream.rest)

    def _log_static(self, progress: Progress | None) -> Waveform:
        for command in ("acqmode stat", "output current", "format ascii_dec", "trigsrc sw", "pwrend on"):
            self._command(command)
        start_s = self._clock.now_s()
        readings = []
        for number in range(_STATIC_READINGS):
            readings.append(self._static_reading())
            if progress is not None:
                progress((number + 1) / _STATIC_READINGS)
        period_s = max((self._clock.now_s() - start_s) / _STATIC_READINGS, 1e-6)
        return Waveform(start_s, period_s, np.array(readings))

    def _static_reading(self) -> float:
        self._command("start")
        value: float | None = None
        deadline_s = self._clock.now_s() + _STATIC_TIMEOUT_S
        while True:
            self._text += self._take()
            while (line := self._next_line()) is not None:
                if re.fullmatch(r"\d{4}[+-]\d{2}", line):
                    value = float(line[:4]) * 10.0 ** int(line[4:])
                elif line.startswith("error"):
                    self._command("status")
                    raise ProtocolError(f"reports {line!r}", where=_WHERE, operation="static measurement")
                elif line == "end" and value is not None:
                    exchange.message(_WHERE, "", f"{value:g} A")
                    return value
            if self._clock.now_s() > deadline_s:
                raise InstrumentTimeoutError("no reading", where=_WHERE, operation="static measurement")
            self._clock.sleep(_POLL_S)

    def _identify(self, serial: str | None) -> Identity:
        number = self._command("powershield")
        if serial is not None and number != serial:
            raise ConnectError(
                f"the board {number} answers",
                where=_WHERE,
                operation="connect",
                expected=serial,
                hint="check [power_analyzer] port and serial",
            )
        return Identity("STMicroelectronics", "X-NUCLEO-LPM01A", number, self._command("version"))

    def _silence(self) -> None:
        """End whatever an earlier user has left running, and wait until nothing comes any more."""
        self._write("stop")
        quiet_since_s, drained = time.monotonic(), 0
        deadline_s = quiet_since_s + _ANSWER_TIMEOUT_S
        while (data := self._wait()) or time.monotonic() - quiet_since_s < _QUIET_S:
            if data:
                quiet_since_s, drained = time.monotonic(), drained + len(data)
            if drained > _DRAIN_BYTES_MOST or time.monotonic() > deadline_s:
                raise ConnectError(
                    "the port does not fall silent",
                    where=_WHERE,
                    operation="connect",
                    expected="a PowerShield that obeys `stop`",
                    hint="check [power_analyzer] port",
                )

    def _command(self, command: str) -> str:
        """Send a command; return what its acknowledgement says beside the command itself.

        Raises:
            ProtocolError: the instrument refused it.
            InstrumentTimeoutError: no answer.
        """
        with whole_exchange():
            self._write(command)
            deadline_s, taken = time.monotonic() + _ANSWER_TIMEOUT_S, 0
            while True:
                while (line := self._next_line()) is not None:
                    line = line.removeprefix(_PROMPT)
                    if line.startswith(f"ack {command}"):
                        answer = line[len(f"ack {command}") :].lstrip(": ")
                        exchange.message(_WHERE, command, answer)
                        return answer
                    if line.startswith("error"):
                        if command == "status":  # which tells an earlier error so, and forgets it
                            return line
                        exchange.message(_WHERE, command, line)
                        raise ProtocolError(f"answered {line!r}", where=_WHERE, operation=command)
                if time.monotonic() > deadline_s or taken > _LONGEST_ANSWER_BYTES:
                    raise InstrumentTimeoutError("no answer", where=_WHERE, operation=command)
                data = self._wait()
                taken += len(data)
                self._text += data

    def _next_line(self) -> str | None:
        """The next line of text that is not empty; None if none has arrived whole."""
        while (end := self._text.find(b"\n")) >= 0:
            line = self._text[:end].decode("ascii", "replace").strip("\0 \r\t")
            del self._text[: end + 1]
            if line:
                return line
        return None

    def _write(self, command: str) -> None:
        try:
            self._port.write(command.encode("ascii") + b"\r\n")
        except OSError as error:  # SerialException and its time-out are
            raise ConnectError(str(error), where=_WHERE, operation=command) from error

    def _take(self) -> bytes:
        """What has arrived, without waiting."""
        taken = bytearray()
        try:
            while chunk := self._port.read(_CHUNK_BYTES):
                taken += chunk
                if len(taken) > _TAKEN_AT_MOST:
                    break
        except OSError as error:
            raise ConnectError(str(error), where=_WHERE, operation="read") from error
        return bytes(taken)

    def _wait(self) -> bytes:
        """What has arrived; where nothing has, wait for a moment of the wall's time."""
        data = self._take()
        if not data:
            time.sleep(_WAIT_S / 50)
            data = self._take()
        return data


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
