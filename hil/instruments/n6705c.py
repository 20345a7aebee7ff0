# SPDX-License-Identifier: Apache-2.0
"""Keysight N6705C DC power analyzer with an N6781A source/measure module, through PyVISA.

Commands as in the Keysight N6705C programming help (the N6700 series' syntax). The driver never relies on
what an earlier user, or an earlier method, left in the instrument: each method writes every setting that it
depends on.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pyvisa.resources import MessageBasedResource

from hil.errors import (
    ConnectError,
    InstrumentError,
    InstrumentTimeoutError,
    ProtocolError,
    SafetyError,
)
from hil.instruments.protocols import Clock, Identity, Progress
from hil.instruments.scpi_link import ScpiLink, visa_resource
from hil.measurement.waveform import Waveform

_WHERE = "power_analyzer"
_MAINFRAME = "N6705"
_MODULE = "N6781A"

_OVERVOLTAGE_MARGIN = 1.1
"""Over-voltage protection, relative to the setting. From the highest operating VDD of 3.6 V this is 3.96 V,
below the absolute maximum of 4.0 V (DS10198 Rev 8, table 20)."""

_SAMPLE_INTERVAL_S = 5.12e-6
"""The digitizer's shortest sample interval (N6705C user's guide, scope view)."""
_SCOPE_POINTS_MAX = 524_288
"""Memory of the scope: 512 K points."""
_LOG_PERIOD_MIN_S = 102.4e-6
"""Shortest period of the external log with one real-format parameter."""
_LOG_FETCH_MAX = 16_384
"""Records asked for in one FETCh:ELOG (assumption: the highest count that the command takes)."""
_LOG_POLL_S = (0.25, 5.0)
"""Shortest and longest time between two fetches; the instrument buffers about 20 s."""
_LOG_FETCHES = 40
"""Fetches that a log is divided into within those bounds, so that its progress can be followed."""
_LOG_DELAY_S = 1.0
"""How long after its end a log may still deliver (assumption)."""
_MEASURE_POINTS = 19_531
"""Points of one voltage or current reading: 100 ms, whole periods of both 50 Hz and 60 Hz mains."""

_WAITING_FOR_TRIGGER = 8
"""STATus:OPERation:CONDition bit 3, WTG-meas: the measurement system is armed."""
_ARM_POLLS = 1000
"""Status reads before arming counts as failed; a read takes 0.1 ms to a few ms."""
_PROTECTION_BITS = 1 | 2
"""STATus:QUEStionable:CONDition bits 0 (over-voltage) and 1 (over-current)."""
_WATCHDOG_BIT = 2048
"""STATus:QUEStionable:CONDition bit 11: disabled by a protection that is not the channel's own."""


