# SPDX-License-Identifier: Apache-2.0
"""Keysight N6705C DC power analyzer with an N6781A source/measure module, through PyVISA.

Commands as in the Keysight N6705C programming help (the N6700 series' syntax). The driver never relies on
what an earlier user, or an earlier method, left in the instrument: each method writes every setting that it
depends on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

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
from hil.instruments.n6705c_driver import CAPABILITIES, LOG_PERIOD_MIN_S, SAMPLE_INTERVAL_S, SCOPE_POINTS_MAX
from hil.instruments.n6705c_status import OutputStatus
from hil.instruments.protocols import ArmedCapture, Clock, Identity, Parts, Progress, SupplyCondition
from hil.instruments.scpi_link import ScpiLink, visa_resource
from hil.measurement.capabilities import Capabilities
from hil.measurement.waveform import Waveform

_WHERE = "power_analyzer"
_MAINFRAME = "N6705"
_MODULE = "N6781A"

_OVERVOLTAGE_MARGIN = 1.1
"""Over-voltage protection, relative to the setting. From the highest operating VDD of 3.6 V this is 3.96 V,
below the absolute maximum of 4.0 V (DS10198 Rev 8, table 20)."""

_LOG_FETCH_MAX = 16_384
"""Records asked for in one FETCh:ELOG (assumption: the highest count that the command takes)."""
_LOG_POLL_S = (0.25, 5.0)
"""Shortest and longest time between two fetches; the instrument buffers about 20 s."""
_LOG_FETCHES = 40
"""Fetches that a log is divided into within those bounds, so that its progress can be followed."""
_LOG_DELAY_S = 1.0
"""How far what a log has delivered may lie behind the time that has passed (assumption)."""
_LOG_FIFO_S = 18.0
"""How long the log may go unread. Its buffer holds about 20 s and then overwrites the oldest data without a
word (N6700C Operating and Service Guide, external data logging)."""
_MEASURE_POINTS = 19_531
"""Points of one voltage or current reading: 100 ms, whole periods of both 50 Hz and 60 Hz mains."""

_ERROR_QUEUE_DEPTH = 20
"""Old entries that are read away at most."""

Sense = Literal["local", "remote"]


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
        sense: Sense = "local",
        shared_mainframe: bool = False,
    ) -> None:
        """Connect, check who answers, and switch the channel's output off.

        Nothing that other channels share is touched: no reset, no bus trigger, no clearing of status.

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
                The watchdog ends the outputs of all channels.
            sense: "remote" where the sense leads are wired to the board.
            shared_mainframe: other channels are somebody else's and may be on.

        Raises:
            ConnectError: nobody answers, somebody else does, or another channel is on and may not be.
        """
        self._output_watchdog_s = output_watchdog_s
        self._sense = sense
        self._link = ScpiLink(_WHERE, open_resource)
        self._channels = f"(@{channel})"
        self._channel = channel
        self._voltage_maximum_v = voltage_maximum_v
        self._current_maximum_a = current_maximum_a
        self._clock = clock
        self._status = OutputStatus(self._link, self._channels, clock, output_watchdog_s)
        try:
            self._identity = self._identify(serial)
            self._forget_old_errors()
            if not shared_mainframe:
                self._refuse_other_outputs()
            self.supply_off()
        except BaseException:
            self._link.close()
            raise

    @property
    def capabilities(self) -> Capabilities:
        """What the module can do."""
        return CAPABILITIES

    def identity(self) -> Identity:
        """The mainframe's identity, with the module's model beside its own."""
        return self._identity

    def condition(self) -> SupplyCondition:
        """Watchdog and error queue, by queries alone."""
        link = self._link
        watchdog = round(link.query_number("OUTP:PROT:WDOG?")) == 1
        return SupplyCondition(
            link.query_number("OUTP:PROT:WDOG:DEL?") if watchdog else None, tuple(link.read_errors())
        )

    def round_trip(self) -> None:
        """Ask whether everything is done."""
        self._link.query("*OPC?")

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
            f"ABOR:ACQ {at}",  # so that nothing keeps *OPC? waiting
            f"ABOR:ELOG {at}",
            f"OUTP OFF,{at}",
            f"EMUL PS2Q,{at}",
            f"FUNC VOLT,{at}",
            f"VOLT:SENS:SOUR {'EXT' if self._sense == 'remote' else 'INT'},{at}",
            f"OUTP:TMOD LOWZ,{at}",  # pulled to 0 V before it opens, which discharges the board
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
            self._link.query("*OPC?")
            self._link.check_errors("supply on")
            self._status.wait_regulated()
        except InstrumentError:
            self.supply_off()
            raise

    def supply_off(self) -> None:
        """Switch the output off; over-current protection stays on.

        Raises:
            ProtocolError: the instrument reported an error, or says afterwards that its output is on.
        """
        self._link.write(f"OUTP OFF,{self._channels}")
        self._link.check_errors("supply off")
        query = f"OUTP? {self._channels}"
        if self._link.query_number(query) != 0:
            raise ProtocolError(
                "the output is still on", where=_WHERE, operation="supply off", expected=f"0 to {query}"
            )

    def measure_voltage_v(self) -> float:
        """Mean voltage over 100 ms, in volts."""
        return self._measure("VOLT")

    def measure_current_a(self) -> float:
        """Mean current over 100 ms, in amperes."""
        return self._measure("CURR")

    def capture(self, duration_s: float, period_s: float) -> Waveform:
        """A current waveform from the scope, starting now: :meth:`arm_capture`, taken at once."""
        return self.arm_capture(duration_s, period_s).take()

    def arm_capture(self, duration_s: float, period_s: float) -> ArmedCapture:
        """Set the scope up for a current waveform and arm it; one message then starts it.

        Args:
            duration_s: length; rounded up to whole periods.
            period_s: sample period; the nearest that the instrument has is in the result.

        Raises:
            ProtocolError: more points than the scope holds, or the instrument reported an error.
        """
        at = self._channels
        self._link.write(
            f"ABOR:ACQ {at}",
            f"SENS:FUNC:VOLT OFF,{at}",  # the shortest interval is for one quantity alone
            f"SENS:FUNC:CURR ON,{at}",
            f"SENS:SWE:TINT {period_s:.9g},{at}",
        )
        actual_s = self._link.query_number(f"SENS:SWE:TINT? {at}")
        count = math.ceil(duration_s / actual_s - 1e-9)
        if not 1 <= count <= SCOPE_POINTS_MAX:
            raise ProtocolError(
                f"{count} points",
                where=_WHERE,
                operation="capture",
                expected=f"1 to {SCOPE_POINTS_MAX} points",
                hint="a longer period, or log() for long waveforms",
            )
        self._link.write(
            f"SENS:CURR:RANG:AUTO ON,{at}",
            f"SENS:SWE:POIN {count},{at}",
            f"SENS:SWE:OFFS:POIN 0,{at}",
            f"SENS:WIND RECT,{at}",
            f"TRIG:ACQ:SOUR BUS,{at}",
            "FORM REAL",
            "FORM:BORD NORM",
        )
        self._link.write(f"INIT:ACQ {at}")
        self._status.wait_armed()
        self._link.check_errors("capture")
        return _ArmedScope(lambda: self._take_capture(count, actual_s))

    def _take_capture(self, count: int, actual_s: float) -> Waveform:
        at = self._channels
        start_s = self._clock.now_s()
        self._link.write(f"TRIG:ACQ {at}")
        self._link.check_errors("capture")  # its answer proves that the trigger has been taken
        self._sleep(count * actual_s)
        current_a = self._link.query_block(f"FETC:ARR:CURR? {at}")
        self._link.check_errors("capture")
        if current_a.size != count:
            raise ProtocolError(
                f"{current_a.size} samples", where=_WHERE, operation="capture", expected=f"{count}"
            )
        return Waveform(start_s, actual_s, current_a)

    def log(
        self,
        duration_s: float,
        period_s: float,
        progress: Progress | None = None,
        *,
        range_a: float | None = None,
        parts: Parts | None = None,
    ) -> Waveform:
        """A long current waveform from the external data log, starting now, without gaps.

        Args:
            duration_s: length; rounded up to whole periods.
            period_s: integration period, at least 102.4 µs; what the instrument took is in the result.
            progress: called with the fraction done.
            range_a: the measurement range to stay in; None for seamless ranging.
            parts: called with each part of the log as it comes.

        Raises:
            ProtocolError: the period is too short, or the instrument reported an error (such as an overrun).
            InstrumentTimeoutError: the instrument stopped delivering.
            OverloadError: a sample is out of range.
        """
        if period_s < LOG_PERIOD_MIN_S:
            raise ProtocolError(
                f"a period of {period_s:g} s",
                where=_WHERE,
                operation="log",
                expected=f"at least {LOG_PERIOD_MIN_S:g} s",
                hint="capture() for short periods",
            )
        at = self._channels
        self._link.write(
            f"ABOR:ELOG {at}",
            f"SENS:ELOG:FUNC:VOLT OFF,{at}",
            f"SENS:ELOG:FUNC:VOLT:MINM OFF,{at}",
            f"SENS:ELOG:FUNC:CURR ON,{at}",
            f"SENS:ELOG:FUNC:CURR:MINM OFF,{at}",
            *(
                (f"SENS:ELOG:CURR:RANG:AUTO ON,{at}",)
                if range_a is None
                else (f"SENS:ELOG:CURR:RANG:AUTO OFF,{at}", f"SENS:ELOG:CURR:RANG {range_a:.6g},{at}")
            ),
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
            current_a = self._fetch_log(count, start_s, count * actual_s, progress, parts)
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
        self, count: int, start_s: float, duration_s: float, progress: Progress | None, parts: Parts | None
    ) -> NDArray[np.float64]:
        shortest_s, longest_s = _LOG_POLL_S
        poll_s = min(max(duration_s / _LOG_FETCHES, shortest_s), longest_s)
        end_s = start_s + duration_s
        chunks: list[NDArray[np.float64]] = []
        received = 0
        period_s = duration_s / count
        while received < count:
            self._refuse_overwritten(self._clock.now_s() - start_s - received * period_s, _LOG_FIFO_S)
            fetched = self._link.query_block(f"FETC:ELOG? {_LOG_FETCH_MAX},{self._channels}")
            if fetched.size:
                chunks.append(fetched)
                if parts is not None and received < count:
                    parts(Waveform(start_s + received * period_s, period_s, fetched[: count - received]))
                received += fetched.size
                if progress is not None:
                    progress(min(1.0, received / count))
            if fetched.size == _LOG_FETCH_MAX:
                continue  # there is more already
            now_s = self._clock.now_s()
            if fetched.size:  # all that there was: what is missing now has been overwritten
                self._refuse_overwritten(now_s - start_s - received * period_s, _LOG_DELAY_S)
            if received < count and now_s > end_s + _LOG_DELAY_S:
                raise InstrumentTimeoutError(f"{received} of {count} samples", where=_WHERE, operation="log")
            if received < count:
                self._clock.sleep(min(poll_s, max(end_s - now_s, shortest_s)))
        return np.concatenate(chunks)[:count]

    @staticmethod
    def _refuse_overwritten(behind_s: float, allowed_s: float) -> None:
        if behind_s > allowed_s:
            raise InstrumentTimeoutError(
                f"the log is {behind_s:.1f} s behind the time that has passed: samples were overwritten",
                where=_WHERE,
                operation="log",
                expected=f"at most {allowed_s:g} s",
                hint="the link to the instrument is too slow, or the controller stood still; a longer period",
            )

    def _sleep(self, duration_s: float) -> None:
        """Wait, and speak often enough that the output watchdog hears."""
        if self._output_watchdog_s is None:
            self._clock.sleep(duration_s)
            return
        left_s = duration_s
        while left_s > 0:
            pause_s = min(left_s, self._output_watchdog_s / 2)
            self._clock.sleep(pause_s)
            self._status.check()
            left_s -= pause_s

    def _measure(self, function: str) -> float:
        at = self._channels
        other = "CURR" if function == "VOLT" else "VOLT"
        self._link.write(
            f"SENS:FUNC:{other} OFF,{at}",  # the shortest interval is for one quantity alone
            f"SENS:FUNC:{function} ON,{at}",
            f"SENS:CURR:RANG:AUTO ON,{at}",
            f"SENS:SWE:TINT {SAMPLE_INTERVAL_S:.9g},{at}",
            f"SENS:SWE:POIN {_MEASURE_POINTS},{at}",
            f"SENS:SWE:OFFS:POIN 0,{at}",
            f"SENS:WIND RECT,{at}",
            "FORM ASC",
        )
        value = self._link.query_number(f"MEAS:{function}? {at}")
        self._link.check_errors("measure")
        if self._output_watchdog_s is not None:
            self._status.check()
        return value

    def _forget_old_errors(self) -> None:
        for _ in range(_ERROR_QUEUE_DEPTH):
            if self._link.query("SYST:ERR?").lstrip("+").split(",")[0] == "0":
                return

    def _refuse_other_outputs(self) -> None:
        count = int(self._link.query_number("SYST:CHAN?"))
        others = [number for number in range(1, count + 1) if number != self._channel]
        if not others:
            return
        states = self._link.query(f"OUTP? (@{','.join(map(str, others))})").split(",")
        on = [str(number) for number, state in zip(others, states, strict=True) if int(float(state))]
        if on:
            raise ConnectError(
                f"the output of channel {', '.join(on)} is on",
                where=_WHERE,
                operation="connect",
                expected=f"no output but that of channel {self._channel}",
                hint="switch it off, or set [power_analyzer] shared_mainframe = true if it is somebody's",
            )

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
        try:
            module = self._link.query(f"SYST:CHAN:MOD? {self._channels}").strip('"')
        except InstrumentTimeoutError as error:  # it has just said who it is
            raise ConnectError(
                f"slot {self._channel} does not exist",
                where=_WHERE,
                operation="connect",
                expected=f"an {_MODULE}",
                hint="check [power_analyzer] channel",
            ) from error
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


@dataclass(frozen=True)
class _ArmedScope:
    """A scope that waits for its trigger."""

    take: Callable[[], Waveform]


def open_n6705c(
    resource_name: str,
    *,
    channel: int,
    voltage_maximum_v: float,
    current_maximum_a: float,
    clock: Clock,
    serial: str | None,
    output_watchdog_s: float | None = None,
    sense: Sense = "local",
    shared_mainframe: bool = False,
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
        sense=sense,
        shared_mainframe=shared_mainframe,
    )