class N6705C:
    """One channel of an N6705C that holds an N6781A."""

    def __init__(
        self,
        open_resource: Callable[[], MessageBasedResource],
        *,
        channel: int,
        voltage_maximum_v: float,
        current_maximum_a: float,
        clock: Clock,
        serial: str | None = None,
        output_watchdog_s: float | None = None,
    ) -> None:
        """Connect, check who answers, and put the instrument into its reset state: outputs off.

        Args:
            open_resource: opens the VISA resource; called again after a time-out has spoilt the connection.
            channel: slot of the module.
            voltage_maximum_v: what the board may get at most; higher voltages are refused.
            current_maximum_a: what the board may draw at most; higher current limits are refused.
            clock: the bench's clock.
            serial: the serial number that must answer, if given.
            output_watchdog_s: how long the instrument keeps its outputs on without a message, in whole
                seconds from 1 to 3600; ``None``: for ever. A controller that is killed then leaves nothing
                supplied (N6700C Operating and Service Guide, Watchdog Timer Protection; that the N6705C has
                the commands of its siblings is an assumption: with one that has not, nothing is supplied).

        Raises:
            ConnectError: nobody answers, or somebody else does.
        """
        self._output_watchdog_s = output_watchdog_s
        self._link = ScpiLink(_WHERE, open_resource)
        self._channels = f"(@{channel})"
        self._channel = channel
        self._voltage_maximum_v = voltage_maximum_v
        self._current_maximum_a = current_maximum_a
        self._clock = clock
        self._identity = self._identify(serial)
        self._link.write("*RST", "*CLS")
        self._link.check_errors("reset")

    def identity(self) -> Identity:
        """The mainframe's identity, with the module's model beside its own."""
        return self._identity

    def supply_on(self, voltage_v: float, current_limit_a: float) -> None:
        """Supply the board as a two-quadrant power supply.

        The output goes on only after the instrument has taken every limit and protection without an error,
        and off again if anything is wrong then.

        Args:
            voltage_v: output voltage.
            current_limit_a: current at which the output is cut off.

        Raises:
            SafetyError: voltage or current limit is outside what the board stands; nothing was sent.
            ProtocolError: the instrument refused a setting, or its protection tripped; the output is off.
        """
        for value, maximum, unit in (
            (voltage_v, self._voltage_maximum_v, "V"),
            (current_limit_a, self._current_maximum_a, "A"),
        ):
            if not 0 <= value <= maximum:
                raise SafetyError(
                    f"{value:g} {unit} refused",
                    where=_WHERE,
                    operation="supply on",
                    expected=f"0 {unit} to {maximum:g} {unit}, the board's supply range",
                )
        at = self._channels
        self._link.write(
            f"OUTP OFF,{at}",
            f"EMUL PS2Q,{at}",
            f"FUNC VOLT,{at}",
            f"VOLT:PROT:REM {voltage_v * _OVERVOLTAGE_MARGIN:.6g},{at}",
            f"CURR:LIM {current_limit_a:.6g},{at}",
            f"CURR:PROT:STAT ON,{at}",
            f"OUTP:PROT:CLE {at}",
            f"VOLT {voltage_v:.6g},{at}",
        )
        if self._output_watchdog_s is not None:
            self._link.write(
                f"OUTP:PROT:WDOG:DEL {round(self._output_watchdog_s)}",
                "OUTP:PROT:WDOG ON",
            )
        self._link.check_errors("supply settings")
        try:
            self._link.write(f"OUTP ON,{at}")
            self._link.check_errors("supply on")
            self._check_protection()
        except InstrumentError:
            self.supply_off()
            raise

    def _check_protection(self) -> None:
        status = int(self._link.query_number(f"STAT:QUES:COND? {self._channels}"))
        if status & _WATCHDOG_BIT:
            raise ProtocolError(
                f"the output watchdog has switched the supply off (questionable status {status})",
                where=_WHERE,
                operation="supply",
                expected=f"a message at least every {self._output_watchdog_s:g} s"
                if self._output_watchdog_s is not None
                else "no watchdog",
                hint="a longer [power_analyzer] output_watchdog than the longest pause between messages",
            )
        tripped = status & _PROTECTION_BITS
        if tripped:
            raise ProtocolError(
                f"the protection tripped (questionable status {tripped})",
                where=_WHERE,
                operation="supply on",
                hint="look for a short circuit or a second supply at the board; JP6 must be open",
            )

    def supply_off(self) -> None:
        """Switch the output off; over-current protection stays on."""
        self._link.write(f"OUTP OFF,{self._channels}")
        self._link.check_errors("supply off")

    def measure_voltage_v(self) -> float:
        """Mean voltage over 100 ms, in volts."""
        return self._measure("VOLT")

    def measure_current_a(self) -> float:
        """Mean current over 100 ms, in amperes."""
        return self._measure("CURR")

    def capture(self, duration_s: float, period_s: float) -> Waveform:
        """A current waveform from the scope, starting now.

        Args:
            duration_s: length; rounded up to whole periods.
            period_s: sample period; the nearest that the instrument has is in the result.

        Raises:
            ProtocolError: more points than the scope holds, or the instrument reported an error.
            OverloadError: a sample is out of range.
        """
        at = self._channels
        self._link.write(f"ABOR:ACQ {at}", f"SENS:SWE:TINT {period_s:.9g},{at}")
        actual_s = self._link.query_number(f"SENS:SWE:TINT? {at}")
        count = math.ceil(duration_s / actual_s - 1e-9)
        if not 1 <= count <= _SCOPE_POINTS_MAX:
            raise ProtocolError(
                f"{count} points",
                where=_WHERE,
                operation="capture",
                expected=f"1 to {_SCOPE_POINTS_MAX} points",
                hint="a longer period, or log() for long waveforms",
            )
        self._link.write(
            f"SENS:FUNC:VOLT OFF,{at}",
            f"SENS:FUNC:CURR ON,{at}",
            f"SENS:CURR:RANG:AUTO ON,{at}",
            f"SENS:SWE:POIN {count},{at}",
            f"SENS:SWE:OFFS:POIN 0,{at}",
            f"TRIG:ACQ:SOUR BUS,{at}",
            "FORM REAL",
            "FORM:BORD NORM",
        )
        self._link.write(f"INIT:ACQ {at}")
        self._wait_armed()
        self._link.check_errors("capture")
        start_s = self._clock.now_s()
        self._link.write("*TRG")
        self._link.check_errors("capture")  # its answer proves that the trigger has been taken
        self._sleep(count * actual_s)
        current_a = self._link.query_block(f"FETC:ARR:CURR? {at}")
        self._link.check_errors("capture")
        if current_a.size != count:
            raise ProtocolError(
                f"{current_a.size} samples", where=_WHERE, operation="capture", expected=f"{count}"
            )
        return Waveform(start_s, actual_s, current_a)

    def log(self, duration_s: float, period_s: float, progress: Progress | None = None) -> Waveform:
        """A long current waveform from the external data log, starting now, without gaps.

        Args:
            duration_s: length; rounded up to whole periods.
            period_s: integration period, at least 102.4 µs; what the instrument took is in the result.
            progress: called with the fraction done.

        Raises:
            ProtocolError: the period is too short, or the instrument reported an error (such as an overrun).
            InstrumentTimeoutError: the instrument stopped delivering.
            OverloadError: a sample is out of range.
        """
        if period_s < _LOG_PERIOD_MIN_S:
            raise ProtocolError(
                f"a period of {period_s:g} s",
                where=_WHERE,
                operation="log",
                expected=f"at least {_LOG_PERIOD_MIN_S:g} s",
                hint="capture() for short periods",
            )
        at = self._channels
        self._link.write(
            f"ABOR:ELOG {at}",
            f"SENS:ELOG:FUNC:VOLT OFF,{at}",
            f"SENS:ELOG:FUNC:VOLT:MINM OFF,{at}",
            f"SENS:ELOG:FUNC:CURR ON,{at}",
            f"SENS:ELOG:FUNC:CURR:MINM OFF,{at}",
            f"SENS:ELOG:CURR:RANG:AUTO ON,{at}",
            f"SENS:ELOG:PER {period_s:.9g},{at}",
            f"TRIG:ELOG:SOUR BUS,{at}",
            "FORM REAL",
            "FORM:BORD NORM",
        )
        actual_s = self._link.query_number(f"SENS:ELOG:PER? {at}")
        count = math.ceil(duration_s / actual_s - 1e-9)
        self._link.write(f"INIT:ELOG {at}")
        self._link.check_errors("log")
        start_s = self._clock.now_s()
        self._link.write(f"TRIG:ELOG {at}")
        try:
            current_a = self._fetch_log(count, start_s, count * actual_s, progress)
        finally:
            self._link.write(f"ABOR:ELOG {at}")
        self._link.check_errors("log")
        return Waveform(start_s, actual_s, current_a)

    def close(self) -> None:
        """Switch the output off and release the instrument."""
        try:
            self.supply_off()
        finally:
            self._link.close()

    def _fetch_log(
        self, count: int, start_s: float, duration_s: float, progress: Progress | None
    ) -> NDArray[np.float64]:
        shortest_s, longest_s = _LOG_POLL_S
        poll_s = min(max(duration_s / _LOG_FETCHES, shortest_s), longest_s)
        end_s = start_s + duration_s
        chunks: list[NDArray[np.float64]] = []
        received = 0
        while received < count:
            fetched = self._link.query_block(f"FETC:ELOG? {_LOG_FETCH_MAX},{self._channels}")
            if fetched.size:
                chunks.append(fetched)
                received += fetched.size
                if progress is not None:
                    progress(min(1.0, received / count))
            if fetched.size == _LOG_FETCH_MAX:
                continue  # there is more already
            now_s = self._clock.now_s()
            if not fetched.size and now_s > end_s + _LOG_DELAY_S:
                raise InstrumentTimeoutError(f"{received} of {count} samples", where=_WHERE, operation="log")
            if received < count:
                self._clock.sleep(min(poll_s, max(end_s - now_s, shortest_s)))
        return np.concatenate(chunks)[:count]

    def _sleep(self, duration_s: float) -> None:
        """Wait, and speak often enough that the output watchdog hears."""
        if self._output_watchdog_s is None:
            self._clock.sleep(duration_s)
            return
        left_s = duration_s
        while left_s > 0:
            pause_s = min(left_s, self._output_watchdog_s / 2)
            self._clock.sleep(pause_s)
            self._check_protection()
            left_s -= pause_s

    def _measure(self, function: str) -> float:
        at = self._channels
        self._link.write(
            f"SENS:FUNC:{function} ON,{at}",
            f"SENS:CURR:RANG:AUTO ON,{at}",
            f"SENS:SWE:TINT {_SAMPLE_INTERVAL_S:.9g},{at}",
            f"SENS:SWE:POIN {_MEASURE_POINTS},{at}",
            f"SENS:SWE:OFFS:POIN 0,{at}",
            "FORM ASC",
        )
        value = self._link.query_number(f"MEAS:{function}? {at}")
        self._link.check_errors("measure")
        if self._output_watchdog_s is not None:
            self._check_protection()
        return value

    def _wait_armed(self) -> None:
        for _ in range(_ARM_POLLS):
            if int(self._link.query_number(f"STAT:OPER:COND? {self._channels}")) & _WAITING_FOR_TRIGGER:
                return
        raise InstrumentTimeoutError("not ready for the trigger", where=_WHERE, operation="capture")

    def _identify(self, serial: str | None) -> Identity:
        manufacturer, model, number, version = (self._link.query("*IDN?").split(",") + [""] * 4)[:4]
        if not model.strip().startswith(_MAINFRAME):
            raise ConnectError(
                f"{manufacturer} {model} answers",
                where=_WHERE,
                operation="connect",
                expected="a Keysight N6705C",
                hint="check [power_analyzer] resource",
            )
        if serial is not None and number.strip() != serial:
            raise ConnectError(
                f"serial number {number.strip()} answers",
                where=_WHERE,
                operation="connect",
                expected=serial,
                hint="check [power_analyzer] resource and serial",
            )
        module = self._link.query(f"SYST:CHAN:MOD? {self._channels}").strip('"')
        if module != _MODULE:
            raise ConnectError(
                f"slot {self._channel} holds {module or 'nothing'}",
                where=_WHERE,
                operation="connect",
                expected=f"an {_MODULE}",
                hint="check [power_analyzer] channel",
            )
        return Identity(
            manufacturer.strip(), f"{model.strip()} with {module}", number.strip(), version.strip()
        )


def open_n6705c(
    resource_name: str,
    *,
    channel: int,
    voltage_maximum_v: float,
    current_maximum_a: float,
    clock: Clock,
    serial: str | None,
    output_watchdog_s: float | None = None,
) -> N6705C:
    """The N6705C at a VISA resource name. Raises ConnectError."""
    return N6705C(
        visa_resource(resource_name, _WHERE),
        channel=channel,
        voltage_maximum_v=voltage_maximum_v,
        current_maximum_a=current_maximum_a,
        clock=clock,
        serial=serial,
        output_watchdog_s=output_watchdog_s,
    )
